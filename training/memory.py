"""Memory of a process that makes and drops many arrays."""

import ctypes
import sys

M_MMAP_THRESHOLD = -3  # of mallopt(3)
LARGE = 256 * 1024  # bytes


def return_freed_arrays() -> None:
    """Has glibc give arrays from LARGE bytes on back to the system when they are dropped.

    By itself it raises that bound to 32 MiB as arrays of that size come and go, and keeps what lies between in a heap
    full of holes: training on 10,000 creators then holds a quarter more. Nothing happens where there is no glibc.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(M_MMAP_THRESHOLD, LARGE)
