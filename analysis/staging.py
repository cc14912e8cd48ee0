"""Files that have arrived but are not imported yet: bytes, what was found in them, what the user says about them.

A workspace keeps them in ``incoming/<id>/``; ``temp/`` would not do, because what no living writer locks there is swept:

    arrived.json      name, size, time stamp, source; never changed
    part              the bytes so far, while they are uploaded
    content/<name>    the whole file; absent where ``source`` names a file that stays where it is
    found.json        what inspection said (see analysis.inspection), written by the inspector only
    form.json         what the user said, written by the server only
    laid/             links to the files of a manifest, as it names them

Everything survives a restart of the server and a reload of the page.
"""

import json
import os
import re
import secrets
import shutil
import threading
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from analysis.core import settings
from analysis.core.errors import ParamError, StoreError, UserError
from analysis.core.hashing import json_digest

FOLDER = "incoming"
CHUNK_BYTES = 8 << 20  # what one request may carry
BLOCK_BYTES = 1 << 20  # what is held in memory
MAX_BYTES = 64 << 30
SPARE_BYTES = 512 << 20  # left free for the catalog, results and everybody else
ARRIVING_S = 5.0  # since the last piece
STALE_S = 24 * 3600
NAME_LENGTH = 150

_SID = re.compile(r"[0-9a-f]{32}")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


