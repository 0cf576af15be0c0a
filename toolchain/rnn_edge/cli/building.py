"""What `build`, `train`, `quantize` and `export` have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnn_edge.cli.device_options import known_device
from rnn_edge.cli.output import Output
from rnn_edge.cli.progress import progress_for
from rnn_edge.cli.specs import spec_here
from rnn_edge.errors import SpecError

if TYPE_CHECKING:
    from rnn_edge.pipeline import Bundle
    from rnn_edge.spec import ModelSpec


def build_target(
    target: Path | None,
    *,
    data: Path | None,
    out: Path | None,
    overrides: Sequence[str],
    seed: int | None,
    until: str | None,
    output: Output,
    device: str | None = None,
) -> Bundle:
    """Build a spec, or a bundle again, up to and including a stage.

    Args:
        target: A spec, the name of a shipped one, or the folder of a bundle; None for the spec
            that is here, or the embedded default where there is none.
        data: Replaces the spec's data path.
        out: Folder of the bundle; by default the bundle given, or out/NAME.
        overrides: ``section.key=value`` each.
        seed: Replaces the spec's seed.
        until: Last stage; None for all.
        output: How to talk.
        device: Name of a device that the model has to fit; None for anything.
    """
    from rnn_edge.spec import DEFAULT_SPEC, spec_origin

    wanted = None if device is None else known_device(device)

    file, again = target, False
    if target is None:
        file = spec_here(Path())
        output.note(f"spec: {file or f'{DEFAULT_SPEC}, the embedded one'}")
    elif target.is_dir():
        from rnn_edge.pipeline import Bundle

        file = Bundle.open(target).file("spec.toml")
        out = out or target
        again = out.resolve() == target.resolve()
        if not again:
            output.note(
                f"{out} becomes a bundle of its own: everything is made anew there by the spec of "
                f"{target}, the training too. Files that {target} holds already can be copied."
            )
    spec = resolve(file, data, overrides, seed)
    from rnn_edge.pipeline import build_bundle, refuse_unfit

    refuse_unfit(spec, spec_origin(file, with_seed(overrides, seed)))
    with progress_for(output) as progress:
        return build_bundle(
            spec,
            out or Path("out") / spec.model.name,
            progress=progress,
            until=until,
            again=again,
            device=wanted,
        )


def resolve(
    file: Path | None, data: Path | None, overrides: Sequence[str], seed: int | None
) -> ModelSpec:
    """Return the spec with everything from the command line in it.

    Raises:
        SpecError: If data is given to a spec that makes its own.
    """
    from rnn_edge.spec import DEFAULT_SPEC, load_spec
    from rnn_edge.spec.data import PLACES

    spec = load_spec(file, with_seed(overrides, seed))
    if data is None:
        return spec
    key = next((name for name in PLACES if hasattr(spec.data, name)), None)
    if key is None:
        raise SpecError(
            f"Option --data: {data}; spec {file or DEFAULT_SPEC} makes its own data "
            f'(data.kind = "{spec.data.kind}") and reads none.',
            'build a spec that reads data: "rnn-edge build kws_gru --data PATH", or begin one '
            'with "rnn-edge new"',
        )
    return spec.model_copy(update={"data": spec.data.model_copy(update={key: str(data)})})


def with_seed(overrides: Sequence[str], seed: int | None) -> list[str]:
    """Return what the command line sets, the seed among it."""
    return [*overrides, *([] if seed is None else [f"seed={seed}"])]
