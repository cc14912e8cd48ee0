"""How the command line answers: text for people, JSON for scripts, files."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.data import Scalar, scalar_variables, scalars, warnings_of
from analysis.core.errors import ParamError
from analysis.core.registry import Labelled, Registry
from analysis.core.style import Style

MOST_NAMED = 4  # files


def progress(quiet: bool) -> Callable[[float, str], None]:
    """One line on a terminal that is overwritten; nothing in a pipe."""
    if quiet or not sys.stderr.isatty():
        return lambda _fraction, _message: None
    return lambda fraction, message: print(f"\r\x1b[K{100 * fraction:3.0f} % {message}", end="" if fraction < 1 else "\n", file=sys.stderr)


def listing(rows: Sequence[Mapping[str, Any]], as_json: bool, *, broken: Mapping[str, str]) -> None:
    if as_json:
        print(json.dumps({"entries": rows, "broken": broken}, indent=1))
        return
    for row in rows:
        print(f"{row['id']:28} {row['title']}")
        if len(rows) == 1:
            print(json.dumps({k: v for k, v in row.items() if k not in ("id", "title")}, indent=1))
    for name, reason in broken.items():
        print(f"{name}: could not be loaded: {reason}", file=sys.stderr)


def described(paths: Sequence[Path], reader: str, ds: xr.Dataset) -> dict[str, Any]:
    """What is in a file, or in a series of files, JSON-able."""
    plain = {k: v for k, v in ds.attrs.items() if k not in ("warnings", "schema", "schema_version")}
    return {
        "file": str(paths[0]),
        **({"files": len(paths)} if len(paths) > 1 else {}),
        "reader": reader,
        "schema": ds.attrs.get("schema"),
        "dims": {str(k): int(v) for k, v in ds.sizes.items()},
        "variables": {
            str(n): {"dims": list(map(str, v.dims)), "unit": v.attrs.get("units", ""), **_range(v)} for n, v in ds.variables.items()
        },
        "metadata": plain,
        "warnings": list(warnings_of(ds)),
    }


def _range(v: xr.Variable) -> dict[str, Any]:
    if v.dtype.kind not in "iuf" or v.size == 0 or v.chunks is not None:
        return {}
    values = np.asarray(v.values)
    finite = values[np.isfinite(values)] if v.dtype.kind == "f" else values
    return {"min": finite.min().item(), "max": finite.max().item()} if finite.size else {}


def named(files: Sequence[str]) -> str:
    """Names of files, few of many."""
    return ", ".join(files) if len(files) <= MOST_NAMED else f"{files[0]} … {files[-1]} ({len(files)} files)"


def inspected(answers: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(answers[0] if len(answers) == 1 else list(answers), indent=1, default=str))
        return
    for a in answers:
        if "error" in a:
            continue
        more = f" and {a['files'] - 1} more" if "files" in a else ""
        print(f"{a['file']}{more}\n  reader {a['reader']}, {a['schema']}, {', '.join(f'{v:,} {k}s' for k, v in a['dims'].items())}")
        for name, v in a["variables"].items():
            span = f"  {v['min']:.6g} … {v['max']:.6g}" if "min" in v else ""
            print(f"  {name:20} {v['unit']:6}{span}")
        for key, value in a["metadata"].items():
            print(f"  {key}: {_short(value)}")
        for sentence in a["warnings"]:
            print(f"  warning: {sentence}")


def _short(value: Any) -> str:
    text = json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= 300 else text[:299] + "…"


def ran(key: str, ds: xr.Dataset, record: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        outputs = {
            str(n): {"dims": list(map(str, v.dims)), "shape": list(v.shape), "unit": v.attrs.get("units", "")}
            for n, v in ds.variables.items()
        }
        answer = {
            "recipe": record["recipe"],
            "key": key,
            "params": record["params"],
            "inputs": record["inputs"],
            "scalars": {n: _scalar(s) for n, s in scalars(ds).items()},
            "outputs": outputs,
            "warnings": list(warnings_of(ds)),
            "seconds": record["seconds"],
        }
        print(json.dumps(answer, indent=1))
        return
    print(f"{record['recipe']} {key}  ({record['seconds']} s)")
    for name, s in scalars(ds).items():
        print(f"  {name:30} {_printed(s)}")
    for variable, v in ds.data_vars.items():
        print(f"  {variable:30} [{' × '.join(f'{d} {n}' for d, n in v.sizes.items())}] {v.attrs.get('units', '')}")


def _scalar(s: Scalar) -> dict[str, Any]:
    parts = s.to_json()
    return {**parts, **{k: parts.get(k) for k in ("value", "unit", "std", "low", "high", "n")}}


def _printed(s: Scalar) -> str:
    if s.value is None:
        return "–"
    value = s.value if isinstance(s.value, str | int) else f"{s.value:.6g}"
    parts = [str(value), s.unit if s.unit != "1" else ""]
    if s.low is not None and s.high is not None:
        parts.append(f"[{s.low:.4g} … {s.high:.4g}]" + (f" at {100 * s.level:.0f} %" if s.level else ""))
    elif s.std is not None:
        parts.append(f"± {s.std:.3g}")
    if s.n is not None:
        parts.append(f"n = {s.n} {s.of}".rstrip())
    return " ".join(p for p in parts if p)


def write(ds: xr.Dataset, path: Path) -> None:
    """A result as a file: NetCDF and Zarr carry its scalars as 0-D variables; CSV and parquet are the table alone."""
    if path.suffix in (".csv", ".parquet"):
        _write_table(ds, path)
    elif path.suffix == ".nc":
        _with_scalars(ds).to_netcdf(path, engine="h5netcdf")
    elif path.suffix == ".zarr":
        _with_scalars(ds).to_zarr(path, mode="w-", consolidated=False)
    else:
        raise ParamError(f"'{path.suffix}' is not a format for results.", hint="Use .nc, .zarr, .csv or .parquet.")


def _with_scalars(ds: xr.Dataset) -> xr.Dataset:
    """0-D variables beside the arrays; one that has an array's name is called ``<name>_scalar``. Other attributes become text."""
    made = {f"{n}_scalar" if n in ds.variables else str(n): v for n, v in scalar_variables(ds).variables.items()}
    attrs = {k: v if isinstance(v, str | int | float) else json.dumps(v) for k, v in ds.attrs.items() if k != "scalars" and v is not None}
    return ds.drop_encoding().assign(made).assign_attrs(attrs).drop_attrs(deep=False).assign_attrs(attrs)


