import errno
import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from rnn_edge.data.fetch import fetch_speech_commands
from rnn_edge.errors import DataError, EnvironmentFailureError

CONTENT = np.random.Generator(np.random.PCG64(9)).bytes(1_000_003)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT; behaviour is set by the test."""

    content = CONTENT
    drop_after: int | None = None
    honours_range = True
    tells_length = True
    status = 200
    closes_at_once = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.starts = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/speech_commands_v0.02.tar.gz"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        if self.server.closes_at_once:
            self.close_connection = True
            return
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if not self.server.honours_range:
            asked, start = None, 0
        self.server.starts.append(start)
        if asked and start >= len(self.server.content):
            self.send_error(416)
            return
        body = self.server.content[start:]
        self.send_response(206 if asked else 200)
        if self.server.tells_length:
            self.send_header("Content-Length", str(len(body)))
        if asked:
            whole = len(self.server.content)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.end_headers()
        if self.server.drop_after is not None:
            body = body[: self.server.drop_after]
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_whole_download_with_progress(server, tmp_path):
    seen = []
    path = fetch_speech_commands(
        tmp_path / "sc.tar.gz", server.url, DIGEST, lambda have, total: seen.append((have, total))
    )
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [have for have, _ in seen] == sorted(have for have, _ in seen)
    assert [p.name for p in tmp_path.iterdir()] == ["sc.tar.gz"]


def test_dropped_connection_goes_on_where_it_stopped(server, tmp_path):
    server.drop_after = 400_000
    target = tmp_path / "sc.tar.gz"
    for have in ("400,000", "800,000"):
        with pytest.raises(EnvironmentFailureError, match=f"broke off after {have} of 1,000,003"):
            fetch_speech_commands(target, server.url, DIGEST)
        assert not target.exists()
    fetch_speech_commands(target, server.url, DIGEST)
    assert target.read_bytes() == CONTENT
    assert server.starts == [0, 400_000, 800_000]


def test_server_without_ranges_starts_again(server, tmp_path):
    (tmp_path / "sc.part").write_bytes(b"x" * 500)
    server.honours_range = False
    fetch_speech_commands(tmp_path / "sc", server.url, DIGEST)
    assert (tmp_path / "sc").read_bytes() == CONTENT


def test_server_that_does_not_tell_the_length(server, tmp_path):
    server.tells_length = False
    totals = set()
    fetch_speech_commands(tmp_path / "sc", server.url, DIGEST, lambda _, total: totals.add(total))
    assert totals == {None}


def test_file_that_is_there_is_not_fetched_again(server, tmp_path):
    (tmp_path / "sc").write_bytes(CONTENT)
    fetch_speech_commands(tmp_path / "sc", server.url, DIGEST.upper())
    assert server.starts == []


def test_whole_part_is_not_fetched_again(server, tmp_path):
    (tmp_path / "sc.part").write_bytes(CONTENT)
    fetch_speech_commands(tmp_path / "sc", server.url, DIGEST)
    assert (tmp_path / "sc").read_bytes() == CONTENT
    assert server.starts == []


def test_other_file_in_the_way_is_kept(server, tmp_path):
    (tmp_path / "sc").write_bytes(b"mine")
    with pytest.raises(DataError, match="has SHA-256"):
        fetch_speech_commands(tmp_path / "sc", server.url, DIGEST)
    assert (tmp_path / "sc").read_bytes() == b"mine"


def test_wrong_digest(server, tmp_path):
    server.content = CONTENT[::-1]
    with pytest.raises(DataError, match=f"expected {DIGEST}. It was deleted"):
        fetch_speech_commands(tmp_path / "sc", server.url, DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_part_longer_than_the_file(server, tmp_path):
    (tmp_path / "sc.part").write_bytes(CONTENT + b"more")
    with pytest.raises(EnvironmentFailureError, match="the file there is shorter"):
        fetch_speech_commands(tmp_path / "sc", server.url, DIGEST)
    fetch_speech_commands(tmp_path / "sc", server.url, DIGEST)
    assert (tmp_path / "sc").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [403, 404, 500])
def test_refusal(server, tmp_path, status):
    server.status = status
    with pytest.raises(DataError, match=f"was refused: {status}"):
        fetch_speech_commands(tmp_path / "sc", server.url, DIGEST)


def test_server_that_hangs_up(server, tmp_path):
    server.closes_at_once = True
    with pytest.raises(EnvironmentFailureError, match="cannot be reached"):
        fetch_speech_commands(tmp_path / "sc", server.url, DIGEST)


def test_nobody_listens(server, tmp_path):
    url = server.url
    server.server_close()
    with pytest.raises(EnvironmentFailureError, match="cannot be reached"):
        fetch_speech_commands(tmp_path / "sc", url, DIGEST)


def test_no_space(server, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFailureError, match="No space left"):
        fetch_speech_commands(tmp_path / "sc", server.url, DIGEST)


def test_no_folder(server, tmp_path):
    with pytest.raises(EnvironmentFailureError, match="cannot be written"):
        fetch_speech_commands(tmp_path / "none" / "sc", server.url, DIGEST)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "sc.tar.gz"])
def test_other_addresses_are_refused(tmp_path, url):
    with pytest.raises(DataError, match="expected http:// or https://"):
        fetch_speech_commands(tmp_path / "sc", url, DIGEST)


@pytest.mark.parametrize("digest", ["xyz", "", "0" * 63, "g" * 64])
def test_a_digest_that_is_none_is_refused_before_anything_is_fetched(tmp_path, digest):
    with pytest.raises(DataError, match="expected 64 hexadecimal digits"):
        fetch_speech_commands(tmp_path / "a.tar.gz", "http://127.0.0.1:9/a.tar.gz", digest)
    assert not list(tmp_path.iterdir())
