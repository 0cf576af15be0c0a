"""All C of an export as one file, for those whose build takes a single one."""

from __future__ import annotations

import re
from collections.abc import Mapping

FOLDER = "c_single"
"""Beside the folder ``c``, so that whoever compiles ``*.c`` there compiles nothing twice."""
ELSEWHERE = "RNN_EDGE_LIBRARY_ELSEWHERE"
"""Macro that leaves the kernel library out, of which an image can have only one."""

_LIBRARY = "rnn_edge_"
_OWN_INCLUDE = re.compile(r'^#\s*include\s+"([^"]+)"')
_CONDITION = re.compile(r"^#\s*(if|ifdef|ifndef|endif)\b")
_GUARD = re.compile(r"^#ifndef (\w+)\n#define \1\n", re.MULTILINE)
_ATTRIBUTE = re.compile(r"__attribute__\(\(.*?\)\)\s|_Alignas\([^)]*\)\s")
_OWN = (
    re.compile(r"^static\s+(?:[\w*]+\s+|\*)*?\**(\w+)\s*[(\[=;]", re.MULTILINE),
    re.compile(r"^typedef\b[^;{(]*?\b(\w+)\s*[;(]", re.MULTILINE),
    re.compile(r"^\}\s*(\w+);", re.MULTILINE),
    re.compile(r"^(?:struct|union|enum)\s+(\w+)\s*\{", re.MULTILINE),
)
_ENUM = re.compile(r"^enum\s*\{([^}]*)\}", re.MULTILINE)
_CONSTANT = re.compile(r"(\w+)\s*(?:=[^,]*)?(?:,|$)")
_MACRO = re.compile(r"^#\s*define\s+(\w+)", re.MULTILINE)
_WORDS = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|(?:->|\.)\s*\w+|\w+', re.DOTALL)


def single_files(name: str, contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of the folder `FOLDER` by name: ``NAME_all.c`` and the API's headers.

    Each of them stands for itself. Names that are a file's own are given its name besides, since in
    one file they would meet.

    Args:
        name: The model's name.
        contents: The files of the folder ``c``.
    """
    texts = {file: content.decode() for file, content in contents.items()}
    headers = [file for file in texts if file.startswith(name) and file.endswith(".h")]
    made = {file: _Joined(texts).of(file) for file in headers if file != f"{name}_data.h"}
    made[f"{name}_all.c"] = _all(name, texts)
    return {file: text.encode() for file, text in made.items()}


def _all(name: str, texts: Mapping[str, str]) -> str:
    joined = _Joined(texts)
    sources = sorted(file for file in texts if file.endswith(".c"))
    own = [file for file in sources if not file.startswith(_LIBRARY)]
    library = [file for file in sources if file.startswith(_LIBRARY)]
    parts = [
        f"/*\n * {name} in one file: its API, its numbers and the kernel library.\n *\n"
        f" * With a second model of this kind in the same program, compile this one with\n"
        f" * -D{ELSEWHERE}.\n */\n"
        # Of functions in headers, which are part of this file here, it expects that each be called.
        "#ifdef __clang__\n#pragma clang diagnostic push\n"
        '#pragma clang diagnostic ignored "-Wunused-function"\n#endif\n',
        *(joined.of(file) for file in own),
        f"#ifndef {ELSEWHERE}\n\n",
        *(joined.of(file) for file in library),
        "#endif\n\n#ifdef __clang__\n#pragma clang diagnostic pop\n#endif\n",
    ]
    return "\n".join(parts)


class _Joined:
    """Texts one after the other, each header once."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._seen: set[str] = set()

    def of(self, file: str) -> str:
        """Return a file with what it includes in the place of the including lines."""
        text = self._texts[file]
        is_source = file.endswith(".c")
        if is_source and file.startswith(_LIBRARY):
            text = _apart(text, file)
        guard = _GUARD.search(text)
        depth, lines = 0 if is_source or guard is None else -1, [f"/* {file} */"]
        for line in text.splitlines():
            if condition := _CONDITION.match(line):
                depth += -1 if condition[1] == "endif" else 1
            include = _OWN_INCLUDE.match(line)
            if include is None:
                lines.append(line)
            elif include[1] not in self._seen:
                if depth == 0:
                    self._seen.add(include[1])
                lines.append(self.of(include[1]))
        if is_source:
            lines += [f"#undef {macro}" for macro in sorted(set(_MACRO.findall(text)))]
        return "\n".join([*lines, ""])


def _apart(text: str, file: str) -> str:
    """Return a source file whose own names are those of no other."""
    suffix = f"_in_{file.removesuffix('.c').removeprefix(_LIBRARY)}"
    plain = _ATTRIBUTE.sub("", text)
    own = {found for pattern in _OWN for found in pattern.findall(plain)}
    for constants in _ENUM.findall(plain):
        named = re.sub(r"/\*.*?\*/", "", constants, flags=re.DOTALL)
        own |= {found for found in _CONSTANT.findall(named) if not found.isdigit()}
    return _WORDS.sub(lambda found: found[0] + suffix if found[0] in own else found[0], text)
