"""The slow examples about tables in docs/cli.md run as they stand, one after the other."""

import pytest
from cli_examples import slow_examples, write_files
from cli_here import run_here


@pytest.mark.slow
def test_slow_examples_run(tmp_path):
    pytest.importorskip("tensorflow", reason="building needs TensorFlow")
    write_files(tmp_path)
    lines = slow_examples(is_machine=False)
    assert len(lines) > 5
    for line in lines:
        run_here(line, tmp_path)
