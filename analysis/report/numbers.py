"""All numbers behind a board as one tidy table: a row a number, with unit, uncertainty, n and where it comes from."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.catalog.boards import BoardContent, Pin
from analysis.core.data import scalars, warnings_of
from analysis.core.errors import ParamError
from analysis.core.progress import report
from analysis.core.registry import Labelled, Registry
from analysis.core.store import Store
from analysis.core.tables import tidy
from analysis.report.pins import labelled

if TYPE_CHECKING:
    import pandas as pd

ABOUT = ("group", "cell", "origin", "key")
COLUMNS = (
    "figure",
    "title",
    "group",
    "sample",
    "origin",
    "quantity",
    "row",
    "value",
    "unit",
    "std",
    "low",
    "high",
    "level",
    "n",
    "of",
    "recipe",
    "parameters",
    "key",
)
UNCERTAIN = {"_std": "std", "_low": "low", "_high": "high"}
EXCEL_ROWS = 1_048_575
EXCEL_TEXT: dict[str, Any] = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}


def table_of(pin: Pin, store: Store, registry: Registry) -> "pd.DataFrame":
    """The numbers that the figure's own download gives, in full."""
    kind = registry.figure(pin.figure)
    items = labelled(pin, store)
    frame = kind.table(items, kind.params.check(dict(pin.params))) if kind.table else tidy(items)
    return frame


