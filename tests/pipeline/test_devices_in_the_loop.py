"""`replay` and `check` through a board: a terminal with the same program behind it."""

import subprocess
from xml.etree import ElementTree

import pytest
from c_models import tool
from untrained import untrained_bundle

from rnn_edge.cli.main import run
from rnn_edge.engines.base import EngineSource
from rnn_edge.engines.link_engine import exported_sources
from rnn_edge.firmware.link import build_link_program

BOARD = "device:nucleo-f401re"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    tool("cc")
    return untrained_bundle(tmp_path_factory.mktemp("loop"))


@pytest.fixture(scope="module")
def program(bundle, tmp_path_factory):
    work = tmp_path_factory.mktemp("program")
    model = bundle.model()
    sources = exported_sources(EngineSource(None, model, bundle.exports, work))
    return build_link_program([tool("cc")], model, sources, work)


@pytest.fixture
def port(program):
    process = subprocess.Popen(
        [program, "--pty"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process.stdout.readline().strip()
    process.kill()
    process.communicate()


@pytest.fixture
def rnn_edge(capsys):
    def call(*arguments):
        capsys.readouterr()
        code = run([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_a_board_is_replayed_through(rnn_edge, bundle, port):
    code, out, err = rnn_edge(
        "replay", bundle.path, "--engines", f"int8,{BOARD}", "--port", port,
        "--emulated-steps", "150",
    )  # fmt: skip
    assert code == 0, err
    assert f"{BOARD} equals the integer reference in every bit" in out.splitlines()[-1]
    assert f"boards: {BOARD} ran on a board, over the first 150 of " in out


def test_a_board_is_checked(rnn_edge, bundle, port, tmp_path):
    code, out, err = rnn_edge(
        "check", bundle.path, "--engines", "int8", "--device", "nucleo-f401re", "--port", port,
        "--no-drift", "--junit", tmp_path / "j.xml", "--summary", tmp_path / "s.md",
    )  # fmt: skip
    assert code == 0, err
    rows = [line.split() for line in out.splitlines() if line.startswith(BOARD)]
    assert rows[0][1:3] == ["state", "carried"]
    assert [row[3] for row in rows[1:]] == ["0"] * len(rows[1:])
    assert {row[2] for row in rows[1:]} == {"2,000"}
    assert out.splitlines()[-1].startswith(f"verdict: passed; {BOARD} equals")
    cases = ElementTree.parse(tmp_path / "j.xml").findall(".//testcase")
    assert f"bits of a device.{BOARD}" in {case.get("classname") for case in cases}
    assert f"| {BOARD} | y | 2,000 | 0 |" in (tmp_path / "s.md").read_text()


def test_a_bit_that_differs_fails_the_check(rnn_edge, bundle, port, monkeypatch):
    from rnn_edge.engines.device import BoardEngine
    from rnn_edge.types import Trace

    real = BoardEngine.run

    def wrong(self, x):
        found = real(self, x)
        outputs = found.outputs.copy()
        if len(x) > 7:
            outputs[7, 0] ^= 1
        return Trace(outputs, found.states)

    monkeypatch.setattr(BoardEngine, "run", wrong)
    code, out, err = rnn_edge(
        "check", bundle.path, "--engines", "int8", "--device", "nucleo-f401re", "--port", port,
        "--no-drift",
    )  # fmt: skip
    assert code == 1
    assert f"{BOARD} y: 1 values differ by up to 1 LSB, first at step 7" in err
    assert "verdict: failed" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--engines", BOARD), 1, "is a board: no port is named"),
        (("--engines", "int8,c", "--port", "/dev/x"), 2, "boards among the engines are: none"),
        (("--engines", f"{BOARD},device:rpi-4", "--port", "/dev/x"), 2, "where one board is"),
        (("--engines", "int8", "--simulate"), 2, "no engine device:NAME is a board"),
        (("--engines", BOARD, "--simulate", "--port", "/dev/x"), 2, "--port is about a board"),
        (("--engines", "device:rpi-4", "--simulate"), 1, "nothing simulates it here"),
        (("--engines", "device:nucleo-f401"), 2, "did you mean device:nucleo-f"),
        (("--engines", BOARD, "--port", "/dev/ttyNone"), 1, "did not answer within"),
    ],
)
def test_what_cannot_be_replayed_is_refused(
    rnn_edge, bundle, monkeypatch, arguments, code, message
):
    monkeypatch.setattr("rnn_edge.engines.device.ANSWER_TIMEOUT_S", 0.5)
    found, _, err = rnn_edge("replay", bundle.path, *arguments)
    assert found == code, err
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--device", "nucleo-f401re"), 1, "is a board: no port is named"),
        (("--port", "/dev/x"), 2, "--port is about a device; name it with --device"),
        (("--simulate",), 2, "--simulate is about a device"),
        (("--device", "nucleo"), 2, "Unknown device: 'nucleo'"),
    ],
)
def test_what_cannot_be_checked_is_refused(rnn_edge, bundle, arguments, code, message):
    found, _, err = rnn_edge("check", bundle.path, "--no-drift", "--engines", "int8", *arguments)
    assert found == code, err
    assert message in err


@pytest.mark.slow
def test_a_simulated_board_is_replayed_through(rnn_edge, bundle):
    tool("arm-none-eabi-gcc")
    pytest.importorskip("labwired", reason="no simulator")
    code, out, err = rnn_edge(
        "replay", bundle.path, "--engines", BOARD, "--simulate", "--emulated-steps", "100"
    )
    assert code == 0, err
    assert "simulated:nucleo-f401re equals the integer reference" in out
