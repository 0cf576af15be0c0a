"""Copies a UF2 file to the drive of a boot loader, and waits until the board has taken it.

``python -m rnn_edge.runners.uf2_copy FILE BOARD [--drive FOLDER]``: the drive is the mounted one
whose ``INFO_UF2.TXT`` says ``Board-ID: BOARD``. The boot loader takes blocks as they arrive and
starts the program after the last one; the drive is gone then, which is how the board says yes.

Source: Microsoft, "USB Flashing Format (UF2)".
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rnn_edge.errors import DeviceError
from rnn_edge.registry import known

INFO = "INFO_UF2.TXT"
TAKEN_TIMEOUT_S = 30.0
_POLL_S = 0.05
_BLOCK_BYTES = 512
_MAGIC = b"UF2\n\x57\x51\x5d\x9e"
_BOARD = re.compile(r"^Board-ID:\s*(\S.*?)\s*$", re.MULTILINE)
_MOUNTS = Path("/proc/mounts")
_VOLUMES = Path("/Volumes")
"""Where macOS mounts drives."""
_FILE_SYSTEMS = ("vfat", "msdos")
"""Of boot loaders; a drive that does not answer, such as one of a network, is never asked."""
_ESCAPE = re.compile(r"\\([0-7]{3})")


def mounted_folders(mounts: str) -> list[Path]:
    """Return where drives are mounted that may be a boot loader's.

    Args:
        mounts: What ``/proc/mounts`` says; spaces in names are written as octal digits.
    """
    found = []
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) > 2 and fields[2] in _FILE_SYSTEMS:
            name = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[1])
            found.append(Path(name))
    return found


def board_of(folder: Path) -> str | None:
    """Return what a drive says that its board is; None where it is no boot loader's."""
    try:
        text = (folder / INFO).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    match = _BOARD.search(text)
    return "" if match is None else match[1]


def find_drive(board: str, folders: Iterable[Path], chosen: Path | None = None) -> Path:
    """Return the drive of a board.

    Args:
        board: What ``INFO_UF2.TXT`` calls it.
        folders: Where drives are mounted.
        chosen: What the user named.

    Raises:
        DeviceError: If there is none, or more than one, or the chosen one is another board's.
    """
    if chosen is not None:
        found = board_of(chosen)
        if found is None:
            raise DeviceError(
                f"Folder {chosen} has no {INFO}; expected the drive of a boot loader.", _HOW
            )
        if found != board:
            raise DeviceError(f"Drive {chosen} is of the board {found or '-'}; expected {board}.")
        return chosen
    boards = {folder: board_of(folder) for folder in folders}
    fitting = [folder for folder, found in boards.items() if found == board]
    if len(fitting) > 1:
        raise DeviceError(
            f"More than one drive is of {board}: {known([str(path) for path in fitting])}.",
            "leave one of these boards connected",
        )
    if not fitting:
        others = sorted({found for found in boards.values() if found})
        seen = f"; there are drives of {known(others)}" if others else ""
        raise DeviceError(f"No drive of the boot loader of {board} is mounted{seen}.", _HOW)
    return fitting[0]


_HOW = (
    "hold the button BOOTSEL while you connect the board, and mount the drive that appears "
    "(desktops do; otherwise: udisksctl mount -b /dev/disk/by-label/...)"
)


def copy(file: Path, drive: Path, timeout_s: float = TAKEN_TIMEOUT_S) -> None:
    """Write a UF2 file to a drive and wait until the board has taken it.

    Raises:
        DeviceError: If the file is none, cannot be written, or the board does not take it.
    """
    content = _read(file)
    failure = _write(drive / file.name, content)
    # The drive may vanish between the last block and the end of the call: that is no failure.
    deadline = time.monotonic() + (_POLL_S if failure else timeout_s)
    while (drive / INFO).exists():
        if time.monotonic() >= deadline:
            if failure is not None:
                raise DeviceError(f"Drive {drive} cannot be written: {failure.strerror}.")
            raise DeviceError(
                f"Drive {drive} is still there {timeout_s:g} s after {file.name} was copied; "
                "expected the board to take it and to start.",
                "is the image for this chip?",
            )
        time.sleep(_POLL_S)


def _read(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DeviceError(f"Image {file} cannot be read: {error.strerror}.") from error
    if not content or len(content) % _BLOCK_BYTES or not content.startswith(_MAGIC):
        raise DeviceError(f"Image {file} is no UF2 file; expected blocks of {_BLOCK_BYTES} bytes.")
    return content


def _write(path: Path, content: bytes) -> OSError | None:
    """Write and wait for the last byte; return what went wrong."""
    try:
        with path.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        return error
    return None


def _folders() -> list[Path]:
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return sorted(_VOLUMES.iterdir()) if _VOLUMES.is_dir() else []
    return mounted_folders(mounts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; see the module."""
    parser = argparse.ArgumentParser(
        prog="python -m rnn_edge.runners.uf2_copy",
        description="Copy a UF2 file to the drive of a boot loader.",
    )
    parser.add_argument("file", type=Path, help="UF2 file")
    parser.add_argument("board", help="what INFO_UF2.TXT calls the board")
    parser.add_argument("--drive", type=Path, help="the drive (default: the one that is mounted)")
    found = parser.parse_args(arguments)
    try:
        folders = [] if found.drive else _folders()
        copy(found.file, find_drive(found.board, folders, found.drive))
    except DeviceError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
