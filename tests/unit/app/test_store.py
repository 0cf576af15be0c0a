"""Records over power cuts: the newest or the one before, at every moment, in RAM and in flash."""

import os
import re
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from c_models import WARNINGS, succeed, tool

from rnn_edge.resources import data_folder

HERE = Path(__file__).parent
TEMPLATES = data_folder("firmware_templates")
INCLUDE = [f"-I{TEMPLATES / name}" for name in ("app", "common")]
CODE = [TEMPLATES / "app" / "rnn_edge_store.c", TEMPLATES / "common" / "rnn_edge_state.c"]
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FUZZ_S = 10


@pytest.fixture(scope="module")
def power_cuts(tmp_path_factory):
    binary = tmp_path_factory.mktemp("store") / "power_cuts"
    sources = [HERE / "store_power_cuts.c", *CODE]
    succeed(tool("cc"), *WARNINGS, "-O1", *SANITIZERS, *INCLUDE, *sources, "-o", binary)
    return binary


@pytest.mark.parametrize(
    ("unit", "place", "payload", "kind"),
    [
        (1, 64, 44, "ram"),
        (1, 64, 33, "flash"),
        (4, 64, 44, "ram"),
        (4, 256, 30, "ram"),
        (4, 256, 30, "flash"),
        (8, 256, 61, "flash"),
        (8, 72, 50, "flash"),
        (32, 512, 100, "flash"),
        (256, 1024, 300, "flash"),
    ],
)
def test_the_power_is_cut_at_every_moment(power_cuts, unit, place, payload, kind):
    for seed in (1, 2):
        command = [power_cuts, *map(str, (unit, place, payload, 9)), kind, str(seed)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        cuts, before = map(int, re.findall(r"(\d+)", done.stdout))
        records = 9
        # Each unit of each record is a moment, and the erases beside them.
        assert cuts > records * ((payload + 20 + unit - 1) // unit)
        assert before > 0


def record(sequence, payload, unit=4):
    body = b"RNEK" + struct.pack("<IQ", len(payload), sequence) + payload
    body += struct.pack("<I", zlib.crc32(body))
    return body + b"\xff" * (-len(body) % unit)


@pytest.mark.slow
def test_no_bytes_in_a_memory_make_the_store_misbehave(tmp_path):
    clang = tool("clang")
    flags = ["-std=c11", "-O1", "-g", "-fsanitize=fuzzer,address,undefined"]
    binary, corpus = tmp_path / "fuzz", tmp_path / "corpus"
    sources = [HERE / "store_fuzz.c", *CODE]
    undefined = "-fno-sanitize-recover=all"
    command = [clang, *flags, undefined, *INCLUDE, *sources, "-o", binary]
    if subprocess.run([str(part) for part in command], capture_output=True).returncode != 0:
        pytest.skip("clang comes without libFuzzer (Debian: apt-get install libclang-rt-dev)")
    corpus.mkdir()
    full = b"".join(record(k, bytes([k]) * 40) for k in (1, 2, 3, 4))
    seeds = [
        b"\0" + full,
        b"\0" + full[:130].ljust(256, b"\xff") + record(9, b"x" * 40),
        b"\1" + full,
    ]
    for k, seed in enumerate(seeds):
        (corpus / f"seed{k}").write_bytes(seed)
    limits = [f"-max_total_time={FUZZ_S}", "-max_len=513", "-timeout=60", "-seed=1"]
    limits += ["-rss_limit_mb=0", "-malloc_limit_mb=64"]
    done = subprocess.run(
        [binary, corpus, *limits],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stderr.rsplit("Done ", 1)[1].split()[0]) > 1000
