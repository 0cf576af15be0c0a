"""Exports a model as C: generated numbers, the model's API and the kernel library beside them.

The folder ``c`` compiles by itself: ``cc -std=c11 -c *.c``. The kernels are hand-written and
copied; what is generated holds numbers, names and one-line wrappers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from rnn_edge.errors import EnvironmentFailureError, ModelError, hint_of
from rnn_edge.exporters.base import Artifact, Exporter, ExportSource
from rnn_edge.exporters.c_arrays import matrix_initialiser, matrix_text, narrow_macro
from rnn_edge.exporters.c_choices import CHOICES, choices_header
from rnn_edge.exporters.c_cmake import CMAKE, cmake_lists
from rnn_edge.exporters.c_features import feature_lines
from rnn_edge.exporters.c_frontend import front_end_contents
from rnn_edge.exporters.c_kept import KeptColumns, most_kept
from rnn_edge.exporters.c_layers import layers_text
from rnn_edge.exporters.c_matrices import (
    forms_of,
    gates_of,
    kept_of,
    locals_of,
    stored_layers,
    stored_matrices,
)
from rnn_edge.exporters.c_sensor import sensor_contents
from rnn_edge.exporters.c_single import FOLDER as SINGLE_FOLDER
from rnn_edge.exporters.c_single import single_files
from rnn_edge.exporters.c_stream import (
    check_policy,
    policy_declaration,
    policy_definition,
    stream_declarations,
    stream_defines,
    stream_definitions,
)
from rnn_edge.exporters.front_library import generated_from
from rnn_edge.resources import data_folder
from rnn_edge.types import GATES, CellKind, HeadKind, QuantizedModel
from rnn_edge.types.c_choices import DEFAULT, CChoices
from rnn_edge.types.names import require_model_name
from rnn_edge.types.resets import ResetPolicy
from rnn_edge.types.saved_state import blob_bytes, digest_bytes

FOLDER = "c"
_CELL_EXPONENTS = range(-15, 1)
_FINISH: dict[HeadKind, str] = {"linear": "NULL", "softmax": "rnn_edge_softmax", "argmax": "NULL"}
SCRATCH_PER_UNIT: dict[CellKind, int] = {"gru_reset_before": 2}
"""Where it is not one value, the next h; here r * h and z, until every product is done."""

_FIRST = (
    "rnn_edge_activation.c",
    "rnn_edge_activation.h",
    "rnn_edge_fixedpoint.h",
    "rnn_edge_gru.c",
    "rnn_edge_kernels.h",
    "rnn_edge_lstm.c",
    "rnn_edge_matrix.c",
    "rnn_edge_model.c",
    "rnn_edge_model.h",
    "rnn_edge_state.c",
)
"""Files of the kernel library that exports of every version have."""


def library_files() -> tuple[str, ...]:
    """Return the names of the kernel library's files."""
    folder = data_folder("firmware_templates") / "common"
    return tuple(sorted(p.name for p in folder.iterdir() if p.suffix in (".c", ".h")))


def has_library_of_today(exports: Path) -> bool:
    """Return whether an export's kernels are those that an export of today would have.

    Where there is no export at all, there are none that differ.

    Args:
        exports: The exporters' output folder.
    """
    library, folder = data_folder("firmware_templates") / "common", exports / FOLDER
    if not (folder / _FIRST[0]).is_file():
        return True
    names = [name for name in library_files() if name != CHOICES]
    return all(
        (folder / name).is_file() and (folder / name).read_bytes() == (library / name).read_bytes()
        for name in names
    )


def exported_files(model: QuantizedModel) -> tuple[str, ...]:
    """Return what the exporter writes, relative to its output folder, the API's header first."""
    name = model.name
    own = (f"{name}.h", f"{name}.c", f"{name}_data.h", f"{name}_data.c")
    return tuple(f"{FOLDER}/{file}" for file in (*own, *library_files()))


