"""A program that decides as a device does, and what has to come out of it."""

import subprocess
from pathlib import Path

import numpy as np
from c_models import WARNINGS, Recipe, build, export, succeed, tool

from rnn_edge.firmware.app_config import APP_CONFIG, AppConfig, app_config_header
from rnn_edge.firmware.program import config_header
from rnn_edge.reference.decisions import FIRST_FAULT, AlarmNumbers, IntegerRule
from rnn_edge.resources import data_folder

PROBE = Path(__file__).parents[1] / "unit" / "app" / "decision_probe.c"
TEMPLATES = data_folder("firmware_templates")
PARTS = ("decision", "residuals", "rule_alarm", "rule_keywords")
SETTLE, NOTHING, RESTORE = 1, 2, 4
SANITIZED = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def probe(numbers, inputs, outputs, folder, compiler="cc", flags=SANITIZED):
    """Compile the program."""
    model = build(Recipe(inputs=inputs, outputs=outputs, name="decided"))
    exported = export(model, folder)
    (exported / "rnn_edge_config.h").write_text(config_header(model))
    (exported / APP_CONFIG).write_text(app_config_header(AppConfig("probe", numbers)))
    include = [f"-I{exported}", *(f"-I{TEMPLATES / n}" for n in ("app", "service"))]
    sources = [PROBE, *(TEMPLATES / "app" / f"rnn_edge_{part}.c" for part in PARTS)]
    if not isinstance(numbers, AlarmNumbers):
        # The softmax is one of the kernels.
        sources += [path for path in sorted(exported.glob("*.c")) if path.name != "decided.c"]
    binary = folder / "probe"
    succeed(tool(compiler), *WARNINGS, *flags, *include, *sources, "-o", binary)
    return binary


def mask_bytes(numbers):
    """Bytes of a mask."""
    return (numbers.channel_count + 7) // 8 if isinstance(numbers, AlarmNumbers) else 1


def packed(mask, count, width):
    """Masks bool (T, channels) as bytes (T, width)."""
    if mask is None:
        return np.zeros((count, width), np.uint8)
    found = np.packbits(mask, axis=1, bitorder="little")
    return np.pad(found, ((0, 0), (0, width - found.shape[1])))


def decided(binary, numbers, x, y, commands=None, left_out=None, faulty=None, arguments=()):
    """Run the program; return its rows, and what it said at its end."""
    count, width = len(x), mask_bytes(numbers)
    row = np.dtype(
        [
            ("label", "u1"),
            ("score", "<u4"),
            ("ended", "u1"),
            ("own", "<u4"),
            ("begun", "u1"),
            ("active", "u1"),
            ("faults_begun", "u1", (width,)),
            ("faults_ended", "u1", (width,)),
            ("is_faulty", "u1"),
        ]
    )
    commands = np.zeros(count, np.uint8) if commands is None else commands
    parts = [
        x.astype("<i2").view(np.uint8),
        y.astype("<i2").view(np.uint8),
        commands.astype(np.uint8)[:, None],
        packed(left_out, count, width),
        packed(faulty, count, width),
    ]
    data = np.concatenate([part.reshape(count, -1) for part in parts], axis=1).tobytes()
    done = subprocess.run([binary, *arguments], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, row), done.stderr.decode()


def told(rows):
    """What rows say that began and ended, as changes of the reference."""
    found = []
    for step, row in enumerate(rows):
        if row["ended"]:
            found.append((step, False, int(row["ended"]), int(row["own"])))
        if row["begun"]:
            found.append((step, True, int(row["begun"]), int(row["score"])))
        begun, ended = (
            np.unpackbits(row[name], bitorder="little") for name in ("faults_begun", "faults_ended")
        )
        assert not (begun & ended).any()
        for channel in np.flatnonzero(begun | ended):
            change = (bool(begun[channel]), FIRST_FAULT + int(channel), int(row["score"]))
            found.append((step, *change))
    return found


def follow(numbers, x, y, commands=None, left_out=None, faulty=None):
    """Decide in the reference, frame by frame; return the rule and its labels and scores."""
    rule, found = IntegerRule(numbers), []
    for step in range(len(x)):
        command = 0 if commands is None else commands[step]
        if command & SETTLE:
            rule.settle()
        masks = [
            None if mask is None or command & NOTHING else mask[step] for mask in (left_out, faulty)
        ]
        found.append((*rule.step(x[step], y[step], *masks), rule.active, rule.faulty.any()))
        if command & RESTORE:
            memory, changes, steps = rule.memory(), rule.changes, step + 1
            rule = IntegerRule(numbers)
            rule.recall(memory)
            rule.changes, rule._steps = changes, steps
    return rule, np.array(found, np.int64).reshape(-1, 5).T


def expect(binary, numbers, x, y, **more):
    """Hold the program to the bits of the reference; return the rule."""
    arguments = more.pop("arguments", ())
    rows, _ = decided(binary, numbers, x, y, arguments=arguments, **more)
    rule, (_, labels, scores, active, is_faulty) = follow(numbers, x, y, **more)
    np.testing.assert_array_equal(rows["label"], labels)
    np.testing.assert_array_equal(rows["score"], scores)
    np.testing.assert_array_equal(rows["active"], active)
    np.testing.assert_array_equal(rows["is_faulty"], is_faulty)
    assert told(rows) == [(c.step, c.has_begun, c.label, c.score) for c in rule.changes]
    return rule
