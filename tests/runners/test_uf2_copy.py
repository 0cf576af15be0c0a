"""Copying to the drive of a boot loader; the board is a thread that takes the file."""

import subprocess
import sys
import threading
import time

import pytest

from rnn_edge.errors import DeviceError
from rnn_edge.firmware.image_formats import Program, to_uf2
from rnn_edge.runners import uf2_copy
from rnn_edge.runners.uf2_copy import INFO, copy, find_drive, main, mounted_folders

IMAGE = to_uf2(Program(((0x1000_0000, bytes(range(256)) * 3),), 0x1000_0000), 0xE48BFF56)


def drive(folder, board="RPI-RP2"):
    folder.mkdir()
    (folder / INFO).write_text(
        f"UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: {board}\r\n"
    )
    return folder


@pytest.fixture
def image(tmp_path):
    file = tmp_path / "x.uf2"
    file.write_bytes(IMAGE)
    return file


class BoardThread(threading.Thread):
    """Takes a file that is complete, keeps it, and lets the drive vanish."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.taken = folder, b""
        self.start()

    def run(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            file = self.folder / "x.uf2"
            if file.exists() and len(file.read_bytes()) == len(IMAGE):
                self.taken = file.read_bytes()
                (self.folder / INFO).unlink()
                return
            time.sleep(0.01)


def test_a_board_takes_the_file_and_is_gone(tmp_path, image):
    board = BoardThread(drive(tmp_path / "RPI-RP2"))
    copy(image, board.folder)
    board.join(60)
    assert board.taken == IMAGE


def test_a_board_that_does_not_take_it_is_told(tmp_path, image):
    with pytest.raises(DeviceError, match=r"is still there 0.2 s after x.uf2 was copied") as caught:
        copy(image, drive(tmp_path / "RPI-RP2"), 0.2)
    assert "this chip" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"UF2\n", bytes(512), IMAGE[:-1]])
def test_only_a_uf2_file_is_copied(tmp_path, content):
    file = tmp_path / "x.uf2"
    file.write_bytes(content)
    folder = drive(tmp_path / "RPI-RP2")
    with pytest.raises(DeviceError, match="is no UF2 file"):
        copy(file, folder)
    assert [path.name for path in folder.iterdir()] == [INFO]
    with pytest.raises(DeviceError, match="cannot be read"):
        copy(tmp_path / "none.uf2", folder)


def test_a_drive_that_cannot_be_written_is_told(tmp_path, image, monkeypatch):
    folder = drive(tmp_path / "RPI-RP2")
    (folder / "x.uf2").mkdir()
    with pytest.raises(DeviceError, match="cannot be written"):
        copy(image, folder)


def test_a_drive_that_vanishes_while_the_last_block_is_written_is_no_failure(
    tmp_path, image, monkeypatch
):
    folder = drive(tmp_path / "RPI-RP2")

    def vanish(descriptor):
        (folder / INFO).unlink()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(uf2_copy.os, "fsync", vanish)
    copy(image, folder)


def test_the_drive_of_the_board_is_found_among_others(tmp_path):
    pico = drive(tmp_path / "RPI-RP2")
    other = drive(tmp_path / "RP2350", "RP2350")
    plain = tmp_path / "stick"
    plain.mkdir()
    folders = [plain, other, pico, tmp_path / "gone"]
    assert find_drive("RPI-RP2", folders) == pico
    assert find_drive("RP2350", [], other) == other
    with pytest.raises(DeviceError, match="No drive of the boot loader of X is mounted; there are"):
        find_drive("X", folders)
    with pytest.raises(DeviceError, match="No drive of the boot loader of X is mounted\\.") as e:
        find_drive("X", [plain])
    assert "BOOTSEL" in e.value.hint
    # The port of a command line is where the board answers, and never a drive.
    assert "--port" not in e.value.hint
    with pytest.raises(DeviceError, match="More than one drive is of RP2350") as e:
        find_drive("RP2350", [other, drive(tmp_path / "RP2350-1", "RP2350")])
    assert e.value.hint == "leave one of these boards connected"
    with pytest.raises(DeviceError, match="is of the board RP2350; expected RPI-RP2"):
        find_drive("RPI-RP2", [], other)
    with pytest.raises(DeviceError, match=f"has no {INFO}"):
        find_drive("RPI-RP2", [], plain)


def test_only_file_systems_of_boot_loaders_are_looked_at():
    mounts = (
        "/dev/sda1 / ext4 rw 0 0\n"
        "server:/home /home nfs rw 0 0\n"
        "/dev/sdb1 /media/me/RPI-RP2 vfat rw,uid=1000 0 0\n"
        "/dev/sdc1 /run/media/me/MY\\040PICO\\134X msdos rw 0 0\n"
        "broken\n"
    )
    assert [str(path) for path in mounted_folders(mounts)] == [
        "/media/me/RPI-RP2",
        "/run/media/me/MY PICO\\X",
    ]


def test_mounted_drives_are_read_from_the_system(tmp_path, image, monkeypatch):
    board = BoardThread(drive(tmp_path / "RPI-RP2"))
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sdb1 {board.folder} vfat rw 0 0\n")
    monkeypatch.setattr(uf2_copy, "_MOUNTS", mounts)
    assert main([str(image), "RPI-RP2"]) == 0
    board.join(60)
    assert board.taken == IMAGE
    # macOS has no such list.
    monkeypatch.setattr(uf2_copy, "_MOUNTS", tmp_path / "none")
    monkeypatch.setattr(uf2_copy, "_VOLUMES", tmp_path / "volumes")
    assert main([str(image), "RPI-RP2"]) == 1
    (tmp_path / "volumes").mkdir()
    board = BoardThread(drive(tmp_path / "volumes" / "RPI-RP2"))
    assert main([str(image), "RPI-RP2"]) == 0


def test_it_is_a_program_with_one_line_where_it_fails(tmp_path, image):
    program = [sys.executable, "-m", "rnn_edge.runners.uf2_copy", str(image), "RPI-RP2"]
    board = BoardThread(drive(tmp_path / "RPI-RP2"))
    done = subprocess.run(
        [*program, "--drive", str(board.folder)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert board.taken == IMAGE
    failed = subprocess.run(
        [*program, "--drive", str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"Folder {tmp_path} has no {INFO}")
    assert "Traceback" not in failed.stderr
