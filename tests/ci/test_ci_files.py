"""The workflow and the hook of docs/ci run as they stand, on a sound bundle and a faulty one."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from faulty_drift import FAULTY, SOUND, bundles_with_and_without_fault

yaml = pytest.importorskip("yaml", reason="reading workflows needs PyYAML")

ROOT = Path(__file__).parents[2]
CI = ROOT / "docs" / "ci"
README = (CI / "README.md").read_text()
WORKFLOW = yaml.safe_load((CI / "rnn-edge-check.yml").read_text())
HOOKS = yaml.safe_load((CI / "pre-commit-config.yaml").read_text())
OFFERED = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
BY_URL = yaml.safe_load(re.search(r"<!-- file: .* -->\n```yaml\n(.*?)```", README, re.S)[1])
EXAMPLE = re.compile(r"<!-- example: ([\w ]+) -->\n```console\n(.*?)```", re.S)

STEPS = WORKFLOW["jobs"]["check"]["steps"]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    bundles_with_and_without_fault(folder)
    return folder


def environment(folder, **more):
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {key: value for key, value in os.environ.items() if not key.startswith("GIT")}
    return {**own, "PATH": programs, "HOME": str(folder), **more}


def bash(line, folder, **more):
    """Run a line as GitHub runs a step."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line],
        cwd=folder,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        check=False,
    )