def _write_table(ds: xr.Dataset, path: Path) -> None:
    if len(ds.dims) != 1:
        raise ParamError(f"A result with dimensions {tuple(ds.dims)} is not a table.", hint="Write it as .nc or .zarr.")
    units = {str(n): v.attrs.get("units", "") for n, v in ds.variables.items()}
    (dim,) = ds.dims
    frame = ds.to_dataframe().reset_index(drop=dim not in ds.coords)  # cycle numbers are the rows' own names
    frame.columns = [f"{n} / {units[n]}" if units.get(n) not in ("", "1", None) else n for n in frame.columns]
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)


def draw(ds: xr.Dataset, key: str, path: Path, registry: Registry) -> None:
    """The first figure that the registry offers for this result, as a file."""
    kinds = registry.figures(ds.attrs["schema"])
    if not kinds:
        raise ParamError(f"There is no figure for {ds.attrs['schema']}.", hint="Write the numbers with --out.")
    item = Labelled(ds, label=key[:10], origin=str(ds.attrs.get("origin", "measured")), key=key)
    figure = kinds[0].build((item,), Style(size="double"), kinds[0].params())
    if path.suffix == ".html":
        figure.write_html(path, include_plotlyjs=True, config={"showSendToCloud": False, "plotlyServerURL": "", "displaylogo": False})
    elif path.suffix in (".png", ".svg", ".pdf"):
        figure.write_image(path, width=692, height=460, scale=3 if path.suffix == ".png" else 1)
    else:
        raise ParamError(f"'{path.suffix}' is not a format for figures.", hint="Use .html, .png, .svg or .pdf.")


def checked(problems: Sequence[str], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"whole": not problems, "problems": list(problems)}, indent=1))
        return
    print("The workspace is whole." if not problems else "\n".join(problems))


def facts(values: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(values, indent=1))
        return
    for name, value in values.items():
        print(f"{name:20} {_short(value)}")


def tree(node: Mapping[str, Any], depth: int = 0) -> None:
    """An explanation, indented from the result to its files."""
    indent = "  " * depth
    print(f"{indent}{node['key']}  {node.get('recipe') or node.get('reader') or node['kind']}")
    for name in ("params", "options"):
        given = {k: v for k, v in node.get(name, {}).items() if v is not None}
        if given:
            print(f"{indent}  {name}: {json.dumps(given)}")
    for f in node.get("files", ()):
        print(f"{indent}  file: {f['name']} ({f['bytes']:,} bytes, sha256 {f['sha256']})")
    print(f"{indent}  code {node.get('code', '')} · {', '.join(f'{n} {v}' for n, v in node.get('libraries', {}).items())}".rstrip(" ·"))
    if node["kind"] == "result":
        for parents in node["inputs"].values():
            for parent in parents:
                tree(parent, depth + 1)
