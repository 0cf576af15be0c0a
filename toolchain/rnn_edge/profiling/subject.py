"""One engine in a process that measures itself, and answers commands about it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import EngineError, LinkError
from rnn_edge.links.base import ByteStream
from rnn_edge.types import Array
from rnn_edge.types.closing import Closing

START_TIMEOUT_S = 120.0
"""For the first answer: a Raspberry Pi needs seconds to import a runtime."""
ANSWER_TIMEOUT_S = 60.0
"""For an answer, beside what was asked to be waited for."""
_LINE_BYTES = 4096
_NS = 1e-9


@dataclass(frozen=True)
class Clock:
    """What time is taken with.

    Attributes:
        resolution_ns: What the system says of its clock.
        smallest_ns: The least time that was seen between two readings.
        reading_ns: What a reading costs; every step's time includes about as much.
    """

    resolution_ns: int
    smallest_ns: int
    reading_ns: int


@dataclass(frozen=True)
class About:
    """What a process measures.

    Attributes:
        clock: Its clock.
        dtype: Of a frame.
        inputs: D of a frame.
        most_steps: Of a round.
        digest: The model's first bytes in hexadecimal; empty where the file does not say.
        version: Of the runtime; empty for the C.
    """

    clock: Clock
    dtype: str
    inputs: int
    most_steps: int
    digest: str
    version: str


@dataclass(frozen=True)
class Memory:
    """What a process takes.

    Attributes:
        rss_bytes: Resident after the rounds.
        peak_bytes: Resident at most.
        stack_bytes: What a step needs of the stack; None where that is not measured.
    """

    rss_bytes: int
    peak_bytes: int
    stack_bytes: int | None


@dataclass(frozen=True, eq=False)
class Round:
    """Steps without a pause.

    Attributes:
        taken_s: Of each step, float64 (N,).
        elapsed_s: Of all together, with what is between them.
        cpu_s: What the processor worked of that for this process.
    """

    taken_s: Array
    elapsed_s: float
    cpu_s: float


@dataclass(frozen=True, eq=False)
class Paced:
    """Steps with a pause before each.

    Attributes:
        taken_s: Of each step, float64 (N,).
        answered_s: From the time at which each frame was due until its result was there (N,).
        cpu_s: What the processor worked for this process, waking up included.
    """

    taken_s: Array
    answered_s: Array
    cpu_s: float


@dataclass(frozen=True)
class Energy:
    """What a sensor saw.

    Attributes:
        idle_w: While the process slept.
        busy_w: While it stepped.
        step_s: Of a step, all included.
        source: What was read.
        paced_w: While it stepped in real time; None where that was not watched.
    """

    idle_w: float
    busy_w: float
    step_s: float
    source: str
    paced_w: float | None = None

    @property
    def step_j(self) -> float:
        """What a step takes beyond what the machine takes anyway."""
        return (self.busy_w - self.idle_w) * self.step_s


class Subject(Closing):
    """Speaks to such a process.

    Args:
        stream: Its input and output; this owns it from now on.
        name: Of the engine, for messages.

    Raises:
        EngineError: If it does not begin to answer.
    """

    def __init__(self, stream: ByteStream, name: str) -> None:
        self._stream = stream
        self._name = name
        self._waiting = b""
        try:
            self.about = self._ask_about()
        except BaseException:
            stream.close()
            raise

    @property
    def name(self) -> str:
        """Of the engine."""
        return self._name

    def _ask_about(self) -> About:
        fields, _ = self._ask("about", START_TIMEOUT_S)
        clock = Clock(*(int(fields[f"{key}_ns"]) for key in ("resolution", "smallest", "reading")))
        return About(
            clock,
            fields["dtype"],
            int(fields["inputs"]),
            int(fields["steps"]),
            fields.get("digest", ""),
            fields.get("version", ""),
        )

    def load(self, frames: Array) -> None:
        """Hand over the frames (T, D) that are stepped again and again.

        Raises:
            EngineError: If they are not what the engine takes, or it fails.
        """
        if frames.shape[1:] != (self.about.inputs,) or frames.dtype.name != self.about.dtype:
            raise EngineError(
                f"Frames for {self._name}: {frames.dtype} {frames.shape}; expected "
                f"{self.about.dtype} (T, {self.about.inputs})."
            )
        self._ask(f"frames {len(frames)}", ANSWER_TIMEOUT_S, np.ascontiguousarray(frames).tobytes())

    def trace(self) -> tuple[str, str]:
        """Return the CRC-32 of all outputs and of all states over the frames, from zero."""
        fields, _ = self._ask("trace", START_TIMEOUT_S)
        return fields["outputs"], fields["states"]

    def round(self, steps: int) -> Round:
        """Step as fast as it goes."""
        fields, payload = self._ask(f"round {steps}", START_TIMEOUT_S)
        elapsed, used = (int(fields[f"{key}_ns"]) * _NS for key in ("elapsed", "cpu"))
        return Round(_seconds(payload), elapsed, used)

    def paced(self, steps: int, period_s: float) -> Paced:
        """Step a frame every period."""
        period_ns = round(period_s / _NS)
        timeout_s = ANSWER_TIMEOUT_S + 2.0 * steps * period_s
        fields, payload = self._ask(f"paced {steps} {period_ns}", timeout_s)
        taken, answered = np.split(_seconds(payload), 2)
        return Paced(taken, answered, int(fields["cpu_ns"]) * _NS)

    def memory(self) -> Memory:
        """Return what the process takes."""
        fields, _ = self._ask("memory", ANSWER_TIMEOUT_S)
        rss, peak = (int(fields[f"{key}_bytes"]) for key in ("rss", "peak"))
        # A stack that could not be watched is told as 0.
        return Memory(rss, peak, int(fields.get("stack_bytes", "0")) or None)

    def energy(self, sensor: str, duration_s: float) -> Energy:
        """Step for so long, and sleep for as long before, while a sensor of power is read.

        Args:
            sensor: A file that says microwatts.
            duration_s: Of each, at most 60.
        """
        words = f"{round(duration_s * 1000)} {sensor}"
        idle, _ = self._ask(f"idle {words}", ANSWER_TIMEOUT_S + duration_s)
        busy, _ = self._ask(f"power {words}", ANSWER_TIMEOUT_S + duration_s)
        watts = [int(each["microwatts"]) * 1e-6 for each in (idle, busy)]
        step_s = int(busy["elapsed_ns"]) * _NS / int(busy["steps"])
        return Energy(watts[0], watts[1], step_s, "sensor in the supply")

    def work(self, duration_s: float) -> tuple[int, float]:
        """Step as fast as it goes for so long, at most 60 s; return steps, and seconds."""
        found, _ = self._ask(f"power {round(duration_s * 1000)}", ANSWER_TIMEOUT_S + duration_s)
        return int(found["steps"]), int(found["elapsed_ns"]) * _NS

    def cold(self, starts: int) -> Array:
        """Start the engine anew; return seconds from before each start to its first result."""
        _, payload = self._ask(f"cold {starts}", START_TIMEOUT_S + 10.0 * starts)
        return _seconds(payload)

    def read(self, path: str) -> str | None:
        """Return a file of the machine, or None where it cannot be read."""
        try:
            _, payload = self._ask(f"read {path}", ANSWER_TIMEOUT_S)
        except LinkError:
            raise
        except EngineError:
            return None
        return payload.decode(errors="replace").strip()

    def close(self) -> None:
        """End the process; calling it twice is fine."""
        self._stream.close()

    def _ask(
        self, command: str, timeout_s: float, content: bytes = b""
    ) -> tuple[Mapping[str, str], bytes]:
        """Send a command; return the fields of its answer, and what stands behind it.

        Raises:
            LinkError: If the process has ended, or does not answer in time.
            EngineError: If it refuses.
        """
        deadline = time.monotonic() + timeout_s
        self._stream.write(f"{command}\n".encode() + content, timeout_s)
        while b"\n" not in self._waiting:
            if len(self._waiting) > _LINE_BYTES:
                raise self._strange(self._waiting)
            self._take(deadline, command)
        line, _, self._waiting = self._waiting.partition(b"\n")
        verdict, _, rest = line.decode(errors="replace").partition(" ")
        if verdict == "error":
            raise EngineError(f"Engine {self._name!r} refuses {command.split(' ')[0]!r}: {rest}.")
        if verdict != "ok":
            raise self._strange(line)
        fields = dict(field.split("=", 1) for field in rest.split() if "=" in field)
        count = int(fields.get("bytes", "0"))
        while len(self._waiting) < count:
            self._take(deadline, command)
        payload, self._waiting = self._waiting[:count], self._waiting[count:]
        return fields, payload

    def _strange(self, found: bytes) -> EngineError:
        return EngineError(
            f"Engine {self._name!r} answers {found[:80]!r}; expected a line that begins with ok or "
            "error."
        )

    def _take(self, deadline: float, command: str) -> None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise LinkError(
                f"Engine {self._name!r} did not answer {command.split(' ')[0]!r} in time.",
                "is the machine busy, or the connection gone?",
            )
        self._waiting += self._stream.read(left_s)


def _seconds(payload: bytes) -> Array:
    return np.frombuffer(payload, "<u4").astype(np.float64) * _NS
