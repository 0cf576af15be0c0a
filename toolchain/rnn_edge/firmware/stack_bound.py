"""The most stack that an image can ever use: its deepest chain of calls, and an interrupt on top.

Frames and calls are the compiler's own. A call through a pointer reaches what `POINTERS` says of
the pointer's name; one that is not listed there is refused, and so is a function of the image that
nothing in the analysis reaches, so that the list cannot fall behind the code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePath

from rnn_edge.errors import EngineError
from rnn_edge.firmware.call_graph import Call, CallGraph, depth
from rnn_edge.spec import BuildSection

ROOTS = ("rnn_edge_reset", "rnn_edge_begin")
"""Where the processor starts, and where startup code in assembly goes from there."""
INTERRUPTS = (("rnn_edge_uart_interrupt",), ("startup_cortex_m.c:on_warning",))
"""Functions that interrupt the others, by priority: those of one do not interrupt each other, the
next ones, up to the one that nothing masks, interrupt them too."""
ENDINGS = ("*:on_fault", "*:on_trap", "rnn_edge_fault")
"""Where the processor goes when the program is over: the stack begins anew there."""
HANDLERS = "@handlers"
"""Stands for the functions in the tables of requests."""
PRODUCTS = (
    "rnn_edge_rows_narrow",
    "rnn_edge_rows_wide",
    "rnn_edge_blocks_narrow",
    "rnn_edge_words_narrow",
)
"""Products of a matrix, by the order of its weights."""
ANY_PRODUCTS = (*PRODUCTS, "rnn_edge_kept_columns")
"""And one that takes another of them."""
CELLS = (
    "rnn_edge_gru_step",
    "rnn_edge_gru_reset_before_step",
    "rnn_edge_lstm_step",
    "rnn_edge_rnn_step",
)
"""Steps of a layer, by its cell."""
ANY_STEPS = (*CELLS, "rnn_edge_local_step")
"""And one that takes another of them, stretch by stretch."""
POINTERS: Mapping[str, tuple[str, ...]] = {
    "rnn_edge_model.c:step": ANY_STEPS,
    "rnn_edge_steps.c:step": ANY_STEPS,
    "rnn_edge_local.c:step": CELLS,
    "rnn_edge_model.c:product": ANY_PRODUCTS,
    "rnn_edge_gates.c:product": (*ANY_PRODUCTS, "rnn_edge_steps.c:known"),
    "rnn_edge_blocks_v6m.c:product": (*ANY_PRODUCTS, "rnn_edge_steps.c:known"),
    "rnn_edge_kept.c:product": PRODUCTS,
    "rnn_edge_model.c:finish": ("rnn_edge_softmax",),
    "rnn_edge_served.c:prepare": (
        "rnn_edge_reset_every",
        "rnn_edge_reset_quiet_mean",
        "rnn_edge_reset_quiet_magnitude",
        "rnn_edge_reset_decay",
    ),
    "rnn_edge_link_server.c:handle": (HANDLERS,),
    "rnn_edge_link_server.c:may_change": ("rnn_edge_app_link.c:may_change",),
    "rnn_edge_link_server.c:stepped": ("rnn_edge_app_link.c:stepped",),
    "rnn_edge_link_server.c:state_set": ("rnn_edge_app_link.c:state_set",),
    "rnn_edge_link.c:write": ("main.c:put", "rnn_edge_app_link.c:send"),
    "rnn_edge_store.c:read": ("retained_*.c:read_*", "flash_*.c:read_*"),
    "rnn_edge_store.c:erase": ("retained_*.c:erase_*", "flash_*.c:erase_*"),
    "rnn_edge_store.c:write": ("retained_*.c:write_*", "flash_*.c:write_*"),
}
"""Pointers to functions, by source file and name, and the titles of what they may point to.

A pointer that is none of a program's is an empty one there: what is not in the image is left out.
"""
ASSEMBLY_BYTES: Mapping[str, int] = {
    "rnn_edge_blocks_columns.c:add_strips": 36,
    "rnn_edge_blocks_v6m.c:widen_fours": 20,
    "rnn_edge_blocks_v6m.c:add_strips": 40,
    "rnn_edge_blocks_v6m.c:results": 36,
}
"""What functions push that are in assembly as a whole: to the compiler they have no frame."""
LIBRARY_BYTES: Mapping[str, int] = {
    "__aeabi_llsl": 8,
    "__aeabi_llsr": 8,
    "__aeabi_lasr": 8,
    "__aeabi_lmul": 40,
    "__aeabi_uidiv": 24,
    "__aeabi_uidivmod": 40,
    "__aeabi_idiv": 24,
    "__aeabi_idivmod": 40,
    "__aeabi_ldivmod": 160,
    "__aeabi_uldivmod": 160,
    "__muldi3": 32,
    "__divdi3": 64,
    "__udivdi3": 64,
    "__moddi3": 64,
    "__umoddi3": 64,
}
"""More than functions of libgcc take of the stack, with all that they call."""

_CORTEX_FRAME, _FLOAT_REGISTERS, _ALIGNMENT = 32, 72, 4
"""Of an exception: eight registers, eighteen more where there is a floating-point unit in use, and
what brings the stack to a multiple of 8.

