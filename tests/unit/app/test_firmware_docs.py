"""docs/firmware.md says what the code does: its examples compile and run, its files are there."""

import re
from pathlib import Path

from app_programs import FEW, LABELS, MODEL, frames_of
from c_models import export, succeed, tool
from hearing_programs import MODEL as HEARS
from hearing_programs import export as export_hearing
from hearing_programs import hearing

from rnn_edge.firmware.app_config import APP_CONFIG, app_config_header
from rnn_edge.firmware.program import LINK, SAMPLES, config_header
from rnn_edge.links.application import Mode
from rnn_edge.logs import LogReader
from rnn_edge.resources import data_folder
from rnn_edge.spec import FirmwareSection

DOCS = (Path(__file__).parents[3] / "docs" / "firmware.md").read_text()
TEMPLATES = data_folder("firmware_templates")
BLOCK = re.compile(r"<!-- example: (\w+) -->\n```\w+\n(.*?)```", re.S)


def example(name):
    return dict(BLOCK.findall(DOCS))[name]


def test_the_examples_in_c_compile(tmp_path):
    folder = export(MODEL, tmp_path)
    (folder / "rnn_edge_config.h").write_text(config_header(MODEL))
    (folder / APP_CONFIG).write_text(app_config_header(FEW))
    include = [f"-I{folder}", f"-I{TEMPLATES / 'app'}"]
    (tmp_path / "main.c").write_text(example("main"))
    sensor = "#include <stdint.h>\nvoid read_sensor(int16_t *);\nvoid sensor_interrupt(void);\n"
    (tmp_path / "sensor.c").write_text(sensor + example("sensor"))
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
    succeed(tool("cc"), *flags, *include, "-c", "main.c", "sensor.c", cwd=tmp_path)


def test_the_example_of_a_microphone_compiles(tmp_path):
    folder = export_hearing(tmp_path)
    (folder / "rnn_edge_config.h").write_text(config_header(HEARS))
    (folder / APP_CONFIG).write_text(app_config_header(hearing()))
    declared = "#include <stddef.h>\n#include <stdint.h>\n"
    declared += "void microphone_interrupt(const int16_t *, size_t);\n"
    (tmp_path / "microphone.c").write_text(declared + example("microphone"))
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{folder}", f"-I{TEMPLATES / 'app'}"]
    succeed(tool("cc"), *flags, "-c", "microphone.c", cwd=tmp_path)


class Model:
    """The model with names for its outputs."""

    labels = LABELS

    def __getattr__(self, name):
        return getattr(MODEL, name)


def test_the_example_in_python_runs(app_program, tmp_path):
    path = tmp_path / "device.jsonl"
    x = frames_of(60)
    names = {"program": str(app_program), "path": path, "model": Model()}
    exec(example("log"), {**names, "parts": [x[:20], x[20:40], x[40:]]}, names)
    assert names["status"].mode is Mode.FED
    assert names["about"].device == "test board"
    assert names["log"].frames + names["log"].lost > 0
    with LogReader(path) as reader:
        steps = [frame.step for frame in reader]
    assert len(steps) == names["log"].frames
    assert steps == sorted(set(steps))


def test_the_files_are_there():
    told = set(re.findall(r"`(rnn_edge_\w+)\.", DOCS))
    for name in told - {"rnn_edge_config", "rnn_edge_app_config"}:
        assert any(Path(file).stem == name for file in (*LINK, *SAMPLES)), name
    app = {Path(file).stem for file in (*LINK, *SAMPLES) if file.startswith("app/")}
    assert app <= told


def test_the_keys_are_those_of_the_spec():
    keys = set(re.findall(r"\n(\w+) = \d+", DOCS))
    assert keys
    assert keys <= set(FirmwareSection.model_fields)
