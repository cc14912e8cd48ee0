"""A manifest that only describes: groups, cells and samples go into the catalog; data files are the import page's business."""

import base64
import binascii
import tempfile
from pathlib import Path, PurePath

from analysis.catalog import Catalog
from analysis.catalog.manifest import Entry, entries, read_manifest, remarks
from analysis.catalog.manifest import take as take_entry
from analysis.catalog.manifest_text import parse
from analysis.core.errors import ParamError, ReadError

SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods")


def take(catalog: Catalog, name: str, contents: str) -> str:
    """Take an uploaded manifest (a data URL) and say what came in.

    Raises
    ------
    UserError
        Names row and column; nothing is taken then.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _file_name(name)
        path.write_bytes(_decoded(name, contents))
        _refuse_files(path)
        rows = read_manifest(path)
    listed = entries(rows)
    for entry in listed:
        take_entry(catalog, entry)
    return " ".join([_said(listed), *remarks(rows)])


def _file_name(name: str) -> str:
    """What errors call it; nothing of it is trusted but the suffix."""
    plain = PurePath(name.replace("\\", "/")).name.strip(". ") or "manifest.csv"
    if PurePath(plain).suffix.lower() not in (".csv", ".toml", ".txt", ".tsv", *SPREADSHEETS):
        raise ReadError(f"{plain[:80]} is not a manifest.", hint="Give a .csv, .xlsx or .toml file.")
    return plain[-120:]


def _decoded(name: str, contents: str) -> bytes:
    try:
        return base64.b64decode(contents.partition(",")[2], validate=True)
    except binascii.Error as err:
        raise ReadError(f"{name} did not arrive whole.", hint="Add it again.") from err


def _refuse_files(path: Path) -> None:
    with_file = next((source for source in parse(path) if "file" in source.values), None)
    if with_file is not None:
        raise ParamError(
            f"{path.name}, {with_file.where} lists a data file ('{with_file.values['file']}').",
            hint="Take it on the import page, beside its files; here a manifest describes groups, cells and samples only.",
        )


def _said(listed: tuple[Entry, ...]) -> str:
    groups = {e.group.name for e in listed if e.group is not None}
    cells = {e.cell.name for e in listed if e.cell is not None}
    samples = sum(e.particle is not None or e.harvest is not None for e in listed)
    counts = ((len(groups), "group"), (len(cells), "cell"), (samples, "sample"))
    parts = [f"{n} {what}{'s' if n != 1 else ''}" for n, what in counts if n]
    return f"{', '.join(parts) or 'Nothing'} described."
