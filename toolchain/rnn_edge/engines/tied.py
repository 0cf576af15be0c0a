"""Programs that end with the process that started them, however it ends.

An emulator goes on where its input ends. A command that is killed cannot tell it to end; on Linux
the kernel does.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence

_TIE = """
import ctypes, os, sys
# PR_SET_PDEATHSIG, SIGKILL
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def tied(command: Sequence[str]) -> list[str]:
    """Return a command whose program is killed when this process has ended.

    The kernel watches the thread that starts it: one that may end earlier ties nothing.

    Args:
        command: The program's path and its arguments.

    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _TIE, str(os.getpid()), *command]