def sources_in(model: QuantizedModel, exports: Path) -> list[Path]:
    """Return the files to compile of an export that may have been written by an earlier version.

    Such an export brings the kernel library of its day; a file that later ones have besides is
    none that it needs.

    Args:
        model: The model that was exported.
        exports: The exporters' output folder.

    Returns:
        Paths as `exported_files` lists them; one that is not there is missing.
    """
    files = [exports / file for file in exported_files(model)]
    own = {f"{model.name}{end}" for end in (".h", ".c", "_data.h", "_data.c")}
    return [path for path in files if path.is_file() or path.name in own or path.name in _FIRST]


def _check(model: QuantizedModel) -> None:
    """Refuse what the generated C could not name or its kernels could not compute."""
    require_model_name(model.name)
    for k, layer in enumerate(model.layers):
        if layer.cell_exponent is not None and layer.cell_exponent not in _CELL_EXPONENTS:
            raise ModelError(
                f"Layer {k} of {model.name}: cell scale 2^{layer.cell_exponent}; "
                f"expected 2^{_CELL_EXPONENTS[0]} to 2^{_CELL_EXPONENTS[-1]}."
            )


def _banner(model: QuantizedModel, what: str) -> str:
    return f"/*\n * {what}\n *\n{generated_from(model.digest())}"


def _c_string(text: str) -> str:
    """Return an ASCII string literal; octal escapes end after three digits whatever follows."""
    plain = set(map(chr, range(32, 127))) - set('"\\?')
    return '"' + "".join(chr(b) if chr(b) in plain else f"\\{b:03o}" for b in text.encode()) + '"'


def _shape(model: QuantizedModel) -> str:
    layers = ", ".join(f"{layer.kind.upper()}({layer.hidden})" for layer in model.layers)
    return f"{model.inputs} inputs, {layers}, {model.outputs} outputs"


def _state_values(model: QuantizedModel) -> int:
    return sum(model.state_sizes.values())


def scratch_values(model: QuantizedModel, choices: CChoices = DEFAULT) -> int:
    """Return how many int16 values are needed within a step, beside the state.

    Args:
        model: The model.
        choices: How its C is; the products of several frames at once need a place too.
    """
    stored = stored_layers(model)
    cells = max(layer.hidden * SCRATCH_PER_UNIT.get(layer.kind, 1) for layer in stored)
    frames = choices.frames_at_once
    # A local layer takes its frames one by one.
    has_products = frames > 1 and stored[0] is model.layers[0]
    return cells + (frames * model.layers[0].x.rows if has_products else 0)


def _data_header(model: QuantizedModel, policy: ResetPolicy, choices: CChoices) -> str:
    name, upper = model.name, model.name.upper()
    values, scratch = _state_values(model), scratch_values(model, choices)
    defines = {
        "INPUTS": (model.inputs, "int16 values of a frame"),
        "OUTPUTS": (model.outputs, "int16 values of a result"),
        "INPUT_EXPONENT": (f"({model.input_exponent})", "scale of a frame is 2^this"),
        "OUTPUT_EXPONENT": (f"({model.output_exponent})", "scale of a result is 2^this"),
        "STATE_VALUES": (values, "int16 values carried from step to step"),
        "SCRATCH_VALUES": (scratch, "int16 values used within a step"),
        "STATE_BYTES": (2 * (values + scratch), f"sizeof({name}_state)"),
        "BLOB_BYTES": (blob_bytes(model), "bytes of a saved state"),
        "FRAMES_AT_ONCE": (choices.frames_at_once, f"frames that {name}_steps takes together"),
    }
    lines = "\n".join(f"#define {upper}_{k} {v} /* {note} */" for k, (v, note) in defines.items())
    return (
        f"{_banner(model, f'Sizes and constants of {name}: {_shape(model)}.')} */\n"
        f"#ifndef {upper}_DATA_H\n#define {upper}_DATA_H\n\n"
        f'#include "rnn_edge_reset.h"\n\n{lines}\n{stream_defines(model, policy)}\n'
        f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n'
        f"extern const rnn_edge_model {name}_model;\n{policy_declaration(model, policy)}\n"
        f"#ifdef __cplusplus\n}}\n#endif\n\n#endif\n"
    )


