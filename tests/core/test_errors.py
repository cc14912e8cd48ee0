"""Errors as people see them, and as they cross from one process to another."""

import pickle

import pytest

from analysis.core.errors import DataError, ParamError, ReadError, StoreError, UserError

KINDS = [UserError, ReadError, DataError, ParamError, StoreError]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_pickling_with_its_hint(kind: type[UserError]) -> None:
    err = pickle.loads(pickle.dumps(kind("Row 7 is cut off.", hint="Export the file again.")))  # noqa: S301 - made here
    assert type(err) is kind
    assert (err.message, err.hint) == ("Row 7 is cut off.", "Export the file again.")


def test_the_text_is_sentence_and_hint() -> None:
    assert str(ReadError("Row 7 is cut off.", hint="Export it again.")) == "Row 7 is cut off. Export it again."
    assert str(ReadError("Row 7 is cut off.")) == "Row 7 is cut off."


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_caught_as_a_user_error(kind: type[UserError]) -> None:
    with pytest.raises(UserError, match="Nothing here"):
        raise kind("Nothing here.")
