"""Jobs of the fleet's tests; processes and workers import this module."""

import os
import signal
import time
import uuid
from pathlib import Path

import numpy as np

from rnn_edge.errors import EngineError


def statistics(seed, folder, seconds=0.0):
    """Sums over a stream of noise; each call that ends leaves a token of its own."""
    x = np.random.default_rng(seed).normal(size=4096)
    time.sleep(seconds)
    token = f"{seed}-{os.getpid()}-{uuid.uuid4().hex}"
    (Path(folder) / token).write_text("done")
    return {"seed": seed, "count": len(x), "sum": x.sum(), "squares": x @ x, "token": token}


def last_first(position, jobs):
    """The first job ends last."""
    time.sleep(0.05 * (jobs - position))
    return position


def refuse(name):
    raise EngineError(f"Engine {name!r} is broken.", "mend it")


def fail():
    raise ZeroDivisionError("nothing to divide by")


def time_out():
    raise TimeoutError("too slow")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(folder):
    """Ends its process the first time; later calls return."""
    try:
        (Path(folder) / "died").touch(exist_ok=False)
    except FileExistsError:
        return "alive"
    os.kill(os.getpid(), signal.SIGKILL)


def unsendable():
    return lambda: 0


def wait_for(seconds):
    time.sleep(seconds)
    return seconds


def interrupt(parent):
    os.kill(parent, signal.SIGINT)
    time.sleep(120)


def process_id():
    return os.getpid()


def size_of(block):
    return len(block)
