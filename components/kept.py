"""What was made for a request and may be asked for again: kept up to a number of bytes, made once for all who ask at the same time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Kept(Generic[Thing]):
    """Made things by what they depend on; the least recently used go first."""

    def __init__(self, limit: int, size: Callable[[Thing], int]) -> None:
        self.limit, self.held = limit, 0
        self._size = size
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
            with self._lock:
                del self._kept[place]
            mine.set_exception(err)
            raise
        mine.set_result(made)
        self._make_room(made)
        return made

    def peek(self, place: Hashable) -> Thing | None:
        """The thing at a place if it is there and whole."""
        with self._lock:
            known = self._kept.get(place)
        return known.result() if known is not None and known.done() and known.exception() is None else None

    def __contains__(self, place: Hashable) -> bool:
        return place in self._kept

    def _make_room(self, added: Thing) -> None:
        with self._lock:
            self.held += self._size(added)
            for place in list(self._kept)[:-1]:
                if self.held <= self.limit:
                    return
                if self._kept[place].done():
                    self.held -= self._size(self._kept.pop(place).result())
