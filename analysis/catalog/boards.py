"""Review boards: pinned figures, notes, decisions, and every version of them.

A board's content is one checked record. Each save adds a version and names the version that it was made from: where
somebody else has saved meanwhile, nothing is written and the sentence says so. What a figure shows is pinned by the keys
of its results, so that no later run changes it.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from analysis.catalog import rows
from analysis.catalog.database import Database
from analysis.catalog.models import Board, BoardVersion
from analysis.catalog.records import Fields, Line, Name, Text
from analysis.core.errors import ParamError, StoreError
from analysis.core.params import Params

Key = Annotated[str, StringConstraints(pattern=r"^[der]-[0-9A-Za-z]{1,64}$")]
PinId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
MOST_PINS = 200
MOST_ACTIONS = 500
MOST_ITEMS = 5000


def new_id() -> str:
    return secrets.token_hex(4)


class PinnedItem(Params):
    """One dataset of a figure: ``key`` is what is drawn, ``source`` the result that it was taken from where that is another."""

    key: Key
    source: Key | None = None
    label: str = ""
    group: str = ""
    origin: Literal["measured", "synthetic"] = "measured"
    id: str = ""


class Pin(Fields):
    """A figure as it was when it was pinned: what it shows, how, and where it stood."""

    id: PinId = Field(default_factory=new_id)
    view: Name
    figure: Name
    title: Name
    note: Text | None = None
    page: Annotated[str, StringConstraints(pattern=r"^/[a-z0-9_/-]{0,80}$")] = "/"
    query: dict[str, str] = Field(default_factory=dict)
    params: dict[str, Any] = Field(default_factory=dict)
    items: tuple[PinnedItem, ...] = Field((), max_length=MOST_ITEMS)
    groups: tuple[str, ...] = ()
    layout: dict[str, Any] = Field(default_factory=dict)
    pinned_at: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Everything in the store that the figure stands on."""
        return tuple(dict.fromkeys(k for i in self.items for k in (i.key, i.source) if k))

    @property
    def origins(self) -> set[str]:
        return {i.origin for i in self.items}


class Action(Fields):
    """A decision that was taken, or something that somebody will do."""

    id: PinId = Field(default_factory=new_id)
    what: Literal["decision", "action"] = "action"
    text: Annotated[Text, StringConstraints(min_length=1)] = Field(title="Text")
    owner: Line | None = Field(None, title="Owner")
    date: dt.date | None = Field(None, title="Date")
    done: bool = False


class BoardContent(Fields):
    """All that a board says, in order."""

    title: Name = Field(title="Title")
    notes: Text | None = Field(None, title="Notes")
    pins: tuple[Pin, ...] = Field((), max_length=MOST_PINS)
    actions: tuple[Action, ...] = Field((), max_length=MOST_ACTIONS)

    def pin(self, pin_id: str) -> Pin:
        for pin in self.pins:
            if pin.id == pin_id:
                return pin
        raise StoreError("This figure is not on the board any more.", hint="Somebody may have removed it; load the board again.")


class VersionRecord(Params):
    """One save of a board."""

    version: int
    change: str
    saved_at: dt.datetime


class BoardRecord(Params):
    """A board in one of its versions; ``latest`` is the newest there is."""

    id: int
    name: str
    version: int
    latest: int
    saved_at: dt.datetime
    content: BoardContent


