"""The wheel works in an empty environment outside the repository, without any extra."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("build", reason="needs the package build")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of programs of an environment with the wheel and its base dependencies."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", wheel)
    return folder / "bin"


def run(*command, cwd=None, code=0):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        # Nothing of this environment may help the other one.
        env={"PATH": "/usr/bin:/bin", **pip_settings()},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def pip_settings():
    import os

    kept = ("PIP_", "SSL_", "REQUESTS_", "HOME", "http_proxy", "https_proxy", "no_proxy")
    return {name: value for name, value in os.environ.items() if name.startswith(kept)}


def test_the_data_folders_are_inside(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("models", "calibration", "firmware_templates", "devices"):
        here = {
            p.relative_to(ROOT).as_posix()
            for p in (ROOT / folder).rglob("*")
            if p.is_file() and not p.name.startswith(".")
        }
        packed = {
            n.removeprefix("rnn_edge/_data/")
            for n in names
            if n.startswith(f"rnn_edge/_data/{folder}/")
        }
        assert here
        assert packed == here
    assert "rnn_edge/cli/starters/kws/dot-gitignore" in names
    assert "rnn_edge/py.typed" in names
    assert all(n.startswith(("rnn_edge/", "rnn_edge-")) for n in names)


def test_the_wheel_carries_its_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert any(n.endswith("licenses/LICENSE") for n in names)


def test_the_base_install_is_small(installed):
    listed = json.loads(run(installed / "python", "-m", "pip", "list", "--format", "json").stdout)
    names = {entry["name"].lower().replace("_", "-") for entry in listed}
    assert {"numpy", "click", "pydantic", "rich", "tomli-w", "rnn-edge"} <= names
    assert not names & {"tensorflow", "keras", "onnx", "onnxruntime", "matplotlib", "soundfile"}


def test_the_program_works_outside_the_repository(installed, tmp_path):
    program = installed / "rnn-edge"
    assert "build" in run(program, "--help", cwd=tmp_path).stdout
    run(program, "new", "kws", "mine", cwd=tmp_path)
    run(program, "new", "anomaly", "other", cwd=tmp_path)
    assert (tmp_path / "mine" / ".gitignore").is_file()
    found = json.loads(run(program, "doctor", "--json", cwd=tmp_path).stdout)
    by_name = {c["name"]: c for c in found["checks"] if c["group"] == "extras"}
    assert not by_name["train"]["is_found"]
    assert "tensorflow" in by_name["train"]["detail"]
    run(program, "data", "inspect", "--spec", "demo_anomaly", "--json", cwd=tmp_path)


def test_everything_that_is_missing_is_named_at_once(installed, tmp_path):
    program = installed / "rnn-edge"
    spec = "demo_anomaly"
    done = run(program, "build", spec, "--out", "out", "-q", cwd=tmp_path, code=1)
    assert "tensorflow (for training)" in done.stderr
    assert "matplotlib (for the plots of the report)" in done.stderr
    assert "onnxruntime (for " in done.stderr
    assert "Hint: pip install 'rnn-edge[train," in done.stderr
    assert not (tmp_path / "out").exists()
    assert "Traceback" not in done.stderr


def test_modules_come_from_the_environment(installed, tmp_path):
    code = (
        "import sys, rnn_edge, rnn_edge.resources as r\n"
        "import rnn_edge.pipeline\n"
        "assert 'site-packages' in rnn_edge.__file__, rnn_edge.__file__\n"
        "for name in ('models', 'calibration', 'firmware_templates'):\n"
        "    assert 'site-packages' in str(r.data_folder(name))\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    run(installed / "python", "-c", code, cwd=tmp_path)
