"""Programs that end with whoever started them."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rnn_edge.engines.tied import tied

STARTER = """
import subprocess, sys, time
from rnn_edge.engines.tied import tied
process = subprocess.Popen(tied(["/bin/sleep", "60"]), stdout=subprocess.DEVNULL)
print(process.pid, flush=True)
time.sleep(60)
"""


def runs(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux does it")
def test_a_program_ends_where_its_starter_is_killed():
    starter = subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True)
    pid = int(starter.stdout.readline())
    deadline = time.monotonic() + 60
    while "sleep" not in Path(f"/proc/{pid}/comm").read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert Path(f"/proc/{pid}/comm").read_text().strip() == "sleep"
    starter.kill()
    starter.communicate()
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(pid)


def test_a_thread_that_may_end_ties_nothing():
    found = []
    thread = threading.Thread(target=lambda: found.extend(tied(["/bin/true"])))
    thread.start()
    thread.join()
    assert found == ["/bin/true"]
