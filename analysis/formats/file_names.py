"""What the names of files say about their order and about which of them belong together."""

import re
from collections.abc import Iterable
from pathlib import Path

from analysis.formats.energies import without_energy

_COUNTED = re.compile(r"\d+of\d+", re.IGNORECASE)
_REPEATED = re.compile(r"(?:^|(?<=[_\-. ]))rep\d+(?=[_\-. ])", re.IGNORECASE)
_PADDED = re.compile(r"(?<!\d)0\d{2,}(?!\d)")
_LAST_NUMBER = re.compile(r"\d+(?!.*\d)")
_JOINTS = re.compile(r"[_\-. ]+")


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts ``f2`` before ``f10``."""
    return [(int(part), "") if part.isdigit() else (0, part.casefold()) for part in re.split(r"(\d+)", name)]


def series_name(name: str, *, words: Iterable[str] = ()) -> str:
    """What the names of all files of a series have in common: the name without energy, counters, repetition and ``words``.

    Numbers that may tell samples apart stay: ``p1_8350eV`` and ``p2_8350eV`` are of two series. Where a name holds neither an
    energy nor a counter, its last number counts.
    """
    stem = Path(name).stem
    bare = without_energy(stem)
    for pattern in (_COUNTED, _REPEATED, _PADDED):
        bare = pattern.sub("", bare)
    if bare == stem:
        bare = _LAST_NUMBER.sub("", bare)
    parts = [part for part in _JOINTS.split(bare) if part and part.casefold() not in words]
    return "_".join(parts) or "series"
