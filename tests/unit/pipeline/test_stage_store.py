import json
import subprocess
import sys

import pytest

from rnn_edge.errors import BundleError, EnvironmentFailureError
from rnn_edge.pipeline.stages import StageStore


class Maker:
    """Writes a file and counts how often it had to."""

    def __init__(self, text="made"):
        self.text, self.calls = text, 0

    def __call__(self, folder):
        self.calls += 1
        assert list(folder.iterdir()) == []
        (folder / "sub").mkdir()
        (folder / "sub" / "out.txt").write_text(self.text)


def names(root):
    return sorted(p.name for p in root.iterdir())


def test_the_same_inputs_are_made_once(tmp_path):
    store, make = StageStore(tmp_path), Maker()
    first = store.run("data", {"a": [1, 2], "b": None}, make)
    again = StageStore(tmp_path).run("data", {"b": None, "a": [1, 2]}, make)
    assert make.calls == 1
    assert (first.was_kept, again.was_kept) == (False, True)
    assert (first.folder, first.digest) == (again.folder, again.digest)
    assert (first.folder / "sub" / "out.txt").read_text() == "made"
    record = json.loads((first.folder / "stage.json").read_text())
    assert (record["stage"], record["inputs"]) == ("data", {"a": [1, 2], "b": None})


def test_other_inputs_or_another_stage_are_made_anew(tmp_path):
    store, make = StageStore(tmp_path), Maker()
    stages = [
        store.run("data", {"a": 1}, make),
        store.run("data", {"a": 2}, make),
        store.run("train", {"a": 1}, make),
    ]
    assert make.calls == 3
    assert len({s.folder for s in stages}) == 3
    # The digest is of what was made, so that later stages are kept if it did not change.
    assert len({s.digest for s in stages}) == 1
    other = store.run("data", {"a": 3}, Maker("other"))
    assert other.digest != stages[0].digest


@pytest.mark.parametrize("damage", ["change", "lose", "add", "record", "no record"])
def test_a_damaged_stage_is_made_again(tmp_path, damage):
    store, make = StageStore(tmp_path), Maker()
    stage = store.run("data", {}, make)
    file, record = stage.folder / "sub" / "out.txt", stage.folder / "stage.json"
    if damage == "change":
        file.write_text("MADE")
    elif damage == "lose":
        file.unlink()
    elif damage == "add":
        (stage.folder / "more.txt").write_text("")
    elif damage == "record":
        record.write_text("{")
    else:
        record.unlink()
    assert store.find("data", stage.folder.name) is None
    again = store.run("data", {}, make)
    assert (make.calls, again.was_kept, again.digest) == (2, False, stage.digest)
    assert names(stage.folder) == ["stage.json", "sub"]
    assert file.read_text() == "made"


@pytest.mark.parametrize("failure", [ValueError("x"), KeyboardInterrupt(), OSError(28, "full")])
def test_a_stage_that_fails_leaves_nothing(tmp_path, failure):
    def fail(folder):
        (folder / "half.txt").write_text("half")
        raise failure

    wanted = EnvironmentFailureError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(wanted):
        StageStore(tmp_path).run("data", {}, fail)
    assert names(tmp_path) == []
    assert StageStore(tmp_path).run("data", {}, Maker()).was_kept is False


def test_what_a_killed_build_left_is_removed(tmp_path):
    (tmp_path / "unfinished-abc" / "deep").mkdir(parents=True)
    (tmp_path / "unfinished-abc" / "deep" / "half.npz").write_text("half")
    (tmp_path / "unfinished-file").write_text("half")
    kept = StageStore(tmp_path).run("data", {}, Maker())
    with StageStore(tmp_path).locked():
        assert names(tmp_path) == [kept.folder.name, "lock"]


def test_a_second_build_in_the_same_folder_is_refused(tmp_path):
    code = (
        "import sys; from pathlib import Path; from rnn_edge.pipeline.stages import StageStore;"
        "from rnn_edge.errors import BundleError\n"
        "try:\n"
        "    with StageStore(Path(sys.argv[1])).locked(): print('in')\n"
        "except BundleError as error: print(error)"
    )

    def other():
        command = [sys.executable, "-c", code, str(tmp_path / "out" / ".stages")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with StageStore(tmp_path / "out" / ".stages").locked():
        told = other()
    assert f"Folder {tmp_path / 'out'} is in use: another build writes to it." in told
    assert "Hint: wait for it" in told
    assert other() == "in\n"


def test_the_lock_is_free_after_a_failure(tmp_path):
    store = StageStore(tmp_path)
    with pytest.raises(ZeroDivisionError), store.locked():
        raise ZeroDivisionError
    with store.locked(), pytest.raises(BundleError), StageStore(tmp_path).locked():
        pass


def test_older_results_of_the_same_stages_go_and_later_stages_stay(tmp_path):
    store = StageStore(tmp_path)
    old = store.run("data", {"a": 1}, Maker())
    later = store.run("report", {"a": 1}, Maker())
    new = store.run("data", {"a": 2}, Maker())
    store.prune([new])
    assert not old.folder.exists()
    assert store.find("report", later.folder.name) is not None
    assert store.find("data", new.folder.name) is not None
    store.prune([new, store.run("report", {"a": 2}, Maker())])
    assert not later.folder.exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    store = StageStore(tmp_path / "file" / ".stages")
    with pytest.raises(EnvironmentFailureError, match="Not a directory"), store.locked():
        pass
    assert names(tmp_path) == ["file"]
