import pytest
from conformance_cases import CASES, export_source, models_of

from rnn_edge.engines.base import all_engines
from rnn_edge.errors import MissingDependencyError, ModelError
from rnn_edge.exporters.base import all_exporters

EXPORTERS = all_exporters()

PAIRS = [(name, case) for name in EXPORTERS for case in ("gru", "lstm", "lstm-gru-lstm")]


def is_expressed(name, case):
    cells = EXPORTERS[name].cells
    return not cells or set(CASES[case].kinds) <= set(cells)


EXPRESSED = [pair for pair in PAIRS if is_expressed(*pair)]
REFUSED = [pair for pair in PAIRS if not is_expressed(*pair)]


def export(name, case, folder):
    folder.mkdir()
    try:
        return EXPORTERS[name].export(export_source(case), folder)
    except MissingDependencyError as error:
        pytest.skip(str(error))


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(("name", "case"), EXPRESSED)
def test_same_model_gives_same_bytes_and_nothing_else(tmp_path, name, case):
    first = export(name, case, tmp_path / "a")
    second = export(name, case, tmp_path / "b")
    assert first == second
    assert first.exporter == name
    assert set(contents(tmp_path / "a")) == set(first.files)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert str(tmp_path).encode() not in b"".join(contents(tmp_path / "a").values())


@pytest.mark.parametrize(("name", "case"), REFUSED)
def test_a_cell_that_a_format_cannot_express_is_refused_and_nothing_written(tmp_path, name, case):
    with pytest.raises(ModelError, match=f"layers {', '.join(CASES[case].kinds)}; expected"):
        export(name, case, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("name", EXPORTERS)
def test_artifact_names_the_model_it_was_made_from(tmp_path, name):
    case = "gru" if is_expressed(name, "gru") else "lstm"
    models = models_of(case)
    artifact = export(name, case, tmp_path / "out")
    assert artifact.source_digest in (models.model.digest(), models.float_model.digest())


@pytest.mark.parametrize("name", EXPORTERS)
def test_exporting_again_replaces_the_files(tmp_path, name):
    artifact = export(name, "lstm", tmp_path / "out")
    expected = contents(tmp_path / "out")
    (tmp_path / "out" / artifact.files[0]).write_bytes(b"damaged")
    EXPORTERS[name].export(export_source("lstm"), tmp_path / "out")
    assert contents(tmp_path / "out") == expected


def test_every_engine_names_an_exporter_that_exists():
    wanted = {kind.exporter for kind in all_engines().values()} - {""}
    assert wanted <= set(EXPORTERS)
