"""`rnn-edge package`: a bundle as a library of an embedded ecosystem."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from rnn_edge.cli.options import PathName, WholeNumber, data_option, output_options
from rnn_edge.cli.output import Output


def kinds_beginning(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the kinds that begin like this, for the shell."""
    from rnn_edge.pipeline.package import package_kinds

    found = [item for item in package_kinds().items() if item[0].startswith(incomplete)]
    return [CompletionItem(name, help=summary) for name, summary in found]


def known_kind(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Return the kind, or refuse a command line with one that does not exist.

    Raises:
        click.BadParameter: With all there are.
    """
    from rnn_edge.pipeline.package import package_kinds

    if value not in (kinds := package_kinds()):
        raise click.BadParameter(
            f"Unknown kind of package: {value!r}; known are {', '.join(kinds)}.", ctx, param
        )
    return value


class PackageCommand(click.Command):
    """Lists the kinds at the end of its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every kind and what it is."""
        from rnn_edge.pipeline.package import package_kinds

        with formatter.section("Kinds"):
            formatter.write_dl(list(package_kinds().items()))


@click.command("package", cls=PackageCommand)
@click.argument("bundle", type=PathName())
@click.option(
    "--for",
    "kind",
    required=True,
    metavar="KIND",
    shell_complete=kinds_beginning,
    callback=known_kind,
    help="See below.",
)
@click.option(
    "--out",
    type=PathName(),
    required=True,
    metavar="DIR",
    help="Where the package goes: a folder that is not there, is empty, or holds an earlier "
    "package as it was written.",
)
@click.option(
    "--frames",
    type=WholeNumber(1, 1000),
    default=16,
    show_default=True,
    help="Frames that come with the example.",
)
@click.option(
    "--package-version",
    "version",
    default="0.1.0",
    show_default=True,
    metavar="X.Y.Z",
    help="Version that the package says it has.",
)
@data_option(
    "Recordings in the layout that the bundle's spec describes, for the frames of the example. "
    "[default: recordings of the build]"
)
@output_options
def package(
    bundle: Path,
    kind: str,
    out: Path,
    frames: int,
    version: str,
    data: Path | None,
    output: Output,
) -> None:
    """Make a library of a bundle, for the tools of an embedded ecosystem, or for Linux.

    The exported C is copied unchanged, with the metadata and build files that the tools ask for.
    One example steps a few frames of the bundle's replay stream on the board, compares every
    output with the integer reference's bits, and prints OK or the first difference. The other is
    firmware: it steps the frames of a sensor and answers a host over the link. For Linux the
    package holds the compiled library and a program that answers the link.
    """
    from rnn_edge.cli.bundles import open_bundle
    from rnn_edge.pipeline.package import PackageRequest, package_bundle

    request = PackageRequest(kind, out, frames, version, data)
    made = package_bundle(open_bundle(bundle), request)
    facts = dict(made.facts)
    output.result(
        {"package": str(made.path), **facts},
        [
            f"Package of {facts['name']} {facts['version']} for {facts['kind']}: {made.path}, "
            f"{len(facts['files']) + 1} files",
            f"Example: {facts['frames']} frames with the outputs of the integer reference",
            f"Model: {facts['model_digest']}",
            f"Next: {made.path / 'README.md'}",
        ],
    )


COMMAND = package
