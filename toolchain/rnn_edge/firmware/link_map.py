"""Reads where the bytes of an image come from: the map that GNU ld or lld writes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from pathlib import PurePath

_BEGIN = "Linker script and memory map"
_OUTPUT = re.compile(r"^(\.[\w.]+)(?:\s|$)")
_BROKEN = re.compile(r"^( \.[\w.$-]+)\n +(?=0x)", re.M)
_LLD_BEGIN = re.compile(r"^ +VMA +LMA +Size Align Out +In +Symbol$", re.M)
_LLD_ROW = re.compile(r"^ *[0-9a-f]+ +[0-9a-f]+ +([0-9a-f]+) +\d+ ( {8})?(\S.*)$")
_INPUT = re.compile(r"^ \.?[\w.$*-]+\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S.*)$")


def bytes_by_object(text: str, sections: Collection[str]) -> dict[str, int]:
    """Return what each object file adds to some sections of an image, without padding.

    Args:
        text: The map.
        sections: Names of the image's sections.

    Returns:
        Bytes by the object's file name; of a library's member, the library's.
    """
    if begin := _LLD_BEGIN.search(text):
        return _bytes_in_lld(text[begin.end() :], sections)
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


def _bytes_in_lld(text: str, sections: Collection[str]) -> dict[str, int]:
    found: Counter[str] = Counter()
    section = ""
    for line in text.splitlines():
        # Deeper rows are symbols.
        if (row := _LLD_ROW.match(line)) is None:
            continue
        if not row[2]:
            section = row[3]
        elif section in sections and ":(" in row[3]:
            found[PurePath(row[3].rpartition(":(")[0].partition("(")[0]).name] += int(row[1], 16)
    return dict(found)
