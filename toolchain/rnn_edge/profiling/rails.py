"""Power of a Raspberry Pi 5, summed over what its PMIC measures of the rails it makes.

The PMIC tells voltage and current of each rail that it regulates. What is fed by the 5 V input
itself is not among them (USB, HATs, NVMe, a fan), nor are the losses of the regulators: the sum is
less than what the supply gives. The difference between stepping and sleeping is that of processor
and memory, but for those losses.

Source: Raspberry Pi documentation, "vcgencmd pmic_read_adc"; github.com/jfikar/RPi5-power, which
holds the sum against a meter in the supply.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rnn_edge.errors import EngineError, LinkError, RnnEdgeError
from rnn_edge.links.base import ByteStream
from rnn_edge.profiling.subject import Energy, Subject
from rnn_edge.types.closing import Closing

COMMAND = ("sh", "-c", "while read -r _; do vcgencmd pmic_read_adc; echo end; done")
"""Answers every line with a reading, and ends with its input."""
ANSWER_TIMEOUT_S = 30.0
LOOK_S = 0.05
"""Between two readings; each starts a process, while idling as while stepping."""
_VALUE = re.compile(r"^\s*(\w+)_([AV])\s+(?:current|volt)\(\d+\)=([0-9.]+)[AV]\s*$", re.M)


def rails_of(said: str) -> dict[str, float]:
    """Return watts by rail; what has a voltage and no current is an input, and no rail.

    Args:
        said: What ``vcgencmd pmic_read_adc`` prints.
    """
    volts: dict[str, float] = {}
    amperes: dict[str, float] = {}
    for name, unit, value in _VALUE.findall(said):
        (amperes if unit == "A" else volts)[name] = float(value)
    return {name: volts[name] * amperes[name] for name in amperes if name in volts}


class RailMeter(Closing):
    """Asks a machine for the power of its rails.

    Args:
        stream: Input and output of `COMMAND` there; this owns it from now on.
        owner: Whose it is, for messages.

    Raises:
        EngineError: If no rail is told.
    """

    def __init__(self, stream: ByteStream, owner: str) -> None:
        self._stream, self._owner = stream, owner
        try:
            self.rails = tuple(self.read())
        except BaseException:
            stream.close()
            raise

    @property
    def source(self) -> str:
        """What is measured, in words."""
        return f"PMIC, {len(self.rails)} rails"

    def read(self) -> dict[str, float]:
        """Return watts by rail.

        Raises:
            EngineError: If the machine tells of no rail.
            LinkError: If it does not answer.
        """
        self._stream.write(b"\n", ANSWER_TIMEOUT_S)
        deadline, found = time.monotonic() + ANSWER_TIMEOUT_S, b""
        while not found.endswith(b"end\n"):
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise LinkError(f"The PMIC of {self._owner} was not told in time.")
            found += self._stream.read(left_s)
        rails = rails_of(found.decode(errors="replace"))
        if not rails:
            said = found.decode(errors="replace").partition("\n")[0][:80]
            raise EngineError(f"The PMIC of {self._owner} tells {said!r}; expected rails.")
        return rails

    @contextmanager
    def watching(self) -> Iterator[list[float]]:
        """Read again and again beside what is done meanwhile; the list is of watts.

        Raises:
            RnnEdgeError: If a reading fails, or there was not time for one.
        """
        seen: list[float] = []
        failures: list[RnnEdgeError] = []
        is_over = threading.Event()

        def look() -> None:
            try:
                while not is_over.is_set():
                    watts = sum(self.read().values())
                    # What began within the time and ended behind it is of neither.
                    if not is_over.is_set():
                        seen.append(watts)
                    is_over.wait(LOOK_S)
            except RnnEdgeError as error:
                failures.append(error)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield seen
        finally:
            is_over.set()
            thread.join()
        if failures:
            raise failures[0]
        if not seen:
            raise EngineError(f"The PMIC of {self._owner} gave no reading in time.")

    def energy(self, subject: Subject, duration_s: float, period_s: float) -> Energy:
        """Let an engine sleep, step and step in real time for so long each.

        Args:
            subject: Has its frames.
            duration_s: Of each, at most 60.
            period_s: Of a frame in real time.
        """
        with self.watching() as idle:
            time.sleep(duration_s)
        with self.watching() as busy:
            steps, elapsed_s = subject.work(duration_s)
        count = min(max(1, round(duration_s / period_s)), subject.about.most_steps)
        with self.watching() as paced:
            subject.paced(count, period_s)
        means = [sum(seen) / len(seen) for seen in (idle, busy, paced)]
        return Energy(means[0], means[1], elapsed_s / steps, self.source, means[2])

    def close(self) -> None:
        """End the readings; calling it twice is fine."""
        self._stream.close()
