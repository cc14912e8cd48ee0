"""Which waiting files go together: the files of a series, and those that only help to read another."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PureWindowsPath

from analysis.catalog.manifest import is_pattern
from analysis.formats.file_names import natural
from analysis.inspection import Found
from analysis.series import companions
from analysis.staging import Staged, safe_name
from components.context import workspace
from components.import_uploads import staging

MOST_NAMED = 3


@dataclass(frozen=True)
class Waiting:
    """The waiting files that are looked at by themselves, and what helps to read them."""

    mains: tuple[Staged, ...]
    helping: Mapping[str, tuple[Staged, ...]]  # id of a main file → files that help to read it
    claimed: tuple[tuple[Staged, str], ...]  # the others, and what becomes of them

    def helpers(self, *mains: Staged) -> tuple[Staged, ...]:
        return tuple({h.sid: h for m in mains for h in self.helping.get(m.sid, ())}.values())


def waiting(entries: Sequence[Staged]) -> Waiting:
    """Tell files from what helps to read them: by their names, or because somebody chose them for that."""
    by_name = {e.name: e for e in entries if "done" not in e.form}
    beside = {n: [by_name[m] for m in mains] for n, mains in companions(tuple(by_name), workspace().registry).items()}
    chosen: dict[str, list[Staged]] = {}
    for main in by_name.values():
        for name in main.form.get("lists", {}).values():
            if name in by_name and name != main.name and name not in beside:
                chosen.setdefault(name, []).append(main)
    helping: dict[str, tuple[Staged, ...]] = {}
    for name, mains in beside.items():
        for main in mains:
            helping[main.sid] = (*helping.get(main.sid, ()), by_name[name])
    claimed = tuple((by_name[n], _with(mains)) for n, mains in {**chosen, **beside}.items())
    others = {e.sid for e, _ in claimed}
    return Waiting(tuple(e for e in entries if e.sid not in others), helping, claimed)


def _with(mains: Sequence[Staged]) -> str:
    names = [m.name for m in mains]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"goes with {', '.join(names[:MOST_NAMED])}{more}"


def together(entries: Iterable[Staged], found: Mapping[str, Found | None], *, busy: Collection[str]) -> list[tuple[Staged, ...]]:
    """Files grouped as they are imported, in the order of arrival of the first; what is being imported takes nothing new in."""
    taken = {sid: e.sid for e in entries if e.sid in busy for sid in e.form.get("taken", ())}
    groups: dict[object, list[Staged]] = {}
    for entry in entries:
        groups.setdefault(_group(entry, found.get(entry.sid), taken), []).append(entry)
    return [_ordered(key, parts) for key, parts in groups.items()]


def _group(entry: Staged, found: Found | None, taken: Mapping[str, str]) -> object:
    if entry.sid in taken:
        return taken[entry.sid]
    if "done" in entry.form or entry.form.get("alone"):
        return entry.sid
    if test := entry.form.get("test"):
        return test["id"]
    return (found.reader, found.series) if found is not None and found.kind == "part" else entry.sid


def _ordered(key: object, parts: Sequence[Staged]) -> tuple[Staged, ...]:
    if isinstance(key, tuple):
        return tuple(sorted(parts, key=lambda p: natural(p.name)))
    return tuple(sorted(parts, key=lambda p: p.form.get("test", {}).get("order", 0)))


def led(parts: Sequence[Staged]) -> Staged:
    """The first file of a series, which holds what is said about all: taken over from another where that one was first before."""
    first = parts[0]
    before = next((p for p in parts[1:] if p.form.get("fields") or p.form.get("options")), None)
    if before is None or first.form.get("fields") or first.form.get("options") or "job" in before.form:
        return first
    handed = {n: before.form.get(n) for n in ("fields", "options", "lists")}
    staging().say(first.sid, **handed, stamp="handed over")
    staging().say(before.sid, **dict.fromkeys(handed))
    return staging().entry(first.sid)


def spelled_out(named: Iterable[str], waiting_names: Sequence[str]) -> list[str]:
    """The files that a manifest names, patterns replaced by the waiting files that they mean; a pattern without any stays."""
    spelled: list[str] = []
    for name in named:
        pattern = PureWindowsPath(name).name
        meant = [n for n in waiting_names if fnmatchcase(n, safe_name(pattern) if not is_pattern(pattern) else pattern)]
        folder = name.removesuffix(pattern)
        spelled += [f"{folder}{n}" for n in sorted(meant, key=natural)] if is_pattern(name) and meant else [name]
    return spelled
