"""What the exporter writes and what it refuses."""

import re
from dataclasses import replace

import numpy as np
import pytest
from c_models import Recipe, build, export, succeed, tool

from rnn_edge.errors import EnvironmentFailureError, ModelError
from rnn_edge.exporters.base import ExportSource, all_exporters
from rnn_edge.exporters.c_arrays import WIDE_LIMIT, c_matrix
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.types import QuantizedMatrix

RECIPE = Recipe(kinds=("gru", "lstm"), units=(6, 9))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_exporter_is_found_by_name():
    assert all_exporters()["c"] is EXPORTER


def test_same_model_gives_the_same_bytes_and_nothing_else(tmp_path):
    model = build(RECIPE)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    artifact = EXPORTER.export(ExportSource(None, model), tmp_path / "a")
    first = contents(export(model, tmp_path / "b"))
    assert first == contents(tmp_path / "a" / "c")
    assert first == contents(export(model, tmp_path / "b"))
    single = contents(tmp_path / "a" / "c_single")
    assert single == contents(tmp_path / "b" / "c_single")
    written = {f"c/{name}" for name in first} | {f"c_single/{name}" for name in single}
    assert written == set(artifact.files)
    assert artifact.files[0] == "c/sample.h"
    assert artifact.source_digest == model.digest()


def test_generated_files_carry_the_digest_and_no_place_or_date(tmp_path):
    model = build(RECIPE)
    folder = export(model, tmp_path)
    for name in ("sample.h", "sample.c", "sample_data.h", "sample_data.c"):
        text = (folder / name).read_text()
        assert model.digest() in text
        assert str(tmp_path) not in text
        assert not re.search(r"\b20\d\d-\d\d\b", text)
        assert max(map(len, text.splitlines())) <= 110


def test_every_array_states_its_shape_and_scale(tmp_path):
    text = (export(build(replace(RECIPE, bias="int64")), tmp_path) / "sample_data.c").read_text()
    lines = text.splitlines()
    arrays = [k for k, line in enumerate(lines) if re.match(r"static const u?int\d+_t ", line)]
    assert len(arrays) == 5 * 4
    for k in arrays:
        assert re.match(r"/\* u?int\d+ \[\d+\].*\*/$", lines[k - 1]), lines[k - 1]


@pytest.mark.parametrize("flags", [(), ("-DRNN_EDGE_PORTABLE",)], ids=["target", "portable"])
def test_a_value_that_went_missing_stops_the_build(tmp_path, flags):
    folder = export(build(RECIPE), tmp_path)
    data = folder / "sample_data.c"
    # The first line of the array, in every order that targets choose from.
    text, count = re.subn(r"(sample_layer1_h_weights\[\] = \{\n).*\n", r"\1", data.read_text())
    assert count > 1
    data.write_text(text)
    with pytest.raises(AssertionError, match="sample_layer1_h_weights is incomplete"):
        succeed(tool("cc"), "-std=c11", *flags, "-c", data.name, "-o", "/dev/null", cwd=folder)


def test_labels_survive_as_c_strings(tmp_path):
    labels = ('a"b\\c', "què??/1", "line\nbreak")
    model = replace(build(RECIPE), labels=labels)
    folder = export(model, tmp_path)
    (folder / "main.c").write_text(
        '#include <stdio.h>\n#include "sample.h"\n'
        "int main(void) {\n"
        "    for (int k = 0; k < SAMPLE_OUTPUTS; ++k) {\n"
        "        fputs(sample_model.labels[k], stdout);\n"
        "        putchar(0);\n"
        "    }\n"
        "    return 0;\n"
        "}\n"
    )
    succeed(tool("cc"), "-std=c11", *sorted(folder.glob("*.c")), "-o", tmp_path / "program")
    printed = succeed(tmp_path / "program").decode().split("\0")
    assert tuple(printed[:-1]) == labels


@pytest.mark.parametrize("name", ["two words", "9lives", "día", "semi;colon", ""])
def test_a_name_that_is_no_identifier_is_refused(name):
    with pytest.raises(ModelError, match="not a C identifier"):
        replace(build(RECIPE), name=name)


@pytest.mark.parametrize("name", ["_kws", "rnn_edge", "rnn_edge_model"])
def test_a_reserved_name_is_refused(name, tmp_path):
    with pytest.raises(ModelError, match=f'"{name}" is reserved'):
        export(replace(build(RECIPE), name=name), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("exponent", [-16, 1])
def test_a_cell_scale_out_of_range_is_refused(exponent, tmp_path):
    model = build(replace(RECIPE, cell_exponent=exponent))
    with pytest.raises(ModelError, match=rf"cell scale 2\^{exponent}; expected 2\^-15 to 2\^0"):
        export(model, tmp_path)


def one_row(weight, bias):
    return QuantizedMatrix(np.array([weight]), np.array([2.0**-9]), np.array([bias]), -12, -11)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_proof_is_exact_at_both_limits(sign):
    products = 32768 * 3
    assert c_matrix(one_row([1, -2], sign * (2**31 - 1 - products)), "m").is_narrow
    assert not c_matrix(one_row([1, -2], sign * (2**31 - products)), "m").is_narrow
    c_matrix(one_row([1, -2], sign * (WIDE_LIMIT - 1 - products)), "m")
    with pytest.raises(ModelError, match=f"Matrix m: sums reach {WIDE_LIMIT}"):
        c_matrix(one_row([1, -2], sign * (WIDE_LIMIT - products)), "m")


def test_the_smallest_int64_as_bias_is_refused():
    with pytest.raises(ModelError, match="less than 2"):
        c_matrix(one_row([0], -(2**63)), "m")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "c").write_text("a file where the folder goes")
    with pytest.raises(EnvironmentFailureError, match="cannot be written"):
        export(build(RECIPE), tmp_path)
