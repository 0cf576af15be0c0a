"""Instructions of a step that other runtimes take, as counted in the same emulator.

mps2-an386 and mps3-an547 of QEMU with ``-icount shift=0``, -O3, in November 2026: TFLM with its
reference kernels and with those of CMSIS-NN, the latter by itself, NNoM with the legacy CMSIS-NN,
onnx2c in single precision.
"""

from __future__ import annotations

from subject import Shape

M4, M55, M0 = "qemu-m4", "qemu-m55", "qemu-m0"


def _row(cell: str, *counts: int | None) -> dict[Shape, int]:
    sizes = ((32, 40), (64, 40), (128, 40), (32, 8))
    return {
        Shape(cell, *size): count  # type: ignore[arg-type]
        for size, count in zip(sizes, counts, strict=True)
        if count is not None
    }


PEERS: dict[str, dict[str, dict[Shape, int]]] = {
    M4: {
        "TFLM reference": _row("lstm", 120_742, 320_169, 965_178, 79_565),
        "TFLM + CMSIS-NN": _row("lstm", 36_497, 86_264, 230_972, 28_820)
        | _row("gru", None, 192_809, None, None),
        "CMSIS-NN by itself": _row("lstm", 36_291, 86_043, 230_720, 28_744),
        "NNoM": _row("lstm", 42_630, 125_642, 414_547, 34_321)
        | _row("gru", 21_554, 54_807, 158_178, 15_293),
        "onnx2c, float": _row("lstm", 47_996, 124_581, 363_143, 31_808),
    },
    M55: {"TFLM + CMSIS-NN": _row("lstm", 14_212, 30_287, 73_708, 12_210)},
    M0: {
        "TFLM reference": _row("lstm", None, 580_467, None, None),
        "CMSIS-NN by itself": _row("lstm", None, 237_747, None, None),
    },
}
