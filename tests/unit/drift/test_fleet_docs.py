"""The example of docs/fleets.md, run as it stands, and what the document promises."""

import re
import subprocess
import sys
from pathlib import Path

from rnn_edge.drift.fleet import Cluster, Processes

TEXT = (Path(__file__).parents[3] / "docs" / "fleets.md").read_text()


def test_the_example_runs(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(example)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_numbers_are_those_of_the_code():
    assert f"({Processes(1).tries} times alone)" in TEXT
    where = Cluster("tcp://h:1")
    assert f"waits {where.patience_s:g} s for another one" in TEXT
    assert f"within {where.connect_s:g} s:" in TEXT
