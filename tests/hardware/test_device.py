"""A device, from its flashing to a bad line: see conftest.py for how one is named."""

import hardware_checks as checks
import pytest


@pytest.fixture(scope="module")
def device(flashed, tested_bundle):
    program = flashed.image.path if flashed.place.is_here else None
    return checks.Device(flashed.place, tested_bundle, program)


def test_it_is_flashed_and_proven(flashed):
    assert flashed.proof.is_equal
    assert flashed.image.flash_bytes is None or flashed.image.flash_bytes > 4000


def test_it_says_who_it_is(device):
    checks.says_who_it_is(device)


def test_it_has_every_bit_of_2000_unreset_steps(device):
    checks.has_every_bit(device, 2000)


def test_it_goes_on_from_a_saved_state(device):
    checks.goes_on_from_a_saved_state(device)


def test_it_streams(device):
    checks.streams(device)


def test_it_answers_every_frame_of_a_bad_line(device):
    checks.answers_every_frame_of_a_bad_line(device)


def test_it_comes_back_after_a_restart(device):
    checks.comes_back_after_a_restart(device)


def test_it_remembers_its_steps(device):
    checks.remembers_its_steps(device)


def test_it_decides_on_what_it_is_fed(device):
    checks.decides_on_what_it_is_fed(device)
