"""Who calls whom and with which stack frame, as the GNU compiler writes it down."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath

from rnn_edge.errors import EngineError

FLAG = "-fcallgraph-info=su"
"""Makes the compiler write a graph beside every object.

Source: GCC manual, "Developer Options", -fcallgraph-info: a file in VCG format, whose nodes say
with "su" what -fstack-usage says.
"""
SUFFIX = ".ci"
INDIRECT = "__indirect_call"
"""What the compiler calls the target of a call through a pointer."""

_NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^"]*)"')
_EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"(?: label: "([^"]*)")?')
_FRAME = re.compile(r"\\n(\d+) bytes \(([\w,]+)\)")
_BOUNDED = ("static", "dynamic,bounded")


@dataclass(frozen=True)
class Call:
    """A call that one function makes.

    Attributes:
        target: The function's title, or `INDIRECT`.
        at: File, line and column of the source; empty where the compiler put it in by itself.
    """

    target: str
    at: str


@dataclass(frozen=True)
class CallGraph:
    """Functions that were compiled, by title: the name, and "file.c:name" for static ones.

    Attributes:
        frames: Bytes of each function's stack frame.
        calls: What each calls.
    """

    frames: Mapping[str, int]
    calls: Mapping[str, tuple[Call, ...]]


def read_call_graph(texts: Iterable[str]) -> CallGraph:
    """Return the graph of a program from those of its source files.

    Args:
        texts: What the compiler wrote for each.

    Raises:
        EngineError: If a function's frame has no bound.
    """
    frames: dict[str, int] = {}
    calls: dict[str, list[Call]] = {}
    for text in texts:
        for line in text.splitlines():
            if node := _NODE.match(line):
                title, frame = _title(node[1]), _FRAME.search(node[2])
                if frame is None:
                    continue
                if frame[2] not in _BOUNDED:
                    raise EngineError(
                        f"Function {title} has a stack frame of {frame[2]} size; expected one "
                        "that is known when it is compiled."
                    )
                frames[title] = int(frame[1])
            elif edge := _EDGE.match(line):
                call = Call(_title(edge[2]), edge[3] or "")
                calls.setdefault(_title(edge[1]), []).append(call)
    return CallGraph(frames, {title: tuple(made) for title, made in calls.items()})


def _title(written: str) -> str:
    """Return a title as an image's table of symbols has it: without the folder of the file."""
    file, colon, name = written.rpartition(":")
    return f"{PurePath(file).name}:{name}" if colon else written


def depth(
    graph: CallGraph,
    root: str,
    resolve: Callable[[str, Call], Collection[str]],
    outside: Callable[[str], int],
) -> tuple[int, frozenset[str]]:
    """Return the most bytes that a function and all that it calls have on the stack.

    Args:
        graph: The program's.
        root: The function.
        resolve: Returns what a caller's call through a pointer may reach.
        outside: Returns the bound of a function that was not compiled: of a library.

    Returns:
        Bytes, and the titles of all functions that may be reached.

    Raises:
        EngineError: If functions call each other in a circle.
    """
    open_ones: list[str] = []

    @cache
    def deepest(title: str) -> int:
        if title not in graph.frames:
            return outside(title)
        if title in open_ones:
            circle = " calls ".join([*open_ones[open_ones.index(title) :], title])
            raise EngineError(f"The stack has no bound: {circle}.")
        open_ones.append(title)
        below = [
            deepest(target)
            for call in graph.calls.get(title, ())
            for target in (resolve(title, call) if call.target == INDIRECT else (call.target,))
        ]
        reached.add(title)
        open_ones.pop()
        return graph.frames[title] + max(below, default=0)

    reached: set[str] = set()
    return deepest(root), frozenset(reached)
