"""Reads where the bytes of an image come from: the map that GNU ld writes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from pathlib import PurePath

_BEGIN = "Linker script and memory map"
_OUTPUT = re.compile(r"^(\.[\w.]+)(?:\s|$)")
_BROKEN = re.compile(r"^( \.[\w.$-]+)\n +(?=0x)", re.M)
_INPUT = re.compile(r"^ \.?[\w.$*-]+\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S.*)$")


def bytes_by_object(text: str, sections: Collection[str]) -> dict[str, int]:
    """Return what each object file adds to some sections of an image, without padding.

    Args:
        text: The map.
        sections: Names of the image's sections.

    Returns:
        Bytes by the object's file name; of a library's member, the library's.
    """
    # A long name has the rest of its line on the next one.
    lines = _BROKEN.sub(r"\1  ", text[text.index(_BEGIN) :]).splitlines()
    found: Counter[str] = Counter()
    section = ""
    for line in lines:
        if opened := _OUTPUT.match(line):
            section = opened[1]
        elif section in sections and (row := _INPUT.match(line)):
            found[PurePath(row[2].partition("(")[0]).name] += int(row[1], 16)
    return dict(found)
