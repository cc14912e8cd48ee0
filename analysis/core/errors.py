"""Errors whose text is written for the person at the screen."""


class UserError(Exception):
    """The user can fix this: wrong file, wrong parameter, unusable data.

    ``message`` says in one sentence what is wrong with *their* thing, ``hint`` what to do.
    Anything that is not a ``UserError`` is a bug and is reported as one.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by the default pickling, which process pools use.
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[UserError], message: str, hint: str) -> UserError:
    return kind(message, hint=hint)


class ReadError(UserError):
    """The file is not what the reader expects."""


class DataError(UserError):
    """The dataset breaks its schema or cannot support this analysis."""


class ParamError(UserError):
    """A parameter value is out of range or inconsistent with the data."""


class StoreError(UserError):
    """The workspace lacks what was asked for, or is damaged."""
