"""What happens to waiting files: they are looked at, judged, imported, and their rows say so.

A *lot* is what is imported as one: a file, several parts of one test, the files of a series (the frames of a scan), or a manifest
with the files that it names. Files that only help to read another go with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from time import monotonic
from typing import Any, Literal

from analysis import tasks
from analysis.catalog import MeasurementRecord
from analysis.core.errors import ParamError, StoreError
from analysis.core.hashing import json_digest
from analysis.core.jobs import Inline, Jobs, Status
from analysis.inspection import Found
from analysis.staging import Staged, safe_name
from components import import_series
from components.context import context, jobs, workspace
from components.import_form import WITH_PARTICLES, Judged, judge, said
from components.import_uploads import staging

INLINE_BYTES = 4 << 20  # read at once, in the request that looks
INLINE_S = 0.4  # of one request
NOT_JUDGED = Judged(False)
State = Literal["reading", "problem", "list", "claimed", "known", "wrong", "ready", "importing", "done"]


@dataclass(frozen=True)
class Lot:
    """Something that is imported as one, and where it stands."""

    sid: str  # of its first part, which holds what is said about all of them
    parts: tuple[Staged, ...]
    found: tuple[Found | None, ...]
    state: State
    judged: Judged = NOT_JUDGED
    job: Status | None = None
    sentence: str = ""  # what is in its way, or worth knowing
    hint: str = ""
    files: Mapping[str, str] | None = None  # of a manifest: as it spells them → where they lie
    helpers: tuple[Staged, ...] = ()  # what is read with it: lists of energies, images of a header
    is_series: bool = False  # its parts are one dataset

    @property
    def is_manifest(self) -> bool:
        return self.found[0] is not None and self.found[0].kind == "manifest"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the readers said, each once."""
        return tuple(dict.fromkeys(w for f in self.found if f is not None for w in f.warnings))

    @property
    def takes_words(self) -> bool:
        """Whether something can be said about it in its row."""
        return not self.is_manifest and self.state not in ("claimed", "list", "done", "importing")

    @property
    def rev(self) -> str:
        """Changes when the row must be drawn anew: never while somebody may be typing in it."""
        instead = "" if self.takes_words else f"{self.state} {self.sentence}"
        kind = self.found[0] is not None and self.found[0].modality in WITH_PARTICLES  # asks for other fields
        drawn = [(p.sid, p.form.get("stamp")) for p in self.parts]
        return json_digest([instead, self.is_manifest, self.state == "importing", drawn, kind])[:12]

    @property
    def seen(self) -> str:
        """Changes when what is shown about the open file must be drawn anew."""
        looks = [f and (f.kind, f.asked, f.sha256, f.message) for f in self.found]
        return json_digest([self.rev, self.takes_words, looks, [h.sid for h in self.helpers]])[:12]


# -- looking -----------------------------------------------------------------------------------------------------------------


def found_in(staged: Staged, helpers: Iterable[Staged] = ()) -> Found | None:
    """What inspection said of one file, if it was asked what the form asks now."""
    return _answer(staged.found, _asked(staged, helpers))


def _answer(told: Mapping[str, Any] | None, asked: Mapping[str, Any]) -> Found | None:
    found = None if told is None else Found.model_validate(told)
    return found if found is not None and found.asked == asked else None


def _asked(staged: Staged, helpers: Iterable[Staged] = (), parts: Sequence[Staged] = ()) -> dict[str, Any]:
    form = staged.form
    asked: dict[str, Any] = {"reader": form.get("reader", ""), "options": dict(form.get("options", {})), "look": form.get("look", 0)}
    beside = sorted(h.sid for h in helpers)
    return asked | ({"with": beside} if beside else {}) | ({"parts": [p.sid for p in parts]} if parts else {})


@dataclass
class _Turn:
    """The time that one request may spend on reading; one file is always read."""

    begun: float | None = None

    def is_over(self) -> bool:
        if self.begun is None:
            self.begun = monotonic()
        return monotonic() - self.begun > INLINE_S


def look(shown: Iterable[str]) -> None:
    """Have the files whose rows are shown inspected: small ones now, for as long as one request may take, large ones as jobs."""
    sids, turn = set(shown), _Turn()
    waiting = import_series.waiting(staging().entries())
    for staged in waiting.mains:
        helpers = waiting.helpers(staged)
        is_shown = staged.sid in sids or staged.form.get("test", {}).get("id") in sids
        if is_shown and "done" not in staged.form and found_in(staged, helpers) is None:
            _submit(staged, helpers, (), turn)
    if staging().is_arriving():
        return  # the next file may belong to a series that would be read anew
    found = {s.sid: found_in(s, waiting.helpers(s)) for s in waiting.mains}
    for parts in _together(waiting.mains, found):
        is_shown = bool(sids & {p.sid for p in parts}) and "done" not in parts[0].form
        if is_shown and _is_series(parts, [found[p.sid] for p in parts]):
            leader, helpers = import_series.led(parts), waiting.helpers(*parts)
            if _answer(leader.whole, _asked(leader, helpers, parts)) is None:
                _submit(leader, helpers, parts, turn)


