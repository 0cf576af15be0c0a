"""From PyTorch: a module, or its ``state_dict``.

Only names, shapes and attributes are read; tensors are asked for their numpy values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_edge.importers.assembly import SHAPE, Assembly, refuse, refuse_bidirectional
from rnn_edge.importers.gates import PYTORCH, reordered
from rnn_edge.types import Array, CellKind, FloatModel, HeadKind, RecurrentWeights, Task

_RECURRENT = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")
_SKIPPED = ("Dropout", "Dropout1d", "Identity", "Linear", "Sequential", "ModuleList")
_PARAMETER = re.compile(
    r"^(?:(?P<module>.*)\.)?(?P<part>weight_ih|weight_hh|bias_ih|bias_hh|weight_hr|weight|bias)"
    r"(?:_l(?P<layer>\d+))?(?P<reverse>_reverse)?$"
)
_KINDS: dict[int, CellKind] = {1: "rnn", 3: "gru", 4: "lstm"}
"""By rows of a kernel per unit."""


def from_pytorch(
    source: Any,  # noqa: ANN401 - PyTorch is not imported
    name: str = "model",
    labels: Sequence[str] | None = None,
    task: Task = "kws",
    head: HeadKind = "linear",
) -> FloatModel:
    """Return the float model of a PyTorch module.

    ``nn.GRU``, ``nn.LSTM`` and ``nn.RNN`` with tanh, of one or more layers, or their cells, then an
    ``nn.Linear``, in the order in which the module registers them. What a module's own ``forward``
    does cannot be seen: compare outputs, as docs/importing.md does.

    Args:
        source: A module, or its ``state_dict()``: names to tensors or arrays. From names and
            shapes alone an ``nn.RNN`` with relu looks like one with tanh.
        name: Name of the model, a C identifier.
        labels: Names of the outputs; numbers by default.
        task: What the outputs are.
        head: What ``forward`` does to the outputs of the linear layer, beyond an ``nn.Softmax``
            that is a module of its own.

    Raises:
        ModelError: If a module, an option or a tensor has no exact counterpart.
    """
    tensors = source
    found = head
    if hasattr(source, "named_modules"):
        found = _check_modules(source, head)
        tensors = source.state_dict()
    if not isinstance(tensors, Mapping):
        refuse(f"{type(source).__name__}", "a torch.nn.Module or its state_dict()")
    assembly = Assembly(name, task, labels)
    for module, parts in _grouped(tensors).items():
        what = f"PyTorch module {module!r}"
        if any(part.startswith("weight_ih") for part, _ in parts):
            for layer in sorted({layer for _, layer in parts}):
                own = {part: value for (part, k), value in parts.items() if k == layer}
                assembly.recurrent(_recurrent(own, f"{what}, layer {layer}"), what)
        else:
            assembly.dense(*_linear(parts, what), what)
    if found != "linear":
        assembly.head(found, f"head {found!r}")
    return assembly.model()


def _check_modules(source: Any, head: HeadKind) -> HeadKind:  # noqa: ANN401 - no PyTorch
    """Refuse what the names and shapes of tensors do not tell; return what the head is."""
    for path, module in source.named_modules():
        kind = type(module).__name__
        what = f"PyTorch module {path!r} ({kind})"
        if kind in _RECURRENT:
            if getattr(module, "bidirectional", False):
                refuse_bidirectional(f"{what} has bidirectional = True")
            if getattr(module, "nonlinearity", "tanh") != "tanh":
                refuse(f"{what} has nonlinearity {module.nonlinearity!r}", "'tanh'")
        elif kind == "Softmax":
            if getattr(module, "dim", -1) == 0:
                refuse(f"{what} has dim 0", "the last dimension")
            head = "softmax"
        elif _is_torch(module) and kind not in _SKIPPED:
            refuse(what, SHAPE)
    return head


def _is_torch(module: Any) -> bool:  # noqa: ANN401 - PyTorch is not imported
    """Return whether it is one of PyTorch's own modules; users' own are containers."""
    return type(module).__module__.startswith("torch.nn.modules")


def _grouped(tensors: Mapping[str, Any]) -> dict[str, dict[tuple[str, int], Array]]:
    """Return module to (parameter, layer) to array, in the order of the state."""
    groups: dict[str, dict[tuple[str, int], Array]] = {}
    for key, value in tensors.items():
        match = _PARAMETER.match(key)
        if match is None:
            refuse(f"PyTorch tensor {key!r}", SHAPE)
        if match["reverse"]:
            refuse_bidirectional(f"PyTorch tensor {key!r} belongs to a bidirectional layer")
        if match["part"] == "weight_hr":
            refuse(f"PyTorch tensor {key!r} is a projection", "an LSTM with proj_size = 0")
        array = np.array(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
        groups.setdefault(match["module"] or "", {})[match["part"], int(match["layer"] or 0)] = (
            array
        )
    return groups


def _recurrent(parts: Mapping[str, Array], what: str) -> RecurrentWeights:
    missing = [part for part in ("weight_ih", "weight_hh") if part not in parts]
    if missing:
        refuse(f"{what} has no {missing[0]}", "both kernels")
    w_x, w_h = parts["weight_ih"], parts["weight_hh"]
    ratio = w_h.shape[0] // w_h.shape[1] if w_h.ndim == 2 and w_h.shape[1] else 0
    if ratio not in _KINDS or w_h.shape[0] != ratio * w_h.shape[1]:
        refuse(f"{what} has a recurrent kernel {w_h.shape}", "1, 3 or 4 rows for each unit")
    kind = _KINDS[ratio]
    none = np.zeros(len(w_h), np.float32)
    b_x, b_h = parts.get("bias_ih", none), parts.get("bias_hh", none)
    arrays = (reordered(value, kind, PYTORCH[kind]) for value in (w_x, w_h, b_x, b_h))
    return RecurrentWeights(kind, *arrays)


def _linear(parts: Mapping[tuple[str, int], Array], what: str) -> tuple[Array, Array | None]:
    weight, bias = parts.get(("weight", 0)), parts.get(("bias", 0))
    if weight is None or weight.ndim != 2:
        shape = "no weight" if weight is None else f"a weight {weight.shape}"
        refuse(f"{what} has {shape}", f"an nn.Linear; {SHAPE}")
    return weight, bias
