import errno
import json
import os

import pytest

from rnn_edge.errors import BundleError, EnvironmentFailureError
from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline import bundle as bundle_module
from rnn_edge.pipeline.bundle import publish
from rnn_edge.pipeline.files import explained, file_digest, write_bytes, write_json

FACTS = {"until": "report", "name": "tiny"}


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_text(f"content of {name}")
    return folder


@pytest.fixture
def out(tmp_path, sources):
    """A bundle of a, and b below a folder."""
    folder = tmp_path / "out"
    folder.mkdir()
    publish(folder, {"a.npz": sources / "a", "exports/c/b.c": sources / "b"}, FACTS)
    return folder


def tree(folder):
    files = (p for p in folder.rglob("*") if p.is_file() or not any(p.iterdir()))
    return sorted(p.relative_to(folder).as_posix() for p in files)


def test_a_published_bundle_opens(out, sources):
    found = Bundle.open(out)
    assert tree(out) == [".stages", "a.npz", "exports/c/b.c", "manifest.json"]
    assert found.manifest["files"] == {
        "a.npz": file_digest(sources / "a"),
        "exports/c/b.c": file_digest(sources / "b"),
    }
    assert found.manifest["until"] == "report"
    assert found.file("a.npz").read_text() == "content of a"
    assert found.exports == out / "exports"
    assert oct((out / "a.npz").stat().st_mode & 0o777) == "0o644"
    with pytest.raises(BundleError, match=r"has no model\.npz; it was built until stage 'report'"):
        found.file("model.npz")


def test_publishing_again_keeps_no_stale_file(out, sources):
    (out / "notes.txt").write_text("the user's own")
    publish(out, {"a.npz": sources / "c"}, FACTS)
    assert tree(out) == [".stages", "a.npz", "manifest.json", "notes.txt"]
    assert Bundle.open(out).file("a.npz").read_text() == "content of c"


def interrupted(out, files, monkeypatch, after):
    """Publish, and fail like a killed process after that many files."""
    real, count = bundle_module.move_file, []

    class Killed(BaseException):
        pass

    def move(*arguments):
        if len(count) == after:
            raise Killed
        count.append(1)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(bundle_module, "move_file", move)
        with pytest.raises(Killed):
            publish(out, files, FACTS)


@pytest.mark.parametrize("after", [0, 1])
def test_an_interrupted_exchange_is_unfinished_and_is_cleaned_up_later(
    out, sources, monkeypatch, after
):
    interrupted(out, {"a.npz": sources / "c", "d": sources / "c"}, monkeypatch, after)
    with pytest.raises(BundleError, match="is not finished"):
        Bundle.open(out)
    publish(out, {"only": sources / "a"}, FACTS)
    assert tree(out) == [".stages", "manifest.json", "only"]
    assert Bundle.open(out).file("only").read_text() == "content of a"


def test_a_disk_that_is_full_before_the_exchange_leaves_the_bundle_as_it_was(
    out, sources, monkeypatch
):
    before = tree(out)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(bundle_module, "copy_file", full)
        with pytest.raises(EnvironmentFailureError, match="No space left"):
            publish(out, {"only": sources / "a"}, FACTS)
    assert tree(out) == before
    Bundle.open(out)


def test_a_bundle_that_failed_the_first_time_leaves_nothing_to_a_smaller_one(
    tmp_path, sources, monkeypatch
):
    folder = tmp_path / "fresh"
    folder.mkdir()
    interrupted(folder, {"a": sources / "a", "b": sources / "b"}, monkeypatch, 1)
    publish(folder, {"b": sources / "b"}, FACTS)
    assert tree(folder) == [".stages", "b", "manifest.json"]


def test_a_manifest_names_no_file_outside(out, sources, tmp_path):
    (tmp_path / "precious").write_text("keep")
    listing = {"format": "rnn-edge bundle 1", "until": "report", "files": {"../precious": "0"}}
    (out / "manifest.json").write_text(json.dumps(listing))
    with pytest.raises(BundleError, match="does not list files"):
        Bundle.open(out)
    publish(out, {"a.npz": sources / "a"}, FACTS)
    assert (tmp_path / "precious").read_text() == "keep"


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match=r"is not a bundle: it has no manifest\.json") as found:
        Bundle.open(tmp_path)
    assert found.value.hint == "make one with: rnn-edge build SPEC --out DIR"
    with pytest.raises(BundleError, match="is not a bundle"):
        Bundle.open(tmp_path / "absent")
    (tmp_path / ".stages").mkdir()
    with pytest.raises(BundleError, match="is not finished") as found:
        Bundle.open(tmp_path)
    assert "goes on where it stopped" in found.value.hint


def test_a_file_is_no_bundle(out):
    with pytest.raises(BundleError, match="is not a folder; expected a bundle"):
        Bundle.open(out / "a.npz")


def test_a_changed_byte_is_found(out):
    content = bytearray((out / "a.npz").read_bytes())
    content[3] ^= 1
    (out / "a.npz").write_bytes(content)
    with pytest.raises(BundleError, match=r"file a\.npz was changed; its digest is"):
        Bundle.open(out)


def test_a_missing_file_is_found(out):
    (out / "exports" / "c" / "b.c").unlink()
    with pytest.raises(BundleError, match=r"file exports/c/b\.c is missing"):
        Bundle.open(out)
    (out / "exports" / "c" / "b.c").mkdir()
    with pytest.raises(BundleError, match="is missing or cannot be read"):
        Bundle.open(out)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (b"", "cannot be read"),
        (b"not json", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[]", "is none of a bundle"),
        (b"3", "is none of a bundle"),
        (b"{}", "is none of a bundle"),
        (b'{"format": "rnn-edge bundle 1"}', "is none of a bundle"),
        (b'{"format": "rnn-edge bundle 0", "files": {}}', "has format 'rnn-edge bundle 0'"),
        (b'{"format": "rnn-edge bundle 1", "files": []}', "does not list files"),
        (b'{"format": "rnn-edge bundle 1", "files": null}', "does not list files"),
        (b'{"format": "rnn-edge bundle 1", "files": {"a.npz": 3}}', "does not list files"),
        (b'{"format": "rnn-edge bundle 1", "files": {}}', "does not list files"),
    ],
)
def test_a_damaged_manifest_is_refused_and_replaced(out, sources, manifest, message):
    (out / "manifest.json").write_bytes(manifest)
    with pytest.raises(BundleError, match=message):
        Bundle.open(out)
    publish(out, {"a.npz": sources / "a"}, FACTS)
    assert list(Bundle.open(out).manifest["files"]) == ["a.npz"]


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EACCES, "you may write to"),
        (errno.EROFS, "you may write to"),
        (errno.EFBIG, "ulimit"),
        (errno.EEXIST, "another folder"),
        (errno.ENOTDIR, "another folder"),
        (errno.EIO, ""),
    ],
)
def test_what_the_system_refuses_is_explained(number, hint):
    with (
        pytest.raises(EnvironmentFailureError) as found,
        explained("Writing bundle out"),
    ):
        raise OSError(number, os.strerror(number), "out/a.npz")
    assert found.value.message == f"Writing bundle out failed: {os.strerror(number)} (out/a.npz)."
    assert hint in found.value.hint
    assert bool(found.value.hint) == bool(hint)


def test_other_errors_pass_through():
    with pytest.raises(BundleError, match="x"), explained("Writing"):
        raise BundleError("x")


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    write_bytes(tmp_path / "a", b"first")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        write_bytes(tmp_path / "a", b"second")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"first")]


def test_numbers_that_json_does_not_have_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []
