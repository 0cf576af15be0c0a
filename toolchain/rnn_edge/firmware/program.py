"""Compiles C, once for the same files and compiler: programs around a model, and libraries."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rnn_edge.errors import EngineError, EnvironmentFailureError, MissingExportError
from rnn_edge.firmware.app_config import APP_CONFIG, AppConfig, app_config_header
from rnn_edge.firmware.objects import Compilation, compile_objects
from rnn_edge.firmware.scratch import scratch_folder
from rnn_edge.firmware.toolchain import ZIG_COMMAND
from rnn_edge.programs import call
from rnn_edge.resources import data_folder
from rnn_edge.types import QuantizedModel

SERVED = ("service/rnn_edge_served.c", "service/rnn_edge_served.h")
"""The model with its one stream: what every service is made around."""
LINK = (
    "link/rnn_edge_link.c",
    "link/rnn_edge_link.h",
    "link/rnn_edge_link_server.c",
    "link/rnn_edge_link_server.h",
    *(
        f"app/rnn_edge_{part}.{kind}"
        for part in (
            "app",
            "app_link",
            "decision",
            "frame_ring",
            "keeper",
            "residuals",
            "step_log",
            "store",
        )
        for kind in "ch"
    ),
    "app/rnn_edge_board.h",
    "app/rnn_edge_rule.h",
    "app/rnn_edge_rule_alarm.c",
    "app/rnn_edge_rule_keywords.c",
    *SERVED,
)
"""The application of a device, and its frames over a stream of bytes that may lose some."""
SAMPLES = tuple(f"app/rnn_edge_{part}.{kind}" for part in ("front", "sample_ring") for kind in "ch")
"""Beside `LINK`, of an application that makes its frames of raw samples."""
CONFIG = "rnn_edge_config.h"
"""What every hand-written source knows the model by."""
USUAL_PAYLOAD = 512
"""Of ``rnn_edge_link_server.h``, in bytes."""
_LOG_BYTES = 15
"""Of an answer with one step of the log, besides its frame and outputs."""
_OUTPUT_LIMIT = 2000
_KEY_DIGITS = 24


Maker = Callable[[Path, Path], bytes]
"""Makes a file of the compiler's folder, with all that was compiled there, and what was linked."""


