"""Many problems of single inputs take the room of two."""

from typing import Any

from components import notice


def _alerts(parts: list[Any]) -> int:
    return sum(type(part).__name__ == "Alert" for part in parts)


def test_the_first_problem_is_shown_and_the_others_are_one_click_away() -> None:
    found = [(f"particle {i}", "It has no post-edge.") for i in range(6)]
    first, folded = notice.problems([*found, found[0], ("quiet", "")])
    assert type(first).__name__ == "Alert" and first.title == "particle 0"
    assert folded.children[0].children == "and 5 more problems"
    assert [part.title for part in folded.children[1:]] == [what for what, _ in found[1:]]


def test_two_problems_are_shown_as_they_are() -> None:
    assert _alerts(notice.problems([("a", "This."), ("b", "That.")])) == 2
    assert notice.problems([]) == []
