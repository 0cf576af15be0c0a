"""The examples of docs/run.md run as they stand, on bundles of random weights."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from live_bundles import WORDS, make_bundle, write_rows

from rnn_edge.cli.program import cli
from rnn_edge.live.metrics import HELP

DOCS = Path(__file__).parents[2] / "docs" / "run.md"
BLOCK = re.compile(r"<!-- example: run -->\n```console\n(.*?)```", re.S)


def test_examples_run(tmp_path, monkeypatch, rnn_edge):
    soundfile = pytest.importorskip("soundfile", reason="reading audio files needs soundfile")
    if shutil.which("logger") is None:
        pytest.skip("logger is not installed")
    for name, text, change in (("pump", None, 0.0), ("next", None, 1e-3), ("word", WORDS, 0.0)):
        make_bundle(tmp_path / "out" / name, **({"text": text} if text else {}), change=change)
    write_rows(tmp_path / "rows.csv", 1000)
    pcm = np.random.default_rng(0).normal(0, 2000, 16_000).astype(np.int16)
    soundfile.write(tmp_path / "words.wav", pcm, 16_000)
    monkeypatch.chdir(tmp_path)
    (body,) = BLOCK.findall(DOCS.read_text())
    assert DOCS.read_text().count("```console") == 1
    for line in body.strip().splitlines():
        _, program, *arguments = shlex.split(line)
        assert program == "rnn-edge"
        result = rnn_edge(*arguments)
        assert result.code == 0, f"{line}\n{result.err}"
        if "--dry-run" in arguments:
            assert result.out.startswith("[Unit]")
            continue
        events = [json.loads(each) for each in result.out.splitlines()]
        assert events[-1]["event"] == "stopped"
        assert events[-1]["frames"] > 0
        if "--canary" in arguments:
            assert any(event["event"] == "swap" for event in events)


def test_every_metric_is_told():
    text = DOCS.read_text()
    for name in HELP:
        assert f"`{name}_total`" in text, name


def test_every_option_is_told():
    text = DOCS.read_text() + (DOCS.parent / "cli.md").read_text()
    for param in cli.get_command(None, "run").params:
        names = [name for name in param.opts if name.startswith("--")]
        assert all(f"`{name}" in text or f" {name}" in text for name in names), names
