"""What pip would install of wheels alone on another machine, from the package index's metadata.

Nothing is downloaded but lists of files and the metadata of the wheels that are chosen. The newest
version with a wheel that fits is taken, without going back on a choice: that is enough to tell
what a machine gets and what has no wheel for it.
"""

import email
import functools
import io
import json
import os
import tomllib
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple")
TIMEOUT_S = 30.0
OLDEST_GLIBC = 17
BLOCK_BYTES = 1 << 15
JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class Target:
    """A machine with Linux and a Python.

    Attributes:
        machine: As ``platform.machine()`` says it.
        python: (3, 11)
        glibc: Minor version of glibc 2 in the system that brings this Python.
    """

    machine: str
    python: tuple
    glibc: int

    @property
    def platforms(self):
        """Tags of wheels that fit, the best first; there is no manylinux for ARMv6."""
        many = range(self.glibc, OLDEST_GLIBC - 1, -1) if self.machine != "armv6l" else ()
        named = [f"manylinux_2_{minor}_{self.machine}" for minor in many]
        return [*named, *(["manylinux2014_" + self.machine] if named else []),
                f"linux_{self.machine}"]  # fmt: skip

    @functools.cached_property
    def tags(self):
        short = "".join(map(str, self.python))
        return {
            *cpython_tags(self.python, [f"cp{short}"], self.platforms),
            *compatible_tags(self.python, f"cp{short}", self.platforms),
        }

    def environment(self, extra=""):
        """Values of environment markers there."""
        version = ".".join(map(str, self.python))
        return default_environment() | {
            "implementation_name": "cpython",
            "implementation_version": f"{version}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": "linux",
            "extra": extra,
        }


@dataclass
class Resolution:
    """What is installed.

    Attributes:
        chosen: Version by package.
        missing: Packages that have no wheel there.
    """

    chosen: dict = field(default_factory=dict)
    missing: set = field(default_factory=set)


def asked(url, **headers):
    """Return the answer of the index, or skip where there is no network."""
    request = urllib.request.Request(url, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError:
        # It was reached: that it has not what this package asks for is no reason to skip.
        raise
    except (urllib.error.URLError, TimeoutError) as error:
        pytest.skip(f"the package index is not reached: {error}")


class RemoteFile(io.RawIOBase):
    """A file of the index, of which only what is looked at is read."""

    def __init__(self, url, size):
        super().__init__()
        self._url, self._size, self._at = url, size, 0

    def seekable(self):
        return True

    def readable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self):
        return self._at

    def readinto(self, buffer):
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        with asked(self._url, Range=f"bytes={self._at}-{end - 1}") as answer:
            content = answer.read(end - self._at)
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


@functools.cache
def files_of(name):
    with asked(f"{INDEX.rstrip('/')}/{name}/", Accept=JSON) as answer:
        listed = json.loads(answer.read())
    return [each for each in listed["files"] if each["filename"].endswith(".whl")]


def wheels_of(name, target):
    """Return (version, file) of released wheels that fit a machine and were not withdrawn."""
    python = Version(".".join(map(str, target.python)) + ".0")
    found = []
    for file in files_of(name):
        try:
            _, version, _, tags = parse_wheel_filename(file["filename"])
        except InvalidWheelFilename:
            # Of days before there was a rule; pip passes them over too.
            continue
        wanted = file.get("requires-python")
        if file.get("yanked") or (wanted and not SpecifierSet(wanted).contains(python)):
            continue
        if tags & target.tags and not version.is_prerelease:
            found.append((version, file))
    return sorted(found, key=lambda each: each[0])


@functools.cache
def requirements_of(url, size):
    """Return what a wheel requires, read from its metadata."""
    remote = io.BufferedReader(RemoteFile(url, size), BLOCK_BYTES)
    with zipfile.ZipFile(remote) as wheel:
        (name,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(wheel.read(name))
    return tuple(metadata.get_all("Requires-Dist") or ())


def own_requirements(extras):
    """Return the requirements of this package and of extras, those that they name included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found, waiting = list(project["dependencies"]), list(extras)
    while waiting:
        for text in project["optional-dependencies"][waiting.pop()]:
            requirement = Requirement(text)
            if requirement.name == project["name"]:
                waiting += requirement.extras
            else:
                found.append(text)
    return found


def resolve(target, extras=()):
    """Return what ``pip install --only-binary=:all: rnn-edge[extras]`` gives there."""
    found = Resolution()
    specifiers = {}
    waiting = [(Requirement(text), "") for text in own_requirements(extras)]
    # First what this package says of versions: what others say of them comes later.
    while waiting:
        requirement, extra = waiting.pop(0)
        if requirement.marker and not requirement.marker.evaluate(target.environment(extra)):
            continue
        name = canonicalize_name(requirement.name)
        specifiers[name] = specifiers.get(name, SpecifierSet()) & requirement.specifier
        if name in found.missing or (
            name in found.chosen and found.chosen[name] in specifiers[name]
        ):
            continue
        fitting = [each for each in wheels_of(name, target) if each[0] in specifiers[name]]
        if not fitting:
            found.missing.add(name)
            found.chosen.pop(name, None)
            continue
        version, file = fitting[-1]
        found.chosen[name] = version
        waiting += [
            (Requirement(text), each)
            for text in requirements_of(file["url"], file["size"])
            for each in (requirement.extras or {""})
        ]
    return found