def _data_source(
    model: QuantizedModel,
    kept: Mapping[str, KeptColumns | None],
    policy: ResetPolicy,
    choices: CChoices,
) -> str:
    name, upper = model.name, model.name.upper()
    forms, gates, stored = forms_of(model), gates_of(model), stored_matrices(model)
    prefixes = {key: f"{name}_{key.replace('.', '_')}" for key in forms}
    orders = {
        f"layer{k}.{part}": f"gates {' '.join(GATES[layer.kind])} of {layer.hidden} units"
        for k, layer in enumerate(stored_layers(model))
        for part in ("x", "h")
    }
    orders["head"] = "outputs"
    arrays = "\n".join(
        matrix_text(prefixes[key], matrix, forms[key], kept[key], gates[key], orders[key], choices)
        for key, matrix in stored.items()
    )
    structures = {
        key: matrix_initialiser(prefixes[key], form, kept[key], gates[key])
        for key, form in forms.items()
    }
    layers = layers_text(name, model.layers, locals_of(model), structures)
    labels = "\n".join(f"    {_c_string(label)}," for label in model.labels)
    digest = ", ".join(f"0x{b:02x}" for b in digest_bytes(model))
    return (
        f"{_banner(model, f'Constants of {name}: {_shape(model)}.')} */\n"
        f'#include "{name}_data.h"\n\n#include "rnn_edge_packing.h"\n\n'
        f"{narrow_macro(choices)}\n{arrays}\n"
        f"/* [{model.outputs}], names of the outputs in order, UTF-8 */\n"
        f"static const char *const {name}_labels[] = {{\n{labels}\n}};\n"
        f"_Static_assert(sizeof {name}_labels == {upper}_OUTPUTS * sizeof(char *),\n"
        f'               "{name}_labels is incomplete");\n\n'
        f"{layers}"
        f"const rnn_edge_model {name}_model = {{\n"
        f'    "{name}",\n    {name}_labels,\n    {name}_layers,\n    {len(model.layers)},\n'
        f"    {structures['head']},\n"
        f"    {_FINISH[model.head_kind]},\n    {model.head.output_exponent},\n"
        f"    {upper}_STATE_VALUES,\n    {upper}_SCRATCH_VALUES,\n"
        f"    {upper}_INPUT_EXPONENT,\n    {upper}_OUTPUT_EXPONENT,\n"
        f"    {{{digest}}},\n}};\n"
        f"{policy_definition(model, policy)}"
    )


def _label_declaration(model: QuantizedModel) -> str:
    """Return the declaration of the decision, for models that make one."""
    if model.head_kind != "argmax":
        return ""
    name, upper = model.name, model.name.upper()
    return (
        f"/* The decision on a result: index of the first of its greatest values. */\n"
        f"uint32_t {name}_label(const int16_t y[{upper}_OUTPUTS]);\n\n"
    )


def _label_definition(model: QuantizedModel) -> str:
    if model.head_kind != "argmax":
        return ""
    name, upper = model.name, model.name.upper()
    return (
        f"uint32_t {name}_label(const int16_t y[{upper}_OUTPUTS]) {{\n"
        f"    return rnn_edge_label(y, {upper}_OUTPUTS);\n}}\n\n"
    )


def _state_layout(model: QuantizedModel) -> str:
    exponents, at, parts = model.state_exponents, 0, []
    for name, size in model.state_sizes.items():
        parts.append(f"     * {name}: values[{at}] to [{at + size - 1}], scale 2^{exponents[name]}")
        at += size
    return "\n".join(parts)