def _submit(staged: Staged, helpers: Sequence[Staged], parts: Sequence[Staged], turn: _Turn) -> None:
    """Have a file, or the files of a series, inspected: at once where they are small and it is still this request's turn."""
    asked = _asked(staged, helpers, parts)
    key = _inspection_key(staged, asked)
    if jobs().status(key).state not in ("unknown", "done"):
        return
    files, title = parts or (staged,), f"Reading {staged.name}" + (f" and {len(parts) - 1} more" if len(parts) > 1 else "")
    payload = {"sid": staged.sid, "asked": asked, "together": bool(parts), "paths": _places(files, helpers)}
    if sum(f.size for f in (*files, *helpers)) > INLINE_BYTES:
        jobs().submit(key, tasks.INSPECT, payload, title=title)
    elif not turn.is_over():
        now = Jobs(workspace().store, Inline())
        if now.submit(key, tasks.INSPECT, payload, title=title).state == "done":
            now.forget(key)


def _places(files: Sequence[Staged], helpers: Sequence[Staged]) -> list[str]:
    """Where files can be read: beside what helps to read them."""
    if not helpers:
        return [str(f.path) for f in files]
    return [str(p) for p in staging().side_by_side(files[0].sid, [*files, *helpers])[: len(files)]]


def _inspection_key(staged: Staged, asked: Mapping[str, Any]) -> str:
    return f"inspect-{staged.sid}-{json_digest(asked)[:8]}"


def _seen(staged: Staged, told: Mapping[str, Any] | None, asked: dict[str, Any]) -> tuple[Found | None, Status]:
    """What is known of a file or series, and the job that looks at it; a job that failed is a problem of the file."""
    key, found = _inspection_key(staged, asked), _answer(told, asked)
    status = jobs().status(key)
    if found is not None and status.state == "done":
        jobs().forget(key)  # what was found says it all
    if found is None and status.state in ("failed", "cancelled"):
        found = Found(kind="problem", asked=asked, message=status.message, hint=status.hint)
    return found, status


# -- judging -----------------------------------------------------------------------------------------------------------------


def lots() -> list[Lot]:
    """Everything that waits, in the order of arrival, what is imported as one at the place of the first."""
    settle()
    entries = staging().entries()
    waiting = import_series.waiting(entries)
    seen = {s.sid: _seen(s, s.found, _asked(s, waiting.helpers(s))) for s in waiting.mains}
    known = _known_files()
    manifests = [(s, f) for s in waiting.mains if (f := seen[s.sid][0]) is not None and f.kind == "manifest" and "done" not in s.form]
    claims = {s.sid: _named(s, f, entries) for s, f in manifests}
    claimed = {sid: _name_of(entries, m) for m, (_, taken) in claims.items() for sid in taken.values()}
    earlier: dict[str, str] = {}
    made = []
    for parts in _together(waiting.mains, {sid: found for sid, (found, _) in seen.items()}):
        found = tuple(seen[p.sid][0] for p in parts)
        if parts[0].sid in claims:
            made.append(_manifest_lot(parts[0], found, claims[parts[0].sid][0]))
        elif parts[0].sid in claimed:
            made.append(Lot(parts[0].sid, parts, found, "claimed", sentence=f"as {claimed[parts[0].sid]} says"))
        else:
            made.append(_lot(parts, found, seen, waiting.helpers(*parts), _twice(parts, found, known, earlier)))
        earlier.update({f.sha256: p.name for p, f in zip(parts, found, strict=True) if f is not None and f.sha256})
    return [*made, *(Lot(h.sid, (h,), (None,), "claimed", sentence=words) for h, words in waiting.claimed)]


def _is_series(parts: Sequence[Staged], found: Sequence[Found | None]) -> bool:
    return bool(parts) and all(f is not None and f.kind == "part" for f in found)


