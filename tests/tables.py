"""Makers of table files with known content."""

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import xarray as xr

from analysis.core.data import table
from analysis.cycling.schemas import RECORD

_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_NS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def write_xlsx(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    """A minimal workbook: numbers as numbers, all else as inline text."""
    names = "".join(f'<sheet name="{escape(n)}" sheetId="{i}" r:id="r{i}"/>' for i, n in enumerate(sheets, 1))
    links = "".join(f'<Relationship Id="r{i}" Type="{_NS}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in range(1, len(sheets) + 1))
    with ZipFile(path, "w", ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", _TYPES)
        z.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r0" Type="{_NS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        z.writestr("xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_NS}"><sheets>{names}</sheets></workbook>')
        z.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{links}</Relationships>',
        )
        for i, rows in enumerate(sheets.values(), 1):
            z.writestr(f"xl/worksheets/sheet{i}.xml", f'<worksheet xmlns="{_MAIN}"><sheetData>{_rows(rows)}</sheetData></worksheet>')
    return path


def _rows(rows: Sequence[Sequence[object]]) -> str:
    return "".join("<row>" + "".join(map(_cell, row)) + "</row>" for row in rows)


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def cycled(rows_per_half: int = 20, cycles: int = 3, *, counter: str = "cycle") -> xr.Dataset:
    """A record of known shape: charge and discharge at 1 mA, one row each 10 s, a rest of one row after each half cycle."""
    sign = np.tile(np.repeat([1.0, -1.0], rows_per_half + 1), cycles)
    sign[rows_per_half :: rows_per_half + 1] = 0.0
    n = sign.size
    cycle = np.repeat(np.arange(1, cycles + 1), 2 * (rows_per_half + 1))
    step = np.concatenate([[0], np.cumsum(np.diff(sign) != 0)]) % 4 + 1
    charge, discharge = _counted(sign, cycle, counter)
    columns = {
        "time": (np.arange(n) * 10.0, "s"),
        "voltage": (3.5 + 0.3 * np.sin(np.arange(n) / rows_per_half), "V"),
        "current": (sign * 1e-3, "A"),
        "cycle": (cycle, "1"),
        "step": (step, "1"),
        "charge_capacity": (charge, "A h"),
        "discharge_capacity": (discharge, "A h"),
        "timestamp": (1.7e9 + np.arange(n) * 10.0, "s"),
        "mode": (np.where(sign == 0, 3, 1), "1"),
    }
    attrs = {"instrument": "maker", "channel": "7", "start_time": "", "counter": counter, "warnings": [], "metadata": {}, "convention": ""}
    return RECORD.conform(table(columns, dim="row", attrs=attrs))


def _counted(sign: np.ndarray, cycle: np.ndarray, counter: str) -> tuple[np.ndarray, np.ndarray]:
    passed = np.abs(sign) * 1e-3 * 10 / 3600
    out = []
    for direction in (1, -1):
        total = np.cumsum(np.where(sign == direction, passed, 0.0))
        if counter == "cycle":
            first = np.searchsorted(cycle, cycle)
            total = total - np.where(first > 0, total[first - 1], 0.0)
        out.append(np.round(total, 12))
    return out[0], out[1]
