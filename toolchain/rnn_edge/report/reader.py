"""Reads the JSON of a report and names the key at which it is not what was expected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from rnn_edge.errors import BundleError


@dataclass(frozen=True)
class Document:
    """What is read.

    Attributes:
        name: What errors call it.
        hint: How to get a right one.
        prefix: Before the ids of what is drawn of it, where a page shows several.
    """

    name: str
    hint: str
    prefix: str = ""


BUILD = Document("Report", "build the bundle again")


@dataclass(frozen=True)
class Node:
    """A value of the report together with where it stands.

    Attributes:
        value: Any JSON value.
        path: Where it stands, such as ``models[0].metrics``; empty for the report itself.
        document: What it is a value of.
    """

    value: object
    path: str = ""
    document: Document = BUILD

    def fail(self, expected: str) -> NoReturn:
        """Raise a `BundleError` that names this value's path and what was expected there."""
        shown = repr(self.value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        where = f"key {self.path!r}" if self.path else "the content"
        raise BundleError(
            f"{self.document.name}: {where} is {shown}; expected {expected}.", self.document.hint
        )

    def at(self, key: str) -> Node:
        """Return the value of a key that must be there.

        Raises:
            BundleError: If this is not an object or has no such key.
        """
        mapping = self._mapping()
        if key not in mapping:
            raise BundleError(
                f"{self.document.name}: key {self._path_of(key)!r} is missing; "
                f"found {', '.join(map(str, mapping)) or 'no keys'}.",
                self.document.hint,
            )
        return self._child(mapping[key], self._path_of(key))

    def find(self, key: str) -> Node | None:
        """Return the value of a key, or None where it is absent or null."""
        value = self._mapping().get(key)
        return None if value is None else self._child(value, self._path_of(key))

    def entries(self) -> dict[str, Node]:
        """Return the values of an object by key, in their order."""
        return {
            key: self._child(value, self._path_of(key)) for key, value in self._mapping().items()
        }

    def items(self) -> tuple[Node, ...]:
        """Return the elements of a list."""
        if not isinstance(self.value, list | tuple):
            self.fail("a list")
        return tuple(self._child(value, f"{self.path}[{k}]") for k, value in enumerate(self.value))

    def text(self) -> str:
        """Return a string."""
        if not isinstance(self.value, str):
            self.fail("a string")
        return self.value

    def number(self) -> float:
        """Return a finite number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.fail("a number")
        if not math.isfinite(self.value):
            self.fail("a finite number")
        return float(self.value)

    def optional_number(self) -> float | None:
        """Return a finite number, or None where the value is null (not defined)."""
        return None if self.value is None else self.number()

    def integer(self) -> int:
        """Return a whole number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self.fail("a whole number")
        return self.value

    def optional_integer(self) -> int | None:
        """Return a whole number, or None where the value is null (not defined)."""
        return None if self.value is None else self.integer()

    def flag(self) -> bool:
        """Return a boolean."""
        if not isinstance(self.value, bool):
            self.fail("true or false")
        return self.value

    def numbers(self) -> tuple[float, ...]:
        """Return a list of finite numbers."""
        return tuple(item.number() for item in self.items())

    def pair(self) -> tuple[float, float]:
        """Return two finite numbers."""
        values = self.numbers()
        if len(values) != 2:
            self.fail("two numbers")
        return values[0], values[1]

    def _child(self, value: object, path: str) -> Node:
        return Node(value, path, self.document)

    def _mapping(self) -> Mapping[str, object]:
        if not isinstance(self.value, Mapping):
            self.fail("an object")
        return self.value

    def _path_of(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def named(items: Node, name: str) -> Node | None:
    """Return the element of a list of objects whose "name" is ``name``, or None."""
    for item in items.items():
        if item.at("name").text() == name:
            return item
    return None
