"""Specs are read whole or refused with every mistake named."""

import tomllib

import pydantic
import pytest

from rnn_edge.errors import EnvironmentFailureError, SpecError
from rnn_edge.spec import ModelSpec, load_spec, load_stream, resolved_toml
from rnn_edge.spec.load import shipped
from rnn_edge.spec.overrides import parse_value

SMALL = """
[model]
name = "tiny"
task = "kws"
hidden = 8
[data]
kind = "synthetic-keywords"
"""


@pytest.fixture
def spec_file(tmp_path):
    def write(text):
        file = tmp_path / "spec.toml"
        file.write_text(text)
        return file

    return write


def refusal(path, *overrides):
    with pytest.raises(SpecError) as caught:
        load_spec(path, overrides)
    return caught.value.message


@pytest.mark.parametrize("name", shipped("models"))
def test_shipped_specs_are_valid_and_named_after_their_file(name):
    assert load_spec(name).model.name == name


@pytest.mark.parametrize("name", shipped("models"))
def test_resolving_twice_gives_the_same_text(name, spec_file):
    text = resolved_toml(load_spec(name))
    assert resolved_toml(load_spec(spec_file(text))) == text


def test_the_default_needs_no_data():
    assert load_spec().data.kind == "synthetic-keywords"


def test_a_short_spec_is_filled_for_its_task(spec_file):
    spec = load_spec(spec_file(SMALL))
    assert spec.features.kind == "log-mel"
    assert spec.augment is not None
    assert spec.detector is None
    assert spec.replay.stream == "kws_stream"
    assert spec.model.cell == "gru"


def test_resolved_text_holds_every_value(spec_file):
    values = tomllib.loads(resolved_toml(load_spec(spec_file(SMALL))))
    assert values["student"]["steps"] == 9000
    assert set(values) == {
        "seed", "model", "data", "features", "augment", "teacher", "student", "qat", "quantize",
        "export", "c", "replay", "drift", "reset", "firmware",
    }  # fmt: skip


def test_resolved_text_does_not_tell_where_data_lies():
    spec = load_spec("kws_gru", ["data.path=/somewhere"])
    assert spec.data.path == "/somewhere"
    assert "somewhere" not in resolved_toml(spec)


def test_a_path_in_a_spec_is_relative_to_the_spec(spec_file, tmp_path):
    file = spec_file(SMALL.replace("synthetic-keywords", 'speech-commands"\npath = "rec'))
    assert load_spec(file).data.path == str(tmp_path / "rec")
    assert load_spec(file, ["data.path=rec"]).data.path == "rec"


def test_specs_are_frozen():
    spec = load_spec()
    with pytest.raises(pydantic.ValidationError):
        spec.model.hidden = 3
    assert isinstance(spec.data.keywords, tuple)


