"""The small real files that are damaged; long ones are cut to what keeps a reading below a few hundredths of a second."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from benchmarks.places import cycling

LINES = 300
SHEET_ROWS = 120
LANDT_HEAD, LANDT_CURRENT = 7, 6  # lines above the rows, column of the current
CCS_BYTES = 400_000


@dataclass(frozen=True)
class Source:
    """A format, and how its whole small file is made."""

    name: str
    file: str
    suffix: str
    make: Callable[[Path], bytes] = Path.read_bytes

    def whole(self) -> bytes:
        return self.make(cycling(self.file))


def _first_lines(path: Path) -> bytes:
    with open(path, "rb") as f:
        return b"".join(line for line, _ in zip(f, range(LINES), strict=False))


def _landt(path: Path) -> bytes:
    """The head and the rows around the first that carries current; this record begins with half a day of rest."""
    lines = path.read_bytes().splitlines(keepends=True)
    first = next(k for k, line in enumerate(lines) if k >= LANDT_HEAD and float(line.split(b",")[LANDT_CURRENT]))
    return b"".join([*lines[:LANDT_HEAD], *lines[first - LINES // 4 : first + LINES]])


def _only_member(path: Path) -> bytes:
    with ZipFile(path) as archive:
        (member,) = archive.namelist()
        return archive.read(member)


def _first_bytes(path: Path) -> bytes:
    return path.read_bytes()[:CCS_BYTES]


def _first_rows(path: Path) -> bytes:
    """The workbook with the first rows of each sheet."""
    import io

    import python_calamine
    import xlsxwriter

    made = io.BytesIO()
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    with xlsxwriter.Workbook(made, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}) as out:
        for name in book.sheet_names:
            sheet = out.add_worksheet(name)
            for k, row in enumerate(book.get_sheet_by_name(name).to_python(nrows=SHEET_ROWS)):
                sheet.write_row(k, 0, row)
    return made.getvalue()


SOURCES = (
    Source("biologic_mpr", "biologic/gcpl.issue_211.mpr", ".mpr"),
    Source("neware_ndax", "neware/TESTCELL0001-Test_Data_Collection_Ndc17.ndax", ".ndax"),
    Source("neware_nda", "neware/nda8.nda.zip", ".nda", _only_member),
    Source("arbin_res", "arbin/20160805_test001_45_cc_01.res", ".res"),
    Source("lanhe_ccs", "landt/LANHE_GPCL.ccs", ".ccs", _first_bytes),
    Source("biologic_mpt", "biologic/gcpl.issue_211.mpt", ".mpt", _first_lines),
    Source("biologic_txt", "biologic/Sample_data_biologic_01_MB_CA1.txt", ".txt", _first_lines),
    Source("neware_csv", "neware/nw_regular_export_ife_example.csv", ".csv", _first_lines),
    Source("arbin_csv", "arbin/7_3_13_1C_Cycle.csv", ".csv", _first_lines),
    Source("arbin_xlsx", "arbin/bs542_004_gr_li_50ua_50mv_1v_191020_Channel_11.xlsx", ".xlsx", _first_rows),
    Source("maccor", "maccor/maccor_001.txt", ".txt", _first_lines),
    Source("maccor_070", "maccor/xTESLADIAG_000019_CH70.070", ".070", _first_lines),
    Source("landt_csv", "landt/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv", ".csv", _landt),
    Source("novonix", "novonix/sample_data_novonix.csv", ".csv"),
    Source("basytec", "basytec/sample_data_basytec.txt", ".txt"),
    Source("bdf_csv", "bdf/batmo_bdf.csv", ".csv", _first_lines),
    Source("bdf_parquet", "bdf/legacy.bdf.parquet", ".parquet"),
    Source("generic_csv", "csv/p492-13-raw.csv", ".csv", _first_lines),
)
