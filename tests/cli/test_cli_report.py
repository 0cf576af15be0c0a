"""`rnn-edge report`: a report with what was measured of a bundle, which stays as it was built."""

import json

import pytest
from html_page import Page
from profile_results import profile
from untrained import untrained_bundle

from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.files import tree_digests

pytest.importorskip("matplotlib", reason="pages need matplotlib")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return untrained_bundle(tmp_path_factory.mktemp("reported"))


@pytest.fixture
def measured(bundle, tmp_path):
    """A folder as `rnn-edge profile --out` writes it."""
    folder = tmp_path / "pi"
    folder.mkdir()
    found = profile() | {"model_digest": bundle.model().digest()}
    (folder / "profile.json").write_text(json.dumps(found))
    return folder


def test_a_report_gains_latency_and_the_bundle_stays(rnn_edge, bundle, measured, tmp_path):
    before = tree_digests(bundle.path)
    out = tmp_path / "out"
    file = measured / "profile.json"
    arguments = ("report", bundle.path, "--profile", measured, "--profile", file, "--out", out)
    result = rnn_edge(*arguments, "--json")
    assert result.code == 0, result.err
    assert result.json["machines"] == ["pi@garden <b>"] * 2
    assert result.json["report"] == str(out / "report.html")
    page = Page((out / "report.html").read_text())
    page.require_closed()
    page.require_offline()
    own = Page((bundle.path / "report.html").read_text()).sections()
    assert set(page.sections()) - set(own) == {"latency"}
    assert tree_digests(bundle.path) == before
    assert Bundle.open(bundle.path)


def test_without_profiles_it_is_the_report_of_the_build(rnn_edge, bundle, tmp_path):
    result = rnn_edge("report", bundle.path, "--out", tmp_path / "out")
    assert result.code == 0, result.err
    assert f"Report: {tmp_path}/out/report.html (no machine was measured)" in result.out
    own = (bundle.path / "report.html").read_bytes()
    assert (tmp_path / "out" / "report.html").read_bytes() == own


def test_a_bundle_is_not_written_to(rnn_edge, bundle, measured):
    before = tree_digests(bundle.path)
    for arguments in (
        ("report", bundle.path, "--profile", measured, "--out", bundle.path),
        ("profile", bundle.path, "--out", bundle.path),
    ):
        result = rnn_edge(*arguments)
        assert result.code == 1
        assert "is a bundle, which stays as it was built" in result.err
    assert tree_digests(bundle.path) == before


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "is list; expected a JSON object"),
        ("{}", "Profile: key 'format' is missing"),
        (json.dumps(profile()), "does not belong to the report"),
    ],
)
def test_what_is_no_profile_of_the_bundle_is_refused(rnn_edge, bundle, tmp_path, content, expected):
    file = tmp_path / "profile.json"
    if content is not None:
        file.write_text(content)
    result = rnn_edge("report", bundle.path, "--profile", file, "--out", tmp_path / "out")
    assert result.code == 1
    assert expected in result.err
    assert not (tmp_path / "out" / "report.html").exists()


def test_a_place_is_asked_for(rnn_edge, bundle):
    result = rnn_edge("report", bundle.path)
    assert result.code == 2
    assert "--out" in result.err
