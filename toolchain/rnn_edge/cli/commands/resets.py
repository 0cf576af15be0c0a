"""`rnn-edge resets`: reset policies, weighed and chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rnn_edge.cli.options import PathName, WholeNumber, data_option, output_options
from rnn_edge.cli.output import Output

SUGGESTED = "suggested"


@click.command("resets")
@click.argument("bundle", type=PathName())
@data_option(
    "Recordings in the layout that the bundle's spec describes. [default: those of the build]"
)
@click.option(
    "--steps",
    type=WholeNumber(1, 10_000_000),
    help="Frames at least, in whole clips or recordings. [default: all of the test part]",
)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="POLICY",
    help="Weigh this policy against never resetting, such as every:frames=500, "
    "quiet:level=-0.5,frames=20 or decay:shift=8; may be repeated. [default: several of each]",
)
@click.option(
    "--choose",
    metavar="POLICY",
    help=f'Write this policy into the bundle and export it again; "{SUGGESTED}" weighs first and '
    "writes what is suggested.",
)
@output_options
def resets(
    bundle: Path,
    data: Path | None,
    steps: int | None,
    policies: tuple[str, ...],
    choose: str | None,
    output: Output,
) -> None:
    """Weigh reset policies: what they take away of the drift, and what they cost.

    Runs the test part of the data under each policy, one clip or recording after the other: how
    far the quantized state is from the float state under the same policy, and the task's own
    metric. The last line is the suggestion, and the rule that it comes from.

    With --choose the policy is written into the bundle: its spec, its C, and the proof and report
    of that. Nothing is trained.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.cli.progress import progress_for
    from rnn_edge.cli.reset_table import chosen_lines, trade_lines
    from rnn_edge.pipeline.reset_trade import choose_policy, compare_reset_policies, section_of
    from rnn_edge.spec.policy import parse_policy

    if choose not in (None, SUGGESTED) and (data or steps or policies):
        raise click.UsageError(
            f"--choose {choose} weighs nothing; leave --data, --steps and --policy out, or take "
            f"--choose {SUGGESTED}."
        )
    opened = open_bundle(bundle)
    task = opened.spec().model.task
    sections = [parse_policy(text) for text in policies]
    section = None if choose in (None, SUGGESTED) else parse_policy(str(choose))
    payload: dict[str, Any] = {}
    lines: list[str] = []
    with progress_for(output) as progress:
        if section is None:
            found = compare_reset_policies(
                opened,
                data,
                steps,
                [each.resolved(task) for each in sections] or None,
                lambda done, total: progress("resets", done, total, {}),
            )
            payload = found.to_json()
            lines = trade_lines(payload)
            if choose is not None:
                section = section_of(found.trade.suggestion)
        if section is not None:
            written = choose_policy(opened, section, progress)
            policy = written.spec().reset.resolved(task)
            payload |= {"chosen": policy.to_json(), "bundle_path": str(written.path)}
            lines += chosen_lines(written.path, policy.words(), written.manifest["files"])
    output.result(payload, lines)


COMMAND = resets
