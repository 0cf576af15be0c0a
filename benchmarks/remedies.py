"""What a remedy at the source takes away from the drift of a trained model, and what it costs.

python benchmarks/remedies.py BUNDLE...               rounding of the trained and the tuned student
python benchmarks/remedies.py BUNDLE... --parts rows  rows of 9 to 16 bits, by sensitivity
python benchmarks/remedies.py BUNDLE --also DIR...    other fine-tunings of the same student

Bundles need the stages of their builds beside them. Drift is that of the last hidden state, each
run on its own state, over a stream of test recordings that is never reset; decisions are the share
of frames on which both runs name the same output. --streams cuts the stream into parts that run
side by side, which takes less time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge import fixedpoint
from rnn_edge.cli.scripts import explained_errors
from rnn_edge.errors import DataError
from rnn_edge.evaluation import integer_runner
from rnn_edge.evaluation.keyword import classify_clips
from rnn_edge.pipeline import Bundle, training
from rnn_edge.pipeline.bundle import STAGES
from rnn_edge.pipeline.material import FRAMES
from rnn_edge.pipeline.measure import test_order
from rnn_edge.pipeline.replay import open_stream
from rnn_edge.pipeline.stages import StageStore
from rnn_edge.quantize import calibrate, compensate, quantize_input, quantize_model
from rnn_edge.quantize.effects import layer_effects
from rnn_edge.quantize.moments import unit_moments
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.replay import concatenate
from rnn_edge.types import Array, FloatModel, QuantizedModel
from rnn_edge.types.frames import FrameSet
from rnn_edge.types.program import FullyConnected, Op

WIDE_SHARES = (0.05, 0.1, 0.2, 0.4, 1.0)


@dataclass(frozen=True, eq=False)
class Subject:
    """A bundle with what it was built of.

    Attributes:
        bundle: The bundle.
        frames: All sequences.
        calibration: float32 (B, T, D).
        stream: float32 (parts, T, D), that drift is measured on.
        judges: Whether test clips are decided as well.
    """

    bundle: Bundle
    frames: FrameSet
    calibration: Array
    stream: Array
    judges: bool

    @property
    def name(self) -> str:
        return self.bundle.path.name

    @property
    def student(self) -> FloatModel:
        return FloatModel.load(self.bundle.path / training.STUDENT)


def open_subject(path: Path, steps: int, parts: int, *, judges: bool) -> Subject:
    bundle = Bundle.open(path)
    name = str(bundle.manifest["stages"]["data"])
    kept = StageStore(path / STAGES).find("data", name)
    if kept is None:
        raise DataError(f"Bundle {path}: the stages of its build are gone; expected {STAGES}.")
    frames = FrameSet.load(kept.folder / FRAMES)
    quantize = bundle.spec().quantize
    heard = [s.frames for s in frames.part("train")]
    streams = [
        concatenate(heard, quantize.calibration_steps, seed)[: quantize.calibration_steps]
        for seed in range(quantize.calibration_streams)
    ]
    stream, _ = open_stream(bundle, None, None, steps)
    length = len(stream.frames) // parts
    side_by_side = stream.frames[: parts * length].reshape(parts, length, -1)
    return Subject(bundle, frames, np.stack(streams), side_by_side, judges)


Wide = dict[str, tuple[Array, Array, Array]]


class WideReference(IntegerReference):
    """The integer reference with some rows of finer weights; all else is as it is.

    Args:
        model: The model.
        wide: By matrix name: rows, their codes in steps of ``2**-bits`` of the row's scale, and
            their biases as they are with 8 bits.
        bits: Extra bits of those rows.
        streams: Streams side by side.
    """

    def __init__(self, model: QuantizedModel, wide: Wide, bits: int, streams: int = 1) -> None:
        self._wide = {id(model.matrices[name]): rows for name, rows in wide.items()}
        self._bits = bits
        super().__init__(model, streams)

    def _compile(self, op: Op) -> Callable[[dict[str, Array]], None]:
        if not (isinstance(op, FullyConnected) and id(op.matrix) in self._wide):
            return super()._compile(op)
        rows, codes, biases = self._wide[id(op.matrix)]
        matrix = op.matrix
        weight, bias = matrix.weight.astype(np.float64), matrix.bias.copy()
        factors = fixedpoint.row_multipliers(
            matrix.weight_scale, matrix.input_exponent, matrix.output_exponent
        )
        multiplier, shift = factors[0], factors[1].copy()
        weight[rows] = codes
        bias[rows] = biases << self._bits
        shift[rows] += self._bits

        def run(values: dict[str, Array]) -> None:
            values[op.out] = fixedpoint.fully_connected(
                values[op.x], weight, bias, multiplier, shift
            )

        return run


def drift(
    model: FloatModel, quantized: QuantizedModel, x: Array, wide: Wide | None = None, bits: int = 0
) -> list[float]:
    """Return hidden RMS and the share of equal decisions over streams (B, T, D).

    Args:
        model: Runs in floating point.
        quantized: Runs in integers.
        x: The frames.
        wide: Rows of more bits, see `WideReference`.
        bits: How many more.
    """
    wanted, found = (
        FloatReference(model, len(x)),
        WideReference(quantized, wide or {}, bits, len(x)),
    )
    last, integers = f"h{len(model.layers) - 1}", quantize_input(x, quantized.input_exponent)
    total, equal = 0.0, 0.0
    for t in range(x.shape[1]):
        y, y_q = wanted.step(x[:, t]), found.step(integers[:, t])
        total += float(np.square(found.state[last] * 2.0**-15 - wanted.state[last]).mean())
        equal += float((y.argmax(axis=1) == y_q.argmax(axis=1)).mean())
    return [float(np.sqrt(total / x.shape[1])), equal / x.shape[1]]


def accuracy(subject: Subject, model: QuantizedModel) -> list[float]:
    """Return the accuracy on test clips, reset and never reset; nothing for forecasters."""
    if model.task != "kws" or not subject.judges:
        return []
    clips = test_order(subject.frames.part("test"))
    truth = np.array([clip.label for clip in clips])
    run = integer_runner(model)
    return [float((classify_clips(run, clips, reset=r) == truth).mean()) for r in (True, False)]


Row = tuple[str, str, list[float]]


def roundings(subject: Subject, also: list[Path]) -> Iterator[Row]:
    """Yield drift, decisions and accuracy of each way to round."""
    final = subject.bundle.model()
    models = {"after training": (subject.student, None)}
    models["final"] = (subject.bundle.float_model(), final)
    for folder in also:
        found = FloatModel.load(folder / training.FLOAT_MODEL)
        models[folder.name] = (found, QuantizedModel.load(folder / training.MODEL))
    for name, (model, given) in models.items():
        stats = calibrate(model, subject.calibration)
        cells = None if given is None else [layer.cell_exponent for layer in given.layers]
        headroom = subject.bundle.spec().quantize.headroom_bits
        nearest = quantize_model(model, stats, headroom, cells)
        start = time.perf_counter()
        rounded = compensate(model, subject.calibration)
        seconds = time.perf_counter() - start
        learned = quantize_model(model, stats, headroom, cells, rounded)
        for way, quantized in (("nearest", nearest), ("compensated", learned)):
            figures = drift(model, quantized, subject.stream)
            yield subject.name, f"{name}, {way}", [*figures, *accuracy(subject, quantized)]
        same = "the same integers" if learned.digest() == nearest.digest() else "other integers"
        yield subject.name, f"  {same}, seconds to round", [seconds]


def row_costs(model: FloatModel, quantized: QuantizedModel, streams: Array) -> dict[str, Array]:
    """Return by matrix what the error of each row does to the state of its unit, (N,)."""
    x = np.ascontiguousarray(streams[:, : 32768 // len(streams)].transpose(1, 0, 2))
    found: dict[str, Array] = {}
    for k, weights in enumerate(model.layers):
        effects, hidden, inputs = layer_effects(weights, x), weights.hidden, weights.inputs
        for part, w in (("x", weights.w_x), ("h", weights.w_h)):
            found[f"layer{k}.{part}"] = np.zeros(len(w))
        for block in unit_moments(effects, x):
            for part, offset, w in (("x", 0, weights.w_x), ("h", inputs, weights.w_h)):
                matrix = quantized.matrices[f"layer{k}.{part}"]
                real = matrix.weight * matrix.weight_scale.astype(np.float64)[:, None]
                for g in range(len(w) // hidden):
                    rows = np.arange(g * hidden + block.units.start, g * hidden + block.units.stop)
                    first = g * (inputs + hidden) + offset
                    columns = slice(first, first + w.shape[1])
                    error = real[rows] - w[rows]
                    moments = block.early[:, columns, columns]
                    found[f"layer{k}.{part}"][rows] = np.einsum(
                        "uk,ukl,ul->u", error, moments, error
                    )
        x = effects.hidden
    return found


def mixed_rows(subject: Subject) -> Iterator[Row]:
    """Yield drift, decisions, bytes and multiplications with some rows of more bits."""
    student, final = subject.student, subject.bundle.model()
    stats = calibrate(student, subject.calibration)
    cells = [layer.cell_exponent for layer in final.layers]
    nearest = quantize_model(student, stats, cell_exponents=cells)
    rounded = compensate(student, subject.calibration)
    learned = quantize_model(student, stats, cell_exponents=cells, rounded=rounded)
    tuned = subject.bundle.float_model()
    sources = (
        ("after training, nearest", student, nearest, nearest),
        ("after training, compensated", student, learned, nearest),
        ("final", tuned, final, final),
    )
    for name, model, quantized, plain in sources:
        figures = drift(model, quantized, subject.stream)
        sizes = [float(quantized.weight_bytes), float(quantized.macs)]
        yield subject.name, f"{name}, all rows of 8 bits", [*figures, *sizes]
        costs = row_costs(model, plain, subject.calibration)
        # Errors that make up for one another are those of a unit: it is widened as a whole.
        is_whole = quantized is not plain
        kind = "units" if is_whole else "rows"
        ranked = _ranked(costs, model, is_whole=is_whole)
        for bits, share in [*((8, share) for share in WIDE_SHARES), (1, 1.0), (2, 1.0)]:
            chosen = ranked[: max(1, round(share * len(ranked)))]
            wide = _widened(model, plain, [row for group in chosen for row in group], bits)
            figures = drift(model, quantized, subject.stream, wide, bits)
            extra = sum(codes.size for _, codes, _ in wide.values())
            # More bits are a second product; stored they can be packed.
            grown = [sizes[0] + extra * bits / 8, sizes[1] + extra]
            label = f"{name}, {share:.0%} of the {kind} of {8 + bits} bits"
            yield subject.name, label, [*figures, *grown]


def _ranked(
    costs: dict[str, Array], model: FloatModel, *, is_whole: bool
) -> list[list[tuple[str, int]]]:
    """Return rows by matrix and index, or all rows of a unit, the costliest first."""
    groups: dict[tuple[str, int], list[tuple[str, int]]] = {}
    total: dict[tuple[str, int], float] = {}
    for key, own in costs.items():
        hidden = model.layers[int(key[5 : key.index(".")])].hidden
        for row, cost in enumerate(own):
            group = (key.split(".")[0], row % hidden) if is_whole else (key, row)
            groups.setdefault(group, []).append((key, row))
            total[group] = total.get(group, 0.0) + float(cost)
    return [groups[group] for group in sorted(groups, key=lambda group: -total[group])]


def _widened(
    model: FloatModel, quantized: QuantizedModel, chosen: list[tuple[str, int]], bits: int
) -> Wide:
    wide: Wide = {}
    for key, kernel in _kernels(model).items():
        rows = np.array(sorted(row for own, row in chosen if own == key), np.int64)
        if len(rows):
            matrix = quantized.matrices[key]
            scale = matrix.weight_scale[rows].astype(np.float64)[:, None]
            wide[key] = rows, np.rint(kernel[rows] / scale * 2.0**bits), matrix.bias[rows]
    return wide


def _kernels(model: FloatModel) -> dict[str, Array]:
    kernels: dict[str, Array] = {}
    for k, layer in enumerate(model.layers):
        kernels[f"layer{k}.x"], kernels[f"layer{k}.h"] = layer.w_x, layer.w_h
    return kernels


PARTS = {"rounding": "hidden RMS, decisions; with --accuracy that, reset and never reset"}
PARTS["rows"] = "hidden RMS, decisions, weight bytes, multiplications"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=["rounding"])
    parser.add_argument("--also", nargs="*", type=Path, default=[])
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--accuracy", action="store_true", help="decide the test clips as well")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if not arguments.json:
            print(f"# {part}, {arguments.steps:,} steps: {PARTS[part]}", flush=True)
        for path in arguments.bundles:
            subject = open_subject(
                path, arguments.steps, arguments.streams, judges=arguments.accuracy
            )
            rows = mixed_rows(subject) if part == "rows" else roundings(subject, arguments.also)
            for name, label, figures in rows:
                if arguments.json:
                    row = {"part": part, "bundle": name, "row": label, "figures": figures}
                    print(json.dumps(row), flush=True)
                else:
                    shown = "  ".join(_shown(value) for value in figures)
                    print(f"{name:14} {label:58} {shown}", flush=True)


def _shown(value: float) -> str:
    return f"{value:9,.0f}" if value >= 100 else f"{value:9.5f}"


if __name__ == "__main__":
    with explained_errors():
        main()
