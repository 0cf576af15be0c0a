"""What is known of an image before it runs: no use of it goes beyond, and little is left over."""

import re
from dataclasses import replace

import numpy as np
import pytest
from c_models import Recipe, build, export, frames, succeed, tool
from own_cache import cache_with_objects

from rnn_edge.engines.base import EngineSource, all_engines
from rnn_edge.errors import DeviceError, MissingDependencyError
from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER, sources_in
from rnn_edge.firmware.baremetal import TEMPLATE
from rnn_edge.firmware.device_program import device_program
from rnn_edge.firmware.stack_bound import LIBRARY_BYTES, POINTERS
from rnn_edge.firmware.stack_prediction import NOT_PREDICTED, image_with_bound
from rnn_edge.firmware.toolchain import VARIABLE, ZIG
from rnn_edge.links.application import Mode
from rnn_edge.pipeline.device_timing import InstructionCounter
from rnn_edge.pipeline.stress_models import LEVELS
from rnn_edge.resources import data_folder
from rnn_edge.spec import all_devices
from rnn_edge.types.resets import NEVER, ResetPolicy

DEVICES = {name: d for name, d in all_devices().items() if d.template == TEMPLATE and d.board}
EMULATED = [name for name, device in DEVICES.items() if device.emulator]
QUICK = "qemu-m4"
RECIPES = {
    "gru": Recipe(seed=41, kinds=("gru",), units=(32,), inputs=20, outputs=7, head="softmax"),
    "lstm": Recipe(seed=42, kinds=("lstm",), units=(24,), inputs=13, outputs=4),
    "two": Recipe(seed=43, kinds=("rnn", "gru_reset_before"), units=(21, 12), inputs=6),
    "local": Recipe(
        seed=46, kinds=("gru", "gru"), units=(8, 21), inputs=20, bias="none", along=(0, 8, 4)
    ),
    "kept": Recipe(seed=45, units=(40,), inputs=21, weights="pruned", bias="none"),
    "wide": Recipe(
        seed=44, kinds=("lstm",), units=(14,), bias="int64", shifts="any", cell_exponent=-15
    ),
}
POLICIES = {
    "gru": ResetPolicy("quiet", frames=3, level=-0.5),
    "lstm": NEVER,
    "two": ResetPolicy("every", frames=5),
    "kept": NEVER,
    "local": NEVER,
    "wide": ResetPolicy("decay", shift=7),
}
CALL = re.compile(r"\b(?:bl|jal)\s+[0-9a-f]+ <([\w.]+)>")
PUSH = re.compile(r"\bpush\s+\{([^}]*)\}|stmdb\s+sp!, \{([^}]*)\}")
MOVED = re.compile(r"sub(?:\.w)?\s+sp, (?:sp, )?#(\d+)|addi?\s+sp,sp,-(\d+)")


# Every model on the kinds of inner loop, and one of two layers or of wide sums on every processor.
KINDS = ("qemu-m0", QUICK, "qemu-m55", "qemu-rv32")
PAIRS = [
    (name, case)
    for name in EMULATED
    for case in RECIPES
    if name in KINDS or case in ("two", "wide")
]


def slow_but(quick, names):
    return [name if name == quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A cache of its own, so that what is asked for is counted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNN_EDGE_CACHE", str(cache_with_objects(tmp_path_factory.mktemp("cache"))))
        patch.delenv(VARIABLE, raising=False)
        yield


def source_of(case, folder):
    model = build(RECIPES[case])
    EXPORTER.export(ExportSource(None, model, reset=POLICIES[case]), folder)
    return EngineSource(None, model, folder, folder / "work")


def opened(name, source):
    try:
        return all_engines()[f"device:{name}"].open(source)
    except MissingDependencyError as error:
        pytest.skip(str(error))


def used(engine, x):
    """Use all that a device can do, and return what it has counted."""
    engine.run(x)
    engine.run_deployed(x)
    engine.reset(engine.state())
    client = engine.client
    client.stream(x, is_deployed=True)
    client.log()
    client.ping(bytes(range(200)))
    client.about()
    client.set_mode(Mode.FED)
    client.feed(x[:60])
    client.save()
    client.status()
    client.event_log()
    client.set_mode(Mode.HOST)
    return engine.counters()


@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(*pair, marks=() if pair == (QUICK, "gru") else pytest.mark.slow)
        for pair in PAIRS
    ],
)
def test_the_stack_stays_below_its_bound_and_comes_near_it(name, case, tmp_path):
    source = source_of(case, tmp_path)
    files = sources_in(source.model, source.exports)
    with opened(name, source) as engine:
        counters = used(engine, frames(RECIPES[case], 300))
    _, bound = image_with_bound(DEVICES[name], source.model, files, source.work)
    assert counters.stack_bytes <= bound.total_bytes <= DEVICES[name].memory.stack_bytes
    # Cortex-M0's gates call the product of blocks by its name: its inputs and sums count in a model
    # without blocks too.
    slack = 448 if case == "wide" and name == "qemu-m0" else 256
    assert bound.total_bytes <= counters.stack_bytes + slack


@pytest.mark.parametrize(
    "name", slow_but("nucleo-f401re", [n for n in DEVICES if n not in EMULATED])
)
def test_the_stack_of_every_board_has_a_bound(name, tmp_path):
    source = source_of("gru", tmp_path)
    files = sources_in(source.model, source.exports)
    try:
        made = device_program(DEVICES[name], source.model, files, source.work)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    assert 400 < made.stack_bytes <= DEVICES[name].memory.stack_bytes
    assert made.toolchain.startswith(DEVICES[name].build.compiler)