def _api_header(
    model: QuantizedModel, features: Mapping[str, object] | None, policy: ResetPolicy
) -> str:
    name, upper = model.name, model.name.upper()
    made_of = "".join(f" *     {line}\n" for line in feature_lines(features or {}))
    frames = f" *\n * A frame x comes from:\n *\n{made_of}" if made_of else ""
    return (
        f"{_banner(model, f'{name}: {_shape(model)}.')}"
        f" *\n"
        f" *     static {name}_stream stream;\n"
        f" *     int16_t x[{upper}_INPUTS];\n"
        f" *     int16_t y[{upper}_OUTPUTS];\n"
        f" *\n"
        f" *     {name}_stream_init(&stream);\n"
        f" *     for (;;) {{\n"
        f" *         read_frame(x); // each value is a feature * 2^{-model.input_exponent}\n"
        f" *         {name}_stream_step(&stream, x, y);\n"
        f" *         act_on(y); // each output is y * 2^{model.output_exponent}\n"
        f" *     }}\n"
        f"{frames}"
        f" */\n"
        f"#ifndef {upper}_H\n#define {upper}_H\n\n"
        f'#include "{name}_data.h"\n\n'
        f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n'
        f"/* One stream. Yours to allocate; have as many as there are streams. */\n"
        f"typedef struct {{\n"
        f"    /* Carried from step to step:\n{_state_layout(model)} */\n"
        f"    int16_t values[{upper}_STATE_VALUES];\n"
        f"    /* Of no meaning between steps. */\n"
        f"    int16_t scratch[{upper}_SCRATCH_VALUES];\n"
        f"}} {name}_state;\n\n"
        f"/* Makes a state ready, at the start of a stream. */\n"
        f"void {name}_init({name}_state *state);\n\n"
        f"/* Back to the start of a stream. */\n"
        f"void {name}_reset({name}_state *state);\n\n"
        f"/* Advances by one frame x and writes the result y; the three must not overlap. */\n"
        f"void {name}_step({name}_state *state, const int16_t x[{upper}_INPUTS],\n"
        f"    int16_t y[{upper}_OUTPUTS]);\n\n"
        f"/* As many steps as there are frames, one after the other, with the same bits: x is\n"
        f" * [frames][{upper}_INPUTS], y [frames][{upper}_OUTPUTS]. */\n"
        f"void {name}_steps({name}_state *state, const int16_t *x, uint32_t frames,\n"
        f"    int16_t *y);\n\n"
        f"/* A step in two halves: advance for every frame, output whenever y is wanted. */\n"
        f"void {name}_advance({name}_state *state, const int16_t x[{upper}_INPUTS]);\n\n"
        f"/* The result y after the last frame; on a fresh state, that of a state of zeros. */\n"
        f"void {name}_output(const {name}_state *state, int16_t y[{upper}_OUTPUTS]);\n\n"
        f"{_label_declaration(model)}"
        f"/* Writes the state as bytes that any machine can restore; returns their number. */\n"
        f"size_t {name}_save(const {name}_state *state, uint8_t blob[{upper}_BLOB_BYTES]);\n\n"
        f"/* Reads a saved state. RNN_EDGE_OK, or why it was refused; then nothing changed. */\n"
        f"rnn_edge_status {name}_restore({name}_state *state, const uint8_t *blob,\n"
        f"    size_t length);\n\n"
        f"{stream_declarations(model, policy)}"
        f"#ifdef __cplusplus\n}}\n#endif\n\n#endif\n"
    )


def _steps_definition(model: QuantizedModel, choices: CChoices) -> str:
    name, upper = model.name, model.name.upper()
    head = f"void {name}_steps({name}_state *state, const int16_t *x, uint32_t frames, int16_t *y)"
    if choices.frames_at_once == 1:
        return (
            f"{head} {{\n"
            f"    for (uint32_t k = 0; k < frames; ++k) {{\n"
            f"        {name}_step(state, x, y);\n"
            f"        x += {upper}_INPUTS;\n"
            f"        y += {upper}_OUTPUTS;\n"
            f"    }}\n}}\n\n"
        )
    gates = len(GATES[model.layers[0].kind])
    return (
        f"{head} {{\n"
        f"    rnn_edge_model_steps(&{name}_model, state->values, state->scratch, {gates},\n"
        f"                         {upper}_FRAMES_AT_ONCE, x, frames, y);\n}}\n\n"
    )


