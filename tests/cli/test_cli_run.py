"""`rnn-edge run`: what it refuses, and the unit it writes."""

import pytest
from live_bundles import WORDS, make_bundle, write_rows


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    make_bundle(folder / "pump")
    make_bundle(folder / "word", WORDS)
    write_rows(folder / "rows.csv", 600)
    (folder / "a.wav").write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--exec-limit", "2"], "--exec-limit does nothing without --exec."),
        (["--log-keep", "2"], "--log-keep does nothing without --log."),
        (["--save-every", "2"], "--save-every does nothing without --state."),
        (["--new-state"], "--new-state does nothing without --state."),
        (["--canary-frames", "9"], "--canary-frames does nothing without --canary."),
        (["--dry-run"], "--dry-run does nothing without --install-unit."),
        (["--fast", "--front-end-hops", "2"], "--front-end-hops is about real time"),
        (["--front-end-hops", "0"], "expected a whole number from 1"),
        (["--delimiter", "ab"], "--delimiter is one character."),
        (["--port", "/dev/ttyACM0"], "--port is for boards"),
        (["--engine", "cc"], "Unknown engine: 'cc'"),
        (["--install-unit"], "A service has no standard input; name a --source."),
        (["--repeat", "-1"], "expected a whole number from 0"),
    ],
)
def test_a_wrong_command_line_is_refused(rnn_edge, bundles, arguments, expected):
    result = rnn_edge("run", bundles / "pump", *arguments)
    assert result.code == 2
    assert expected in result.err
    assert result.out == ""


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("pump", ["-s", "none.csv"], "Source 'none.csv' is no file, and no source of rows"),
        ("pump", ["-s", "none.csv", "--fast"], "Source 'none.csv' is no file"),
        ("pump", ["-s", "none.csv", "--repeat", "2"], "Source 'none.csv' is no file"),
        ("pump", ["-s", "a.wav"], "is sound; pump takes sensor rows"),
        ("pump", ["-s", "rows.csv", "-s", "-"], "Source '-' among 2; expected files only"),
        ("pump", ["-s", "rows.csv", "-s", "no.csv"], "Source 'no.csv' among 2"),
        ("pump", ["--repeat", "3"], "Source '-' cannot be repeated; expected files."),
        ("pump", ["-s", "mqtt://h/t", "--fast"], "cannot be read faster than its samples come"),
        ("pump", ["-s", "rows.csv", "--delimiter", ";"], "has no column 'pressure', 'current'"),
        ("pump", ["-s", "rows.csv", "--exec", "/no/hook"], "Hook '/no/hook' is no program"),
        ("pump", ["-s", "rows.csv", "--canary", "word"], "has other channels than pump"),
        ("pump", ["-s", "rows.csv", "--canary", "pump"], "Canary is the model at work, pump"),
        ("pump", ["-s", "rows.csv", "--canary", "none"], "Bundle none does not exist"),
        ("pump", ["-s", "rows.csv", "--front-end-hops", "2"], "pump takes sensor rows"),
        ("word", ["-s", "none.wav", "--fast"], "Source 'none.wav' is no file, and no source"),
        ("word", ["-s", "microphone", "--fast"], "cannot be read faster than its samples come"),
        ("word", ["-s", "rows.csv"], "is no sound; a model of sound takes WAV or FLAC files"),
        ("word", ["-s", "a.wav"], "a.wav cannot be read"),
        ("word", ["-s", "serial:/dev/x"], "no source of sound"),
        ("rows.csv", [], "is not a folder; expected a bundle"),
    ],
)
def test_what_does_not_fit_is_refused(rnn_edge, bundles, monkeypatch, name, arguments, expected):
    monkeypatch.chdir(bundles)
    result = rnn_edge("run", bundles / name, *arguments)
    assert result.code == 1
    assert expected in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


def test_a_serial_port_that_is_none_is_refused(rnn_edge, bundles):
    pytest.importorskip("serial", reason="pip install 'rnn-edge[serial]'")
    result = rnn_edge("run", bundles / "pump", "-s", "serial:/dev/null")
    assert result.code == 1
    assert "Error: Port /dev/null is no serial port; expected a serial port" in result.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-s", "serial:"], "Source 'serial:' names no port; expected serial:PORT"),
        (["-s", "mqtt://h"], "MQTT address 'mqtt://h'; expected mqtt://HOST"),
        (["-s", "rows.csv", "--mqtt", "foo"], "MQTT address 'foo'; expected mqtt://HOST"),
        (["-s", "rows.csv", "--metrics", "abc"], "expected [HOST:]PORT"),
        (["-s", "rows.csv", "--canary-budget", "x=1"], "Canary budget 'x=1'"),
        (["-s", "rows.csv", "--canary-budget", "foo", "--install-unit"], "Canary budget 'foo'"),
    ],
)
def test_words_that_mean_nothing_are_a_wrong_command_line(rnn_edge, tmp_path, arguments, expected):
    # Before the bundle is looked for, which is not there.
    result = rnn_edge("run", tmp_path / "none", *arguments)
    assert result.code == 2
    assert expected in result.err
    assert result.out == ""


@pytest.mark.parametrize(
    ("name", "module", "arguments"),
    [
        ("pump", "paho.mqtt.client", ["-s", "mqtt://h/t"]),
        ("pump", "paho.mqtt.client", ["-s", "rows.csv", "--mqtt", "mqtt://h/t"]),
        ("pump", "serial", ["-s", "serial:/dev/x"]),
        ("pump", "prometheus_client", ["-s", "rows.csv", "--metrics", "0"]),
        ("word", "sounddevice", ["-s", "microphone"]),
    ],
)
def test_a_missing_package_is_named(rnn_edge, bundles, monkeypatch, name, module, arguments):
    monkeypatch.chdir(bundles)
    monkeypatch.setitem(__import__("sys").modules, module, None)
    result = rnn_edge("run", bundles / name, *arguments)
    assert result.code == 1
    assert f"Package {module} is not installed; it is needed for " in result.err
    assert "pip install 'rnn-edge[run]'" in result.err


def test_a_unit_is_printed_or_written(rnn_edge, bundles, monkeypatch, tmp_path):
    monkeypatch.chdir(bundles)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    words = ["-s", "rows.csv", "--repeat", "0", "--state", "x", "--log", "y", "--watch"]
    printed = rnn_edge("run", "pump", *words, "--install-unit", "--user", "--dry-run")
    assert printed.code == 0, printed.err
    expected = f"run {bundles}/pump --source {bundles}/rows.csv --repeat 0 --watch --state %S/"
    assert expected in printed.out
    assert list(tmp_path.iterdir()) == []
    written = rnn_edge("run", "pump", *words, "--install-unit", "--user", "--unit-name", "one")
    assert written.code == 0
    path = tmp_path / "systemd" / "user" / "rnn-edge-one.service"
    assert written.out == f"{path}\n"
    assert "systemctl --user enable --now rnn-edge-one.service" in written.err
    assert path.read_text() == printed.out.replace("pump.env", "one.env").replace(
        "rnn-edge/pump", "rnn-edge/one"
    ).replace("rnn-edge: pump", "rnn-edge: one")


def test_a_stream_runs_in_this_process(rnn_edge, bundles, tmp_path):
    result = rnn_edge("run", bundles / "pump", "-s", bundles / "rows.csv", "--fast", "-q")
    assert result.code == 0
    assert result.err == ""
    assert '"event": "started"' in result.out.splitlines()[0]
    assert '"event": "stopped"' in result.out.splitlines()[-1]
