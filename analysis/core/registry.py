"""The parts a modality is made of, and how they are found."""

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile, is_zipfile

import xarray as xr

from analysis.core.data import Scalar, Schema
from analysis.core.errors import ParamError, ReadError
from analysis.core.params import Options, Params
from analysis.core.style import Style as Style

if TYPE_CHECKING:
    from pandas import DataFrame
    from plotly.graph_objects import Figure as PlotlyFigure

log = logging.getLogger(__name__)

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Probe:
    """What a reader may look at to decide whether a file is its own: never more than the head."""

    path: Path
    head: bytes
    size: int

    @classmethod
    def of(cls, path: Path) -> "Probe":
        try:
            with open(path, "rb") as f:
                return cls(path, f.read(HEAD_BYTES), path.stat().st_size)
        except OSError as err:
            raise ReadError(f"{path.name} cannot be opened: {err.strerror or err}.", hint="Check the path and its permissions.") from err

    @property
    def suffix(self) -> str:
        return self.path.suffix.lower()

    @cached_property
    def text(self) -> str:
        """The head as text; UTF-8 or UTF-16 where marked, else latin-1, which never fails."""
        for bom, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
            if self.head.startswith(bom):
                return self.head.decode(name, errors="replace")
        return self.head.decode("latin-1")

    @cached_property
    def is_text(self) -> bool:
        """Whether the head can be text: no zero bytes in it, unless it is marked as UTF-16."""
        return self.head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in self.head

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names inside, where the file is a zip archive (xlsx and ndax are)."""
        if not self.head.startswith(b"PK") or not is_zipfile(self.path):
            return ()
        try:
            with ZipFile(self.path) as z:
                return tuple(z.namelist())
        except (BadZipFile, OSError, ValueError, NotImplementedError):  # a damaged list of names raises any of these
            return ()


def no_side_files(_: Path) -> tuple[Path, ...]:
    return ()


def no_series(_: Path) -> str:
    return ""


@dataclass(frozen=True)
class Inside:
    """Files that may hold several things: ``choices(path)`` lists values of options, the options ``kept`` are remembered for the next
    file with the same ``signature(path)``."""

    choices: Callable[[Path], Mapping[str, Sequence[tuple[str, str]]]]
    signature: Callable[[Path], str]
    kept: tuple[str, ...]


@dataclass(frozen=True)
class Reader:
    """Files of one format → Dataset.

    ``sniff`` answers how surely a file is of this format: 0 no, 0.5 by its general shape, 1 by its own mark.
    ``read`` takes one or more paths (parts of one measurement) and checked options. ``series(path)`` names what a file is one of
    many parts of, such as the frames of a scan ("" where it stands alone). Files named like ``companions`` help to read another.
    """

    id: str
    title: str
    schema: Schema
    suffixes: tuple[str, ...]
    sniff: Callable[[Probe], float]
    read: Callable[[tuple[Path, ...], Any], xr.Dataset]
    options: type[Options] = Options
    side_files: Callable[[Path], tuple[Path, ...]] = no_side_files
    series: Callable[[Path], str] = no_series
    companions: tuple[str, ...] = ()  # with {stem} for the name of the file that they help to read
    inside: Inside | None = None


@dataclass(frozen=True)
class Input:
    """One named input of a recipe: a schema, once or as an ordered list."""

    schema: str
    many: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Recipe:
    """Pure ``compute(**datasets, params=params) -> Dataset`` with its declarations.

    ``summarise(stored_result, params)`` gives the scalars, after the arrays are stored. ``light``: finishes within
    about a tenth of a second on usual data, so that a page may run it without a job. ``chunked``: takes dask-backed inputs.
    """

    id: str
    title: str
    inputs: Mapping[str, Input]
    output: Schema
    compute: Callable[..., xr.Dataset]
    params: type[Params] = Params
    summarise: Callable[[xr.Dataset, Any], Mapping[str, Scalar]] | None = None
    light: bool = False
    chunked: bool = False


@dataclass(frozen=True)
class Labelled:
    """A dataset as it appears in a figure: named, in a group, with where it comes from."""

    data: xr.Dataset
    label: str
    group: str = ""
    origin: str = "measured"  # or "synthetic"
    key: str = ""
    id: str = ""  # what a selection refers to, such as a cell's id


@dataclass(frozen=True)
class Figure:
    """Pure ``build(items: tuple[Labelled, ...], style: Style, params) -> go.Figure`` for results of one schema.

    ``table(items, params)`` gives the numbers behind it, in full; without one, all that the items hold. ``aspect`` is its height over
    its width on paper.
    """

    id: str
    title: str
    schema: str
    build: "Callable[..., PlotlyFigure]"
    params: type[Params] = Params
    table: "Callable[[Sequence[Labelled], Any], DataFrame] | None" = None
    aspect: float = 0.72


@dataclass(frozen=True)
class Modality:
    """Everything one kind of measurement brings. An ``__init__.py`` holds one, named ``MODALITY``.

    ``rehearse`` runs the compiled kernels once on small data, so that a server has them ready before the first visitor.
    ``previews`` draw what was read, by schema; ``asks`` names fields of the catalog that such a measurement should not lack.
    """

    id: str
    title: str
    readers: tuple[Reader, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    figures: tuple[Figure, ...] = ()
    rehearse: Callable[[], None] | None = None
    previews: Mapping[str, Callable[[xr.Dataset], Any]] = field(default_factory=dict)  # of analysis.schemas.Preview
    asks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registry:
    """The modalities that loaded, and the reason for each that did not."""

    modalities: Mapping[str, Modality]
    broken: Mapping[str, str] = field(default_factory=dict)

    @property
    def readers(self) -> tuple[Reader, ...]:
        return tuple(r for m in self.modalities.values() for r in m.readers)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        return tuple(r for m in self.modalities.values() for r in m.recipes)

    def recipe(self, recipe_id: str) -> Recipe:
        return _one(self.recipes, recipe_id, "recipe")

    def reader(self, reader_id: str) -> Reader:
        return _one(self.readers, reader_id, "reader")

    def figure(self, figure_id: str) -> Figure:
        return _one([f for m in self.modalities.values() for f in m.figures], figure_id, "figure")

    def figures(self, schema: str) -> tuple[Figure, ...]:
        return tuple(f for m in self.modalities.values() for f in m.figures if f.schema == schema)

    def candidates(self, path: Path) -> tuple[tuple[Reader, float], ...]:
        """Readers that may read this file, the surest first."""
        probe = _probe(path)
        scored = [(r, _sureness(r, probe)) for r in self._by_suffix(probe)]
        return tuple(sorted(((r, s) for r, s in scored if s > 0), key=lambda rs: -rs[1]))

    def _by_suffix(self, probe: Probe) -> list[Reader]:
        """All readers, those of the file's suffix first: it breaks ties between equally sure ones, no more."""
        return sorted(self.readers, key=lambda r: probe.suffix not in r.suffixes)

    def recognise(self, path: Path, *, schema: str = "") -> Reader:
        """The surest reader, of those that make datasets of ``schema`` where there are any."""
        probe, found = _probe(path), []
        for reader in self._by_suffix(probe):
            sure = _sureness(reader, probe)
            if sure == 1.0 and schema in ("", reader.schema.name):
                return reader  # nobody can be surer
            if sure > 0:
                found.append((sure, reader))
        if not found:
            known = ", ".join(sorted({s for r in self.readers for s in r.suffixes}))
            raise ReadError(
                f"No reader recognises the content of {path.name}.", hint=f"Known formats end in {known}; others can be exported as CSV."
            )
        ranked = [reader for _, reader in sorted(found, key=lambda sr: -sr[0])]
        return next((r for r in ranked if r.schema.name == schema), ranked[0])