def _api_source(model: QuantizedModel, policy: ResetPolicy, choices: CChoices) -> str:
    name, upper = model.name, model.name.upper()
    return (
        f"{_banner(model, f'The API of {name} over the kernel library.')} */\n"
        f'#include "{name}.h"\n\n#include <string.h>\n\n'
        f"_Static_assert(sizeof({name}_state) == {upper}_STATE_BYTES,"
        f' "{name}_state has padding");\n'
        f"_Static_assert({upper}_BLOB_BYTES == RNN_EDGE_BLOB_BYTES({upper}_STATE_VALUES),\n"
        f'               "saved states have another size in this kernel library");\n\n'
        f"void {name}_init({name}_state *state) {{\n"
        f"    memset(state, 0, sizeof *state);\n}}\n\n"
        f"void {name}_reset({name}_state *state) {{\n"
        f"    rnn_edge_model_reset(&{name}_model, state->values);\n}}\n\n"
        f"void {name}_step({name}_state *state, const int16_t x[{upper}_INPUTS],\n"
        f"    int16_t y[{upper}_OUTPUTS]) {{\n"
        f"    rnn_edge_model_step(&{name}_model, state->values, state->scratch, x, y);\n}}\n\n"
        f"{_steps_definition(model, choices)}"
        f"void {name}_advance({name}_state *state, const int16_t x[{upper}_INPUTS]) {{\n"
        f"    rnn_edge_model_advance(&{name}_model, state->values, state->scratch, x);\n}}\n\n"
        f"void {name}_output(const {name}_state *state, int16_t y[{upper}_OUTPUTS]) {{\n"
        f"    rnn_edge_model_output(&{name}_model, state->values, y);\n}}\n\n"
        f"{_label_definition(model)}"
        f"size_t {name}_save(const {name}_state *state, uint8_t blob[{upper}_BLOB_BYTES]) {{\n"
        f"    return rnn_edge_model_save(&{name}_model, state->values, blob);\n}}\n\n"
        f"rnn_edge_status {name}_restore({name}_state *state, const uint8_t *blob,\n"
        f"    size_t length) {{\n"
        f"    return rnn_edge_model_restore(&{name}_model, state->values, blob, length);\n}}\n"
        f"{stream_definitions(model, policy)}"
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file in one piece: whoever reads it sees the old content or the new."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        temporary = Path(folder) / path.name
        temporary.write_bytes(content)
        temporary.replace(path)


def export(source: ExportSource, out_dir: Path) -> Artifact:
    """Write the folder ``c`` into ``out_dir``.

    Raises:
        ModelError: If the model's name, numbers or reset policy do not fit the C.
        EnvironmentFailureError: If a file cannot be written.
    """
    model, policy, choices = source.model, source.reset, source.c
    _check(model)
    check_policy(model, policy)
    library, kept = data_folder("firmware_templates") / "common", kept_of(model)
    front_end = front_end_contents(model.name, model.digest(), source.features) | sensor_contents(
        model.name, model.digest(), source.features
    )
    contents = {
        **{name: (library / name).read_bytes() for name in library_files()},
        CHOICES: choices_header(choices, most_kept(kept.values())).encode(),
        f"{model.name}.h": _api_header(model, source.features, policy).encode(),
        f"{model.name}.c": _api_source(model, policy, choices).encode(),
        f"{model.name}_data.h": _data_header(model, policy, choices).encode(),
        f"{model.name}_data.c": _data_source(model, kept, policy, choices).encode(),
        **front_end,
    }
    is_portable = choices.optimize == "size"
    cmake = cmake_lists(model.name, contents, library_files(), is_portable=is_portable)
    build = {CMAKE: cmake.encode()}
    single = single_files(model.name, contents)
    for folder, files in ((FOLDER, {**contents, **build}), (SINGLE_FOLDER, single)):
        try:
            (out_dir / folder).mkdir(exist_ok=True)
            for name, content in files.items():
                _write(out_dir / folder / name, content)
        except OSError as error:
            raise EnvironmentFailureError(
                f"C sources cannot be written to {out_dir / folder}: {error.strerror or error}.",
                hint_of(error),
            ) from error
    beside = (*(f"{FOLDER}/{name}" for name in (*front_end, *build)),)
    written = (*exported_files(model), *beside, *(f"{SINGLE_FOLDER}/{name}" for name in single))
    return Artifact(EXPORTER.name, written, model.digest())


EXPORTER = Exporter(
    name="c",
    summary="C11 sources without dependencies, for microcontrollers and hosts",
    extra="",
    export=export,
)
