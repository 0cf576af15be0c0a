"""One turn of the main loop: bounded, fair, and the only thing that feeds the watchdog."""

import re
import subprocess
from pathlib import Path

import pytest
from app_programs import FEW, MODEL, RULE
from c_models import WARNINGS, export, succeed, tool

from rnn_edge.errors import ModelError
from rnn_edge.firmware.app_config import (
    APP_CONFIG,
    AppConfig,
    app_config_header,
    require_watchdog,
    steps_of_a_turn,
)
from rnn_edge.firmware.program import LINK, config_header
from rnn_edge.resources import data_folder

HERE = Path(__file__).parent
TEMPLATES = data_folder("firmware_templates")
INCLUDE = [f"-I{TEMPLATES / name}" for name in ("app", "link", "service")]
CODE = [TEMPLATES / name for name in LINK if name.endswith(".c")]


@pytest.fixture
def exported(tmp_path):
    folder = export(MODEL, tmp_path)
    (folder / "rnn_edge_config.h").write_text(config_header(MODEL))
    (folder / APP_CONFIG).write_text(app_config_header(FEW))
    return folder


def test_nothing_starves_a_turn_and_nothing_else_feeds_the_watchdog(exported, tmp_path):
    code = [path for path in exported.glob("*.c") if path.name != "heard.c"]
    flags = [*WARNINGS, "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    include = [f"-I{exported}", *INCLUDE]
    binary = tmp_path / "turns"
    succeed(tool("cc"), *flags, *include, HERE / "turn_probe.c", *CODE, *code, "-o", binary)
    done = subprocess.run([binary], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("40000 turns")


@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_a_ring_between_two_threads_loses_and_mixes_nothing(level, exported, tmp_path):
    binary = tmp_path / "ring"
    sources = [HERE / "ring_threads.c", TEMPLATES / "app" / "rnn_edge_frame_ring.c"]
    flags = [*WARNINGS, "-D_XOPEN_SOURCE=700", level, "-pthread", f"-I{exported}", *INCLUDE]
    succeed(tool("cc"), *flags, *sources, "-o", binary)
    succeed(binary, timeout=120)


@pytest.mark.parametrize("rule", [None, RULE], ids=["none", "keywords"])
@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4"])
def test_it_compiles_for_a_microcontroller_without_a_warning(core, rule, exported, tmp_path):
    app = AppConfig("small", rule, log_records=0)
    (exported / APP_CONFIG).write_text(app_config_header(app))
    flags = [*WARNINGS, "-Wmissing-prototypes", f"-mcpu={core}", "-mthumb", "-Os", "-ffreestanding"]
    # What the template has of the C library, and nothing else.
    include = [f"-I{exported}", *INCLUDE, f"-I{TEMPLATES / 'baremetal' / 'freestanding'}"]
    compiler = tool("arm-none-eabi-gcc")
    succeed(compiler, *flags, *include, "-c", *CODE, cwd=tmp_path)
    listing = succeed(tool("arm-none-eabi-nm"), "-u", *tmp_path.glob("*.o")).decode()
    names = {line.split()[-1] for line in listing.splitlines() if line.strip().startswith("U ")}
    outside = {name for name in names if not name.startswith(("rnn_edge_", "heard_"))}
    # Helpers for whole numbers: no heap, no output, no floating point.
    helpers = re.compile(r"__aeabi_(u?idiv(mod)?|lmul|ll?sr|lasr)|__gnu_thumb1_case_\w+")
    others = {name for name in outside if not helpers.fullmatch(name)}
    assert others <= {"memcpy", "memset", "memcmp"}


def test_a_turn_has_no_more_steps_than_its_bytes_hold():
    # One request of the largest payload, what follows it in 64 bytes, and a frame of the ring.
    assert steps_of_a_turn(40) == 511 // 80 + 0 + 1
    assert steps_of_a_turn(1) == 255 + 64 // 18 + 1
    assert steps_of_a_turn(40, 16_384) == 204 + 1


def test_a_step_that_is_longer_than_the_watchdog_waits_is_refused():
    app = AppConfig("slow", watchdog_ms=100)
    require_watchdog(app, 40, 14.0)
    with pytest.raises(ModelError, match=r"step takes 15 ms and a turn .* up to 7 of them; .* 100"):
        require_watchdog(app, 40, 15.0)
    require_watchdog(AppConfig("slow", watchdog_ms=0), 40, 1e6)


def test_a_device_without_a_name_to_tell_is_refused():
    for name in ("x" * 49, 'a"b', "ä"):
        with pytest.raises(ModelError, match="cannot be told"):
            app_config_header(AppConfig(name))
