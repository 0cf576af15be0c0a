import pytest

from rnn_edge.data.tree import open_tree
from rnn_edge.errors import DataError


@pytest.mark.parametrize(("ending", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz")])
def test_archive_and_folder_hold_the_same_files(words_folder, pack, ending, mode):
    folder = open_tree(words_folder)
    archive = open_tree(pack(words_folder, f"words.{ending}", mode))
    assert archive.names == folder.names
    assert dict(archive.read(archive.names)) == dict(folder.read(folder.names))


def test_hidden_files_are_left_out(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "._x.wav").write_bytes(b"resource fork")
    (tmp_path / "a" / "x.wav").write_bytes(b"x")
    assert open_tree(tmp_path).names == ("a/x.wav",)


def test_a_folder_round_everything_is_left_out_but_not_a_word(tmp_path):
    (tmp_path / "set" / "yes").mkdir(parents=True)
    (tmp_path / "set" / "yes" / "x.wav").write_bytes(b"x")
    assert open_tree(tmp_path).names == ("yes/x.wav",)
    # With one word alone, or another that is empty, the word is still its folder's name.
    (tmp_path / "set" / "no").mkdir()
    assert open_tree(tmp_path / "set").names == ("yes/x.wav",)


def test_a_single_file_is_a_tree(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    assert list(open_tree(tmp_path / "a.csv").read(["a.csv"])) == [("a.csv", b"x\n1\n")]


def test_missing_and_empty_folder(tmp_path):
    with pytest.raises(DataError, match="does not exist; expected a folder"):
        open_tree(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no files"):
        open_tree(tmp_path)


@pytest.mark.parametrize(("ending", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz")])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_truncated_archive_is_refused(words_folder, pack, ending, mode, share):
    path = pack(words_folder, f"words.{ending}", mode)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match="expected a whole tar archive") as caught:
        open_tree(path)
    assert path.name in caught.value.message


def test_archive_cut_between_two_files_is_refused(words_folder, pack):
    path = pack(words_folder, "words.tar")
    last = max(open_tree(path).members.values(), key=lambda member: member.offset)
    path.write_bytes(path.read_bytes()[: last.offset])
    with pytest.raises(DataError, match="without its end mark"):
        open_tree(path)


def test_archive_that_shrinks_after_listing_is_named(words_folder, pack):
    path = pack(words_folder, "words.tar")
    tree = open_tree(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match=r"words\.tar cannot be read at"):
        list(tree.read(tree.names))


def test_what_is_no_archive_is_refused_in_one_line(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"hello" * 200)
    with pytest.raises(DataError, match="expected a whole tar archive") as caught:
        open_tree(tmp_path / "a.tar")
    assert "\n" not in caught.value.message
