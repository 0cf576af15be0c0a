"""The part of the generated C that runs a stream under the model's reset policy."""

from __future__ import annotations

import textwrap

from rnn_edge.errors import ModelError
from rnn_edge.types import QuantizedModel
from rnn_edge.types.resets import MAX_QUIET_INPUTS, ResetPolicy
from rnn_edge.types.saved_state import blob_bytes

_RULES = {
    ("every", "mean"): (1, "rnn_edge_reset_every"),
    ("quiet", "mean"): (2, "rnn_edge_reset_quiet_mean"),
    ("quiet", "magnitude"): (3, "rnn_edge_reset_quiet_magnitude"),
    ("decay", "mean"): (4, "rnn_edge_reset_decay"),
}
_STREAM_BYTES = 24
"""What a saved stream has beyond the saved state."""


def check_policy(model: QuantizedModel, policy: ResetPolicy) -> None:
    """Refuse a policy whose sums do not fit the C.

    Raises:
        ModelError: If a frame has too many values.
    """
    if policy.kind == "quiet" and model.inputs > MAX_QUIET_INPUTS:
        raise ModelError(
            f"Reset policy {policy.words()} of {model.name}: {model.inputs:,} inputs; expected at "
            f"most {MAX_QUIET_INPUTS:,}."
        )


def sentence(policy: ResetPolicy) -> str:
    """Return what a policy does, for a comment."""
    match policy.kind:
        case "every":
            return f"the state is zero again after every {policy.frames} frames"
        case "quiet":
            what = "features" if policy.measure == "mean" else "features' sizes"
            return (
                f"the state is zero again before the last of {policy.frames} frames in a row whose "
                f"mean of the {what} is at most {policy.level:.10g}"
            )
        case "decay":
            return f"from step to step the state loses 1 / 2^{policy.shift} of itself"
        case "never":
            return "the state is never reset"


def _comment(text: str) -> str:
    lines = "\n".join(f" * {line}" for line in textwrap.wrap(text, 90))
    return f"/*\n{lines}\n */\n"


def stream_defines(model: QuantizedModel, policy: ResetPolicy) -> str:
    """Return the sizes of a stream, and what declares its policy."""
    name, upper = model.name, model.name.upper()
    extra = 0 if policy.kind == "never" else _STREAM_BYTES
    size = f"#define {upper}_STREAM_BLOB_BYTES {blob_bytes(model) + extra}"
    named = f"{size} /* bytes of a saved stream */\n"
    return named if not extra else f"{named}#define {upper}_RESET_POLICY {name}_reset_policy\n"


def policy_declaration(model: QuantizedModel, policy: ResetPolicy) -> str:
    """Return the declaration of the constant; empty without a policy."""
    if policy.kind == "never":
        return ""
    return f"extern const rnn_edge_reset_policy {model.name}_reset_policy;\n"


def policy_definition(model: QuantizedModel, policy: ResetPolicy) -> str:
    """Return the constant; empty without a policy."""
    if policy.kind == "never":
        return ""
    kind, rule = _RULES[policy.kind, policy.measure]
    level = policy.threshold(model.inputs, model.input_exponent) if policy.kind == "quiet" else 0
    return (
        f"\n{_comment(f'{policy.words()}: {sentence(policy)}.')}"
        f"const rnn_edge_reset_policy {model.name}_reset_policy = {{\n"
        f"    {rule}, {kind}, {policy.frames}, {level}, {policy.shift},\n}};\n"
    )


def stream_declarations(model: QuantizedModel, policy: ResetPolicy) -> str:
    """Return the type of a stream and its functions, for the API's header."""
    name, upper = model.name, model.name.upper()
    counter = "" if policy.kind == "never" else "    rnn_edge_reset_counter counter;\n"
    return (
        f"{_comment(f'A stream under the reset policy {policy.words()}: {sentence(policy)}.')}"
        f"typedef struct {{\n    {name}_state state;\n{counter}}} {name}_stream;\n\n"
        f"/* Makes a stream ready, at its start. */\n"
        f"void {name}_stream_init({name}_stream *stream);\n\n"
        f"/* Back to the start of a stream. */\n"
        f"void {name}_stream_reset({name}_stream *stream);\n\n"
        f"/* As {name}_step, under the policy. True: the state was set to zero before it. */\n"
        f"bool {name}_stream_step({name}_stream *stream, const int16_t x[{upper}_INPUTS],\n"
        f"    int16_t y[{upper}_OUTPUTS]);\n\n"
        f"/* As {name}_advance, under the policy; {name}_output gives the result of its state. */\n"
        f"bool {name}_stream_advance({name}_stream *stream, const int16_t x[{upper}_INPUTS]);\n\n"
        f"/* Writes the stream as bytes that any machine can restore; returns their number. */\n"
        f"size_t {name}_stream_save(const {name}_stream *stream,\n"
        f"    uint8_t blob[{upper}_STREAM_BLOB_BYTES]);\n\n"
        f"/* Reads a saved stream. RNN_EDGE_OK, or why it was refused; then nothing changed. */\n"
        f"rnn_edge_status {name}_stream_restore({name}_stream *stream, const uint8_t *blob,\n"
        f"    size_t length);\n\n"
    )


def stream_definitions(model: QuantizedModel, policy: ResetPolicy) -> str:
    """Return the functions of a stream."""
    name, upper = model.name, model.name.upper()
    frame = f"const int16_t x[{upper}_INPUTS]"
    if policy.kind == "never":
        clear, prepare, was_reset = "", "", "false"
        save = f"{name}_save(&stream->state, blob)"
        restore = f"{name}_restore(&stream->state, blob, length)"
    else:
        given = (
            f"&{name}_reset_policy, &{name}_model,\n        &stream->counter, stream->state.values"
        )
        rule = _RULES[policy.kind, policy.measure][1]
        clear = "    stream->counter.frames = 0;\n"
        prepare = f"    const bool was_reset = {rule}({given}, x);\n"
        was_reset = "was_reset"
        save = f"rnn_edge_reset_save({given}, blob)"
        restore = f"rnn_edge_reset_restore({given}, blob, length)"
    size = (
        ""
        if policy.kind == "never"
        else f"_Static_assert({upper}_STREAM_BLOB_BYTES == "
        f"RNN_EDGE_STREAM_BLOB_BYTES({upper}_STATE_VALUES),\n"
        f'               "saved streams have another size in this kernel library");\n\n'
    )
    return (
        f"\n{size}"
        f"void {name}_stream_init({name}_stream *stream) {{\n"
        f"    {name}_init(&stream->state);\n{clear}}}\n\n"
        f"void {name}_stream_reset({name}_stream *stream) {{\n"
        f"    {name}_reset(&stream->state);\n{clear}}}\n\n"
        f"bool {name}_stream_step({name}_stream *stream, {frame},\n"
        f"    int16_t y[{upper}_OUTPUTS]) {{\n{prepare}"
        f"    {name}_step(&stream->state, x, y);\n    return {was_reset};\n}}\n\n"
        f"bool {name}_stream_advance({name}_stream *stream, {frame}) {{\n{prepare}"
        f"    {name}_advance(&stream->state, x);\n    return {was_reset};\n}}\n\n"
        f"size_t {name}_stream_save(const {name}_stream *stream,\n"
        f"    uint8_t blob[{upper}_STREAM_BLOB_BYTES]) {{\n    return {save};\n}}\n\n"
        f"rnn_edge_status {name}_stream_restore({name}_stream *stream, const uint8_t *blob,\n"
        f"    size_t length) {{\n    return {restore};\n}}\n"
    )
