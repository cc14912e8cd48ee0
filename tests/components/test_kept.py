"""What pages remember: made once for all who ask at the same time, kept only where it is whole."""

import threading
import time

from components.kept import Kept


def test_those_who_ask_at_once_wait_for_one_making() -> None:
    kept = Kept[int](4, whole=lambda made: made > 0)
    made: list[int] = []

    def make() -> int:
        time.sleep(0.05)
        made.append(1)
        return 7

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(kept.get("place", make))) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [7] * 6
    assert made == [1]


def test_what_is_not_whole_is_made_again_and_the_oldest_goes_first() -> None:
    kept = Kept[int](2, whole=lambda made: made > 0)
    made: list[str] = []

    def making(name: str, value: int) -> int:
        made.append(name)
        return value

    assert [kept.get("a", lambda: making("a", 0)) for _ in range(2)] == [0, 0]
    for name in ("b", "c", "b", "d", "b", "c"):
        kept.get(name, lambda name=name: making(name, 1))  # type: ignore[misc]
    assert made == ["a", "a", "b", "c", "d", "c"]
    kept.clear()
    kept.get("b", lambda: making("b", 1))
    assert made[-1] == "b"
