"""The tables of `docs/specs.md`, written from the sections themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from rnn_edge.spec.messages import allowed, field_type, section_models, show
from rnn_edge.spec.replay import ReplaySection
from rnn_edge.spec.spec import ModelSpec
from rnn_edge.spec.stream import STREAM_KINDS, StreamSpec

FILLED_BY_TASK = {(ReplaySection, "stream")}
"""Keys that `ModelSpec` fills, so that they have no default of their own."""

BEGIN = "<!-- tables: begin -->"
END = "<!-- tables: end -->"


def reference_tables() -> str:
    """Return a table of keys for each section of a spec and for replay streams, as Markdown."""
    parts = [_table("Top level", ModelSpec, ("seed",))]
    for name in ModelSpec.model_fields:
        for kind, model in section_models(ModelSpec, name).items():
            title = f'`[{name}]`, kind = "{kind}"' if kind else f"`[{name}]`"
            parts.append(_table(title, model))
    parts.append(_table("A replay stream of any kind", StreamSpec))
    for kind, model in STREAM_KINDS.items():
        own = tuple(key for key in model.model_fields if key not in StreamSpec.model_fields)
        # The kind is asked for first, whatever classes a key comes from.
        own = ("kind", *(key for key in own if key != "kind"))
        parts.append(_table(f'A replay stream, kind = "{kind}"', model, own))
    return "\n\n".join(parts)


def write_reference(file: Path) -> None:
    """Put the tables between the marks of a Markdown file."""
    text = file.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    file.write_text(f"{before}{BEGIN}\n{reference_tables()}\n{END}{after}")


def _table(title: str, model: type[BaseModel], keys: tuple[str, ...] = ()) -> str:
    lines = [f"### {title}", "", (model.__doc__ or "").split("\n")[0], ""]
    lines += ["| key | allowed | default | meaning |", "|---|---|---|---|"]
    return "\n".join([*lines, *_rows(model, keys or tuple(model.model_fields))])


def _rows(model: type[BaseModel], keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        field = model.model_fields[key]
        if field.default is PydanticUndefined:
            default = "by task" if (model, key) in FILLED_BY_TASK else "must be given"
        else:
            default = "not set" if field.default is None else f"`{show(field.default)}`"
        # A description may go over several lines; a row of a table may not.
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        yield f"| `{key}` | {allowed(field_type(model, key))} | {default} | {meaning} |"
