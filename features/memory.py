"""Memory of a process that makes and drops many arrays: what is dropped goes back to the system."""

import ctypes
import os
import sys

M_MMAP_THRESHOLD = -3  # of mallopt(3)
LARGE = 256 * 1024  # bytes


def return_freed_arrays() -> None:
    """Has glibc give arrays from LARGE bytes on back when they are dropped, and Arrow, if not imported yet, use glibc.

    By itself glibc raises that bound to 32 MiB as arrays of that size come and go, and keeps what lies between in a
    heap full of holes; Arrow's own allocator keeps a gigabyte after 2.4 GB of tables were read. Nothing happens where
    there is no glibc.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # read when pyarrow is imported, also by children
    _glibc("mallopt", M_MMAP_THRESHOLD, LARGE)


def return_holes() -> None:
    """Gives back whole pages that are free between smaller things (malloc_trim(3))."""
    _glibc("malloc_trim", 0)


def _glibc(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function:
        function(*arguments)
