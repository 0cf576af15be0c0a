"""`rnn-edge doctor`: what this machine has and lacks."""

from __future__ import annotations

import itertools

import click

from rnn_edge.cli.options import output_options
from rnn_edge.cli.output import Output


@click.command("doctor")
@output_options
def doctor(output: Output) -> None:
    """Show what this machine has and lacks.

    Looks for extras, interpreters, compilers, emulators, flash tools and permissions. Whatever is
    missing is listed with how to get it; only what a command needs has to be there. With --quiet
    only what is missing is listed, by name.
    """
    import platform

    from rnn_edge import __version__
    from rnn_edge.cli.checks import all_checks

    checks = all_checks()
    lines = [f"rnn-edge {__version__}, Python {platform.python_version()}, {platform.machine()}"]
    for group, members in itertools.groupby(checks, key=lambda check: check.group):
        lines.append(f"{group}:")
        for check in members:
            mark = "yes" if check.is_found else "no "
            about = f"{check.version}  {check.detail}" if check.version else check.detail
            lines.append(f"  {mark}  {check.name:<18} {about}")
            if check.remedy:
                lines.append(f"       {'':<18} get it: {check.remedy}")
    payload = {
        "version": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "checks": [check.payload() for check in checks],
    }
    missing = [check.name for check in checks if not check.is_found]
    output.result(payload, missing if output.is_quiet else lines)


COMMAND = doctor
