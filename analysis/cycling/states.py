"""Step types and states in the words of instruments → mode and direction."""

import re
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.cycling.schemas import MODES
from analysis.formats.cells import text

_MODE_WORDS = (
    (re.compile(r"rest|pause|ocv|open.?circuit|idle|stand|搁置|静置"), 3),
    (re.compile(r"eis|impedance|acir|acim|阻抗"), 4),
    (re.compile(r"hppc|pulse|dcir|脉冲"), 5),
    (re.compile(r"cc[-_ ]?cv|恒流恒压"), 0),
    (re.compile(r"^cc|cc$|[ _-]cc|constant current|恒流"), 1),
    (re.compile(r"^cv|cv$|[ _-]cv|constant voltage|恒压"), 2),
)
_DISCHARGE = re.compile(r"dis|dch|dchg|^d$|放电")
_CHARGE = re.compile(r"cha|chg|^c$|充电")


def mode_of(word: str) -> int:
    """Mode (a key of ``MODES``) that a step type names; 0 where it does not say."""
    lower = word.strip().lower()
    for code, title in MODES.items():
        if lower == title:
            return code
    return next((code for pattern, code in _MODE_WORDS if pattern.search(lower)), 0)


def direction_of(word: str) -> int:
    """+1 where a state or step type says charge, -1 discharge, 0 neither."""
    lower = word.strip().lower()
    if _DISCHARGE.search(lower):
        return -1
    return 1 if _CHARGE.search(lower) else 0


def coded(column: pa.ChunkedArray | pa.Array, codes: Mapping[str, int] | None, words: Callable[[str], int] = mode_of) -> np.ndarray:
    """Code of every cell, shape (n,) float64: by ``codes`` where given, else by the meaning of its word."""
    cells = pc.fill_null(text(column), "")
    encoded = cells.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    known = encoded.dictionary.to_pylist()
    values = np.array([float(_code(word, codes, words)) for word in known] or [0.0])
    return values[encoded.indices.to_numpy(zero_copy_only=False)] if known else np.zeros(0)


def _code(word: str, codes: Mapping[str, int] | None, words: Callable[[str], int]) -> int:
    if codes is not None:
        return codes.get(word.strip(), codes.get(word.strip().removesuffix(".0"), 0))
    return words(word)
