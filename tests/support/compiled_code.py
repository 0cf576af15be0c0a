"""What tests ask of C besides what it computes: what it shifts, calls and keeps."""

import json
import re

from c_models import succeed, tool


def functions_that_shift_signed(source, *flags):
    """Names of the functions of a source file that shift signed values right.

    The empty name is the file scope: the assertions beside the helpers.
    """
    command = (tool("clang"), "-std=c11", *flags, "-Xclang", "-ast-dump=json", "-fsyntax-only")
    return set(_signed_shifts(json.loads(succeed(*command, source))))


def _signed_shifts(node, function=""):
    if node.get("kind") == "FunctionDecl":
        function = node.get("name", "")
    if node.get("kind") == "BinaryOperator" and node.get("opcode") == ">>":
        written = node["inner"][0]["type"]
        if "unsigned" not in written.get("desugaredQualType", written["qualType"]):
            yield function
    for child in node.get("inner", []):
        yield from _signed_shifts(child, function)


def symbol_kinds(folder):
    """The letters of nm by name, for all objects of a folder."""
    kinds = {}
    for line in succeed(tool("nm"), "-P", *sorted(folder.glob("*.o"))).decode().splitlines():
        parts = line.split()
        if len(parts) >= 2 and not line.endswith(":"):
            kinds.setdefault(parts[0], set()).add(parts[1])
    return kinds


def called_outside(folder, nm="arm-none-eabi-nm"):
    """Names that the objects of a folder want, and that are none of the library and its model."""
    listing = succeed(tool(nm), "-u", *sorted(folder.glob("*.o"))).decode()
    names = set(re.findall(r"U (\S+)", listing))
    return {name for name in names if not name.startswith(("rnn_edge_", "sample_"))}
