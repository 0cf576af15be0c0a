"""The last line of a check says whether the bundle may go out."""

import pytest
from drift_results import result, stream

from rnn_edge.cli.check_files import require_places
from rnn_edge.cli.findings import gate_lines
from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.pipeline.gate import GateCheck
from rnn_edge.pipeline.judgement import judge
from rnn_edge.spec import DriftSection


def last_line(**limits):
    off = dict.fromkeys(("hidden_rms", "frame_agreement", "detection_agreement", "trend"), "off")
    section = DriftSection(budget={**off, **limits})
    drift = judge(result(stream()).to_json(), section)
    return gate_lines(GateCheck("tiny", "", "frames", None, drift).to_json())[-1]


def test_what_is_within_passes():
    assert last_line(hidden_rms=1.0) == "verdict: passed"


def test_what_is_outside_fails():
    assert last_line(hidden_rms=0.0, **{"y.max": 1e6}) == (
        "verdict: failed; 1 of 2 limits not kept"
    )


def test_what_is_unsure_passes_and_is_told():
    value = result(stream()).to_json()["streams"][0]["hidden_rms"]
    assert value["low"] < value["value"] < value["high"]
    said = last_line(hidden_rms=value["value"])
    assert said.startswith("verdict: passed; 1 of 1 limits unsure")


def test_a_budget_without_limits_judges_nothing_and_says_so():
    assert "every limit is off" in last_line()


@pytest.mark.parametrize("below", ["x.xml", "deep/x.xml"])
def test_a_file_in_the_place_of_a_folder_is_said_to_be_one(tmp_path, below):
    (tmp_path / "ff").write_text("")
    with pytest.raises(EnvironmentFailureError) as caught:
        require_places(tmp_path / "ff" / below)
    assert f"{tmp_path / 'ff'} is a file; expected a folder" in caught.value.message
    assert "mkdir" not in caught.value.hint
    with pytest.raises(EnvironmentFailureError, match="does not exist") as caught:
        require_places(tmp_path / "none" / below)
    assert caught.value.hint.startswith("mkdir -p ")