def scalar_numbers(content: BoardContent, store: Store) -> "pd.DataFrame":
    """The scalars of every figure of a board, one number a row, with the parameters of their recipes."""
    import pandas as pd

    sources = _Sources(store)
    rows = [
        {"figure": number, "title": pin.title, **row}
        for number, pin in enumerate(content.pins, 1)
        for row in _scalars(labelled(pin, store), sources)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def long(content: BoardContent, store: Store, registry: Registry) -> "pd.DataFrame":
    """Scalars and rows of every figure of a board, one number a row; parameters stand with the scalars of the same key."""
    import pandas as pd

    sources = _Sources(store)
    parts = [scalar_numbers(content, store)]
    for number, pin in enumerate(content.pins, 1):
        report((number - 1) / len(content.pins), f"numbers of {pin.title}")
        parts.append(_melted(table_of(pin, store, registry), number, pin.title, sources))
    kept = [p.astype(object) for p in parts if len(p)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=list(COLUMNS))


class _Sources:
    """Recipe and parameters of a key, as one row says them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[str, str]] = {}

    def of(self, key: str) -> tuple[str, str]:
        if key not in self._known:
            record = self._store.provenance(key) if key[1:2] == "-" and self._store.has(key) else {}
            given = {n: v for n, v in record.get("params", record.get("options", {})).items() if v is not None}
            self._known[key] = (str(record.get("recipe") or record.get("reader") or ""), json.dumps(given) if given else "")
        return self._known[key]


def _scalars(items: Sequence[Labelled], sources: _Sources) -> Iterator[dict[str, Any]]:
    for item in items:
        recipe, parameters = sources.of(item.key)
        for name, s in scalars(item.data).items():
            about = {"group": item.group, "sample": item.label, "origin": item.origin, "key": item.key}
            number = {k: v for k, v in s.to_json().items() if k != "title"}
            yield {**about, "quantity": name, "row": None, **number, "recipe": recipe, "parameters": parameters}


def _melted(frame: "pd.DataFrame", figure: int, title: str, sources: _Sources) -> "pd.DataFrame":
    """Every column but the sample's own as rows; columns of uncertainty beside what they belong to."""
    import pandas as pd

    named = {c: str(c).rpartition(" / ")[::2] if " / " in str(c) else (str(c), "") for c in frame.columns if c not in ABOUT}
    by_name = {name: c for c, (name, _) in named.items()}
    beside = {by_name[n] for n in by_name for end in UNCERTAIN if n.endswith(end) and n.removesuffix(end) in by_name}
    recipes = [sources.of(str(k))[0] for k in frame["key"]] if "key" in frame else [""] * len(frame)
    parts = []
    for column, (name, unit) in named.items():
        if column in beside:
            continue
        made = pd.DataFrame({"figure": figure, "title": title, "row": range(1, len(frame) + 1), "quantity": name, "unit": unit})
        made["value"] = frame[column].to_numpy(dtype=object)
        for wanted, source in (("group", "group"), ("sample", "cell"), ("origin", "origin"), ("key", "key")):
            made[wanted] = frame[source].to_numpy(dtype=object) if source in frame else None
        for end, kind in UNCERTAIN.items():
            made[kind] = frame[by_name[name + end]].to_numpy(dtype=object) if name + end in by_name else None
        made["recipe"] = recipes
        parts.append(made.reindex(columns=list(COLUMNS)))
    kept = [p.astype(object) for p in parts if len(p)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=list(COLUMNS))


def provenance_rows(content: BoardContent, store: Store) -> list[dict[str, Any]]:
    """A row for each dataset and result that the board stands on: versions, files, warnings."""
    rows = []
    for number, pin in enumerate(content.pins, 1):
        for item in pin.items:
            key = item.source or item.key
            record: dict[str, Any] = store.provenance(key) if store.has(key) else {"kind": "removed"}
            files = "; ".join(f"{f['name']} (sha256 {f['sha256']})" for f in record.get("files", ()))
            inputs = json.dumps(record["inputs"]) if record.get("inputs") else ""
            rows.append(
                {
                    "figure": number,
                    "title": pin.title,
                    "sample": item.label,
                    "key": key,
                    "made by": record.get("recipe") or record.get("reader") or record["kind"],
                    "parameters": json.dumps(record.get("params", record.get("options", {}))),
                    "inputs": inputs,
                    "code": record.get("code", ""),
                    "libraries": ", ".join(f"{n} {v}" for n, v in record.get("libraries", {}).items()),
                    "made": record.get("created", ""),
                    "files": files,
                    "warnings": " ".join(warnings_of(store.open(key))) if store.has(key) else "",
                }
            )
    return rows


def write(content: BoardContent, store: Store, registry: Registry, path: Path, *, words: str = "") -> None:
    """One CSV, or a workbook with the numbers, each figure's own table, the provenance and the methods."""
    if path.suffix == ".csv":
        long(content, store, registry).to_csv(path, index=False, lineterminator="\n")
    elif path.suffix == ".xlsx":
        _write_workbook(content, store, registry, path, words)
    else:
        raise ParamError(f"'{path.suffix}' is not a format for numbers.", hint="Use .csv or .xlsx.")


def _write_workbook(content: BoardContent, store: Store, registry: Registry, path: Path, words: str) -> None:
    import pandas as pd

    sheets = {"Numbers": scalar_numbers(content, store)}
    for number, pin in enumerate(content.pins, 1):
        sheets[f"Figure {number}"] = table_of(pin, store, registry)
    sheets["Provenance"] = pd.DataFrame(provenance_rows(content, store))
    sheets["Methods"] = pd.DataFrame({"Methods": words.splitlines()})
    with pd.ExcelWriter(path, engine="xlsxwriter", engine_kwargs={"options": EXCEL_TEXT}) as book:
        for name, frame in sheets.items():
            if len(frame) > EXCEL_ROWS:
                raise ParamError(
                    f"The sheet '{name}' would have {len(frame):,} rows; a workbook takes {EXCEL_ROWS:,}.", hint="Export as CSV instead."
                )
            _plain(frame).to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 0))


def _plain(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Lists and sets as text: a cell of a workbook holds one value."""
    from pandas.api.types import is_object_dtype

    made = frame.copy()
    for column in made.columns:
        if is_object_dtype(made[column]):
            made[column] = [json.dumps(v, default=str) if isinstance(v, list | dict | tuple) else v for v in made[column]]
    return made