def test_overrides_win():
    spec = load_spec(None, ["model.hidden=48", "model.cell=lstm", "seed=9"])
    assert (spec.model.hidden, spec.model.cell, spec.seed) == (48, "lstm", 9)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("true", True),
        ("lstm", "lstm"),
        ('"3"', "3"),
        ('["a", "b"]', ["a", "b"]),
        ("1\nother = 2", "1\nother = 2"),
        ("", ""),
    ],
)
def test_set_values_are_toml_or_text(text, value):
    assert parse_value(text) == value


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("model.hidden=0", "model.hidden = 0; expected a whole number from 1 to 512."),
        ("model.hidden=100000", "model.hidden = 100000; expected a whole number from 1 to 512."),
        ("model.hidden='64'", 'model.hidden = "64"; expected a whole number from 1 to 512.'),
        ("model.hidden=6.5", "model.hidden = 6.5; expected a whole number from 1 to 512."),
        ("model.layers=5", "model.layers = 5; expected a whole number from 1 to 4."),
        (
            "model.cell=elman",
            'model.cell = "elman"; expected "gru", "gru_reset_before", "lstm" or "rnn" '
            "or a list of them, 1 to 4.",
        ),
        (
            'model.cell=["gru","gru","gru","gru","gru"]',
            ': model.cell = ["gru", "gru", "gru", "gru", "gru"]; expected "gru", '
            '"gru_reset_before", "lstm" or "rnn" or a list of them, 1 to 4.',
        ),
        ("model.cell=[]", ': model.cell = []; expected "gru", "gru_reset_before", "lstm" or'),
        ("model.name=9a", 'model.name = "9a"; expected a C identifier of up to 40 characters.'),
        ("model.name=über", 'model.name = "über"; expected a C identifier of up to 40 characters.'),
        ("data.silence=1", "data.silence = 1; expected true or false."),
        ("data.reverberation=nan", "data.reverberation = nan; expected a number from 0 to 1."),
        ("data.keywords=[1]", "data.keywords[0] = 1; expected text."),
        ('data.keywords=[""]', "data.keywords[0] is empty; expected text."),
        ("data.keywords=[]", "data.keywords = []; expected a list of texts, at least 1."),
        ("student.learning_rate=0", "= 0; expected a number over 0 and up to 1."),
        ("student.soft_weight=true", "= true; expected a number from 0 to 1."),
        ("data=3", "data = 3; expected a table."),
        ("augment=3", "augment = 3; expected a table."),
        ("seed=-1", "seed = -1; expected a whole number from 0 to 2147483647."),
        ("model.hiden=3", 'model.hiden = 3; unknown key, did you mean "hidden"? Known are name'),
        ("studnt.steps=3", '[studnt]; unknown key, did you mean "student"?'),
        ("student.step=3", 'student.step = 3; unknown key, did you mean "steps"?'),
        ("foo=3", "foo = 3; unknown key, known are seed, model, data"),
        ("data.kind=zzz", 'data.kind = "zzz"; expected "speech-commands", "sensor-table"'),
        ("replay.engines=['c']", "expected a list of texts, at least 2."),
        ("replay.stream=nowhere", "replay.stream: File nowhere does not exist"),
        ("replay.stream=anomaly_stream", 'task = "anomaly"; expected "kws".'),
        ("data.keywords=['a','a']", 'data: keywords has "a" twice'),
        ("data.keywords=['left']", 'data: unknown_words has "left", which is a keyword too'),
        ("data.keywords=['silence']", 'data: keywords has "silence", which is the name of a class'),
        ("data.snr_min_db=90", "data: snr_min_db = 90"),
        ("features.hop_ms=50", "features: hop_ms = 50 is over window_ms = 30"),
        ("features.high_hz=9000", "expected low_hz < high_hz <= 8000, half the sample rate"),
        ("features.arithmetic=fixed", 'arithmetic = "fixed"; expected "float" or "integer".'),
        (
            "features.noise_suppression=true",
            'noise_suppression = true with arithmetic = "float"; only the integer front end has it',
        ),
        ("detector.margin=2", '[detector] is for model.task = "anomaly"'),
    ],
)
def test_every_mistake_names_key_value_and_what_is_allowed(override, expected):
    message = refusal("demo", override)
    assert expected in message
    assert "demo.toml" in message


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("data.delimiter=';;'", 'data.delimiter = ";;"; expected one character.'),
        ("data.train_share=0.9", "train_share + validation_share = 1.1"),
        ("data.train_files=['a']", 'need split_by = "recording"; it is "time"'),
        ("data.split_by=recording", 'head_rows = 400 needs split_by = "time"'),
        ("features.kind=log-mel", '"log-mel" is for model.task = "kws"'),
        ("data.kind=speech-commands", '"speech-commands" is for model.task = "kws"'),
        ("model.task=kws", 'data.kind = "sensor-table"; expected'),
    ],
)
def test_mistakes_about_sensor_data(override, expected):
    assert expected in refusal("anomaly_gru", override)


def test_a_task_and_its_features_belong_together(spec_file):
    file = spec_file(SMALL + '[features]\nkind = "channels"\n')
    assert 'features.kind = "channels"; expected "log-mel"' in refusal(file)


def test_a_rate_is_needed_without_a_time_column(spec_file):
    text = '[model]\nname="a"\ntask="anomaly"\nhidden=4\n[data]\nkind="sensor-table"\n'
    assert "sample_rate_hz = 0 without a time_column" in refusal(spec_file(text))


def test_all_mistakes_are_told_at_once():
    lines = refusal("demo", "model.hidden=0", "model.cell=x", "foo=1").splitlines()
    assert lines[0].endswith("has 3 mistakes:")
    assert len(lines) == 4


def test_missing_keys_are_named(spec_file):
    message = refusal(spec_file('[model]\ntask = "kws"\n'))
    assert "model.name is missing; expected a C identifier" in message
    assert "model.hidden is missing; expected a whole number from 1 to 512." in message
    assert "data is missing; expected a table." in message
    assert "data.kind is missing; expected" in refusal(spec_file(SMALL.split("kind")[0]))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[model", b"not toml at all", b"a = 1\na = 2"])
def test_a_file_that_is_not_toml_is_named(tmp_path, content):
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    assert f"File {file} is not TOML" in refusal(file)


def test_an_empty_file_lacks_its_sections(spec_file):
    assert "model is missing; expected a table." in refusal(spec_file(""))


def test_a_missing_file_leads_to_the_shipped_ones(tmp_path):
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "no.toml")
    assert "does not exist" in caught.value.message
    assert "kws_gru" in caught.value.hint
    assert f"File {tmp_path} is a folder" in refusal(tmp_path)


def test_a_file_that_cannot_be_read_is_named(spec_file, monkeypatch):
    file = spec_file(SMALL)

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(EnvironmentFailureError, match="cannot be read: Permission denied"):
        load_spec(file)


@pytest.mark.parametrize("override", ["modelhidden", "=3", "model.=3", ".hidden=3"])
def test_an_override_without_key_or_value_is_refused(override):
    assert f"Option --set: {override!r}; expected section.key=value." in refusal(None, override)