def place(bundles, name, folder):
    """Put a bundle where the files of docs/ci expect it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(bundles / name, folder)


def examples(name):
    (body,) = (body for found, body in EXAMPLE.findall(README) if found == name)
    return [line.removeprefix("$ ") for line in body.strip().splitlines()]


def step(named):
    (found,) = (each for each in STEPS if each["name"] == named)
    return found


def test_the_workflow_checks_out_installs_restores_checks_and_keeps():
    kinds = [each.get("uses", "run").partition("@")[0] for each in STEPS]
    assert kinds == [
        "actions/checkout",
        "actions/setup-python",
        "run",
        "actions/cache/restore",
        "run",
        "actions/upload-artifact",
    ]
    # YAML 1.1, which PyYAML reads, takes the key "on" for a truth value.
    assert set(WORKFLOW[True]) == {"pull_request", "workflow_dispatch"}
    assert step("Restore the bundle")["with"]["path"] == "${{ env.BUNDLE }}"
    assert step("Restore the bundle")["with"]["fail-on-cache-miss"] is True
    kept = step("Keep the JUnit file")
    assert kept["if"] == "always()"
    assert f"--junit {kept['with']['path']} " in step("Check states and drift")["run"]


def test_the_workflow_installs_extras_that_there_are():
    name, extras = re.fullmatch(r"([\w-]+)\[(.*)\]", WORKFLOW["env"]["RNN_EDGE"]).groups()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert name == project["name"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert step("Install rnn-edge")["run"] == 'python -m pip install "$RNN_EDGE"'


@pytest.mark.slow
def test_the_workflow_passes_a_sound_bundle_and_fails_a_faulty_one(bundles, tmp_path):
    env = WORKFLOW["env"]
    place(bundles, SOUND, tmp_path / env["BUNDLE"])
    for line in examples("baseline"):
        done = bash(line, tmp_path)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / env["BASELINE"]).is_file()
    summary = tmp_path / "step_summary"
    summary.write_text("# Of another command\n")
    junit = tmp_path / step("Keep the JUnit file")["with"]["path"]
    for name, code in ((SOUND, 0), (FAULTY, 1)):
        place(bundles, name, tmp_path / env["BUNDLE"])
        junit.unlink(missing_ok=True)
        lines = [each["run"] for each in STEPS if "rnn-edge check" in each.get("run", "")]
        for line in lines:
            done = bash(line, tmp_path, **env, GITHUB_STEP_SUMMARY=str(summary))
            assert done.returncode == code, done.stdout + done.stderr
        root = ElementTree.parse(junit).getroot()
        failed = [
            case.get("name") for case in root.iter("testcase") if case.find("failure") is not None
        ]
        assert failed == (["hidden_rms", "hidden_rms / baseline"] if code else [])
        assert {case.get("name") for case in root.iter("testcase")} > {
            "int8",
            "c",
            "litert",
            "onnx",
        }
    text = summary.read_text()
    assert text.startswith("# Of another command\n## rnn-edge check: tiny\n\n✅ **Passed.**")
    assert "❌ **Failed**: hidden_rms on anomaly_stream is outside" in text


@pytest.fixture
def repository(bundles, tmp_path):
    """A repository with a sound bundle and the hook."""
    shutil.copy(CI / "pre-commit-config.yaml", tmp_path / ".pre-commit-config.yaml")
    (tmp_path / ".gitignore").write_text(".stages\n.cache\n")
    place(bundles, SOUND, tmp_path / "bundle")
    (tmp_path / "ci").mkdir()
    for line in examples("baseline of the hook"):
        done = bash(line, tmp_path)
        assert done.returncode == 0, done.stderr
    done = bash("git init -q . && git add -A", tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


@pytest.mark.slow
def test_the_hook_passes_a_sound_bundle_and_fails_a_faulty_one(bundles, repository):
    pytest.importorskip("pre_commit", reason="running hooks needs pre-commit")
    author = "git -c user.name=a -c user.email=a@example.com commit -qm"
    hook = f"{sys.executable} -m pre_commit"
    cache = {"PRE_COMMIT_HOME": str(repository / ".cache")}
    done = bash(f"{hook} install && {author} sound", repository, **cache)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"drift of the bundle\.+.*Passed", done.stdout + done.stderr)
    # What does not touch the bundle does not run it.
    done = bash(f"echo > notes && git add notes && {author} notes", repository, **cache)
    assert re.search(r"drift of the bundle\.+.*Skipped", done.stdout + done.stderr)
    place(bundles, FAULTY, repository / "bundle")
    done = bash(f"git add -A && {author} faulty", repository, **cache)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert re.search(r"drift of the bundle\.+.*Failed", said)
    assert "- exit code: 1" in said
    assert "Error: Drift budget: hidden_rms on anomaly_stream is 0." in said


def test_the_hook_by_url_is_the_same_command():
    (offered,) = OFFERED
    (local,) = HOOKS["repos"][0]["hooks"]
    (used,) = BY_URL["repos"][0]["hooks"]
    assert used["id"] == offered["id"] == local["id"]
    assert offered["entry"] == local["entry"] == "rnn-edge check"
    assert offered["pass_filenames"] is local["pass_filenames"] is False
    # The program is one that installing the package gives.
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert offered["entry"].split()[0] in scripts
    assert local["args"][: len(used["args"])] == used["args"]
    assert re.search(offered["files"], "models/door/manifest.json")
    assert re.search(local["files"], "bundle/model.npz")


@pytest.mark.slow
def test_the_hook_by_url_makes_its_own_environment(repository, tmp_path_factory):
    pytest.importorskip("pre_commit", reason="running hooks needs pre-commit")
    # A checkout of its own: a folder within another repository cannot be cloned by its path.
    head = bash('test "$(git rev-parse --show-toplevel)" = "$(pwd -P)" && git rev-parse HEAD', ROOT)
    if head.returncode:
        pytest.skip("a hook by URL is taken from a repository, and this is none")
    taken = BY_URL["repos"][0] | {"repo": f"file://{ROOT}", "rev": head.stdout.strip()}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [taken]}))
    # The package installer may need its settings, which are in the real home.
    home = {"HOME": os.environ["HOME"], "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("hooks"))}
    run = f"git add -A && {sys.executable} -m pre_commit run --all-files --verbose"
    done = bash(run, repository, **home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "state carried" in done.stdout
    assert "hidden_rms" in done.stdout


def test_the_hooks_are_what_pre_commit_reads():
    pytest.importorskip("pre_commit", reason="reading hooks needs pre-commit")
    for kind, file in (
        ("manifest", ROOT / ".pre-commit-hooks.yaml"),
        ("config", CI / "pre-commit-config.yaml"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", f"validate-{kind}", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_no_command_of_the_page_is_left_out():
    assert README.count("```console") == len(EXAMPLE.findall(README))
    for name in ("rnn-edge-check.yml", "pre-commit-config.yaml"):
        assert f"]({name})" in README
