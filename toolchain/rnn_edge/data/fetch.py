"""Getting the Speech Commands archive, with resume and a check of what arrived."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from rnn_edge.errors import DataError, EnvironmentFailureError

SPEECH_COMMANDS_URL = "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"
SPEECH_COMMANDS_SHA256 = "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"
"""Source: checksums of torchaudio (``datasets/speechcommands.py``) and TensorFlow Datasets."""

BLOCK_BYTES = 1 << 18
TIMEOUT_S = 30.0
DIGEST_DIGITS = 64

Progress = Callable[[int, int | None], None]
"""Called with bytes so far and bytes in total (None where the server does not say)."""


def fetch_speech_commands(
    destination: Path,
    url: str = SPEECH_COMMANDS_URL,
    digest: str = SPEECH_COMMANDS_SHA256,
    progress: Progress | None = None,
) -> Path:
    """Download an archive; a file with the right digest is left as it is.

    What arrives is kept in ``<destination>.part`` until it is whole, so that the next call goes
    on where this one stopped.

    Args:
        destination: The file to write; its folder must exist.
        url: http or https address.
        digest: SHA-256 of the whole file, 64 hexadecimal digits.
        progress: Told about each block.

    Returns:
        ``destination``.

    Raises:
        DataError: If the digest is none, before anything is fetched; if the file is not at the
            address or has another digest.
        EnvironmentFailureError: If the connection breaks or the disk refuses.
    """
    if not is_digest(digest):
        raise DataError(f"SHA-256 {digest!r} is none; expected 64 hexadecimal digits.")
    if urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"Address {url!r} cannot be fetched; expected http:// or https://.")
    part = destination.with_name(destination.name + ".part")
    try:
        if destination.exists():
            found = _sha256(destination)
            if found == digest.lower():
                return destination
            raise DataError(
                f"File {destination} has SHA-256 {found}; expected {digest.lower()}.",
                "move the file away to download it again",
            )
        if not part.exists() or _sha256(part) != digest.lower():
            _download(url, part, progress)
        found = _sha256(part)
        if found != digest.lower():
            part.unlink()
            raise DataError(
                f"Download of {url} has SHA-256 {found}; expected {digest.lower()}. "
                "It was deleted.",
                "try again; if it happens again, the file at the address has changed",
            )
        part.replace(destination)
    except OSError as error:
        raise _environment_error(error, destination) from error
    return destination


def is_digest(text: str) -> bool:
    """Say whether a text can be a SHA-256: 64 hexadecimal digits."""
    return len(text) == DIGEST_DIGITS and not set(text.lower()) - set("0123456789abcdef")


def _download(url: str, part: Path, progress: Progress | None) -> None:
    """Append what is missing to the partial file."""
    have = part.stat().st_size if part.exists() else 0
    try:
        answer = _open(url, have)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            # The partial file is at least as long as the whole: it is not the same file.
            part.unlink()
            raise EnvironmentFailureError(
                f"Download of {url} cannot go on at byte {have:,}: the file there is shorter. "
                "The part was deleted.",
                "run the same command again",
            ) from error
        raise DataError(
            f"Download of {url} was refused: {error.code} {error.reason}; expected 200 or 206.",
            "check the address",
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise EnvironmentFailureError(
            f"Address {url} cannot be reached: {getattr(error, 'reason', error)}.",
            "check the connection, or copy the archive to this machine by other means",
        ) from error
    with answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT or not _starts_at(answer, have):
            have = 0
        _append(answer, part, have, url, progress)


def _open(url: str, have: int) -> http.client.HTTPResponse:
    """Ask for a file from a byte on."""
    headers = {"User-Agent": "rnn-edge", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    return answer


def _starts_at(answer: http.client.HTTPResponse, byte: int) -> bool:
    """Say whether a partial answer starts where the partial file ends."""
    return (answer.headers.get("Content-Range") or "").startswith(f"bytes {byte}-")


def _append(
    answer: http.client.HTTPResponse, part: Path, have: int, url: str, progress: Progress | None
) -> None:
    length = answer.headers.get("Content-Length")
    total = have + int(length) if length and length.isdigit() else None
    with part.open("ab") as file:
        file.truncate(have)
        while True:
            try:
                block = answer.read(BLOCK_BYTES)
            except http.client.IncompleteRead as error:
                file.write(error.partial)
                raise _broken(url, have + len(error.partial), total, part) from error
            except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
                raise _broken(url, have, total, part) from error
            if not block:
                break
            file.write(block)
            have += len(block)
            if progress:
                progress(have, total)
        file.flush()
        os.fsync(file.fileno())
    if total is not None and have < total:
        raise _broken(url, have, total, part)


def _broken(url: str, have: int, total: int | None, part: Path) -> EnvironmentFailureError:
    of = f" of {total:,}" if total is not None else ""
    return EnvironmentFailureError(
        f"Download of {url} broke off after {have:,}{of} bytes; they are kept in {part.name}.",
        "run the same command again to go on from there",
    )


def _environment_error(error: OSError, destination: Path) -> EnvironmentFailureError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EnvironmentFailureError(
            f"No space left for {destination}; what arrived is kept beside it as .part.",
            "free some space (the archive has 2.4 GB) and run the same command again",
        )
    return EnvironmentFailureError(f"File {destination} cannot be written: {error}.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
