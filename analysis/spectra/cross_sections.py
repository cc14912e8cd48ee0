"""Attenuation of substances by their formula, from tabulated cross-sections (source: ``cross_sections.json``)."""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from analysis.core.errors import ParamError

RANGE = (1000.0, 30000.0)  # eV, of the table
_PART = re.compile(r"([A-Z][a-z]?)|(\()|(\))|(\d+\.?\d*|\.\d+)")


@dataclass(frozen=True)
class Shell:
    """An edge of an element: energy (eV), ratio of the attenuation above to that below, energy of its strongest line (eV)."""

    energy: float
    jump: float
    line: float


@cache
def _elements() -> dict[str, Any]:
    text = files("analysis.spectra").joinpath("cross_sections.json").read_text(encoding="utf-8")
    return json.loads(text)["elements"]


def parse_formula(text: str) -> dict[str, float]:
    """Atoms of each element: ``((NH4)2SO4)0.1(H2O)54.8`` is N 0.2, H 110.4, S 0.1, O 55.2.

    Raises
    ------
    ParamError
        The text is no formula, or names an element that is not tabulated (beyond Bi).
    """
    compact = text.replace(" ", "")
    tokens = list(_PART.finditer(compact))
    if not compact or sum(len(t[0]) for t in tokens) != len(compact):
        raise ParamError(f"'{text}' is not a chemical formula.", hint="Write it as in Li6PS5Cl or ((NH4)2SO4)0.1(H2O)54.8.")
    stack: list[dict[str, float]] = [{}]
    last: dict[str, float] = {}
    for token in tokens:
        if token[1]:
            if token[1] not in _elements():
                raise ParamError(f"'{token[1]}' in '{text}' is no element of the table.", hint="Hydrogen to bismuth are known.")
            last = {token[1]: 1.0}
            _add(stack[-1], last, 1.0)
        elif token[2]:
            stack.append({})
            last = {}
        elif token[3]:
            if len(stack) == 1:
                raise ParamError(f"'{text}' has a bracket too many.")
            last = stack.pop()
            _add(stack[-1], last, 1.0)
        else:
            _add(stack[-1], last, float(token[4]) - 1.0)
            last = {}
    if len(stack) > 1:
        raise ParamError(f"'{text}' lacks a closing bracket.")
    return stack[0]


def _add(to: dict[str, float], part: dict[str, float], times: float) -> None:
    for element, count in part.items():
        to[element] = to.get(element, 0.0) + count * times


def shell(element: str, name: str) -> Shell:
    """An edge of an element, with its fluorescence line.

    Raises
    ------
    ParamError
        The table has no such edge between 1 and 30 keV, or no line for it.
    """
    known = _elements().get(element)
    if known is None or name not in known["edges"] or name not in known["lines"]:
        raise ParamError(
            f"There is no {element} {name} edge between 1 and 30 keV.", hint="Write the element as S and the shell as K or L3."
        )
    energy, jump, _ = known["edges"][name]
    return Shell(float(energy), float(jump), float(known["lines"][name]))


def attenuation(element: str, energy: np.ndarray) -> np.ndarray:
    """Attenuation of one atom's worth of an element, in cm²/mol; same shape as ``energy`` (eV, 1 to 30 keV)."""
    if np.min(energy) < RANGE[0] or np.max(energy) > RANGE[1]:
        raise ParamError(f"Cross-sections are tabulated from {RANGE[0] / 1e3:g} to {RANGE[1] / 1e3:g} keV.")
    known = _elements()[element]
    return float(known["mass"]) * np.exp(np.interp(np.log(energy), np.log(known["energy"]), np.log(known["mu"])))