@dataclass(frozen=True)
class Recipe:
    """How a program or a library is compiled.

    Attributes:
        target: What it is for: part of the file's name, and named in messages.
        compiler: The command that compiles and links.
        version: What follows the command's first word in the command that says which compiler it
            is.
        flags: Its options; paths in them are relative to the folder that all files are put into.
        templates: Files of ``firmware_templates/`` that are compiled or included, by relative
            path.
        generated: Further files, name to text.
        libraries: Options that have to stand behind the sources.
        variables: Set in the compiler's environment.
        suffix: Of the file that comes out.
    """

    target: str
    compiler: tuple[str, ...]
    version: tuple[str, ...]
    flags: tuple[str, ...]
    templates: tuple[str, ...]
    generated: Mapping[str, str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ".elf"


def config_header(model: QuantizedModel) -> str:
    """Return the header through which the hand-written sources know the model."""
    name, upper = model.name, model.name.upper()
    sizes = ("INPUTS", "OUTPUTS", "STATE_VALUES", "SCRATCH_VALUES")
    lines = [f"#define RNN_EDGE_CONFIG_{size} {upper}_{size}" for size in sizes]
    return "\n".join(
        [
            f"/* The model that the program serves: {model.digest()}. */",
            "#ifndef RNN_EDGE_CONFIG_H",
            "#define RNN_EDGE_CONFIG_H",
            f'#include "{name}_data.h"',
            f"#define RNN_EDGE_CONFIG_MODEL {name}_model",
            *lines,
            f"#ifdef {upper}_RESET_POLICY",
            f"#define RNN_EDGE_CONFIG_RESET_POLICY {upper}_RESET_POLICY",
            "#endif",
            *_payload(model),
            "#endif",
            "",
        ]
    )


def _payload(model: QuantizedModel) -> list[str]:
    """Return the lines that make room for one frame's results where those need more than usual."""
    results = 1 + 2 * (model.outputs + sum(model.state_sizes.values()))
    logged = _LOG_BYTES + 2 * (model.inputs + model.outputs)
    least = max(results, logged, 1 + 2 * model.inputs)
    if least <= USUAL_PAYLOAD:
        return []
    return ["#ifndef RNN_EDGE_LINK_PAYLOAD", f"#define RNN_EDGE_LINK_PAYLOAD {least}", "#endif"]


def build_program(
    recipe: Recipe,
    model: QuantizedModel,
    sources: Sequence[Path],
    work: Path,
    explain: Callable[[str], Exception | None] = lambda output: None,
    service: Sequence[str] = LINK,
    app: AppConfig | None = None,
    beside: Mapping[str, Maker] | None = None,
) -> Path:
    """Compile a service around an exported model, unless the program is there already.

    Args:
        recipe: How; its templates stand beside the service.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the program is kept.
        explain: As for `build`.
        service: Files of what serves the model.
        app: What the application does; None for one that decides nothing.
        beside: As for `build`.

    Returns:
        The program's absolute path.

    Raises:
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the program cannot be written, or the compiler does not run.
    """
    return build(serving(recipe, model, service, app), model.name, sources, work, explain, beside)


def serving(
    recipe: Recipe,
    model: QuantizedModel,
    service: Sequence[str] = LINK,
    app: AppConfig | None = None,
) -> Recipe:
    """Return a recipe with a service around a model, as for `build_program`."""
    heard = SAMPLES if app is not None and app.samples is not None else ()
    return replace(
        recipe,
        templates=(*service, *heard, *recipe.templates),
        generated={
            CONFIG: config_header(model),
            APP_CONFIG: app_config_header(app or AppConfig(device=recipe.target)),
            **recipe.generated,
        },
    )


@dataclass(frozen=True)
class BuildPlan:
    """What compiling a recipe would do.

    Attributes:
        output: The absolute path of what comes out; where it is there, nothing has to be done.
        command: Compiler and arguments, for a folder that holds nothing but `contents`. What is
            the same for every model is not compiled again, and the bytes are those of the command.
        contents: Files by name.
        result: What the command writes in that folder.
        version: What the compiler says it is.
    """

    output: Path
    command: tuple[str, ...]
    contents: Mapping[str, bytes]
    result: str
    version: str


def plan_of(recipe: Recipe, name: str, exported: Sequence[Path], work: Path) -> BuildPlan:
    """Return what `build` would do; nothing is written.

    Raises:
        MissingExportError: If a file of the export is not there.
        EnvironmentFailureError: If the compiler does not say which it is.
    """
    contents = contents_of(recipe, name, exported)
    version = version_of(recipe)
    key = hashlib.sha256(
        repr((recipe.compiler[1:], version, recipe.flags, recipe.libraries)).encode()
    )
    for file, content in sorted(contents.items()):
        key.update(f"\0{file}\0{len(content)}\0".encode() + content)
    digits = key.hexdigest()[:_KEY_DIGITS]
    code = sorted(file for file in contents if file.endswith(".c"))
    result = f"program{recipe.suffix}"
    return BuildPlan(
        output=work.resolve() / f"{name}-{recipe.target}-{digits}{recipe.suffix}",
        command=(*recipe.compiler, *recipe.flags, "-I.", *code, *recipe.libraries, "-o", result),
        contents=contents,
        result=result,
        version=version,
    )


def build(
    recipe: Recipe,
    name: str,
    exported: Sequence[Path],
    work: Path,
    explain: Callable[[str], Exception | None] = lambda output: None,
    beside: Mapping[str, Maker] | None = None,
) -> Path:
    """Compile the files of a recipe and of an export, unless that was done before.

    The compiler sees nothing but one flat folder with relative paths, so that the same sources
    give the same bytes wherever they are built.

    Args:
        recipe: How.
        name: The start of the file's name; where something is exported, the model's name.
        exported: What the exporter ``c`` wrote, headers too; may be empty.
        work: Where the result is kept.
        explain: Returns the error to raise for what a compiler printed before it failed, or
            None where that is nothing special.
        beside: What is made of what the compiler left, by the suffix of the file beside the
            result that keeps it.

    Returns:
        The absolute path of what was compiled.

    Raises:
        MissingExportError: If a file of the export is not there.
        EngineError: If it does not compile.
        EnvironmentFailureError: If it cannot be written, or the compiler does not run.
    """
    plan = plan_of(recipe, name, exported, work)
    output, contents = plan.output, plan.contents
    makers = {output.with_suffix(suffix): maker for suffix, maker in (beside or {}).items()}
    if all(path.is_file() for path in (output, *makers)):
        return output
    try:
        with scratch_folder(work) as folder:
            write_contents(contents, folder)
            done = _compiled(recipe, plan, folder)
            if done.returncode != 0:
                raise explain(done.stderr) or compile_error(recipe, done)
            for kept, maker in makers.items():
                written = folder / kept.name
                written.write_bytes(maker(folder, folder / plan.result))
                written.replace(kept)
            (folder / plan.result).replace(output)
    except OSError as error:
        raise EnvironmentFailureError(f"Program {output} cannot be written: {error}.") from error
    return output


def _compiled(recipe: Recipe, plan: BuildPlan, folder: Path) -> subprocess.CompletedProcess[str]:
    """Compile and link; return how the last of it ended."""
    if recipe.compiler == ZIG_COMMAND:
        return call(list(plan.command), folder, recipe.variables)
    objects, failed = compile_objects(compilation(recipe, plan.version, plan.contents), folder)
    if failed is not None:
        return failed
    # A source among the options is compiled only now.
    linking = [*recipe.flags, "-I.", *objects, *recipe.libraries]
    return call([*recipe.compiler, *linking, "-o", plan.result], folder, recipe.variables)


def compilation(recipe: Recipe, version: str, contents: Mapping[str, bytes]) -> Compilation:
    """Return how the files of a recipe become objects.

    Args:
        recipe: How they are compiled.
        version: What the compiler says it is.
        contents: The files by name.
    """
    templates = {file.split("/", 1)[1] for file in recipe.templates}
    exported = set(contents) - templates - set(recipe.generated)
    # What an export has besides the kernels is the model.
    changing = {file for file in exported if not file.startswith("rnn_edge_")}
    changing |= {CONFIG, APP_CONFIG}
    return Compilation(recipe.compiler, version, recipe.flags, contents, changing, recipe.variables)


def version_of(recipe: Recipe) -> str:
    """Return what the compiler of a recipe says it is.

    Raises:
        EnvironmentFailureError: If it does not say so.
    """
    return call([*recipe.compiler[:1], *recipe.version], Path.cwd()).stdout


def compile_error(recipe: Recipe, done: subprocess.CompletedProcess[str]) -> EngineError:
    """Return what a compiler that failed said last."""
    return EngineError(
        f"C compiler {shlex.join(recipe.compiler)} failed for {recipe.target} with "
        f"exit code {done.returncode}:\n{done.stderr.strip()[-_OUTPUT_LIMIT:]}"
    )


def write_contents(contents: Mapping[str, bytes], folder: Path) -> list[str]:
    """Write the files of a program into the compiler's folder; return what is compiled of them."""
    for file, content in contents.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(content)
    return sorted(file for file in contents if file.endswith(".c"))


def contents_of(recipe: Recipe, name: str, exported: Sequence[Path]) -> dict[str, bytes]:
    """Return the files of a program by the name they get in the compiler's folder.

    Args:
        recipe: How it is compiled.
        name: What it is called in messages.
        exported: What the exporter ``c`` wrote, headers too; may be empty.

    Raises:
        MissingExportError: If a file of the export is not there.
    """
    contents: dict[str, bytes] = {}
    for path in exported:
        if not path.is_file():
            raise MissingExportError(
                f"C sources of {name}: {path} is missing; expected what the exporter 'c' wrote.",
                "rnn-edge export",
            )
        contents[path.name] = path.read_bytes()
    templates = data_folder("firmware_templates")
    for file in recipe.templates:
        # Of a template's folder only what lies deeper keeps its place.
        contents[file.split("/", 1)[1]] = (templates / file).read_bytes()
    contents.update({file: text.encode() for file, text in recipe.generated.items()})
    return contents
