"""The commands of docs/flash.md, on a bundle like the one of the page."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from c_models import tool
from untrained import untrained_bundle

PAGE = Path(__file__).parents[2] / "docs" / "flash.md"
BLOCK = re.compile(r"<!-- example: (\w+) -->\n```console\n\$ (rnn-edge .*)\n((?:.*\n)*?)```")
PROGRAM = Path(sys.executable).with_name("rnn-edge")
EXAMPLES = BLOCK.findall(PAGE.read_text())


def test_no_block_of_commands_is_left_out():
    assert len(EXAMPLES) == PAGE.read_text().count("```console") > 5


@pytest.mark.slow
def test_the_commands_of_the_page_run_and_say_what_it_says(tmp_path):
    for name in ("arm-none-eabi-gcc", "qemu-system-arm"):
        tool(name)
    (tmp_path / "made").mkdir()
    made = untrained_bundle(tmp_path / "made")
    shutil.copytree(made.path, tmp_path / "out" / "kws_gru")
    for _, line, shown in EXAMPLES:
        arguments = shlex.split(line)[1:]
        done = subprocess.run(
            [PROGRAM, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        # Of a row the first word, of a sentence how it begins; numbers are the bundle's own.
        words = {words[0] for row in shown.splitlines() if (words := row.split())}
        told = {word for word in words if word.isalpha() or word.endswith(":")}
        said = {words[0] for row in done.stdout.splitlines() if (words := row.split())}
        assert told <= said | {"kws_gru"}, line
