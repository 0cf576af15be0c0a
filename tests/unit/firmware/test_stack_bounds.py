"""The deepest chain of calls: added up from frames, and refused where it cannot be known."""

import pytest

from rnn_edge.errors import DeviceError, EngineError
from rnn_edge.firmware.call_graph import Call, depth, read_call_graph
from rnn_edge.firmware.stack_bound import StackBound, exception_bytes, stack_bound
from rnn_edge.firmware.stack_prediction import require_stack
from rnn_edge.spec import all_devices

DEVICES = all_devices()
MAIN = """\
graph: { title: "main.c"
node: { title: "rnn_edge_begin" label: "rnn_edge_begin\\nmain.c:9:6\\n24 bytes (static)" }
node: { title: "board/main.c:put" label: "put\\nboard/main.c:3:1\\n8 bytes (dynamic,bounded)" }
node: { title: "step" label: "step\\nmodel.h:2:1" shape : ellipse }
edge: { sourcename: "rnn_edge_begin" targetname: "board/main.c:put" label: "main.c:10:5" }
edge: { sourcename: "rnn_edge_begin" targetname: "step" label: "main.c:11:5" }
edge: { sourcename: "board/main.c:put" targetname: "__aeabi_lmul" }
}
"""
MODEL = """\
graph: { title: "rnn_edge_model.c"
node: { title: "step" label: "step\\nrnn_edge_model.c:1:6\\n100 bytes (static)" }
node: { title: "__indirect_call" label: "Indirect Call Placeholder" shape : ellipse }
edge: { sourcename: "step" targetname: "__indirect_call" label: "rnn_edge_model.c:2:5" }
node: { title: "rnn_edge_gru_step" label: "rnn_edge_gru_step\\ngru.c:1:6\\n50 bytes (static)" }
node: { title: "rnn_edge_lstm_step" label: "rnn_edge_lstm_step\\nlstm.c:1:6\\n70 bytes (static)" }
}
"""
SOURCES = {"common/rnn_edge_model.c": "void step(void) {\n    layer->step(layer, x);\n"}
IMAGE = {
    "rnn_edge_begin": 0x100,
    "main.c:put": 0x140,
    "step": 0x180,
    "rnn_edge_gru_step": 0x1C0,
    "__aeabi_lmul": 0x200,
}
INTERRUPT = 'node: { title: "rnn_edge_uart_interrupt" label: "u\\nu.c:1:1\\n16 bytes (static)" }\n'
M4, M55, RISCV = (DEVICES[name].build for name in ("qemu-m4", "qemu-m55", "qemu-rv32"))


def bound(*texts, image=IMAGE, sources=SOURCES, build=M4):
    return stack_bound(read_call_graph(texts), image, sources, build)


def test_a_graph_is_read():
    graph = read_call_graph([MAIN, MODEL])
    assert graph.frames == {
        "rnn_edge_begin": 24,
        "main.c:put": 8,
        "step": 100,
        "rnn_edge_gru_step": 50,
        "rnn_edge_lstm_step": 70,
    }
    assert graph.calls["rnn_edge_begin"] == (
        Call("main.c:put", "main.c:10:5"),
        Call("step", "main.c:11:5"),
    )
    assert graph.calls["main.c:put"] == (Call("__aeabi_lmul", ""),)


def test_the_deepest_chain_counts_with_what_is_in_the_image():
    # The other cell is not in it, though it was compiled.
    assert bound(MAIN, MODEL) == StackBound(24 + 100 + 50, 0)
    both = IMAGE | {"rnn_edge_lstm_step": 0x240}
    assert bound(MAIN, MODEL, image=both).total_bytes == 24 + 100 + 70


def test_a_function_that_has_two_names_is_known_by_its_address():
    image = {title: at for title, at in IMAGE.items() if title != "rnn_edge_gru_step"}
    image |= {"rnn_edge_rnn_step": 0x1C0, "rnn_edge_gru_step": 0x1C0}
    assert bound(MAIN, MODEL, image=image).program_bytes == 174


