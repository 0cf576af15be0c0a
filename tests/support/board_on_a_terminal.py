"""Plays picotool and the board behind it: the built program runs behind a pseudo-terminal.

Called as ``picotool load ... PROGRAM.uf2 ...`` it starts itself as the board, and ends when the
port that BOARD_PORT names is there. The board writes its process id beside the port.
"""

import os
import select
import subprocess
import sys
import time
import tty
from pathlib import Path

_READ_BYTES = 4096
_START_S = 60.0


def load(arguments: list[str]) -> int:
    (image,) = (Path(word) for word in arguments if word.endswith(".uf2"))
    port = Path(os.environ["BOARD_PORT"])
    subprocess.Popen(
        [sys.executable, __file__, "--board", str(image.with_suffix("")), str(port)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + _START_S
    while not port.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return 0 if port.exists() else 1


def be_a_board(program: str, port: Path) -> None:
    board, host = os.openpty()
    tty.setraw(host)
    port.with_suffix(".pid").write_text(str(os.getpid()))
    chip = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert chip.stdin is not None
    assert chip.stdout is not None
    ends = {board: chip.stdin.fileno(), chip.stdout.fileno(): board}
    port.symlink_to(os.ttyname(host))
    while True:
        for end in select.select(list(ends), [], [])[0]:
            part = os.read(end, _READ_BYTES)
            if not part:
                return
            os.write(ends[end], part)


if __name__ == "__main__":
    if sys.argv[1] == "--board":
        be_a_board(sys.argv[2], Path(sys.argv[3]))
    else:
        sys.exit(load(sys.argv[1:]))
