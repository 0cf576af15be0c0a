"""The build file of an export for CMake."""

from __future__ import annotations

from collections.abc import Collection

CMAKE = "CMakeLists.txt"

_LIBRARY = "rnn_edge"
_FRONT_END, _SENSOR = "rnn_edge_frontend", "rnn_edge_sensor"


def cmake_lists(
    name: str, files: Collection[str], library: Collection[str], *, is_portable: bool
) -> str:
    """Return a `CMAKE` whose target is the model as a static library.

    Models of one program share the targets of the kernel library and of their kind of front end:
    objects of two kernel libraries that were compiled for different choices do not fit each other,
    and from two archives a linker would take some of each.

    Args:
        name: The model's name, which the target has too.
        files: Of the folder; the sources among them are compiled.
        library: Those that are the kernel library.
        is_portable: Whether the library's choices leave out the kernels of a target.
    """
    sources = [file for file in sorted(files) if file.endswith(".c")]
    kernels = [file for file in sources if file in library]
    shared = [file for file in sources if file not in library and file.startswith(f"{_LIBRARY}_")]
    own = [file for file in sources if file not in kernels and file not in shared]
    is_sensor = any(file.startswith(_SENSOR) for file in shared)
    front_end = _SENSOR if is_sensor else _FRONT_END
    libraries = [_LIBRARY, *([front_end] if shared else [])]
    return f"""\
# The model {name} as a static library:
#
#     add_subdirectory(c)
#     target_link_libraries(application PRIVATE {name})
#
# Models of one program share {" and ".join(libraries)}, which the first of them brings.
cmake_minimum_required(VERSION 3.13)
project({name} LANGUAGES C)

function({name}_library library)
    add_library(${{library}} STATIC ${{ARGN}})
    target_include_directories(${{library}} PUBLIC ${{CMAKE_CURRENT_SOURCE_DIR}})
    set_target_properties(${{library}} PROPERTIES
        C_STANDARD 11
        C_STANDARD_REQUIRED ON
        C_EXTENSIONS OFF)
    if(CMAKE_C_COMPILER_ID MATCHES "GNU|Clang")
        # So that the linker leaves out what is not called.
        target_compile_options(${{library}} PRIVATE -ffunction-sections -fdata-sections)
        if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
            target_compile_options(${{library}} PRIVATE -O2)
        endif()
    endif()
endfunction()

{_kernels(name, kernels, is_portable)}
{_front_end(name, front_end, shared)}{name}_library({name}
{_lines(own)})
target_link_libraries({name} PUBLIC {" ".join(reversed(libraries))})
"""


def _lines(sources: Collection[str], indent: str = "    ") -> str:
    return "".join(f"{indent}{file}\n" for file in sources)


def _kernels(name: str, kernels: Collection[str], is_portable: bool) -> str:
    """Return the kernel library's target; portable weights go with any, others not."""
    text = (
        f"if(NOT TARGET {_LIBRARY})\n"
        f"    {name}_library({_LIBRARY}\n{_lines(kernels, ' ' * 8)}    )\n"
    )
    if is_portable:
        return (
            f"{text}    set_target_properties({_LIBRARY} PROPERTIES RNN_EDGE_PORTABLE_OF {name})\n"
            "endif()\n"
        )
    return (
        f"{text}endif()\n"
        f"get_target_property(rnn_edge_portable_of {_LIBRARY} RNN_EDGE_PORTABLE_OF)\n"
        "if(rnn_edge_portable_of)\n"
        f'    message(FATAL_ERROR "{name} needs kernels that the library of "\n'
        '        "${rnn_edge_portable_of} (optimize = size) lacks: "\n'
        f'        "add the folder of {name} before it")\n'
        "endif()\n"
    )


def _front_end(name: str, target: str, shared: Collection[str]) -> str:
    if not shared:
        return ""
    return (
        f"if(NOT TARGET {target})\n"
        f"    {name}_library({target}\n{_lines(shared, ' ' * 8)}    )\n"
        "endif()\n\n"
    )
