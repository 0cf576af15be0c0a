"""`rnn-edge data`: what a data set holds, and where to get one."""

from __future__ import annotations

import click


@click.group("data")
def data() -> None:
    """Look into data sets and fetch public ones."""


COMMAND = data
