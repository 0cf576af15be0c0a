"""Steps an exported TFLite file in any package with TFLite's Python interpreter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_edge.engines.base import Engine, EngineSource
from rnn_edge.engines.host_state import HostStateEngine
from rnn_edge.engines.layout import StreamLayout, read_export
from rnn_edge.errors import EngineError
from rnn_edge.exporters import tflite, tflite_float
from rnn_edge.types import Array

DEFAULT_KERNELS = "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
"""The optimised kernels, without XNNPACK: no delegate takes int16 activations, and the float file
is run the same way, so that both are timed alike."""
REFERENCE_KERNELS = "BUILTIN_REF"


def require_tensors(
    path: Path,
    layout: StreamLayout,
    inputs: Mapping[str, tuple[tuple[int, ...], str]],
    outputs: Mapping[str, tuple[tuple[int, ...], str]],
) -> None:
    """Refuse a file that does not have the tensors of a model.

    Args:
        path: Of the file, for messages.
        layout: The model's interface.
        inputs: Name to shape and dtype of what the file has.
        outputs: As ``inputs``.

    Raises:
        EngineError: Naming what is there and what was expected.
    """
    wanted_in = {"x": layout.inputs, **{f"{n}_in": h for n, h in layout.states.items()}}
    wanted_out = {"y": layout.outputs, **{f"{n}_out": h for n, h in layout.states.items()}}
    label = {"label": ((1,), "int32")} if layout.has_label else {}
    for found, wanted, more in ((inputs, wanted_in, {}), (outputs, wanted_out, label)):
        expected = {name: ((1, size), layout.dtype) for name, size in wanted.items()} | more
        if dict(found) != expected:
            raise EngineError(f"File {path} has tensors {dict(found)}; expected {expected}.")


class InterpreterEngine(HostStateEngine):
    """Feeds state tensors back by name; the order of inputs in a file is not fixed.

    Args:
        layout: The model's interface.
        interpreter: With tensors allocated.
        path: Of the file, for messages.

    Raises:
        EngineError: If the file does not have the tensors that the layout asks for.
    """

    def __init__(self, layout: StreamLayout, interpreter: Any, path: Path) -> None:  # noqa: ANN401
        super().__init__(layout)
        entering = {item["name"]: item for item in interpreter.get_input_details()}
        leaving = {item["name"]: item for item in interpreter.get_output_details()}
        found_in, found_out = (
            {n: (tuple(i["shape"].tolist()), i["dtype"].__name__) for n, i in items.items()}
            for items in (entering, leaving)
        )
        require_tensors(path, layout, found_in, found_out)
        self._interpreter = interpreter
        self._set = interpreter.set_tensor
        self._get = interpreter.get_tensor
        self._invoke = interpreter.invoke
        self._x = entering["x"]["index"]
        self._y = leaving["y"]["index"]
        self._carried = [
            (name, entering[f"{name}_in"]["index"], leaving[f"{name}_out"]["index"])
            for name in layout.states
        ]

    def _advance(self, x: Array, state: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
        self._set(self._x, x[None])
        for name, index, _ in self._carried:
            self._set(index, state[name][None])
        self._invoke()
        after = {name: self._get(index)[0] for name, _, index in self._carried}
        return self._get(self._y)[0], after


def open_interpreter(
    package: Any,  # noqa: ANN401 - the packages have no types
    kernels: str,
    source: EngineSource,
    is_integer: bool,
) -> Engine:
    """Load the exported integer or float file.

    Args:
        package: Module with ``Interpreter`` and ``OpResolverType``.
        kernels: `DEFAULT_KERNELS` or `REFERENCE_KERNELS`.
        source: Where the file is.
        is_integer: Which of the two files.

    Raises:
        EngineError: If the file is missing, of another model or refused by the runtime.
    """
    if is_integer:
        path = source.exports / tflite.FILE
        content = read_export(path, source.model.digest())
        layout = StreamLayout.of_integer(source.model)
    else:
        path = source.exports / tflite_float.FILE
        content = read_export(path, source.float_model.digest())
        layout = StreamLayout.of_float(source.float_model, source.model)
    try:
        interpreter = package.Interpreter(
            model_content=content,
            num_threads=1,
            experimental_op_resolver_type=getattr(package.OpResolverType, kernels),
        )
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise EngineError(f"File {path} is refused by {package.__name__}: {error}.") from error
    return InterpreterEngine(layout, interpreter, path)
