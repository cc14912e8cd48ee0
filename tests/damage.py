"""Damaged copies of a file, the same in every run."""

import random
from collections.abc import Callable, Iterator
from typing import TypeVar

from analysis.core.errors import ReadError

T = TypeVar("T")


def damaged_copies(whole: bytes, n: int, *, seed: int, head: int = 4096) -> Iterator[bytes]:
    """Yield ``n`` copies with flipped bits, cuts, zero fills, swapped parts or inserted bytes; half of them near the start."""
    rng = random.Random(seed)
    kinds = (_flip, _cut, _fill, _swap, _insert)
    for k in range(n):
        copy = bytearray(whole)
        kinds[k % len(kinds)](copy, rng, head if rng.random() < 0.5 else len(whole))
        yield bytes(copy)


def outcome(read: Callable[[], T]) -> tuple[T | None, str]:
    """What ``read`` gives, or the sentence that it refuses with; any other exception passes."""
    try:
        return read(), ""
    except ReadError as err:
        return None, err.message


def _flip(copy: bytearray, rng: random.Random, end: int) -> None:
    for _ in range(rng.choice([1, 3, 30])):
        copy[rng.randrange(min(end, len(copy)))] ^= 1 << rng.randrange(8)


def _cut(copy: bytearray, rng: random.Random, end: int) -> None:
    del copy[rng.randrange(min(end, len(copy))) :]


def _fill(copy: bytearray, rng: random.Random, end: int) -> None:
    start, size = rng.randrange(min(end, len(copy))), rng.choice([4, 64, 4096])
    copy[start : start + size] = bytes([rng.choice([0, 255])]) * len(copy[start : start + size])


def _swap(copy: bytearray, rng: random.Random, end: int) -> None:
    a, b = rng.randrange(min(end, len(copy))), rng.randrange(len(copy))
    copy[a : a + 64], copy[b : b + 64] = copy[b : b + 64], copy[a : a + 64]


def _insert(copy: bytearray, rng: random.Random, end: int) -> None:
    at = rng.randrange(min(end, len(copy)))
    copy[at:at] = rng.randbytes(rng.choice([1, 7, 100]))
