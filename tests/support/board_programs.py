"""Images of boards for tests: with the application, or with a program of the tests in its place."""

import dataclasses
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from c_models import WARNINGS, Recipe, build, export

from rnn_edge.errors import MissingDependencyError
from rnn_edge.firmware import baremetal
from rnn_edge.firmware.program import LINK, build_program
from rnn_edge.spec import all_devices

RECIPE = Recipe(seed=41, kinds=("lstm", "gru"), units=(12, 7), inputs=4, outputs=3, name="board")
MODEL = build(RECIPE)
BOARDS = {
    name: device
    for name, device in all_devices().items()
    if device.template == baremetal.TEMPLATE and device.board is not None
}
EMULATED = {name: device for name, device in BOARDS.items() if device.emulator is not None}
SIMULATED = {name: device for name, device in BOARDS.items() if device.simulator is not None}
PROGRAMS = Path(__file__).parents[1] / "firmware" / "programs"


def with_warnings(device):
    """A device whose images do not compile where a compiler has anything to say."""
    flags = (*device.build.flags, *WARNINGS)
    return device.model_copy(update={"build": device.build.model_copy(update={"flags": flags})})


def ticks_of_a_ms(device):
    """What the counter of an image counts in a millisecond of the emulated or simulated time."""
    if device.emulator is not None:
        return round(1e6 / device.emulator.instructions_per_tick)
    return round(device.clock_hz / 1000 / device.simulator.instructions_per_tick)


def with_board(device, replace=None, without=()):
    """A device with other parts of its board, None for none in its place, or fewer numbers."""
    parts = [(replace or {}).get(part, part) for part in device.board.parts]
    board = device.board.model_copy(
        update={
            "parts": tuple(part for part in parts if part is not None),
            "numbers": {k: v for k, v in device.board.numbers.items() if k not in without},
        }
    )
    return device.model_copy(update={"board": board})


def image(device, folder):
    """The image of a device with the application and the model."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted(export(MODEL, folder).iterdir())
    try:
        return baremetal.build_image(device, MODEL, sources, folder / "work", service=LINK)
    except MissingDependencyError as error:
        pytest.skip(str(error))


def program_image(device, name, folder, **macros):
    """The path of an image with a program of the tests in the place of the application."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted(export(MODEL, folder).iterdir())
    try:
        recipe = baremetal.recipe(device)
        changed = dataclasses.replace(
            recipe,
            templates=tuple(part for part in recipe.templates if not part.endswith("/main.c")),
            generated={**recipe.generated, "board_program.c": (PROGRAMS / name).read_text()},
            flags=(*recipe.flags, *(f"-D{key}={value}" for key, value in macros.items())),
        )
        return build_program(changed, MODEL, sources, folder / "work", service=LINK)
    except MissingDependencyError as error:
        pytest.skip(str(error))


@dataclass(frozen=True)
class Said:
    """What a program of the tests said on the link, and how it ended."""

    words: list
    code: int | None = None

    def after(self, start):
        """Words and numbers from one start to the next."""
        begins = [k for k, said in enumerate(self.words) if said[0] == "start"]
        at = begins[start - 1]
        assert self.words[at] == ("start", start)
        end = begins[start] if start < len(begins) else len(self.words)
        return self.words[at + 1 : end]


def spoken(data):
    """Lines of a word and a hexadecimal number."""
    lines = [line.split() for line in data.decode("ascii").splitlines()]
    return [(word, int(number, 16)) for word, number in lines]


def run_emulated(command, timeout_s=120.0):
    """What a program said until its emulator ended."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
    )
    return Said(spoken(done.stdout), done.returncode)


def run_simulated(simulator, until, seconds=60.0, step="1ms", before=None):
    """What a program said in a simulator until it said the word `until`, or `seconds` passed."""
    data = b""
    words = [] if before is None else before.words
    for _ in range(int(seconds * 1000)):
        simulator.run_for(step)
        data += simulator.read_uart_bytes()
        if data.endswith(b"\n") and data.rsplit(b"\n", 2)[-2].split()[0] == until.encode():
            return Said([*words, *spoken(data)])
    raise AssertionError(f"{until} was not said: {data!r}")
