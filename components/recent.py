"""What was made lately, kept by everything that it depends on; two who ask at once wait for one making."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

MAKERS = 32  # places that can be made at the same time


class Recent(Generic[T]):
    """The last ``size`` things that were ``whole`` when they were made."""

    def __init__(self, size: int, whole: Callable[[T], bool]) -> None:
        self._size, self._whole = size, whole
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()
        self._making = [threading.RLock() for _ in range(MAKERS)]

    def get(self, place: Hashable, make: Callable[[], T]) -> T:
        """What is kept under a place, else what ``make`` gives now."""
        if (known := self._known(place)) is not None:
            return known
        with self._making[hash(place) % MAKERS]:
            if (known := self._known(place)) is not None:
                return known
            made = make()
            if self._whole(made):
                self._keep(place, made)
            return made

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def _known(self, place: Hashable) -> T | None:
        with self._lock:
            if place in self._kept:
                self._kept.move_to_end(place)
            return self._kept.get(place)

    def _keep(self, place: Hashable, made: T) -> None:
        with self._lock:
            self._kept[place] = made
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