class Boards:
    """The boards of a workspace; each method is one short transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> tuple[BoardRecord, ...]:
        """Every board in its newest version, in the order they were made."""
        with self._db.read() as s:
            return tuple(_record(s, b, b.version) for b in s.scalars(select(Board).order_by(Board.id)))

    def get(self, ref: int | str, version: int | None = None) -> BoardRecord:
        """A board by its number or name, in its newest or an older version."""
        with self._db.read() as s:
            board = _find(s, ref)
            return _record(s, board, board.version if version is None else version)

    def versions(self, ref: int | str) -> tuple[VersionRecord, ...]:
        """All saves, the newest first."""
        with self._db.read() as s:
            found = s.scalars(select(BoardVersion).where(BoardVersion.board_id == _find(s, ref).id).order_by(BoardVersion.version.desc()))
            return tuple(VersionRecord(version=v.version, change=v.change, saved_at=v.saved_at) for v in found)

    def add(self, name: str, *, notes: str | None = None) -> BoardRecord:
        content = BoardContent.check({"title": name, "notes": notes})
        with self._db.write() as s:
            _free(s, content.title)
            board = Board(name=content.title, version=1)
            s.add(board)
            s.flush()
            return _written(s, board, content, "made")

    def save(
        self, ref: int | str, change: Callable[[BoardContent], BoardContent], what: str, *, expected: int | None = None
    ) -> BoardRecord:
        """Write ``change(newest content)`` as the next version; ``what`` says in a few words what was done.

        ``expected`` is the version that the change was made from: another newest version is refused. Without it the change
        must be one that fits any version, such as one more figure.
        """
        with self._db.write() as s:
            board = _find(s, ref)
            if expected is not None and expected != board.version:
                latest = _version(s, board, board.version)
                raise StoreError(
                    f"'{board.name}' was saved meanwhile by somebody else (version {board.version}: {latest.change}); "
                    "your change was not written over it.",
                    hint="Load the board again, then make your change once more; what you typed still stands here.",
                )
            content = change(_content(s, board, board.version))
            content = BoardContent.check(content.model_dump(mode="json"))
            if content.title != board.name:
                _free(s, content.title)
                board.name = content.title
            board.version += 1
            return _written(s, board, content, what)

    def restore(self, ref: int | str, version: int, *, expected: int | None = None) -> BoardRecord:
        """Make an older version the newest one; the versions between stay."""
        older = self.get(ref, version).content
        return self.save(ref, lambda _now: older, f"version {version} restored", expected=expected)

    def delete(self, ref: int | str) -> str:
        """Remove a board with all its versions; its results stay until the workspace is pruned."""
        with self._db.write() as s:
            board = _find(s, ref)
            name = board.name
            s.delete(board)
            return name

    def pinned(self) -> set[str]:
        """Keys that any version of any board stands on."""
        with self._db.read() as s:
            return {key for content in s.scalars(select(BoardVersion.content)) for key in _keys(content)}


def _keys(content: dict[str, Any]) -> Iterator[str]:
    for pin in content.get("pins", ()):
        for item in pin.get("items", ()):
            yield from (str(item[n]) for n in ("key", "source") if item.get(n))


def _find(session: Session, ref: int | str) -> Board:
    if isinstance(ref, int):
        return rows.by_id(session, Board, ref, "board")
    found = session.scalar(select(Board).where(Board.name == ref))
    if found is None:
        names: Sequence[str] = session.scalars(select(Board.name).order_by(Board.id)).all()
        raise StoreError(f"There is no board '{ref}'.", hint=f"Known boards: {', '.join(names) or 'none'}.")
    return found


def _free(session: Session, name: str) -> None:
    if session.scalar(select(Board.id).where(Board.name == name)) is not None:
        raise ParamError(f"There is already a board '{name}'.", hint="Choose another name.")


def _version(session: Session, board: Board, version: int) -> BoardVersion:
    found = session.scalar(select(BoardVersion).where(BoardVersion.board_id == board.id, BoardVersion.version == version))
    if found is None:
        raise StoreError(f"'{board.name}' has no version {version}.", hint=f"Its versions are 1 to {board.version}.")
    return found


def _content(session: Session, board: Board, version: int) -> BoardContent:
    return BoardContent.check(_version(session, board, version).content, subject=f"board '{board.name}'")


def _record(session: Session, board: Board, version: int) -> BoardRecord:
    row = _version(session, board, version)
    content = BoardContent.check(row.content, subject=f"board '{board.name}'")
    return BoardRecord(id=board.id, name=board.name, version=version, latest=board.version, saved_at=row.saved_at, content=content)


def _written(session: Session, board: Board, content: BoardContent, what: str) -> BoardRecord:
    session.add(BoardVersion(board_id=board.id, version=board.version, change=what, content=content.model_dump(mode="json")))
    session.flush()
    return _record(session, board, board.version)
