"""What docs/frontend.md shows compiles, and what it counts is counted."""

import importlib
import re
import shutil
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from c_models import WARNINGS, Recipe, build, succeed, tool
from test_c_frontend import USUAL, front_end

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_frontend import ram_bytes
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.exporters.front_library import SOUND_LIBRARY
from rnn_edge.features.description import describe
from rnn_edge.pipeline.material import sound_config
from rnn_edge.spec import LogMelFeatures

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "frontend.md").read_text()


def block(language):
    return re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL).group(1)


def test_the_spec_is_that_of_the_usual_front_end():
    features = LogMelFeatures(**tomllib.loads(block("toml"))["features"])
    assert sound_config(features) == USUAL


def test_the_example_compiles_and_every_file_is_named(tmp_path):
    model = build(Recipe(name="kws", inputs=USUAL.bands))
    EXPORTER.export(ExportSource(None, model, describe(front_end(USUAL))), tmp_path)
    folder = tmp_path / "c"
    program = f'#include "kws.h"\n#include "kws_frontend.h"\n{block("c")}'
    for declared in ("void begin(void)", "void hear(const int16_t *pcm, size_t count)"):
        program = program.replace(f"{declared} {{", f"{declared};\n{declared} {{", 1)
    (folder / "example.c").write_text(program)
    succeed(tool("gcc"), *WARNINGS, "-c", "example.c", cwd=folder)
    named = TEXT.replace("rnn_edge_frontend.{h,c}", "rnn_edge_frontend.h rnn_edge_frontend.c")
    assert all(f"{name}" in named for name in SOUND_LIBRARY.files("kws"))
    header = (folder / "kws_frontend.h").read_text()
    for prototype in re.findall(r"^\| `((?:void|bool) kws_frontend_.*?)`", TEXT, re.MULTILINE):
        assert f"{prototype};" in re.sub(r"\s+", " ", header)


def test_sizes_are_those_of_the_structure():
    assert (
        f"{ram_bytes(USUAL):,}; {ram_bytes(replace(USUAL, noise_suppression=True)):,} with" in TEXT
    )
    assert f"{4 * (USUAL.fft_size + 2):,} |" in TEXT


@pytest.mark.slow
def test_instructions_are_those_of_the_table(monkeypatch):
    for name in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    if b" 12." not in succeed(tool("arm-none-eabi-gcc"), "--version").splitlines()[0]:
        pytest.skip("the table was counted with gcc 12")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    program = importlib.import_module("mcu_frontend")
    try:
        targets = tuple(t for t in program.TARGETS if t.cpu in ("cortex-m0plus", "cortex-m4"))
        found = program.measure(USUAL, targets, program.LEVELS, 24)
        assert f"{found['table_bytes']:,};" in TEXT
    finally:
        del sys.modules["mcu_frontend"]
    for target in targets:
        row = re.search(rf"^\| {re.escape(target.title)} \| (.*) \|$", TEXT, re.MULTILINE).group(1)
        told = [int(cell.replace(",", "")) for cell in row.split(" | ")[:3]]
        counted = [r["instructions"] for r in found["rows"] if r["target"] == target.title]
        assert told == pytest.approx(counted, rel=0.01)
