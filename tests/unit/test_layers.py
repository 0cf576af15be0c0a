"""Imports point to lower layers only, and third-party packages stay where they belong."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import rnn_edge

ROOT = Path(rnn_edge.__file__).parent

LAYERS = (
    ("errors",),
    ("types", "registry", "extras", "child_process", "programs"),
    ("cache", "fixedpoint", "resources", "statistics"),
    ("spec", "cells", "data", "features", "input_drift", "logs"),
    ("reference",),
    ("train", "quantize"),
    ("exporters", "firmware", "importers", "links", "runners", "streams"),
    ("engines", "replay", "evaluation", "drift"),
    ("report", "profiling"),
    ("pipeline",),
    ("live",),
    ("cli",),
)
HOMES = {
    "click": {"cli"},
    "rich": {"cli"},
    "pydantic": {"spec"},
    "pydantic_core": {"spec"},
    "tensorflow": {"train"},
    "keras": {"train"},
    "onnx": {"exporters", "importers"},
    "onnxruntime": {"engines", "importers", "profiling"},
    "ai_edge_litert": {"engines", "exporters", "train"},
    "pyopen_wakeword": {"train"},
    "tflite_runtime": {"engines"},
    "flatbuffers": {"exporters"},
    "matplotlib": {"report"},
    "soundfile": {"data"},
    "espeakng_loader": {"data"},
    "dask": {"drift"},
    "distributed": {"drift"},
    "serial": {"runners", "links", "live"},
    "paho": {"live"},
    "prometheus_client": {"live"},
    "sounddevice": {"live"},
    "pyocd": {"runners", "links"},
    "labwired": {"runners"},
}
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
FILES = sorted(ROOT.rglob("*.py"))


def package_of(path: Path) -> str:
    """Return the part of the package a file belongs to, or "" for its __init__."""
    first = path.relative_to(ROOT).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Yield every module that a file imports, at the top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            module = node.module or ""
            yield module
            if module == "rnn_edge":
                yield from (f"rnn_edge.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            yield from required_module(node)


def required_module(call: ast.Call) -> Iterator[str]:
    """Yield the module of `require("module", ...)` or `import_module("module")`."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in ("require", "import_module") and call.args:
        first = call.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def complaints(path: Path, source: str) -> list[str]:
    """Return what is wrong with a file's imports."""
    package = package_of(path)
    tree = ast.parse(source)
    found = []
    for module in imported_modules(tree):
        top, _, rest = module.partition(".")
        if top == "rnn_edge" and rest:
            found += internal_complaints(package, rest.split(".")[0])
        elif top in HOMES and package not in HOMES[top] and module == top:
            found += third_party_complaints(package, top, tree)
        elif top in HOMES and package not in HOMES[top]:
            found.append(f"{module} belongs into {sorted(HOMES[top])}")
    return found


def internal_complaints(package: str, target: str) -> list[str]:
    if target == package:
        return []
    if target not in RANK:
        # Names of the package itself, such as __version__.
        return [] if hasattr(rnn_edge, target) else [f"{target} has no layer"]
    if RANK[target] < RANK[package]:
        return []
    direction = "sideways" if RANK[target] == RANK[package] else "upwards"
    return [f"imports {target}, {direction}"]


def third_party_complaints(package: str, top: str, tree: ast.AST) -> list[str]:
    # `require` may be called anywhere to say early what is missing: its result is then unused.
    uses = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
    asked = [name for call in uses for name in required_module(call)]
    total = list(imported_modules(tree)).count(top)
    return [] if asked.count(top) == total else [f"{top} belongs into {sorted(HOMES[top])}"]


def prints(tree: ast.AST) -> list[int]:
    """Return the lines on which `print` is called."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downwards(path):
    assert complaints(path, path.read_text()) == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_command_line_prints(path):
    assert package_of(path) == "cli" or prints(ast.parse(path.read_text())) == []


def test_every_package_has_a_layer():
    packages = {package_of(path) for path in FILES} - {""}
    assert packages <= set(RANK)


@pytest.mark.parametrize(
    ("package", "source", "expected"),
    [
        ("cells", "from rnn_edge.data import base", "imports data, sideways"),
        ("errors", "import rnn_edge.types", "imports types, upwards"),
        ("data", "def f():\n    from rnn_edge.cli import main", "imports cli, upwards"),
        ("data", "from rnn_edge import train", "imports train, upwards"),
        ("report", "import tensorflow as tf", "tensorflow belongs into ['train']"),
        ("report", "from rich.console import Console", "rich.console belongs into ['cli']"),
        ("engines", "x = require('onnx', 'export', 'y')", "onnx belongs into"),
        ("cells", "from rnn_edge.nowhere import x", "nowhere has no layer"),
    ],
)
def test_wrong_imports_are_found(package, source, expected):
    found = complaints(ROOT / package / "x.py", source)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_print_is_found():
    assert prints(ast.parse("def f():\n    print(1)")) == [2]
