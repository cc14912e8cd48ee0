"""Margins that hold the labels of an axis."""

import base64
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from analysis.core.style import Style
from components.room import roomy


def figure(trace: dict[str, Any], **layout: Any) -> dict[str, Any]:
    return go.Figure({"data": [trace], "layout": {"template": Style().template(), **layout}}).to_plotly_json()


def margin(made: dict[str, Any]) -> dict[str, float]:
    layout = roomy(made)["layout"]
    template = layout["template"]
    return {
        **(template["layout"] if isinstance(template, dict) else template.to_plotly_json()["layout"])["margin"],
        **layout.get("margin", {}),
    }


def line(low: float, high: float) -> dict[str, Any]:
    return {"type": "scatter", "x": [0, 1], "y": [low, high]}


def test_longer_numbers_get_more_room() -> None:
    titled = {"yaxis": {"title": {"text": "Capacity"}}}
    short, long = margin(figure(line(0, 100), **titled))["l"], margin(figure(line(-1000, -1001), **titled))["l"]
    assert long > short


def test_every_line_of_a_title_gets_its_height() -> None:
    one, three = (margin(figure(line(0, 1), xaxis={"title": {"text": text}}))["b"] for text in ("Cycle", "Cycle<br>a<br>b"))
    assert three - one == pytest.approx(2 * 1.3 * 12, abs=1.5)


def test_names_count_in_full() -> None:
    trace = {"type": "bar", "orientation": "h", "x": [1, 2], "y": ["a name that is quite long", "b"]}
    assert margin(figure(trace))["l"] > 25 * 6


def test_an_axis_on_the_right_gets_room_there() -> None:
    both = {"yaxis2": {"side": "right", "overlaying": "y", "title": {"text": "Efficiency / %"}, "automargin": True}}
    trace = {"type": "scatter", "x": [0, 1], "y": [90, 100], "yaxis": "y2"}
    assert margin(figure(trace, **both))["r"] > 40 > margin(figure(line(0, 1)))["r"]


def test_packed_numbers_are_read() -> None:
    written = [-1234.5, -1000.25]
    packed = {"dtype": "f8", "bdata": base64.b64encode(np.array(written).tobytes()).decode("ascii")}
    titled = {"yaxis": {"title": {"text": "Capacity"}}}
    plain, made = (margin(figure({"type": "scatter", "x": [0, 1], "y": y}, **titled))["l"] for y in (written, packed))
    assert plain == made > 58


@pytest.mark.parametrize("axis", [{"visible": False}, {"automargin": False}])
def test_what_shows_nothing_needs_nothing(axis: dict[str, Any]) -> None:
    made = figure(line(-123456, 123456), xaxis=axis, yaxis=axis)
    assert roomy(made) is made


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [5.0, 5.0], ["x", None]])
def test_odd_values_are_no_trouble(values: list[Any]) -> None:
    assert margin(figure({"type": "scatter", "x": values, "y": values}, yaxis={"type": "log"}))["l"] >= 58
