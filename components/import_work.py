"""What happens to waiting files: they are looked at, judged, imported, and their rows say so.

A *lot* is what is imported as one: a file, several parts of one test, or a manifest with the files that it names.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
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
from components.context import context, jobs, workspace
from components.import_form import Judged, judge, said
from components.import_uploads import staging

INLINE_BYTES = 4 << 20  # read at once, in the request that looks
INLINE_S = 0.4  # of one request
NOT_JUDGED = Judged(False)
State = Literal["reading", "problem", "claimed", "known", "wrong", "ready", "importing", "done"]


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
        return not self.is_manifest and self.state not in ("claimed", "done", "importing")

    @property
    def rev(self) -> str:
        """Changes when the row must be drawn anew: never while somebody may be typing in it."""
        instead = "" if self.takes_words else f"{self.state} {self.sentence}"
        return json_digest([instead, self.is_manifest, self.state == "importing", [(p.sid, p.form.get("stamp")) for p in self.parts]])[:12]

    @property
    def seen(self) -> str:
        """Changes when what is shown about the open file must be drawn anew."""
        looks = [f and (f.kind, f.asked, f.sha256, f.message) for f in self.found]
        return json_digest([self.rev, self.takes_words, looks])[:12]


# -- looking -----------------------------------------------------------------------------------------------------------------


def found_in(staged: Staged) -> Found | None:
    """What inspection said, if it was asked what the form asks now."""
    found = None if staged.found is None else Found.model_validate(staged.found)
    return found if found is not None and found.asked == _asked(staged) else None


def _asked(staged: Staged) -> dict[str, Any]:
    form = staged.form
    return {"reader": form.get("reader", ""), "options": dict(form.get("options", {})), "look": form.get("look", 0)}


def look(shown: Iterable[str]) -> None:
    """Have the files whose rows are shown inspected: small ones now, for as long as one request may take, large ones as jobs."""
    sids = set(shown)
    spent = 0.0
    for staged in staging().entries():
        is_shown = staged.sid in sids or staged.form.get("test", {}).get("id") in sids
        if not is_shown or found_in(staged) is not None or "done" in staged.form:
            continue
        key = _inspection_key(staged)
        if jobs().status(key).state not in ("unknown", "done"):
            continue
        payload = {"sid": staged.sid, "asked": _asked(staged)}
        if staged.size > INLINE_BYTES:
            jobs().submit(key, tasks.INSPECT, payload, title=f"Reading {staged.name}")
        elif spent < INLINE_S:
            begun = monotonic()
            Jobs(workspace().store, Inline()).submit(key, tasks.INSPECT, payload, title=f"Reading {staged.name}")
            spent += monotonic() - begun


def _inspection_key(staged: Staged) -> str:
    return f"inspect-{staged.sid}-{json_digest(_asked(staged))[:8]}"


def _seen(staged: Staged) -> tuple[Found | None, Status]:
    """What is known of a file, and the job that looks at it; a job that failed is a problem of the file."""
    status = jobs().status(_inspection_key(staged))
    found = found_in(staged)
    if found is None and status.state in ("failed", "cancelled"):
        found = Found(kind="problem", asked=_asked(staged), message=status.message, hint=status.hint)
    return found, status


# -- judging -----------------------------------------------------------------------------------------------------------------


def lots() -> list[Lot]:
    """Everything that waits, in the order of arrival, parts of a test together at the place of the first."""
    settle()
    entries = staging().entries()
    seen = {s.sid: _seen(s) for s in entries}
    known = _known_files()
    manifests = [(s, f) for s in entries if (f := seen[s.sid][0]) is not None and f.kind == "manifest" and "done" not in s.form]
    claims = {s.sid: _named(s, f, entries) for s, f in manifests}
    claimed = {sid: m for m, (_, taken) in claims.items() for sid in taken.values()}
    earlier: dict[str, str] = {}
    made = []
    for parts in _together(entries):
        first, found = parts[0], tuple(seen[p.sid][0] for p in parts)
        if first.sid in claims:
            made.append(_manifest_lot(first, found, claims[first.sid][0]))
        elif first.sid in claimed:
            made.append(Lot(first.sid, parts, found, "claimed", sentence=_name_of(entries, claimed[first.sid])))
        else:
            made.append(_lot(parts, found, seen[first.sid][1], _twice(parts, found, known, earlier)))
        earlier.update({f.sha256: p.name for p, f in zip(parts, found, strict=True) if f is not None and f.sha256})
    return made


def _lot(parts: tuple[Staged, ...], found: tuple[Found | None, ...], looking: Status, twice: str) -> Lot:
    first, ended = parts[0], _ended(parts[0])
    if "done" in first.form:
        return Lot(first.sid, parts, found, "done")
    if ended is not None and ended.active:
        return Lot(first.sid, parts, found, "importing", job=ended)
    if any(f is None for f in found):
        return Lot(first.sid, parts, found, "reading", job=looking if looking.active else None)
    judged = judge(parts, found, workspace().snapshot().cells)
    obstacle = next((f for f in found if f is not None and f.kind != "data"), None)
    if obstacle is not None:
        failed = looking if looking.state in ("failed", "cancelled") else None
        return Lot(first.sid, parts, found, "problem", judged, failed, obstacle.message, obstacle.hint)
    if twice and not any(p.form.get("again") for p in parts):
        return Lot(first.sid, parts, found, "known", judged, sentence=twice)
    if not judged.ready:
        return Lot(first.sid, parts, found, "wrong", judged, sentence=" ".join(s for _, s in judged.wrong))
    failed = ended if ended is not None and ended.state in ("failed", "cancelled") else None
    return Lot(
        first.sid, parts, found, "ready", judged, job=failed, sentence=failed.message if failed else "", hint=failed.hint if failed else ""
    )


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


def _together(entries: Iterable[Staged]) -> list[tuple[Staged, ...]]:
    """Parts of one test side by side, in their order."""
    tests: dict[str, list[Staged]] = {}
    for staged in entries:
        tests.setdefault(staged.form.get("test", {}).get("id", staged.sid), []).append(staged)
    return [tuple(sorted(parts, key=lambda p: p.form.get("test", {}).get("order", 0))) for parts in tests.values()]


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
    by_name = {s.name: s for s in entries if s.sid != manifest.sid and "done" not in s.form}
    places: dict[str, str | None] = {}
    taken: dict[str, str] = {}
    for spelled in found.files:
        waiting = by_name.get(safe_name(PureWindowsPath(spelled).name))
        beside = manifest.path.parent / spelled.replace("\\", "/") if manifest.referenced else None
        if waiting is not None:
            places[spelled], taken[spelled] = str(waiting.path), waiting.sid
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
    outside = [p.name for p in lot.parts if p.referenced and not is_allowed(p.path)]
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
        jobs().submit(key, tasks.IMPORT, dict(lot.judged.payload or {}), title=f"Importing {first.name}{more}")
    staging().say(first.sid, job=key)


def settle() -> None:
    """Note which imports have ended well, and give back the bytes that are kept elsewhere now."""
    entries = staging().entries()
    for parts in _together(entries):
        ended = _ended(parts[0])
        if ended is None or ended.state != "done" or "done" in parts[0].form:
            continue
        found = found_in(parts[0])
        with suppress(StoreError):  # another page of this workspace was faster
            staging().say(parts[0].sid, done=ended.result)
            for part in parts[1:]:
                staging().discard(part.sid)
            if found is not None and found.kind == "manifest":
                for sid in _named(parts[0], found, entries)[1].values():
                    staging().discard(sid)
            staging().drop_content(parts[0].sid)


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
    """Make files parts of one test, in the order in which their records start, else of arrival."""
    parts = [staging().entry(sid) for sid in sids]
    starts = {p.sid: (found.start_time if (found := found_in(p)) else "") for p in parts}
    ordered = sorted(parts, key=lambda p: starts[p.sid]) if all(starts.values()) else parts
    for order, part in enumerate(ordered):
        staging().say(part.sid, test={"id": ordered[0].sid, "order": order})


def split(lot: Lot) -> None:
    """Make the parts of a test files of their own again."""
    for part in lot.parts:
        staging().say(part.sid, test=None)


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
