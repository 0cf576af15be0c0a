"""A curve of any length in constant memory."""

from __future__ import annotations

POINTS = 512


class Timeline:
    """The largest values of equally long stretches; they get longer as points come.

    Attributes:
        largest: Of all values, 0 without any.
        every: Values in a stretch.
    """

    def __init__(self) -> None:
        self.largest = 0.0
        self.every = 1
        self._points: list[tuple[int, float]] = []
        self._count = 0

    def add(self, step: int, value: float) -> None:
        """Take the next value.

        Args:
            step: Where it begins.
            value: At least 0.
        """
        self.largest = max(self.largest, value)
        if self._count % self.every == 0:
            if len(self._points) == POINTS:
                pairs = zip(self._points[0::2], self._points[1::2], strict=True)
                self._points = [(a[0], max(a[1], b[1])) for a, b in pairs]
                self.every *= 2
            self._points.append((step, value))
        else:
            first, before = self._points[-1]
            self._points[-1] = first, max(before, value)
        self._count += 1

    def to_json(self) -> dict[str, object]:
        """Return stretches by their first step."""
        return {
            "windows_per_point": self.every,
            "steps": [step for step, _ in self._points],
            "scores": [value for _, value in self._points],
        }