def test_an_interrupt_comes_on_top():
    image = IMAGE | {"rnn_edge_uart_interrupt": 0x300}
    assert bound(MAIN, MODEL, INTERRUPT, image=image) == StackBound(174, 16 + 32 + 4)
    assert bound(MAIN, MODEL, INTERRUPT, image=image, build=M55).interrupt_bytes == 16 + 104 + 4
    assert exception_bytes(RISCV) == 0


def test_an_interrupt_that_nothing_masks_comes_on_top_of_the_others():
    node = (
        'node: { title: "startup_cortex_m.c:on_warning" label: "w\\nu.c:1:1\\n8 bytes (static)" }'
    )
    image = IMAGE | {"rnn_edge_uart_interrupt": 0x300, "startup_cortex_m.c:on_warning": 0x340}
    found = bound(MAIN, MODEL, INTERRUPT, node, image=image)
    assert found.interrupt_bytes == (16 + 36) + (8 + 36)


def test_a_pointer_that_is_not_listed_is_refused():
    sources = {"rnn_edge_model.c": "\n    layer->other(layer, x);\n"}
    with pytest.raises(EngineError, match=r"step calls through the pointer rnn_edge_model.c:other"):
        bound(MAIN, MODEL, sources=sources)
    with pytest.raises(EngineError, match="which is in none of the sources"):
        bound(MAIN, MODEL, sources={})


def test_a_function_that_nothing_calls_is_refused():
    image = IMAGE | {"main.c:forgotten": 0x400}
    node = 'node: { title: "main.c:forgotten" label: "f\\nmain.c:1:1\\n8 bytes (static)" }\n'
    with pytest.raises(EngineError, match=r"does not know who calls main\.c:forgotten"):
        bound(MAIN, MODEL, node, image=image)


def test_a_function_of_a_library_has_to_be_known():
    edge = 'edge: { sourcename: "step" targetname: "__aeabi_dmul" }\n'
    with pytest.raises(EngineError, match="__aeabi_dmul is of a library"):
        bound(MAIN, MODEL, edge)


def test_a_target_that_was_not_compiled_is_refused():
    image = IMAGE | {"rnn_edge_rnn_step": 0x500}
    with pytest.raises(EngineError, match="rnn_edge_rnn_step of the image is not in the compiler"):
        bound(MAIN, MODEL, image=image)


def test_a_circle_is_refused():
    edge = 'edge: { sourcename: "rnn_edge_gru_step" targetname: "step" label: "a.c:1:1" }\n'
    with pytest.raises(EngineError, match="no bound: step calls rnn_edge_gru_step calls step"):
        bound(MAIN, MODEL, edge)


def test_a_frame_without_a_bound_is_refused():
    with pytest.raises(EngineError, match="put has a stack frame of dynamic size"):
        read_call_graph([MAIN.replace("dynamic,bounded", "dynamic")])


def test_a_circle_is_found_though_another_chain_was_looked_at_before():
    lines = [
        f'node: {{ title: "{name}" label: "{name}\\na.c:1:1\\n8 bytes (static)" }}'
        for name in "abc"
    ]
    lines += [
        f'edge: {{ sourcename: "{a}" targetname: "{b}" label: "a.c:1:1" }}'
        for a, b in ("ac", "ab", "ba")
    ]
    with pytest.raises(EngineError, match="a calls b calls a"):
        depth(read_call_graph(["\n".join(lines)]), "a", lambda c, t: (), lambda t: 0)


def test_a_device_that_keeps_too_little_is_refused():
    device = DEVICES["qemu-m0"]
    kept = device.memory.stack_bytes
    require_stack(device, StackBound(kept - 52, 52))
    require_stack(device, "not known")
    with pytest.raises(DeviceError) as caught:
        require_stack(device, StackBound(kept - 51, 52))
    assert f"{kept + 1:,} bytes of the stack; qemu-m0 keeps {kept:,}" in caught.value.message
    assert f"stack_bytes = {kept + 512}" in caught.value.hint
