"""How far the running work is. Apart from the runner, so that a recipe which reports needs no store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_report: ContextVar[Callable[[float, str], None]] = ContextVar("report", default=lambda _fraction, _message: None)


def report(fraction: float, message: str = "") -> None:
    """Say how far the running recipe or import is, 0 … 1; whoever runs it decides what becomes of it.

    Call it from the thread in which the recipe was called.
    """
    _report.get()(min(max(fraction, 0.0), 1.0), message)


@contextmanager
def reporting(to: Callable[[float, str], None]) -> Iterator[None]:
    """Send what is reported inside the block to ``to``."""
    token = _report.set(to)
    try:
        yield
    finally:
        _report.reset(token)


@contextmanager
def stage(start: float, end: float) -> Iterator[None]:
    """What is reported inside counts from ``start`` to ``end`` of the whole."""
    outer = _report.get()
    with reporting(lambda fraction, message: outer(start + (end - start) * fraction, message)):
        yield