def _lot(
    parts: tuple[Staged, ...],
    found: tuple[Found | None, ...],
    seen: Mapping[str, tuple[Found | None, Status]],
    helpers: tuple[Staged, ...],
    twice: str,
) -> Lot:
    looking = seen[parts[0].sid][1]
    is_series = _is_series(parts, found)
    if is_series:
        leader = import_series.led(parts)
        whole, looking = _seen(leader, leader.whole, _asked(leader, helpers, parts))
        found = (whole,) * len(parts)
    first, ended = parts[0], _ended(parts[0])
    lot = Lot(first.sid, parts, found, "reading", helpers=helpers, is_series=is_series)
    if "done" in first.form:
        return replace(lot, state="done")
    if ended is not None and ended.active:
        return replace(lot, state="importing", job=ended)
    if any(f is None for f in found):
        return replace(lot, job=looking if looking.active else None)
    if found[0] is not None and found[0].kind == "list":
        return replace(lot, state="list", sentence=found[0].message, hint=found[0].hint)
    lot = replace(lot, judged=judge(parts, found, workspace().snapshot().cells))
    obstacle = next((f for f in found if f is not None and f.kind != "data"), None)
    if obstacle is not None:
        failed = looking if looking.state in ("failed", "cancelled") else None
        return replace(lot, state="problem", job=failed, sentence=obstacle.message, hint=obstacle.hint)
    if twice and not any(p.form.get("again") for p in parts):
        return replace(lot, state="known", sentence=twice)
    if not lot.judged.ready:
        return replace(lot, state="wrong", sentence=" ".join(s for _, s in lot.judged.wrong))
    failed = ended if ended is not None and ended.state in ("failed", "cancelled") else None
    return replace(lot, state="ready", job=failed, sentence=failed.message if failed else "", hint=failed.hint if failed else "")


def _manifest_lot(staged: Staged, found: tuple[Found | None, ...], files: dict[str, str | None]) -> Lot:
    ended = _ended(staged)
    there = {spelled: path for spelled, path in files.items() if path is not None}
    if "done" in staged.form:
        return Lot(staged.sid, (staged,), found, "done")
    if ended is not None and ended.active:
        return Lot(staged.sid, (staged,), found, "importing", job=ended, files=there)
    absent = [spelled for spelled, path in files.items() if path is None]
    if absent:
        shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        return Lot(
            staged.sid,
            (staged,),
            found,
            "problem",
            sentence=f"It names files that are not in this list: {shown}.",
            hint="Drop them here too.",
        )
    failed = ended if ended is not None and ended.state in ("failed", "cancelled") else None
    sentence, hint = (failed.message, failed.hint) if failed else ("", "")
    return Lot(staged.sid, (staged,), found, "ready", Judged(True), failed, sentence, hint, there)


def _ended(staged: Staged) -> Status | None:
    key = staged.form.get("job")
    return None if key is None else jobs().status(key)


def _together(entries: Iterable[Staged], found: Mapping[str, Found | None]) -> list[tuple[Staged, ...]]:
    """What is imported as one side by side: parts of one test in their order, files of a series in the order of their names."""
    return import_series.together(entries, found, busy={s.sid for s in entries if (e := _ended(s)) is not None and e.active})


def _known_files() -> dict[str, str]:
    """Content that is in the catalog already → a sentence that says where."""
    return {
        f.sha256: f"This file is here already: {f.original_name} of cell '{m.cell}' ({m.modality})."
        for m in reversed(workspace().snapshot().measurements)
        for f in m.files
    }


def _twice(parts: Iterable[Staged], found: Iterable[Found | None], known: Mapping[str, str], earlier: Mapping[str, str]) -> str:
    for part, f in zip(parts, found, strict=True):
        if f is not None and f.sha256 in known:
            return known[f.sha256]
        if f is not None and f.sha256 in earlier:
            return f"{part.name} has the same content as {earlier[f.sha256]} in this list."
    return ""


def _named(manifest: Staged, found: Found, entries: Iterable[Staged]) -> tuple[dict[str, str | None], dict[str, str]]:
    """Where each file that a manifest names lies (None: nowhere), and which waiting files these are."""
    entries = [e for e in entries if "done" not in e.form]
    by_name = {s.name: s for s in entries if s.sid != manifest.sid}
    helping = import_series.waiting(entries).helping
    places: dict[str, str | None] = {}
    taken: dict[str, str] = {}
    for spelled in import_series.spelled_out(found.files, tuple(by_name)):
        waiting = by_name.get(safe_name(PureWindowsPath(spelled).name))
        beside = manifest.path.parent / spelled.replace("\\", "/") if manifest.referenced else None
        if waiting is not None:
            for file in (waiting, *helping.get(waiting.sid, ())):
                place = spelled if file is waiting else f"{spelled.removesuffix(PureWindowsPath(spelled).name)}{file.name}"
                places[place], taken[place] = str(file.path), file.sid
        else:
            places[spelled] = str(beside) if beside is not None and beside.is_file() and is_allowed(beside) else None
    return places, taken


def is_allowed(path: Path) -> bool:
    """Whether a file of this machine lies below one of the folders given at start, whatever links say."""
    real = path.resolve()
    return any(real.is_relative_to(root) for root in context().roots)


def _name_of(entries: Iterable[Staged], sid: str) -> str:
    return next(s.name for s in entries if s.sid == sid)


