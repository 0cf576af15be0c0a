"""The plots of drift: what is drawn is what was measured."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rnn_edge.errors import BundleError
from rnn_edge.report.estimates import (
    Measured,
    agreement,
    agreement_interval,
    interval,
    read_estimate,
    share,
)
from rnn_edge.report.plots.bands import Point, draw_bands
from rnn_edge.report.plots.bars import draw_bars
from rnn_edge.report.plots.canvas import Line
from rnn_edge.report.plots.dots import Dot, draw_dots
from rnn_edge.report.plots.heat import LEVELS, draw_heat, tiles_of
from rnn_edge.report.plots.histograms import draw_histograms
from rnn_edge.report.plots.trade import RING, Choice, draw_trade, joined_marks
from rnn_edge.report.reader import Node

pytest.importorskip("matplotlib", reason="the extra 'report' is not installed")

RED = Line("#ff0000")


def fills(svg: str) -> list[str]:
    return re.findall(r"fill: (#[0-9a-f]{6})", svg)


@pytest.mark.parametrize("seed", range(4))
def test_tiles_cover_each_cell_once(seed: int) -> None:
    mask = np.random.Generator(np.random.PCG64(seed)).random((9, 13)) < 0.6
    covered = np.zeros(mask.shape, int)
    for tile in tiles_of(mask.tolist()):
        rows = slice(tile.first_row, tile.first_row + tile.rows)
        covered[rows, tile.first_column : tile.first_column + tile.columns] += 1
    assert (covered == mask).all()


def test_equal_rows_are_one_tile() -> None:
    assert len(tiles_of([[False, True, True, False]] * 5)) == 1
    assert tiles_of([[False] * 4] * 5) == []


def test_a_heat_map_has_a_colour_for_each_size_of_error() -> None:
    steps = [1, 10, 100]
    flat = draw_heat("a", "b", steps, [[0.01] * 3] * 2)
    rising = draw_heat("a", "b", steps, [[0.01, 0.1, 1.0]] * 2)
    # The scale above has every level; the map has those that occur in it.
    assert len(set(fills(rising))) == LEVELS
    assert fills(rising).count("#440154") == 2
    assert fills(rising).count("#fde725") == 2
    assert len(fills(flat)) > LEVELS


def test_a_heat_map_of_no_error_at_all_is_drawn() -> None:
    assert "<svg" in draw_heat("a", "b", [1, 2], [[0.0, 0.0]])


def test_one_small_cell_does_not_take_the_colours_of_the_others() -> None:
    rows = [[0.01 * 1.1**k for k in range(10)] for _ in range(10)]
    rows[0][0] = 1e-12
    assert draw_heat("a", "b", list(range(1, 11)), rows).count("0.02") >= 1


def test_a_curve_leaves_out_what_has_no_error() -> None:
    points = [Point(1, 0.0, 0.0, 0.0), Point(2, 0.1, 0.0, 0.2), Point(4, 0.2, 0.1, 0.3)]
    svg = draw_bands("a", "b", "rms", {"run": points}, {"run": RED})
    # Two marks and the band.
    assert len(re.findall(r'<use [^>]*style="fill: #ff0000', svg)) == 2 + 1
    assert "fill-opacity: 0.2" in svg
    nothing = draw_bands("a", "b", "rms", {"run": points[:1]}, {"run": RED})
    assert not re.findall(r'<use [^>]*style="fill: #ff0000', nothing)


def test_bars_have_names_and_widths_in_proportion() -> None:
    svg = draw_bars("a", "b", "drift", ["one", "two"], {"x": [1.0, 0.25]}, {"x": RED}, mark=0.5)
    assert svg.index(">one<") > 0
    assert svg.index(">two<") > svg.index(">one<")
    found = re.findall(r'd="M ([\d.]+) [\d.]+ L ([\d.]+) [^"]*"[^>]*style="fill: #ff0000', svg)
    widths = [abs(float(right) - float(left)) for left, right in found]
    assert widths[0] / widths[1] == pytest.approx(4.0, rel=0.01)


def test_dots_that_are_warned_of_have_their_number() -> None:
    dots = [Dot(7, 1.0, False), Dot(31, 500.0, True), Dot(4, None, False)]
    svg = draw_dots("a", "b", "steps", dots)
    assert ">31<" in svg
    assert ">7<" not in svg
    for colour in ("#2f7fd8", "#d64933", "#a259c4"):
        assert len(re.findall(rf'<use [^>]*style="fill: {colour}', svg)) == 1


def test_histograms_of_nothing_are_drawn() -> None:
    assert "<svg" in draw_histograms("a", "b", (0.0, 1.0), [0, 0], [0, 0])
    assert "<svg" in draw_histograms("a", "b", (-16.0, 16.0), [5, 0, 1], [0, 6, 0])


def test_one_choice_has_the_ring_and_each_its_number() -> None:
    choices = [
        Choice("1", "never", 0.004, 0.0, (0.0, 0.0), False),
        Choice("2", "every", 0.002, -1.0, (-2.0, 0.1), True),
        Choice("3", "every", 0.001, -9.0, None, False),
    ]
    svg = draw_trade("a", "b", ("drift", "metric"), choices, {"never": RED, "every": RED})
    assert len(re.findall(rf"<use [^>]*stroke: {RING}", svg)) == 1
    assert all(f">{mark}<" in svg for mark in "123")


def test_points_close_together_share_a_label() -> None:
    places = [(0.0, 0.0), (10.0, 5.0), (0.1, 0.1), (10.0, 4.9), (5.0, 0.0)]
    choices = [Choice(str(k), "a", x, y, None, False) for k, (x, y) in enumerate(places, start=1)]
    assert joined_marks(choices) == {0: "1, 3", 1: "2, 4", 4: "5"}
    assert joined_marks(choices[:1]) == {0: "1"}


def test_an_interval_keeps_the_digits_of_its_value() -> None:
    near = Measured(0.999958, 0.99991, 1.0)
    assert agreement(near) == "99.9958\u00a0%"
    assert agreement_interval(near) == "99.9910 to 100.0000\u00a0%"
    assert agreement(Measured(1.0, 1.0, 1.0)) == "100.00\u00a0%"
    assert share(0.000862) == "0.0862\u00a0%"
    assert interval(Measured(0.1, float("-inf"), 0.2)) == "? to 0.200"


def test_an_estimate_without_ends_is_read_and_one_upside_down_is_not() -> None:
    read = read_estimate(Node({"value": 1, "low": None, "high": None}))
    assert (read.low, read.high) == (float("-inf"), float("inf"))
    with pytest.raises(BundleError, match="low not above high"):
        read_estimate(Node({"value": 1, "low": 2, "high": 1}))


def test_intervals_that_touch_overlap() -> None:
    assert Measured(1.0, 0.9, 1.1).overlaps(Measured(1.2, 1.1, 1.3))
    assert not Measured(1.0, 0.9, 1.1).overlaps(Measured(1.3, 1.11, 1.4))
