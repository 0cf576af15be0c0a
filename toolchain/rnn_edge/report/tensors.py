"""What the tensors of a step are, in words."""

from __future__ import annotations

_KINDS = {"h": ("hidden", ", which lies in −1 to 1"), "c": ("cell", "")}


def meaning(tensor: str, outputs: str) -> str:
    """Return what a tensor is, to follow its name: ": cell state of layer 0.".

    Args:
        tensor: "y" or a state; of another one nothing is said.
        outputs: What the outputs are.
    """
    if tensor == "y":
        return f": {outputs}."
    kind, layer = _KINDS.get(tensor[:1]), tensor[1:]
    return f": {kind[0]} state of layer {layer}{kind[1]}." if kind and layer.isdecimal() else ""
