"""The C of the link: without a warning, formatted, the same frames as here, and any bytes."""

import os
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from c_models import WARNINGS, export, succeed, tool
from hearing_programs import CODE as HEARING
from hearing_programs import LEVELS, hearing
from hearing_programs import MODEL as HEARS
from hearing_programs import export as export_hearing
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.firmware.app_config import APP_CONFIG, AppConfig, app_config_header
from rnn_edge.firmware.link import TEMPLATES as PROGRAM
from rnn_edge.firmware.program import LINK, config_header
from rnn_edge.links.cobs import stuffed
from rnn_edge.links.frames import Damage, Frame, Parser
from rnn_edge.reference.decisions import keyword_numbers
from rnn_edge.resources import data_folder

TEMPLATES = data_folder("firmware_templates")
HERE = Path(__file__).parent
CODE = [TEMPLATES / name for name in LINK if name.endswith(".c")]
PARSER = TEMPLATES / "link" / "rnn_edge_link.c"
INCLUDE = [f"-I{TEMPLATES / name}" for name in ("app", "link", "linux", "service", "common")]
MOST_PAYLOAD = 700
FUZZ_S = 15


@pytest.fixture(scope="module")
def exported(linked_model, tmp_path_factory):
    folder = export(linked_model, tmp_path_factory.mktemp("exported"))
    (folder / "rnn_edge_config.h").write_text(config_header(linked_model))
    labels = ("this", "that")
    rule = keyword_numbers(labels, "linear", linked_model.output_exponent, 3, 0.5, 0.8)
    app = AppConfig("test", rule, ring_frames=4, retain_every=2)
    (folder / APP_CONFIG).write_text(app_config_header(app))
    return folder


@pytest.fixture(scope="module")
def exported_hearing(tmp_path_factory):
    folder = export_hearing(tmp_path_factory.mktemp("hearing"), LEVELS)
    (folder / "rnn_edge_config.h").write_text(config_header(HEARS))
    (folder / APP_CONFIG).write_text(app_config_header(hearing(LEVELS, log_records=4)))
    return folder


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_it_compiles_without_a_warning(compiler, exported, tmp_path):
    flags = [*WARNINGS, "-D_XOPEN_SOURCE=700", f"-I{exported}", *INCLUDE, "-O2"]
    sources = [*CODE, *(TEMPLATES / name for name in PROGRAM if name.endswith(".c"))]
    succeed(tool(compiler), *flags, "-c", *sources, cwd=tmp_path)


def test_it_is_formatted():
    folders = [TEMPLATES / name for name in ("link", "app", "linux", "service")]
    files = [*HERE.glob("*.c"), *(path for each in folders for path in each.glob("*.[ch]"))]
    assert len(files) >= 20
    succeed(tool("clang-format"), "--dry-run", "--Werror", *sorted(files))


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("-DRNN_EDGE_LINK_PAYLOAD=64", "a payload holds an identity"),
        ("-DRNN_EDGE_LINK_PAYLOAD=70000", "a payload has a length of 16 bits"),
        ("-DRNN_EDGE_LINK_CREDITS=256", "1 to 255 frames under way"),
    ],
)
def test_sizes_that_cannot_work_do_not_compile(flag, words, exported, tmp_path):
    source = TEMPLATES / "link" / "rnn_edge_link_server.c"
    command = [tool("cc"), "-std=c11", flag, f"-I{exported}", *INCLUDE, "-c", source]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert words in done.stderr


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    binary = tmp_path_factory.mktemp("probe") / "probe"
    sources = [HERE / "link_probe.c", PARSER, TEMPLATES / "common" / "rnn_edge_state.c"]
    flags = ["-std=c11", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    succeed(tool("cc"), *flags, *INCLUDE, *sources, "-o", binary)
    return binary


def said(found):
    return "damaged" if isinstance(found, Damage) else found.pack().hex()


SMALL = st.builds(
    Frame,
    st.integers(0, 255),
    st.integers(0, 2**32 - 1),
    st.integers(0, 65535),
    st.one_of(st.binary(max_size=60), st.integers(0, MOST_PAYLOAD).map(lambda n: b"\x09" * n)),
)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.one_of(SMALL.map(Frame.pack), st.binary(max_size=300)), max_size=12))
def test_both_parsers_find_the_same(probe, parts):
    data = b"".join(parts)
    lines = subprocess.run([probe], input=data, capture_output=True, check=True).stdout.decode()
    assert lines.split() == [said(found) for found in Parser().feed(data)]


def test_both_parsers_find_the_same_in_a_long_bad_stream(probe):
    rng = np.random.default_rng(1)
    whole = b"".join(
        Frame(int(rng.integers(256)), 5, k, rng.bytes(int(rng.integers(0, 90)))).pack()
        for k in range(3000)
    )
    data = np.frombuffer(whole, np.uint8).copy()
    hit = rng.random(len(data)) < 0.005
    data[hit] = rng.integers(0, 256, int(hit.sum()))
    data = data[rng.random(len(data)) >= 0.002].tobytes()
    lines = subprocess.run([probe], input=data, capture_output=True, check=True).stdout.decode()
    found = Parser().feed(data)
    assert lines.split() == [said(each) for each in found]
    assert 500 < sum(isinstance(each, Damage) for each in found) < 2500


