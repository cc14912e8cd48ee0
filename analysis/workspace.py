"""A workspace as its users know it: files go in, requests are filled from the catalog, results come out.

The command line and the dashboard both work through this class; neither knows how store and catalog keep things.
"""

import sqlite3
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis.catalog import (
    Catalog,
    CellFields,
    CellRecord,
    FileFields,
    FileRecord,
    GroupRecord,
    HarvestFields,
    MeasurementFields,
    MeasurementRecord,
    ParticleFields,
    integrity,
    manifest,
)
from analysis.catalog.database import BUSY_SECONDS, FILE_NAME
from analysis.core.data import warnings_of
from analysis.core.errors import ParamError, StoreError, UserError
from analysis.core.hashing import file_digest, json_digest
from analysis.core.registry import Labelled, Reader, Registry
from analysis.core.run import Request, ingest, plan, report, run, stage
from analysis.core.store import Store
from analysis.modalities import registry
from analysis.series import Bundle, bundles

INLINE_BYTES = 64 << 20  # inputs up to here are summarised in a fraction of a second
TITLE = "title"
DEMO = "demo"


@dataclass(frozen=True)
class Snapshot:
    """The catalog as it was read at one moment."""

    groups: tuple[GroupRecord, ...]
    cells: tuple[CellRecord, ...]
    measurements: tuple[MeasurementRecord, ...]

    def cell(self, cell_id: int) -> CellRecord:
        return next(c for c in self.cells if c.id == cell_id)


