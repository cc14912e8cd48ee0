"""What was made for a request and may be asked for again: kept up to a number of bytes, made once for all who ask at the same time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Kept(Generic[Thing]):
    """Made things by what they depend on; the least recently used go first.

    Parameters
    ----------
    limit
        Of the sum of ``size`` over what is kept: bytes, or things where each counts one.
    whole
        Whether a thing is worth keeping; one that is not is made again for the next who asks.
    """

    def __init__(self, limit: int, size: Callable[[Thing], int] = lambda _: 1, whole: Callable[[Thing], bool] = lambda _: True) -> None:
        self.limit, self.held = limit, 0
        self._size, self._whole = size, whole
        self._kept: OrderedDict[Hashable, Future[Thing]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, place: Hashable, make: Callable[[], Thing]) -> Thing:
        """The thing at a place, made now if it is not there; whoever asks meanwhile waits for it. An error is not kept."""
        with self._lock:
            known = self._kept.get(place)
            if known is not None:
                self._kept.move_to_end(place)
            else:
                mine = self._kept[place] = Future()
        if known is not None:
            return known.result()
        try:
            made = make()
        except BaseException as err:
            self._settle(place, mine, 0, keep=False)
            mine.set_exception(err)
            raise
        mine.set_result(made)
        self._settle(place, mine, self._size(made), keep=self._whole(made))
        return made

    def peek(self, place: Hashable) -> Thing | None:
        """The thing at a place if it is there and whole."""
        with self._lock:
            known = self._kept.get(place)
        return known.result() if known is not None and known.done() and known.exception() is None else None

    def clear(self) -> None:
        """Forget everything; what is being made still reaches those who wait for it."""
        with self._lock:
            self._kept.clear()
            self.held = 0

    def __contains__(self, place: Hashable) -> bool:
        return place in self._kept

    def _settle(self, place: Hashable, mine: "Future[Thing]", size: int, *, keep: bool) -> None:
        """Count what was made, or forget its place; then the oldest leave, but not the last."""
        with self._lock:
            if self._kept.get(place) is not mine:
                return  # cleared meanwhile
            if not keep:
                del self._kept[place]
                return
            self.held += size
            for old in list(self._kept)[:-1]:
                if self.held <= self.limit:
                    return
                if old != place and self._kept[old].done():
                    self.held -= self._size(self._kept.pop(old).result())