@pytest.mark.slow
def test_an_image_whose_stack_may_not_do_is_refused(tmp_path):
    source = source_of("gru", tmp_path)
    device = DEVICES[QUICK]
    small = device.model_copy(
        update={"memory": device.memory.model_copy(update={"stack_bytes": 512})}
    )
    files = sources_in(source.model, source.exports)
    tool(device.build.compiler)
    with pytest.raises(DeviceError, match=r"may use [\d,]+ bytes of the stack; qemu-m4 keeps 512"):
        device_program(small, source.model, files, source.work)


@pytest.mark.slow
def test_with_zig_the_stack_is_not_predicted_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, ZIG)
    source = source_of("lstm", tmp_path)
    files = sources_in(source.model, source.exports)
    try:
        made = device_program(DEVICES[QUICK], source.model, files, source.work)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    assert made.stack_bytes is None
    assert made.toolchain.startswith("zig ")
    image, bound = image_with_bound(DEVICES[QUICK], source.model, files, source.work)
    assert (image.path, bound) == (made.path, NOT_PREDICTED)


def test_every_pointer_that_the_bound_knows_is_called_somewhere():
    # One that was renamed is refused when an image is analysed; one that is gone is found here.
    folder = data_folder("firmware_templates")
    for pointer in POINTERS:
        file, _, name = pointer.partition(":")
        (path,) = (
            p for part in ("common", "service", "link", "app") for p in (folder / part).glob(file)
        )
        assert re.search(rf"(?:->|\.|\b){name}\(", path.read_text()), pointer


def library_depth(dump, name, seen=()):
    """All that a function pushes, with the deepest of what it calls; read from its instructions."""
    assert name not in seen, seen
    text = dump[name]
    own = sum(
        4 * sum(1 if "-" not in part else 12 for part in (found[0] or found[1]).split(","))
        for found in PUSH.findall(text)
    )
    own += sum(int(found[0] or found[1]) for found in MOVED.findall(text))
    calls = {target.partition("+")[0] for target in CALL.findall(text)} - {name}
    return own + max((library_depth(dump, t, (*seen, name)) for t in calls if t in dump), default=0)


@pytest.mark.parametrize("name", slow_but("qemu-m0", EMULATED))
def test_functions_of_libgcc_take_no_more_than_is_said(name):
    build_section = DEVICES[name].build
    compiler = tool(build_section.compiler)
    library = succeed(compiler, *build_section.flags, "-print-libgcc-file-name").decode().strip()
    objdump = tool(f"{build_section.compiler.removesuffix('gcc')}objdump")
    dump, at = {}, ""
    for line in succeed(objdump, "-dr", library).decode().splitlines():
        if header := re.match(r"^[0-9a-f]+ <([\w.]+)>:", line):
            at = header[1]
            dump[at] = ""
        elif at:
            # A call to another object of the library is known by its relocation.
            moved = re.search(r"R_(?:ARM_(?:THM_)?CALL|RISCV_CALL\w*)\s+(\w+)", line)
            dump[at] += f"bl 0 <{moved[1]}>\n" if moved else f"{line}\n"
    checked = [known for known in LIBRARY_BYTES if known in dump]
    assert checked
    for known in checked:
        assert library_depth(dump, known) <= LIBRARY_BYTES[known], known


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "case"),
    [
        *((QUICK, case) for case in RECIPES),
        *((name, case) for name in KINDS if name != QUICK for case in ("lstm", "local", "wide")),
        *((name, "two") for name in EMULATED if name not in KINDS),
    ],
)
def test_no_step_takes_longer_than_the_longest_that_was_counted(name, case, tmp_path):
    source = source_of(case, tmp_path)
    factor = DEVICES[name].emulator.instructions_per_tick
    x = frames(RECIPES[case], 900)
    generator = np.random.default_rng(5)
    x[600:] = generator.choice(LEVELS, x[600:].shape)
    with opened(name, source) as engine:
        engine.run_deployed(x)
        for _ in range(40):
            state = {
                key: generator.choice(LEVELS, size).astype(np.int16)
                for key, size in source.model.state_sizes.items()
            }
            engine.reset(state)
            engine.run_deployed(x[generator.integers(0, 900, 4)])
        worst = engine.counters().most_ticks * factor
    count = InstructionCounter(source, all_devices(), POLICIES[case]).count(DEVICES[name])
    assert worst <= count.bound_instructions
    # Every row of the wide form is allowed its longest shift.
    assert count.bound_instructions <= (1.2 if case == "wide" else 1.15) * worst


@pytest.mark.slow
def test_one_layer_after_the_other_is_no_shorter_than_all_of_them(tmp_path):
    source = source_of("two", tmp_path)
    folder = tmp_path / "alone"
    folder.mkdir()
    model = build(replace(RECIPES["two"], kinds=("rnn",), units=(21,)))
    export(model, folder)
    alone = replace(source, model=model, exports=folder, work=folder / "work")
    try:
        both = InstructionCounter(source, all_devices(), NEVER).count(DEVICES[QUICK])
        one = InstructionCounter(alone, all_devices(), NEVER).count(DEVICES[QUICK])
    except MissingDependencyError as error:
        pytest.skip(str(error))
    assert both.bound_instructions > 1.5 * one.bound_instructions