# -- importing ---------------------------------------------------------------------------------------------------------------


def start(lot: Lot) -> None:
    """Import a lot that is ready, as a job of its own."""
    first = lot.parts[0]
    outside = [p.name for p in (*lot.parts, *lot.helpers) if p.referenced and not is_allowed(p.path)]
    if outside:
        raise ParamError(f"{outside[0]} is not below the folders that were given at start any more.", hint="Remove it and add it again.")
    key = f"import-{first.sid}"
    again = bool(first.form.get("again"))
    if lot.is_manifest:
        jobs().submit(
            key, tasks.MANIFEST, {"sid": first.sid, "files": dict(lot.files or {}), "again": again}, title=f"Importing {first.name}"
        )
    else:
        more = f" and {len(lot.parts) - 1} more" if len(lot.parts) > 1 else ""
        payload = {**(lot.judged.payload or {}), "paths": _places(lot.parts, lot.helpers)}
        staging().say(first.sid, taken=[p.sid for p in lot.parts], helped=[h.sid for h in lot.helpers])
        jobs().submit(key, tasks.IMPORT, payload, title=f"Importing {first.name}{more}")
    staging().say(first.sid, job=key)


def settle() -> None:
    """Note which imports have ended well, and give back the bytes that are kept elsewhere now."""
    entries = staging().entries()
    for first in entries:
        ended = _ended(first)
        if ended is None or ended.state != "done" or "done" in first.form:
            continue
        found = None if first.found is None else Found.model_validate(first.found)
        with suppress(StoreError):  # another page of this workspace was faster
            staging().say(first.sid, done=ended.result)
            gone = {sid for sid in first.form.get("taken", ()) if sid != first.sid} | _unneeded(first)
            if found is not None and found.kind == "manifest":
                gone |= set(_named(first, found, entries)[1].values())
            for sid in gone & {e.sid for e in entries}:
                staging().discard(sid)
            staging().drop_content(first.sid)


def _unneeded(first: Staged) -> set[str]:
    """What helped to read a lot that is imported now, and helps no other."""
    gone = (first.sid, *first.form.get("taken", ()))
    others = [e for e in staging().entries() if e.sid not in gone and "done" not in e.form]  # some may have been settled just now
    left = import_series.waiting(others)
    return set(first.form.get("helped", ())) - {h.sid for s in left.mains for h in left.helpers(s)}


def imported(lot: Lot) -> MeasurementRecord | None:
    """The measurement that a lot has become; None for a manifest, or if it was deleted since."""
    number = str(lot.parts[0].form.get("done", ""))
    if lot.is_manifest or not number.isdigit():
        return None
    return next((m for m in workspace().snapshot().measurements if m.id == int(number)), None)


# -- changing ----------------------------------------------------------------------------------------------------------------


def fill_in(sid: str, fields: Mapping[str, Any], *, stamp: str = "") -> bool:
    """Keep what is said about a file; True where that is something new. ``stamp`` has its row drawn anew."""
    staged = staging().entry(sid)
    now = said(staged)
    if all(now.get(k, "") == ("" if v is None else v) for k, v in fields.items()):
        return False
    kept = {**staged.form.get("fields", {}), **fields}
    after = {k: v for k, v in kept.items() if v not in (None, "") or k == "cell.name"}
    staging().say(sid, fields=after, **({"stamp": stamp} if stamp else {}))
    return True


def look_again(sid: str) -> None:
    """Have a file inspected once more."""
    staging().say(sid, look=int(staging().entry(sid).form.get("look", 0)) + 1)


def join(sids: Iterable[str]) -> None:
    """Make files parts of one measurement, in the order in which their records start, else of arrival."""
    parts = [staging().entry(sid) for sid in sids]
    starts = {p.sid: (found.start_time if (found := found_in(p)) else "") for p in parts}
    ordered = sorted(parts, key=lambda p: starts[p.sid]) if all(starts.values()) else parts
    for order, part in enumerate(ordered):
        staging().say(part.sid, test={"id": ordered[0].sid, "order": order}, alone=None)


def split(lot: Lot) -> None:
    """Make what was one measurement files of their own again."""
    for part in lot.parts:
        staging().say(part.sid, test=None, alone=True)


def move(lot: Lot, sid: str, by: int) -> None:
    """Move a part of a test up or down; what is said about the test stays with it."""
    order = [p.sid for p in lot.parts]
    at = order.index(sid)
    to = min(max(at + by, 0), len(order) - 1)
    order[at], order[to] = order[to], order[at]
    form = lot.parts[0].form
    for number, part in enumerate(order):
        staging().say(part, test={"id": form["test"]["id"], "order": number})
    if order[0] != lot.sid:
        staging().say(order[0], fields=form.get("fields"), again=form.get("again"))