class OffsetError(UserError):
    """A piece does not follow on what is there; ``offset`` says where to go on."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"The upload stands at byte {offset}.", hint="Go on from there.")
        self.offset = offset


class RoomError(UserError):
    """The file is larger than allowed, or than the disk has room for."""


@dataclass(frozen=True)
class Staged:
    """One file as it waits."""

    sid: str
    name: str
    size: int
    path: Path
    referenced: bool  # stays where it is until it is imported; never deleted
    arrived: int
    form: Mapping[str, Any]
    found: Mapping[str, Any] | None
    whole: Mapping[str, Any] | None = None  # of the series whose first part this file is


class Staging:
    """The waiting files of one workspace."""

    _writing = threading.Lock()

    def __init__(self, workspace: Path) -> None:
        self.root = Path(workspace) / FOLDER

    # -- arriving ------------------------------------------------------------------------------------------------------
    def begin(self, name: str, size: int, *, stamp: str = "") -> tuple[str, int]:
        """Id and offset of an upload: a new one, or one of the same file that was interrupted.

        ``stamp`` tells files of the same name and size apart, such as by their time of modification.
        """
        name = safe_name(name)
        if size < 0:
            raise ParamError(f"{name} cannot have a size of {size} bytes.")
        if size > MAX_BYTES:
            raise RoomError(
                f"{name} has {printed_bytes(size)}; files up to {printed_bytes(MAX_BYTES)} are taken.", hint="Split it, or use --roots."
            )
        for sid, arrived in self._unfinished():
            if (arrived["name"], arrived["size"], arrived["stamp"]) == (name, size, stamp):
                return sid, self.offset(sid)
        self._check_room(name, size)
        sid = self._new({"name": name, "size": size, "stamp": stamp, "source": ""})
        (self.root / sid / "part").touch()
        if size == 0:
            self._complete(sid)
        return sid, 0

    def offset(self, sid: str) -> int:
        """How many bytes of an upload are there."""
        folder = self._folder(sid)
        try:
            return (folder / "part").stat().st_size
        except FileNotFoundError:
            return int(self._arrived(folder)["size"])

    def write(self, sid: str, offset: int, stream: IO[bytes]) -> int:
        """Add the next piece, block by block; return the offset after it. The last piece completes the file.

        What arrived before a connection broke stays; the upload goes on from there.
        """
        folder = self._folder(sid)
        size, have = int(self._arrived(folder)["size"]), self.offset(sid)
        if offset != have or not (folder / "part").exists():
            raise OffsetError(have)
        # Written in place, not appended: the same piece sent twice at once is written twice to the same bytes.
        with open(folder / "part", "r+b") as part:
            part.seek(offset)
            while block := stream.read(min(BLOCK_BYTES, size - offset + 1)):
                if offset + len(block) > size:
                    raise ParamError(f"More bytes arrived than the {size} that were announced.", hint="Upload the file again.")
                part.write(block)
                offset += len(block)
        if offset == size:
            self._complete(sid)
        return offset

    def refer(self, path: Path) -> str:
        """Stage a file of this machine without copying it; the same file twice is staged once."""
        for staged in self.entries():
            if staged.referenced and staged.path == path:
                return staged.sid
        try:
            size = path.stat().st_size
        except OSError as err:
            raise ParamError(f"{path.name} cannot be opened: {err.strerror or err}.", hint="Check its permissions.") from err
        return self._new({"name": path.name, "size": size, "stamp": "", "source": str(path)})

    def _new(self, arrived: Mapping[str, Any]) -> str:
        sid = secrets.token_hex(16)
        made = self.root / sid
        made.mkdir(parents=True)
        _write_json(made / "arrived.json", arrived)
        return sid

    def _complete(self, sid: str) -> None:
        folder = self._folder(sid)
        (folder / "content").mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # the same last piece was sent twice
            os.replace(folder / "part", folder / "content" / self._arrived(folder)["name"])

    def _check_room(self, name: str, size: int) -> None:
        promised = sum(a["size"] - self.offset(sid) for sid, a in self._unfinished())
        self.root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.root).free - promised
        needed = 2 * size + SPARE_BYTES  # as uploaded, and as kept
        if needed > free:
            raise RoomError(
                f"{name} ({printed_bytes(size)}) does not fit: its import needs {printed_bytes(needed)}, "
                f"the disk of the workspace has {printed_bytes(max(free, 0))} free.",
                hint="Free some space, or prune the workspace.",
            )

    # -- waiting -------------------------------------------------------------------------------------------------------
    def entries(self) -> list[Staged]:
        """All files that have arrived whole, in the order of their arrival."""
        found = [self._entry(p) for p in self.root.glob("*") if _SID.fullmatch(p.name)]
        return sorted((s for s in found if s is not None), key=lambda s: (s.arrived, s.sid))

    def entry(self, sid: str) -> Staged:
        found = self._entry(self._folder(sid))
        if found is None:
            raise StoreError("This file is not waiting any more.", hint="It was removed, or is still being uploaded.")
        return found

    def say(self, sid: str, **changes: Any) -> dict[str, Any]:
        """Change what is said about a file; None takes an entry away. Returns all that is said."""
        folder = self._folder(sid)
        with self._writing:
            form = _read_json(folder / "form.json") or {}
            form = {k: v for k, v in {**form, **changes}.items() if v is not None}
            _write_json(folder / "form.json", form)
        return form

    def tell(self, sid: str, found: Mapping[str, Any], *, whole: bool = False) -> None:
        """Keep what inspection said of a file, or of the ``whole`` series that it begins."""
        _write_json(self._folder(sid) / ("whole.json" if whole else "found.json"), found)

    def draw(self, sid: str, picture: bytes) -> None:
        """Keep a small picture (PNG) of what was read."""
        made = self._folder(sid) / f"picture.{uuid.uuid4().hex}"
        made.write_bytes(picture)
        os.replace(made, self.picture(sid))

    def picture(self, sid: str) -> Path:
        return self._folder(sid) / "picture.png"

    def side_by_side(self, sid: str, files: Sequence[Staged]) -> list[Path]:
        """Waiting files in one folder, as their readers expect them; where they lie now. Nothing is copied where links work.

        Files of one name come to lie in folders of their own.
        """
        laid = self._folder(sid) / "beside" / json_digest([f.sid for f in files])[:16]
        places: list[Path] = []
        for file in files:
            place = laid / file.name
            if place in places:
                place = laid / str(len(places)) / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.is_file():
                with suppress(FileExistsError):  # another request was faster
                    _link(file.path, place)
            places.append(place)
        return places

    def discard(self, sid: str) -> None:
        """Forget a file and what was uploaded of it; a file that is only referred to stays where it is."""
        shutil.rmtree(self._folder(sid), ignore_errors=True)

    def lay_out(self, sid: str, files: Mapping[str, Path]) -> Path:
        """Put files where a waiting manifest names them, in a folder of its own; return the manifest's path there.

        Nothing is copied where links work. A name that leads out of the folder is refused.
        """
        manifest, laid = self.entry(sid), self._folder(sid) / "laid"
        shutil.rmtree(laid, ignore_errors=True)
        laid.mkdir()
        for spelled, path in {**files, manifest.name: manifest.path}.items():
            place = PurePosixPath(spelled.replace("\\", "/"))
            if place.is_absolute() or PureWindowsPath(spelled).is_absolute() or ".." in place.parts or PureWindowsPath(spelled).drive:
                raise ParamError(
                    f"{manifest.name} names '{spelled}', which is not below its own folder.", hint="Give paths relative to the manifest."
                )
            target = laid / place
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(path, target)
        return laid / manifest.name

    def drop_content(self, sid: str) -> None:
        """Give the bytes back once they are imported; the entry stays to say so."""
        for part in ("content", "laid", "beside"):
            shutil.rmtree(self._folder(sid) / part, ignore_errors=True)

    def sweep(self) -> int:
        """Remove uploads of which nothing has arrived for a day, and what says that something was imported."""
        now, gone = datetime.fromisoformat(settings.now()).timestamp(), 0
        for folder in self.root.glob("*"):
            unfinished, finished = folder / "part", folder / "form.json"
            is_finished = not unfinished.exists() and "done" in (_read_json(finished) or {})
            watched = finished if is_finished else unfinished
            if watched.exists() and now - watched.stat().st_mtime > STALE_S:
                shutil.rmtree(folder, ignore_errors=True)
                gone += 1
        return gone

    def _entry(self, folder: Path) -> Staged | None:
        try:
            arrived, stamp = self._arrived(folder), (folder / "arrived.json").stat().st_mtime_ns
        except (StoreError, FileNotFoundError):
            return None
        if (folder / "part").exists():
            return None
        source = Path(arrived["source"]) if arrived["source"] else None
        return Staged(
            sid=folder.name,
            name=arrived["name"],
            size=arrived["size"],
            path=source or folder / "content" / arrived["name"],
            referenced=source is not None,
            arrived=stamp,
            form=_read_json(folder / "form.json") or {},
            found=_read_json(folder / "found.json"),
            whole=_read_json(folder / "whole.json"),
        )

    def is_arriving(self) -> bool:
        """Whether a file is on its way just now."""
        now = datetime.fromisoformat(settings.now()).timestamp()
        for part in self.root.glob("*/part"):
            with suppress(FileNotFoundError):  # it has arrived meanwhile
                if now - part.stat().st_mtime < ARRIVING_S:
                    return True
        return False

    def _unfinished(self) -> list[tuple[str, dict[str, Any]]]:
        return [(p.parent.name, self._arrived(p.parent)) for p in self.root.glob("*/part")]

    def _arrived(self, folder: Path) -> dict[str, Any]:
        found = _read_json(folder / "arrived.json")
        if found is None:
            raise StoreError("This file is not waiting any more.", hint="Add it again.")
        return found

    def _folder(self, sid: str) -> Path:
        folder = self.root / sid
        if not _SID.fullmatch(sid) or not folder.is_dir():
            raise StoreError("This file is not waiting any more.", hint="Add it again.")
        return folder


def safe_name(name: str) -> str:
    """A file's own name without folders and without what some file system, terminal or page takes amiss."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    clean = _UNSAFE.sub("_", last).strip().strip(".").strip() or "file"
    clean = f"_{clean}" if _RESERVED.match(clean) else clean
    if len(clean) > NAME_LENGTH or len(clean.encode()) > NAME_LENGTH:
        suffix = "".join(Path(clean).suffixes[-2:])[-20:]
        stem = clean.removesuffix(suffix).encode()[: NAME_LENGTH - len(suffix.encode())].decode(errors="ignore")
        clean = stem + suffix
    return clean


def printed_bytes(size: float) -> str:
    """A size as people say it: 512 bytes, 3.95 MB, 2 GB."""
    power = next((p for p in (0, 1, 2) if size < 999.5 * 1000**p), 3)
    return f"{size / 1000**power:.3g} {('bytes', 'kB', 'MB', 'GB')[power]}"


def _link(source: Path, target: Path) -> None:
    try:
        os.symlink(source.absolute(), target)
    except FileExistsError:
        raise
    except OSError:  # Windows lets only some users make links
        shutil.copyfile(source, target)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    made = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    made.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    os.replace(made, path)
