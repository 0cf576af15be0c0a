"""docs/link.md says what the code does: its examples run, its numbers are those of both sides."""

import re
from pathlib import Path

from c_models import export, frames, succeed, tool

from rnn_edge.firmware.program import config_header
from rnn_edge.links.frames import Frame
from rnn_edge.links.messages import (
    ANSWER,
    DAMAGE_NOTICE,
    EVENT_NOTICE,
    VERSION,
    Kind,
    LogFlag,
    Status,
    StepFlag,
)
from rnn_edge.resources import data_folder

DOCS = (Path(__file__).parents[3] / "docs" / "link.md").read_text()
TEMPLATES = data_folder("firmware_templates")
SERVER = (TEMPLATES / "link" / "rnn_edge_link_server.h").read_text()
LOG = (TEMPLATES / "app" / "rnn_edge_step_log.h").read_text()
BLOCK = re.compile(r"<!-- example: (\w+) -->\n```\w+\n(.*?)```", re.S)


def example(name):
    return dict(BLOCK.findall(DOCS))[name]


def rows(pattern):
    return {name.replace(" ", "_").upper(): number for number, name in re.findall(pattern, DOCS)}


def in_c(prefix):
    found = re.findall(rf"RNN_EDGE_LINK_{prefix}(\w+) = (\w+)", SERVER)
    return {name: int(number, 0) for name, number in found}


def test_the_example_of_a_host_runs(linked_program, linked_recipe):
    names = {"program": str(linked_program), "frames": frames(linked_recipe, 40)}
    exec(example("host"), names)
    assert names["who"].name == "linked"
    assert names["rows"].shape == (40, 16)
    assert names["outputs"].shape == (40, 2)
    assert names["counted"].steps == 80
    assert [record.step for record in names["records"]] == list(range(64, 80))
    assert names["tried"].retries == 0


def test_the_example_of_a_device_compiles(linked_model, tmp_path):
    folder = export(linked_model, tmp_path)
    (folder / "rnn_edge_config.h").write_text(config_header(linked_model))
    prelude = "#include <stddef.h>\n#include <stdint.h>\nsize_t receive_bytes(uint8_t *, size_t);\n"
    (tmp_path / "device.c").write_text(prelude + example("device"))
    include = [f"-I{path}" for path in (folder, TEMPLATES / "link", TEMPLATES / "service")]
    succeed(tool("cc"), "-std=c11", *include, "-c", "device.c", cwd=tmp_path)


def test_the_bytes_of_the_example_are_those_of_a_ping():
    assert Frame(Kind.PING, 0x11223344, 1, b"hi").pack().hex(" ") == example("ping").strip()


def test_types_and_status_have_the_numbers_of_both_sides():
    kinds = {kind.name: kind.value for kind in Kind}
    assert {
        name: int(k, 16) for name, k in rows(r"\n\| ([01][0-9a-f]) \| ([\w ]+) \|").items()
    } == kinds
    status = {each.name: each.value for each in Status}
    table = DOCS[DOCS.index("| status | name |") :]
    found = re.findall(r"\n\| (\d) \| ([\w ]+) \|", table)[: len(status)]
    assert {name.replace(" ", "_").upper(): int(number) for number, name in found} == status
    c = in_c("")
    assert {name: c[name] for name in (*kinds, *status)} == {**kinds, **status}
    assert (c["ANSWER"], c["DAMAGE_NOTICE"]) == (ANSWER, DAMAGE_NOTICE)
    assert (c["WITH_STATES"], c["DEPLOYED"]) == (StepFlag.WITH_STATES, StepFlag.DEPLOYED)
    assert c["EVENT_NOTICE"] == EVENT_NOTICE
    log = dict(re.findall(r"RNN_EDGE_LOG_(\w+) = (\d+),? +/", LOG))
    names = {"STATE": "STATE_SET"}
    assert {names.get(name, name): int(number) for name, number in log.items()} == {
        flag.name: flag.value for flag in LogFlag
    }
    header = (TEMPLATES / "link" / "rnn_edge_link.h").read_text()
    assert f"#define RNN_EDGE_LINK_VERSION {VERSION}\n" in header


def test_the_sizes_have_the_defaults_of_the_header():
    found = dict(re.findall(r"\| `(RNN_EDGE_LINK_\w+)` \| (\d+) \|", DOCS))
    assert found == dict(re.findall(r"#ifndef \w+\n#define (RNN_EDGE_LINK_\w+) (\d+)\n", SERVER))
    assert len(found) == 2
