"""What tests of packages share."""

import pytest
from package_builds import KINDS, succeed, tool
from untrained import untrained_bundle

from rnn_edge.pipeline.package import PackageRequest, package_bundle


@pytest.fixture(scope="session")
def packaged_bundle(tmp_path_factory):
    """A bundle of random weights, as far as a package needs it."""
    return untrained_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def packages(packaged_bundle, tmp_path_factory):
    """A package of every kind, by kind."""
    folder = tmp_path_factory.mktemp("packages")
    found = {}
    for name in KINDS:
        # A folder of the model's name: some ecosystems take it for the name of the library.
        request = PackageRequest(name, folder / name / "tiny", frames=9, version="1.2.3")
        found[name] = package_bundle(packaged_bundle, request).path
    return found


@pytest.fixture(scope="session")
def package_objects(packages, tmp_path_factory):
    """The exported C of a package, compiled for this host once: all kinds have the same."""
    folder = tmp_path_factory.mktemp("objects")
    sources = sorted((packages["arduino"] / "src").glob("*.c"))
    succeed(tool("cc"), "-std=c11", "-c", *sources, cwd=folder)
    return sorted(folder.glob("*.o"))
