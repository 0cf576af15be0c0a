"""A build for a device: what does not fit is refused before anything is trained."""

import json
import re

import pytest
from own_cache import cache_with_objects
from untrained import SPEC, replace_training

from rnn_edge import programs
from rnn_edge.cli.main import run
from rnn_edge.errors import MissingDependencyError, ModelError
from rnn_edge.pipeline import build_bundle
from rnn_edge.pipeline.device_needs import need_of
from rnn_edge.spec import find_device, load_spec


@pytest.fixture(autouse=True)
def prepared(monkeypatch, tmp_path):
    replace_training(monkeypatch.setattr)
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("RNN_EDGE_CACHE", str(cache_with_objects(tmp_path / "cache")))
    try:
        programs.program("arm-none-eabi-gcc", "a test")
    except MissingDependencyError as error:
        pytest.skip(error.message)


def smaller(**changes):
    device = find_device("qemu-m4")
    return device.model_copy(update={"memory": device.memory.model_copy(update=changes)})


def build(folder, device, hidden, *more, until="export"):
    folder.mkdir(exist_ok=True)
    (folder / "tiny.toml").write_text(SPEC)
    spec = load_spec(folder / "tiny.toml", [f"model.hidden={hidden}", *more])
    began = []
    try:
        bundle = build_bundle(
            spec,
            folder / "bundle",
            progress=lambda stage, *_: began.append(stage),
            until=until,
            device=device,
        )
    except ModelError as error:
        return error, began
    return bundle, began


@pytest.mark.slow
def test_what_does_not_fit_is_refused_before_it_is_trained_and_less_is_built(tmp_path):
    device = smaller(flash_bytes=40 << 10)
    error, began = build(tmp_path / "large", device, 128)
    assert set(began) == {"data"}
    assert re.search(r"needs [\d,]+ bytes of flash; qemu-m4 has 40,960", error.message)
    hidden = int(re.search(r"with hidden = (\d+) in the spec \(now 128\)", error.hint)[1])
    assert 8 < hidden < 128
    bundle, began = build(tmp_path / "fits", device, hidden)
    assert "export" in began
    files = [path for path in (bundle.exports / "c").iterdir() if path.suffix in (".c", ".h")]
    need = need_of(device, bundle.model(), files, is_resetting=False)
    # One unit more has three rows of inputs and units more in each of two matrices, or a block.
    assert 0 <= device.flash_bytes - need.flash_bytes < 3 * 4 * 2 * (hidden + 60)
    more, _ = build(tmp_path / "more", device, hidden + 4)
    assert isinstance(more, ModelError)


@pytest.mark.slow
def test_too_little_ram_is_refused_too(tmp_path):
    error, began = build(tmp_path, smaller(ram_bytes=12 << 10), 500)
    assert set(began) == {"data"}
    assert "bytes of RAM; qemu-m4 has 12,288" in error.message


@pytest.mark.slow
def test_a_shorter_log_is_advised_where_it_is_enough(tmp_path):
    needed, _ = build(tmp_path / "much", smaller(ram_bytes=1024), 40)
    bytes_needed = int(
        re.search(r"needs ([\d,]+) bytes of RAM", needed.message)[1].replace(",", "")
    )
    assert "firmware.log_records" not in needed.hint
    device = smaller(ram_bytes=bytes_needed - 200)
    error, began = build(tmp_path / "less", device, 40)
    assert set(began) == {"data"}
    records = re.search(r", or with firmware\.log_records = (\d+) \(now 16\)", error.hint)[1]
    _, began = build(tmp_path / "short", device, 40, f"firmware.log_records={records}")
    assert "export" in began
    # The log is as long as it can be, but for what a variable may be aligned to.
    longer, _ = build(tmp_path / "long", device, 40, f"firmware.log_records={int(records) + 2}")
    assert isinstance(longer, ModelError)


@pytest.mark.slow
def test_what_was_learned_is_looked_at_once_more(tmp_path, monkeypatch):
    monkeypatch.setattr("rnn_edge.pipeline.build.refuse_before_training", lambda *_: None)
    error, began = build(tmp_path, smaller(flash_bytes=40 << 10), 128)
    assert "export" in began
    assert "prove" not in began
    assert "bytes of flash; qemu-m4 has 40,960" in error.message


@pytest.mark.slow
def test_the_command_says_what_the_model_takes(tmp_path, capsys):
    (tmp_path / "tiny.toml").write_text(SPEC)
    arguments = [str(tmp_path / "tiny.toml"), "--out", str(tmp_path / "out")]
    assert run(["build", *arguments, "--device", "qemu-m4"]) == 0
    printed = capsys.readouterr().out
    for part in ("constants", "code", "state", "scratch", "the stack can take"):
        assert part in printed
    assert run(["build", *arguments, "--device", "qemu-m4", "--json"]) == 0
    fit = json.loads(capsys.readouterr().out)["device"]
    assert fit["fits"]
    assert fit["need"]["flash_bytes"] == sum(
        fit["need"][f"{part}_bytes"] for part in ("constants", "code", "program")
    )
    assert run(["build", *arguments, "--device", "qemu-m5"]) == 2
    assert "Unknown device: 'qemu-m5'" in capsys.readouterr().err