Source: Armv7-M and Armv8-M Architecture Reference Manuals, "Exception entry".
"""
_FLOAT_ABIS = ("-mfloat-abi=hard", "-mfloat-abi=softfp")
_CALLEE = re.compile(r"(?:\w+(?:\[\w+\])?(?:->|\.))*(\w+)\(")
_HANDLER = re.compile(r"^\s*\{RNN_EDGE_LINK_\w+,[^{}]*, (\w+)\},$", re.M)


@dataclass(frozen=True)
class StackBound:
    """What an image may use of the stack at most.

    Attributes:
        program_bytes: The deepest chain of calls.
        interrupt_bytes: Interrupts at its deepest point, one of each priority: what the processor
            saves, and the deepest handler; 0 where there are none.
    """

    program_bytes: int
    interrupt_bytes: int

    @property
    def total_bytes(self) -> int:
        """Both."""
        return self.program_bytes + self.interrupt_bytes


def stack_bound(
    graph: CallGraph,
    functions: Mapping[str, int],
    sources: Mapping[str, str],
    build: BuildSection,
) -> StackBound:
    """Return what an image may use of the stack at most.

    Args:
        graph: Of all that was compiled for it.
        functions: Addresses of the functions that the linker kept, by title.
        sources: The text of every source file by its name.
        build: How it was compiled.

    Raises:
        EngineError: If there is no bound, or the analysis does not know a pointer or a function.
    """
    frames = {title: size or ASSEMBLY_BYTES.get(title, 0) for title, size in graph.frames.items()}
    image = _Image(CallGraph(frames, graph.calls), functions, sources)
    program = max(image.depth(root) for root in ROOTS if root in graph.frames)
    interrupt = 0
    for names in INTERRUPTS:
        depths = [image.depth(name) for name in names if name in functions]
        interrupt += max(depths) + exception_bytes(build) if depths else 0
    for title in functions:
        if any(fnmatchcase(title, pattern) for pattern in ENDINGS):
            image.depth(title)
    image.require_complete()
    return StackBound(program, interrupt)


def exception_bytes(build: BuildSection) -> int:
    """Return what a processor saves on the stack by itself before an interrupt is handled."""
    if build.startup == "riscv":
        return 0
    floats = _FLOAT_REGISTERS if set(_FLOAT_ABIS) & set(build.flags) else 0
    return _CORTEX_FRAME + floats + _ALIGNMENT


class _Image:
    def __init__(
        self, graph: CallGraph, functions: Mapping[str, int], sources: Mapping[str, str]
    ) -> None:
        self._graph = graph
        self._functions = functions
        self._sources = {PurePath(name).name: text for name, text in sources.items()}
        self._reached: set[str] = set()

    def depth(self, root: str) -> int:
        count, reached = depth(self._graph, root, self._targets, _library_bytes)
        self._reached |= reached
        return count

    def _targets(self, caller: str, call: Call) -> Collection[str]:
        """Return what a call through a pointer may reach."""
        pointer = self._pointer(caller, call)
        if pointer not in POINTERS:
            raise EngineError(
                f"Function {caller} calls through the pointer {pointer} ({call.at}), of which the "
                "bound of the stack knows nothing."
            )
        wanted = [
            title
            for pattern in POINTERS[pointer]
            for title in (self._handlers() if pattern == HANDLERS else (pattern,))
        ]
        known = {
            self._compiled(title)
            for title in self._functions
            if any(fnmatchcase(title, pattern) for pattern in wanted)
        }
        return sorted(known)

    def _pointer(self, caller: str, call: Call) -> str:
        file, _, place = call.at.partition(":")
        line, _, column = place.partition(":")
        name = PurePath(file).name
        try:
            text = self._sources[name].splitlines()[int(line) - 1][int(column) - 1 :]
        except (KeyError, IndexError, ValueError) as error:
            raise EngineError(
                f"Function {caller} calls through a pointer at {call.at or 'no place'}, which is "
                "in none of the sources."
            ) from error
        callee = _CALLEE.match(text)
        return f"{name}:{callee[1] if callee else text}"

    def _handlers(self) -> list[str]:
        return [
            f"{file}:{name}"
            for file, text in self._sources.items()
            for name in _HANDLER.findall(text)
        ]

    def _compiled(self, title: str) -> str:
        """Return the function that was compiled for one that may only be another name of it."""
        if title in self._graph.frames:
            return title
        for other, address in self._functions.items():
            if address == self._functions[title] and other in self._graph.frames:
                return other
        raise EngineError(f"Function {title} of the image is not in the compiler's call graph.")

    def require_complete(self) -> None:
        """Refuse an image with a function that nothing calls as far as is known.

        Raises:
            EngineError: Naming such functions.
        """
        addresses = {self._functions[t] for t in self._reached if t in self._functions}
        missed = sorted(
            title
            for title, address in self._functions.items()
            if address not in addresses and title in self._graph.frames and title not in ROOTS
        )
        if missed:
            raise EngineError(
                f"The bound of the stack does not know who calls {', '.join(missed)}; expected "
                "every function of the image to be reached."
            )


def _library_bytes(title: str) -> int:
    if title not in LIBRARY_BYTES:
        raise EngineError(f"Function {title} is of a library, and its stack is not known.")
    return LIBRARY_BYTES[title]