def _probe(path: Path) -> Probe:
    probe = Probe.of(path)
    if probe.size == 0:
        raise ReadError(f"{path.name} is empty (0 bytes).", hint="Export or copy it again.")
    return probe


def _sureness(reader: Reader, probe: Probe) -> float:
    try:
        return reader.sniff(probe)
    except Exception:  # one reader's fault must not keep the others from the file
        log.exception("reader %s cannot tell whether %s is its own", reader.id, probe.path.name)
        return 0.0


def _one(parts: Sequence[Any], wanted: str, kind: str) -> Any:
    for part in parts:
        if part.id == wanted:
            return part
    raise ParamError(f"There is no {kind} '{wanted}'.", hint=f"Known: {', '.join(sorted(p.id for p in parts)) or 'none'}.")


def load(packages: Sequence[str]) -> Registry:
    """Import each modality package; a broken one is listed with its reason, the rest runs."""
    good: dict[str, Modality] = {}
    broken: dict[str, str] = {}
    for package in packages:
        try:
            modality = importlib.import_module(package).MODALITY
            taken = _ids(modality) & {i for m in good.values() for i in _ids(m)}
            if taken:
                raise ValueError(f"another modality has {', '.join(sorted(taken))}")
            good[modality.id] = modality
        except Exception as err:  # the program must start without this modality
            reason = broken[package.rpartition(".")[2]] = f"{type(err).__name__}: {err}"
            log.warning("modality %s does not load: %s", package, reason, exc_info=log.isEnabledFor(logging.DEBUG))
    return Registry(good, broken)


def _ids(modality: Modality) -> set[str]:
    parts: dict[str, Sequence[Any]] = {"reader": modality.readers, "recipe": modality.recipes, "figure": modality.figures}
    return {f"modality {modality.id}"} | {f"{kind} {p.id}" for kind, group in parts.items() for p in group}
