"""What the pages say can be typed and followed: options exist, and links lead somewhere."""

import re
from pathlib import Path

import click
import pytest

from rnn_edge.cli.program import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
SCRIPTS = [path for path in sorted((ROOT / "docs" / "ci").iterdir()) if path.suffix != ".md"]

LINE = re.compile(r"rnn-edge ([a-z][^\n`]*)")
OPTION = re.compile(r"\[?(--[a-z][a-z-]*)")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def named(page):
    return page.relative_to(ROOT).as_posix()


def commands(page):
    """Lines of a page that begin with a command: the command, and the words behind its name."""
    context = click.Context(cli)
    for line in LINE.findall(page.read_text().replace("\\\n", " ")):
        words = line.split("#")[0].split("|")[0].split()
        command = cli
        while words and isinstance(command, click.Group):
            found = command.get_command(context, words[0].strip("\"',.;:)"))
            if found is None:
                break
            command, words = found, words[1:]
        if command is not cli:
            yield command, words


def options(command):
    """The options of a command, and the one that every command has."""
    own = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return own | {"--help"}


@pytest.mark.parametrize("page", [*PAGES, *SCRIPTS], ids=named)
def test_options_exist(page):
    for command, words in commands(page):
        typed = {found[1] for found in map(OPTION.match, words) if found}
        assert typed <= options(command), command.name


def test_commands_are_found():
    found = [command.name for page in PAGES for command, _ in commands(page)]
    assert len(found) > 100
    assert len(set(found)) > 20


def anchors(page):
    """What the headings of a page are called in links to them."""
    found = HEADING.findall(page.read_text())
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in found}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