class Workspace:
    """One folder with its store and catalog."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.store = Store(self.root)
        self.catalog = Catalog(self.root)
        self._watch = _Watch(self.root / FILE_NAME)
        self._snapshot: tuple[int, Snapshot] | None = None

    @cached_property
    def registry(self) -> Registry:
        return registry()

    @property
    def title(self) -> str:
        return str(self.catalog.setting(TITLE) or self.root.name)

    # -- what is there -----------------------------------------------------------------------------------------------
    def snapshot(self) -> Snapshot:
        """Groups, cells and measurements; read again only after somebody wrote."""
        stamp = self.stamp()
        if self._snapshot is None or self._snapshot[0] != stamp:
            c = self.catalog
            self._snapshot = (stamp, Snapshot(c.groups(), c.cells(), c.measurements()))
        return self._snapshot[1]

    def stamp(self) -> int:
        """Changes whenever somebody, in whatever process, has written into the catalog."""
        return self._watch.version()

    def group_names(self) -> tuple[str, ...]:
        """Groups in the order that fixes their colours."""
        return tuple(g.name for g in sorted(self.snapshot().groups, key=lambda g: (g.colour_slot or 0, g.id)))

    def group_title(self, name: str) -> str:
        return next((g.title or g.name for g in self.snapshot().groups if g.name == name), name)

    def default_pair(self) -> tuple[str, str]:
        """Reference and compared group where the address names none: the first two that hold cells."""
        groups = self.snapshot().groups
        names = [g.name for g in groups if g.n_cells] or [g.name for g in groups]
        first, second, *_ = [*names, "none", "none"]
        return first, second

    def origins(self) -> set[str]:
        return {str(m.origin) for m in self.snapshot().measurements}

    # -- files in ------------------------------------------------------------------------------------------------------
    def import_files(
        self,
        paths: Sequence[Path],
        *,
        cell: CellFields,
        measurement: MeasurementFields | None = None,
        harvest: HarvestFields | None = None,
        particle: ParticleFields | None = None,
        reader_id: str = "",
        options: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> MeasurementRecord:
        """Take files (parts of one measurement, in time order) into the workspace.

        Originals are copied, datasets stored, and the catalog row is written last: whatever interrupts this leaves either
        the whole measurement or none of it. A file that is already in is refused unless ``again``.
        """
        described, files = self._taken_in(paths, measurement or MeasurementFields(), reader_id, options, again=again)
        return self.catalog.add_measurement(described, cell=cell, harvest=harvest, particle=particle, files=files)

    def import_manifest(self, path: Path, *, again: bool = False) -> list[MeasurementRecord]:
        """Take everything that a manifest (CSV, spreadsheet, TOML) lists; what was taken before a bad row stays whole."""
        made = []
        listed = manifest.entries(manifest.read_manifest(path))
        for i, entry in enumerate(listed):
            report(i / len(listed), f"{entry.where}: {', '.join(entry.original_names)}")
            if not entry.files:
                manifest.take(self.catalog, entry)
                continue
            given = entry.measurement
            with stage(i / len(listed), (i + 1) / len(listed)):
                described, files = self._taken_in(entry.files, given, given.reader_id or "", given.reader_options, again=again)
            named = dict(zip((p.name for p in entry.files), entry.original_names, strict=True))
            files = [f.model_copy(update={"original_name": named.get(f.original_name, f.original_name)}) for f in files]
            taken = manifest.take(self.catalog, entry, measurement=described, files=files)
            made += [taken] if taken else []
        return made

    def _taken_in(
        self, paths: Sequence[Path], given: MeasurementFields, reader_id: str, options: Mapping[str, Any] | None, *, again: bool
    ) -> tuple[MeasurementFields, list[FileFields]]:
        """Datasets and originals of one measurement in the store; on a problem, what was new is taken out again."""
        groups = bundles(paths, self.registry, reader_id=reader_id, whole=True)
        hashes = {p: file_digest(p) for group in groups for p in group.paths}
        if not again:
            self._refuse_known(hashes)
        before, keys = set(self.store.keys("d")), []
        try:
            for i, group in enumerate(groups):
                report(i / len(groups), f"reading {group.paths[0].name}")
                keys.append(ingest(group.paths, self.registry, self.store, reader_id=group.reader.id, options=options))
            files = self._kept_files(groups, hashes)
        except UserError:
            for key in set(keys) - before:
                self.store.remove(key)
            raise
        self._remember(groups[0], options)
        return self._described(given, keys, options), files

    def _kept_files(self, groups: Sequence[Bundle], hashes: Mapping[Path, str]) -> list[FileFields]:
        """The originals in order, then what lies beside them and was read with them."""
        helped = [(group.reader, p) for group in groups for p in group.paths if group.reader.companions]
        side = dict.fromkeys(f for reader, p in helped for f in reader.side_files(p) if f not in hashes)
        kept = [self._kept(p, sha256) for p, sha256 in hashes.items()]
        return kept + [self._kept(f, file_digest(f)).model_copy(update={"role": "side"}) for f in side]

    def _remember(self, group: Bundle, options: Mapping[str, Any] | None) -> None:
        """Which part of a file was meant, for the next file that is laid out alike."""
        inside = group.reader.inside
        kept = {n: v for n, v in (options or {}).items() if inside is not None and n in inside.kept}
        if kept and (signature := _signature(group.reader, group.paths[0])):
            self.catalog.remember_mapping(signature, kept, name=group.paths[0].name)

    def recalled(self, reader: Reader, path: Path) -> dict[str, Any]:
        """How files that are laid out like this one were read before; nothing where none was."""
        signature = _signature(reader, path)
        return (self.catalog.mapping_for(signature) or {}) if signature else {}

    def _kept(self, path: Path, sha256: str) -> FileFields:
        _, kept = self.store.keep_original(path, sha256=sha256)
        stat = path.stat()
        return FileFields(
            original_name=path.name,
            sha256=sha256,
            size_bytes=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
            stored_path=kept.relative_to(self.root).as_posix(),
        )

    def _refuse_known(self, hashes: Mapping[Path, str]) -> None:
        for path, sha256 in hashes.items():
            for place in self.catalog.find_file(sha256):
                raise ParamError(
                    f"{path.name} is already here: {place.original_name} of cell '{place.cell}' ({place.modality}).",
                    hint="Nothing was imported. Confirm to import it a second time, for example for another cell.",
                )

    def _described(self, given: MeasurementFields, keys: Sequence[str], options: Mapping[str, Any] | None) -> MeasurementFields:
        record, first = self.store.provenance(keys[0]), self.store.open(keys[0])
        modality = next(m.id for m in self.registry.modalities.values() if any(r.id == record["reader"] for r in m.readers))
        made = {
            "modality": modality,
            "instrument": first.attrs.get("instrument") or None,
            "reader_id": record["reader"],
            "reader_options": dict(options or {}),
            "dataset_keys": tuple(keys),
        }
        return MeasurementFields.check({**made, **{n: v for n, v in given.given().items() if v not in (None, {}, ())}})

    # -- requests and results --------------------------------------------------------------------------------------------
    def recipe_for(self, recipe_id: str, measurement: MeasurementRecord) -> str | None:
        """The recipe that makes of this measurement what ``recipe_id`` makes of others; None where there is none.

        That is ``recipe_id`` itself where its first input is what the measurement holds, else one of the same modality with that
        input and the same output: a table of cycles has its own summary, and no curves.
        """
        wanted, held = self.registry.recipe(recipe_id), self._schema_of(measurement)
        same = next(m.recipes for m in self.registry.modalities.values() if wanted in m.recipes)
        for recipe in (wanted, *same):
            first = next(iter(recipe.inputs.values()))
            if recipe.output.name == wanted.output.name and held in (None, first.schema):
                return recipe.id
        return None

    def _schema_of(self, measurement: MeasurementRecord) -> str | None:
        """What a measurement's dataset holds; None where it cannot be told."""
        known = {reader.id: reader.schema.name for reader in self.registry.readers}
        return known.get(measurement.reader_id or "")

    def request(self, recipe_id: str, measurement: MeasurementRecord, params: Mapping[str, Any] | None = None) -> Request:
        """A recipe's request for one measurement; parameters that the catalog knows are filled from its cell.

        A parameter is filled when a field of the cell has its name and ``params`` does not give it.
        """
        recipe = self.registry.recipe(recipe_id)
        cell = self.snapshot().cell(measurement.cell_id)
        known = {
            "active_mass_mg": cell.effective_active_mass_mg,
            **{n: getattr(cell, n) for n in recipe.params.model_fields if n in CellFields.model_fields and n != "active_mass_mg"},
        }
        filled = {n: v for n, v in known.items() if n in recipe.params.model_fields and v is not None}
        (name,) = list(recipe.inputs)[:1]
        return Request(recipe=recipe_id, inputs={name: measurement.dataset_keys}, params={**filled, **(params or {})})

    def ready(self, request: Request) -> str | None:
        """Key of the result if it is stored, or if it is quick enough to be made at once; otherwise None."""
        planned = plan(request, self.registry)
        if self.store.has(planned.key):
            return planned.key
        inputs = [k for keys in request.inputs.values() for k in ([keys] if isinstance(keys, str) else keys)]
        if planned.recipe.light and sum(self.store.open(k).nbytes for k in inputs) <= INLINE_BYTES:
            return run(request, self.registry, self.store)
        return None

    def labelled(self, key: str, measurement: MeasurementRecord) -> Labelled:
        """A result as figures take it: named by its cell, in its group, with its origin."""
        return Labelled(
            self.store.open(key),
            label=measurement.cell,
            group=measurement.group or "",
            origin=measurement.origin,
            key=key,
            id=str(measurement.cell_id),
        )

    # -- keeping house -----------------------------------------------------------------------------------------------------
    def check(self) -> list[str]:
        """Sentences for everything that is not whole: arrays against their digests, catalog rows against files and arrays."""
        problems = []
        keys = self.store.keys()
        for i, key in enumerate(keys):
            report(i / max(1, len(keys)), f"checking {key}")
            problems += self.store.check(key)
        problems += [
            f"A board stands on {key}, which is missing." for key in sorted(self.catalog.boards.pinned()) if not self.store.has(key)
        ]
        return problems + integrity.check(self.catalog, has_dataset=self.store.has, file_problem=self._file_problem)

    def _file_problem(self, file: FileRecord) -> str | None:
        path = Path(file.stored_path) if file.referenced else self.root / file.stored_path
        if not path.is_file():
            return f"is missing ({path})"
        return None if file_digest(path) == file.sha256 else "has changed since it was imported"

    def ancestry(self, keys: Iterable[str]) -> set[str]:
        """These entries and all that they were made from, as far as the store has them."""
        found: set[str] = set()
        todo = list(keys)
        while todo:
            key = todo.pop()
            if key not in found and self.store.has(key):
                found.add(key)
                inputs = self.store.provenance(key).get("inputs", {}).values()
                todo += [k for given in inputs for k in ([given] if isinstance(given, str) else given)]
        return found

    def prune(self) -> tuple[int, int]:
        """Remove results, and datasets that no measurement uses; return how many entries and bytes went.

        What boards pin stays, with everything that it was made from.
        """
        used = {k for m in self.catalog.measurements() for k in m.dataset_keys} | self.ancestry(self.catalog.boards.pinned())
        gone = [k for k in self.store.keys("dr") if k not in used]
        size = sum(self.store.nbytes(k) for k in gone)
        for key in gone:
            self.store.remove(key)
        return len(gone), size

    def status(self) -> dict[str, Any]:
        """Counts and sizes, for the command line and the home page."""
        snap = self.snapshot()
        return {
            "workspace": str(self.root),
            "title": self.title,
            "groups": {g.name: g.n_cells for g in snap.groups},
            "cells": len(snap.cells),
            "measurements": {
                m: sum(x.modality == m for x in snap.measurements) for m in sorted({str(x.modality) for x in snap.measurements})
            },
            "excluded": sum(x.excluded for x in snap.measurements),
            "datasets": len(self.store.keys("d")),
            "edits": len(self.store.keys("e")),
            "results": len(self.store.keys("r")),
            "bytes": sum(f.stat().st_size for f in self.root.rglob("*") if f.is_file()),
            "origins": sorted(self.origins()),
            "broken_modalities": dict(self.registry.broken),
        }

    def warnings(self, measurement: MeasurementRecord) -> tuple[str, ...]:
        """What the readers said about a measurement's files."""
        return tuple(w for k in measurement.dataset_keys if self.store.has(k) for w in warnings_of(self.store.open(k)))


def _signature(reader: Reader, path: Path) -> str:
    """Equal for files of one reader that are laid out alike; "" where a file holds one thing only."""
    told = reader.inside.signature(path) if reader.inside is not None else ""
    return json_digest([reader.id, told]) if told else ""


class _Watch:
    """Tells whether anything was committed to a SQLite file since it was last asked.

    Times and sizes of its files will not do: they are final before the commit that they belong to can be seen.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)  # only ever reads
        weakref.finalize(self, self._connection.close)

    def version(self) -> int:
        try:
            with self._lock:
                return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as err:
            raise StoreError(f"The catalog cannot be read: {err}.", hint="Run 'workspace check' on it.") from err
