"""Folders that compilers work in."""

import os
import time

from rnn_edge.firmware.scratch import ABANDONED_AFTER_S, PREFIX, scratch_folder


def test_a_folder_goes_with_its_block(tmp_path):
    with scratch_folder(tmp_path / "work") as folder:
        (folder / "main.c").write_text("")
        assert folder.parent == tmp_path / "work"
    assert list((tmp_path / "work").iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_another_one_uses_is_not(tmp_path):
    left, used = tmp_path / f"{PREFIX}left", tmp_path / f"{PREFIX}used"
    for folder in (left, used):
        folder.mkdir()
        (folder / "main.c").write_text("")
    long_ago = time.time() - 2 * ABANDONED_AFTER_S
    os.utime(left, (long_ago, long_ago))
    with scratch_folder(tmp_path):
        assert not left.exists()
        assert used.exists()
