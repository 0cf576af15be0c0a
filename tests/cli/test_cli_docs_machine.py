"""The slow examples of a made machine in docs/cli.md run as they stand, one after the other."""

import pytest
from cli_examples import slow_examples
from cli_here import run_here


@pytest.mark.slow
def test_slow_examples_run(tmp_path):
    pytest.importorskip("tensorflow", reason="building needs TensorFlow")
    run_here("rnn-edge new anomaly machine", tmp_path)
    lines = slow_examples(is_machine=True)
    assert len(lines) > 5
    for line in lines:
        run_here(line, tmp_path)
