"""Parameter sets: validation, the sentences for what is wrong, and text from the command line."""

from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from analysis.core.errors import ParamError
from analysis.core.params import Options, Params


class Smoothing(Params):
    """Parameters of every shape that a form or a command line meets."""

    width: float = Field(0.8, ge=0, title="Smoothing width", json_schema_extra={"unit": "eV"})
    cycles: tuple[int, ...] = Field((1,), title="Cycles")
    name: str = Field("all", title="Name")
    note: str | None = Field(None, title="Note")
    groups: tuple[str, ...] | None = Field(None, title="Groups")
    mass: float | None = Field(None, gt=0, title="Active mass")
    method: Literal["savgol", "spline"] = Field("savgol", title="Method")
    start: float | Literal["auto"] = Field("auto", title="Start")
    is_relative: bool = Field(False, title="Relative")


class Window(Params):
    low: float = Field(0.0, title="Lower limit")
    high: float = Field(1.0, title="Upper limit")

    @model_validator(mode="after")
    def _ordered(self) -> "Window":
        if self.low >= self.high:
            raise ValueError("The lower limit must lie below the upper one.")
        return self


def test_defaults_are_complete_and_the_set_is_frozen() -> None:
    made = Smoothing.check({})
    assert made.width == 0.8
    with pytest.raises(ValidationError):
        made.width = 2.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"width": -1}, ["Smoothing width [width]", "greater than or equal to 0", "(given: -1)"]),
        ({"widht": 1}, ["there is no parameter 'widht'"]),
        ({"width": "wide"}, ["Smoothing width [width]", "valid number", "'wide'"]),
        ({"method": "magic"}, ["Method [method]", "'savgol' or 'spline'"]),
        ({"width": float("nan")}, ["Smoothing width [width]", "finite number"]),
        ({"mass": float("inf")}, ["Active mass [mass]", "finite number"]),
        ({"cycles": [1, "two"]}, ["Cycles [cycles]", "valid integer"]),
        ({"width": "x" * 500}, ["Smoothing width", "…"]),
        ({"width": -1, "mass": 0}, ["Smoothing width", "; ", "Active mass"]),
    ],
)
def test_a_wrong_value_gives_one_sentence_that_names_the_field(values: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ParamError) as caught:
        Smoothing.check(values)
    for word in words:
        assert word in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 250
    assert "width, cycles, name" in caught.value.hint


def test_a_rule_over_several_fields_reads_as_a_sentence() -> None:
    with pytest.raises(ParamError) as caught:
        Window.check({"low": 3.0, "high": 2.0})
    assert caught.value.message == "Check the parameters: the lower limit must lie below the upper one."


def test_no_parameters_at_all() -> None:
    with pytest.raises(ParamError, match="there is no parameter 'x'") as caught:
        Options.check({"x": 1})
    assert caught.value.hint == "It takes no parameters."


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("width=0.5", 0.5),
        ("width = 0.5", 0.5),
        ("cycles=1,100", [1, 100]),
        ("cycles=7", [7]),
        ("cycles=[1, 100]", [1, 100]),
        ("cycles=", []),
        ("name=42", "42"),
        ("name=a=b", "a=b"),
        ("note=null", None),
        ("note=true", "true"),
        ("groups=null", None),
        ("groups=1,uncoated", ["1", "uncoated"]),
        ("mass=null", None),
        ("mass=12.5", 12.5),
        ("start=auto", "auto"),
        ("start=8333", 8333),
        ("is_relative=true", True),
        ("unknown=3", 3),
    ],
)
def test_text_becomes_what_the_field_takes(text: str, value: object) -> None:
    (got,) = Smoothing.parse([text]).values()
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize("assignments", [["width"], ["width=1", "width=2"]])
def test_text_that_is_no_assignment_or_says_it_twice(assignments: list[str]) -> None:
    with pytest.raises(ParamError, match=r"name=value|given twice"):
        Smoothing.parse(assignments)


@pytest.mark.parametrize("text", ["width=NaN", "width=1e999", "width=" + "[" * 100_000, "cycles=[1,2"])
def test_odd_text_is_refused_by_the_check(text: str) -> None:
    with pytest.raises(ParamError):
        Smoothing.check(Smoothing.parse([text]))