def test_an_override_cannot_go_through_a_value():
    assert "'hidden' is a value, not a section" in refusal(None, "model.hidden.x=3")


@pytest.mark.parametrize("name", shipped("calibration"))
def test_shipped_streams_are_valid(name):
    task = "kws" if name.startswith("kws") else "anomaly"
    assert load_stream(name, task).steps >= 10_000


def test_a_short_stream_proves_nothing(tmp_path):
    file = tmp_path / "short.toml"
    file.write_text('task = "kws"\nsteps = 100\n')
    with pytest.raises(SpecError, match="steps = 100; expected a whole number from 10000"):
        load_stream(str(file), "kws")


def test_equal_specs_are_equal():
    assert load_spec("demo") == load_spec("demo")
    assert load_spec("demo") != load_spec("demo", ["seed=2"])
    assert isinstance(load_spec("demo"), ModelSpec)


@pytest.mark.parametrize("name", ["rnn_edge", "rnn_edge_kws", "_kws"])
def test_a_name_that_c_could_not_take_is_refused(name):
    told = refusal("demo", f"model.name={name}")
    assert f'model.name: "{name}" is reserved; expected a name that begins neither' in told


@pytest.mark.parametrize("name", ["stdint", "string", "Main", "platform"])
def test_a_name_of_a_file_that_is_there_already_is_refused(name):
    told = refusal("demo", f"model.name={name}")
    assert f'model.name: "{name}" is taken: {name.lower()}.h or {name.lower()}.c' in told


@pytest.mark.parametrize(
    ("spec", "overrides"),
    [
        ("demo", ["data.unknown_words=[]", "data.silence=false"]),
        ("kws_gru", ["data.unknown_share=0", "data.silence_share=0"]),
    ],
)
def test_one_class_alone_is_refused(spec, overrides):
    told = refusal(spec, "data.keywords=['yes']", *overrides)
    assert 'data: "yes" is the only class; expected another keyword' in told
    assert load_spec(spec, ["data.keywords=['yes']", overrides[0]]).data.keywords == ("yes",)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("['Current','Current']", 'channels has "Current" twice; expected different columns'),
        ("['Current','anomaly']", 'channels has "anomaly", which is a label or time column'),
        ("['datetime']", 'channels has "datetime", which is a label or time column'),
    ],
)
def test_channels_are_columns_of_their_own(names, expected):
    assert expected in refusal("anomaly_gru", f"data.channels={names}")


def test_a_list_names_the_cell_of_each_layer(spec_file):
    text = SMALL.replace("hidden = 8", 'hidden = 8\ncell = ["gru", "lstm", "rnn"]')
    spec = load_spec(spec_file(text))
    assert spec.model.cells == ("gru", "lstm", "rnn")
    assert spec.model.layers == 3
    assert load_spec(spec_file(resolved_toml(spec))) == spec
    single = load_spec(spec_file(SMALL.replace("hidden = 8", "hidden = 8\nlayers = 2")))
    assert single.model.cells == ("gru", "gru")
    assert tomllib.loads(resolved_toml(single))["model"]["cell"] == "gru"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('cell = ["gru", "lstm"]\nlayers = 3', "model: layers = 3, cell = "),
        ('cell = ["gru", "elman"]', 'model.cell[1] = "elman"; expected "gru", '),
        ('cell = "elman"', 'model.cell = "elman"; expected "gru", '),
        ("cell = []", "model.cell = []; expected "),
    ],
)
def test_wrong_cells_are_refused_by_value(spec_file, keys, expected):
    assert expected in refusal(spec_file(SMALL.replace("hidden = 8", f"hidden = 8\n{keys}")))


@pytest.mark.parametrize(
    "keys", ['cell = "bilstm"', 'cell = ["gru", "bidirectional-gru"]', "bidirectional = true"]
)
def test_a_bidirectional_student_is_refused_with_the_reason(spec_file, keys):
    message = refusal(spec_file(SMALL.replace("hidden = 8", f"hidden = 8\n{keys}")))
    assert keys.split(" = ")[1] in message
    assert "the first output exists only after the last input" in message
    assert "use forward layers" in message


def test_what_the_task_fills_in_is_not_called_missing(tmp_path):
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "empty.toml")
    assert caught.value.message.count("is missing") == 2
    for section in ("model is missing", "data is missing"):
        assert section in caught.value.message
    assert "replay" not in refusal("demo", "model={}")
    assert "features" not in refusal("demo", "model={}")


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    text = resolved_toml(load_spec("demo"))
    (tmp_path / "marked.toml").write_text(text, encoding="utf-8-sig")
    assert load_spec(tmp_path / "marked.toml") == load_spec("demo")


def test_a_name_over_the_limit_is_counted():
    expected = "has 60 characters; expected a C identifier of up to 40 characters."
    assert expected in refusal("demo", f"model.name={'a' * 60}")
