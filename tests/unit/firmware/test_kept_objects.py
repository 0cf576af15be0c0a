"""Objects of hand-written code: compiled once for all models, and the same as compiled anew."""

import subprocess
from pathlib import Path

import pytest
from c_models import Recipe as Model
from c_models import build as build_model
from c_models import export, tool

from rnn_edge.errors import EngineError
from rnn_edge.firmware.objects import FOLDER, Compilation, compile_objects
from rnn_edge.firmware.program import Recipe, build, plan_of, serving, write_contents

FIRST = build_model(Model(seed=1, kinds=("gru",), units=(5,)))
SECOND = build_model(Model(seed=2, kinds=("lstm", "rnn"), units=(4, 3), outputs=2))
MAIN = '#include "sample.h"\nint main(void) { return (int)sizeof(sample_state) & 1; }\n'


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RNN_EDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / FOLDER


@pytest.fixture
def compiler(tmp_path):
    """A compiler that writes down what it is called with, one call in a line."""
    log, script = tmp_path / "calls", tmp_path / "logged-cc"
    script.write_text(f'#!/bin/sh\necho "$@" >>{log}\nexec {tool("cc")} "$@"\n')
    script.chmod(0o755)
    return script, log


def recipe(script, flags=("-std=c11", "-O0"), main=MAIN):
    return Recipe("host", (str(script),), ("--version",), flags, (), {"main.c": main})


def sources(model, folder):
    folder.mkdir()
    return sorted(export(model, folder).iterdir())


def compiled_files(log):
    """The files that were compiled since the last time."""
    calls = [line.split() for line in log.read_text().splitlines()]
    log.write_text("")
    return {word for words in calls if "-c" in words for word in words if word.endswith(".c")}


def test_of_another_model_only_its_own_files_are_compiled(tmp_path, compiler):
    script, log = compiler
    build(recipe(script), "sample", sources(FIRST, tmp_path / "one"), tmp_path / "work")
    first = compiled_files(log)
    assert {"main.c", "sample.c", "sample_data.c", "rnn_edge_gru.c"} <= first
    build(recipe(script), "sample", sources(SECOND, tmp_path / "two"), tmp_path / "work")
    assert compiled_files(log) == {"main.c", "sample.c", "sample_data.c"}
    other = recipe(script, ("-std=c11", "-O0", "-DOTHER"))
    build(other, "sample", sources(FIRST, tmp_path / "three"), tmp_path / "work")
    assert compiled_files(log) == first


def test_what_is_kept_gives_the_bytes_of_one_command(tmp_path, compiler):
    script, log = compiler
    build(recipe(script), "sample", sources(FIRST, tmp_path / "one"), tmp_path / "work")
    files = sources(SECOND, tmp_path / "two")
    compiled_files(log)
    made = build(recipe(script), "sample", files, tmp_path / "work")
    assert "rnn_edge_lstm.c" not in compiled_files(log)
    plan = plan_of(recipe(script), "sample", files, tmp_path / "work")
    (tmp_path / "anew").mkdir()
    write_contents(plan.contents, tmp_path / "anew")
    subprocess.run(plan.command, cwd=tmp_path / "anew", check=True)
    assert made.read_bytes() == (tmp_path / "anew" / plan.result).read_bytes()


def test_a_header_that_is_changed_is_seen_by_all_that_include_it(tmp_path, compiler, cache):
    script, log = compiler
    contents = {
        "rnn_edge_a.c": b'#include "rnn_edge_b.h"\nint a = VALUE;\n',
        "rnn_edge_b.h": b'  # include "rnn_edge_c.h"\n',
        "rnn_edge_c.h": b"#define VALUE 1\n",
        "rnn_edge_d.c": b"int d;\n",
    }

    def compile_in(name, changed):
        folder = tmp_path / name
        folder.mkdir()
        files = contents | changed
        write_contents(files, folder)
        objects, failed = compile_objects(Compilation([str(script)], "1", [], files, ()), folder)
        assert (objects, failed) == (["rnn_edge_a.o", "rnn_edge_d.o"], None)
        return (folder / "rnn_edge_a.o").read_bytes(), compiled_files(log)

    first, called = compile_in("one", {})
    assert called == {"rnn_edge_a.c", "rnn_edge_d.c"}
    again, called = compile_in("two", {})
    assert (again, called) == (first, set())
    other, called = compile_in("three", {"rnn_edge_c.h": b"#define VALUE 2\n"})
    assert other != first
    assert called == {"rnn_edge_a.c"}
    # What a macro names cannot be known.
    computed = {"rnn_edge_c.h": b"#define VALUE 3\n#ifdef NEVER\n#include WHAT\n#endif\n"}
    for name in ("four", "five"):
        assert compile_in(name, computed)[1] == {"rnn_edge_a.c"}
    assert len(list(cache.rglob("*.o"))) == 3


def test_graphs_are_kept_with_their_objects(tmp_path):
    command = tool("arm-none-eabi-gcc")
    contents = {"rnn_edge_a.c": b"int f(void) { return 1; }\n"}
    how = Compilation([command], "1", ["-fcallgraph-info=su", "-static"], contents, ())
    graphs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_contents(contents, tmp_path / name)
        assert compile_objects(how, tmp_path / name)[1] is None
        graphs.append((tmp_path / name / "rnn_edge_a.ci").read_text())
    assert graphs[0] == graphs[1]
    assert '"f"' in graphs[0]


def test_where_nothing_can_be_kept_everything_is_compiled(tmp_path, compiler, monkeypatch):
    script, log = compiler
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RNN_EDGE_CACHE", str(tmp_path / "file"))
    for name in ("one", "two"):
        work = tmp_path / f"{name}-work"
        assert build(recipe(script), "sample", sources(FIRST, tmp_path / name), work).is_file()
        assert "rnn_edge_gru.c" in compiled_files(log)


def test_what_does_not_compile_is_not_kept_and_told(tmp_path, compiler, cache):
    script, _ = compiler
    wrong = recipe(script, main="no C\n")
    with pytest.raises(EngineError, match=r"failed for host with exit code 1(?s:.*)main\.c"):
        build(wrong, "sample", sources(FIRST, tmp_path / "one"), tmp_path / "work")
    assert not cache.exists()
    assert not list(Path(tmp_path / "work").iterdir())


def test_the_files_of_a_model_are_never_kept(tmp_path, compiler):
    script, log = compiler
    seen = serving(recipe(script, main="int main(void) { return 0; }\n"), FIRST, service=())
    for name in ("one", "two"):
        work = tmp_path / f"{name}-work"
        build(seen, "sample", sources(FIRST, tmp_path / name), work)
        assert {"sample.c", "sample_data.c"} <= compiled_files(log)
