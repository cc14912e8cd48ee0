"""What an instrument or a person calls a cycle, and the kind that this means."""

import re
from collections.abc import Mapping

import numpy as np

from analysis.cycling.halfcycles import HalfCycles
from analysis.cycling.pairing import Pairs

# In this order: a "pulse check" is a pulse test, a "formation cycle" is formation.
_KINDS = (
    ("impedance", re.compile(r"\beis\b|\bp?geis\b|impedance|\bacir\b")),
    ("pulse", re.compile(r"hppc|pulse|\bdcir\b|\bgitt\b")),
    ("check", re.compile(r"check|\brpt\b|reference performance|characteri[sz]ation|diagnostic")),
    ("formation", re.compile(r"formation|forming|conditioning")),
    ("partial", re.compile(r"^partial$")),
    ("cycle", re.compile(r"age?ing|cycl")),
)


def kind_of(label: str) -> str:
    """Kind (one of ``schemas.KINDS``) that a label states; "" where it states none."""
    words = label.strip().lower().replace("_", " ")
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), "")


def kinds_of(labels: np.ndarray) -> np.ndarray:
    """``kind_of`` each label; shape (C,)."""
    known = {label: kind_of(label) for label in np.unique(labels).tolist()}
    return np.array([known[label] for label in labels.tolist()], dtype="<U10")


def labels_of(halves: HalfCycles, pairs: Pairs, labels: Mapping[str, str]) -> np.ndarray:
    """The label of each cycle, by the instrument's number of its half cycles; shape (C,), "" where there is none or they differ."""
    rows = np.stack([pairs.charge, pairs.discharge, pairs.idle])
    number = halves["cycle"][rows]
    low, high = np.where(rows >= 0, number, np.inf).min(axis=0), np.where(rows >= 0, number, -np.inf).max(axis=0)
    single = (low == high) & np.isfinite(low)
    return np.array([labels.get(str(int(n)), "") if one else "" for n, one in zip(low, single, strict=True)], dtype=np.str_)
