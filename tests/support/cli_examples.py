"""The examples of docs/cli.md, and what they need."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from pump_tables import write_pump_tables

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
BLOCK = re.compile(r"<!-- example: ([\w ]+?)((?:, \w+)*) -->\n```console\n(.*?)```", re.S)
FILE = re.compile(r"<!-- file: ([\w.]+) -->\n```toml\n(.*?)```", re.S)
PROGRAM = Path(sys.executable).with_name("rnn-edge")
MACHINE = "out/machine"
"""What the examples of a simulated machine are about; the other slow ones are about tables."""


def examples():
    """Return command, marks and command line of every example, in order."""
    found = []
    for name, marks, body in BLOCK.findall(DOCS.read_text()):
        for line in body.strip().splitlines():
            assert line.startswith("$ rnn-edge "), line
            found.append((name, marks.replace(",", " ").split(), line.removeprefix("$ ")))
    return found


def slow_examples(is_machine):
    """Return the command lines that take long: of a simulated machine, or of tables."""
    lines = [line for _, marks, line in examples() if marks == ["slow"]]
    return [line for line in lines if (MACHINE in line) == is_machine]


def write_files(folder):
    """Write the recordings and files that the page speaks of into a folder, and return it."""
    write_pump_tables(folder / "recordings")
    for name, content in FILE.findall(DOCS.read_text()):
        (folder / name).write_text(content)
    return folder


def run_example(line, folder):
    """Run a line as a process, as a user does."""
    arguments = shlex.split(line)[1:]
    done = subprocess.run(
        [PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    assert done.stdout.strip()