@pytest.mark.parametrize("length", [0, 1, 3, 65535])
def test_a_length_that_is_not_the_frames_is_damage(probe, length):
    content = struct.pack("<HBIH", length, 4, 1, 1) + b"ab"
    content += struct.pack("<I", zlib.crc32(content))
    data = b"\0" + stuffed(content) + b"\0"
    assert subprocess.run([probe], input=data, capture_output=True).stdout == b"damaged\n"


def test_what_is_larger_than_the_buffer_is_damage(probe):
    fits, large = Frame(1, 2, 3, b"x" * MOST_PAYLOAD), Frame(1, 2, 3, b"x" * (MOST_PAYLOAD + 1))
    data = (fits.pack() + large.pack()) * 2
    lines = subprocess.run([probe], input=data, capture_output=True, check=True).stdout.decode()
    assert lines.split() == [fits.pack().hex(), "damaged"] * 2


@pytest.mark.slow
@pytest.mark.parametrize("hears", [False, True], ids=["frames", "samples"])
def test_no_bytes_make_the_server_misbehave(hears, exported, exported_hearing, tmp_path):
    folder, beside = (exported_hearing, HEARING) if hears else (exported, [])
    clang = tool("clang")
    flags = ["-std=c11", "-O1", "-g", "-fsanitize=fuzzer,address,undefined"]
    probe = tmp_path / "empty.c"
    probe.write_text(
        "#include <stddef.h>\nint LLVMFuzzerTestOneInput(const char *, size_t);\n"
        "int LLVMFuzzerTestOneInput(const char *d, size_t n) {\n"
        "    (void)d; (void)n; return 0;\n}\n"
    )
    command = [clang, *flags, str(probe), "-o", str(tmp_path / "empty")]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("clang comes without libFuzzer (Debian: apt-get install libclang-rt-dev)")
    binary, corpus = tmp_path / "fuzz", tmp_path / "corpus"
    sources = [HERE / "link_fuzz.c", *CODE, *beside, *folder.glob("*.c")]
    undefined = "-fno-sanitize-recover=all"
    succeed(clang, *flags, undefined, f"-I{folder}", *INCLUDE, *sources, "-o", binary)
    corpus.mkdir()
    for k, seed in enumerate(seeds()):
        (corpus / f"seed{k}").write_bytes(seed)
    # Its own limit of memory counts what this process had before it: Linux keeps the peak over
    # fork and exec. What the code asks for is limited by itself.
    memory = ["-rss_limit_mb=0", "-malloc_limit_mb=64"]
    limits = [f"-max_total_time={FUZZ_S}", "-max_len=4096", "-timeout=60", "-seed=1", *memory]
    limits += ["-verbosity=1"]
    done = subprocess.run(
        [binary, corpus, *limits],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    runs = int(done.stderr.rsplit("Done ", 1)[1].split()[0])
    assert runs > 1000


def seeds():
    """One input for each kind of request, and frames as a host sends them."""
    opening = Frame(1, 0x51E55104, 0, b"\1")
    frame = bytes(range(6))
    yield b"\0" + opening.pack() + Frame(9, 0x51E55104, 1, b"\1" + frame * 2).pack()
    yield b"\1" + b"".join(bytes([kind, 0]) for kind in range(24))
    fed = b"".join(bytes([0x11, 24]) + bytes([k, 0x7F, k, 0x80]) * 6 for k in range(9))
    events = bytes([0x15, 4, 0, 0, 0, 0])
    yield b"\1\x10\1\2" + fed + b"\x12\0\x0f\0" + events + b"\x0e\4\0\0\0\0"
    yield b"\1\x10\1\2" + fed + b"\x13\0\x14\0\x12\0"
    pcm = bytes([0x16, 200]) + bytes(range(200))
    yield b"\1\x10\1\2" + 3 * pcm + b"\x12\0\x13\0\x14\0\x0f\0\x10\1\2" + pcm + b"\x16\1\7"
    yield b"\1\x10\1\1" + bytes([9, 13, 3]) + frame * 2 + bytes([14, 4, 0, 0, 0, 0, 13, 0])
    yield (
        b"\1\x10\1\1"
        + bytes([10, 1, 0])
        + b"".join(bytes([11, 6, k]) + frame[1:] for k in (0, 1, 1, 5, 2))
        + bytes([12, 0])
    )
    yield (
        b"\1\x10\1\1"
        + bytes([6, 4, 0, 0, 0, 0, 7, 14, 0, 0, 0, 0])
        + b"RNES"
        + frame
        + bytes([8, 0])
    )
