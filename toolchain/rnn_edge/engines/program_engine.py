"""Engines in a program of this host that speaks the link over its input and output."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from rnn_edge.child_process import CLOSE_TIMEOUT_S
from rnn_edge.engines.link_engine import LinkEngine
from rnn_edge.errors import LinkError
from rnn_edge.links.client import LinkClient
from rnn_edge.links.process import ProcessStream
from rnn_edge.types import QuantizedModel

TIMEOUT_S = 10.0
"""For as many steps as a request holds: the slowest emulated processor takes a second for them."""
ATTEMPTS = 6
ENDINGS: Mapping[int, str] = {
    100: "it lost whom it answers",
    101: "the processor ended in a fault",
    102: "the emulator has no console for it",
}
"""Exit codes of ``linux/`` and of the template ``baremetal``."""

_WORDS_LINES = 4
_WORDS_BYTES = 4096


class ProgramStream(ProcessStream):
    """The input and output of a program, which says how the program ended.

    Args:
        command: Program and arguments.
        owner: What it belongs to, for messages, e.g. "engine 'device:qemu-m4'".
        ends_with_input: Whether the program ends by itself where its input does; an emulator
            goes on and is told to end.

    Raises:
        LinkError: If it does not start.
    """

    def __init__(self, command: Sequence[str], owner: str, *, ends_with_input: bool = True) -> None:
        super().__init__(command, f"Program of the {owner}")
        self._ends_with_input = ends_with_input

    def last_words(self) -> str:
        """Return the last lines that the program wrote to its stderr, or nothing."""
        if self._words.closed:
            return ""
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - _WORDS_BYTES))
        lines = self._words.read().decode(errors="replace").split("\n")
        spoken = [line.strip() for line in lines if line.strip()]
        return " / ".join(spoken[-_WORDS_LINES:])

    def _release(self) -> None:
        if not self._ends_with_input:
            self._process.terminate()
        super()._release()

    def _ended(self, why: str) -> LinkError:
        how = self._how_it_ended()
        words = self.last_words()
        said = f"; its last words: {words}" if words else ""
        return LinkError(f"{self._what} {how}{said.rstrip('.')}.", "open the engine again")

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return "closed its output"
        if code < 0:
            names = {each.value: each.name for each in signal.Signals}
            return f"was ended by {names.get(-code, f'signal {-code}')}"
        return f"ended with exit code {code}{f': {ENDINGS[code]}' if code in ENDINGS else ''}"


def open_program(model: QuantizedModel, stream: ProgramStream, owner: str) -> LinkEngine:
    """Return an engine behind a program that was just started.

    Args:
        model: The model that the program was made of.
        stream: Its input and output; closed where this fails.
        owner: What it belongs to, the start of messages.

    Raises:
        LinkError: If it does not answer in `ATTEMPTS` times `TIMEOUT_S`.
        EngineError: If it serves another model.
    """
    try:
        return LinkEngine(model, LinkClient(stream, TIMEOUT_S, ATTEMPTS), owner, stream.last_words)
    except BaseException:
        stream.close()
        raise
