"""What is dropped goes back to the system, in a process of its own since the setting is the process's."""

import subprocess
import sys

import pytest

DROPPED = """
import numpy as np
from features.memory import return_freed_arrays

def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

return_freed_arrays()
np.ones(30 * 2**17)  # comes and goes: from here on glibc by itself keeps whatever is smaller
before = megabytes()
arrays = [np.ones(2**18) if place % 2 else np.ones(2**13) for place in range(200)]
arrays = [array for array in arrays if len(array) == 2**13]
print(megabytes() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the setting is glibc's")
def test_arrays_that_are_dropped_leave_the_process():
    run = subprocess.run([sys.executable, "-c", DROPPED], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 40  # of 200
