"""Read and cycle summary of the same files, and the derivative of the same half cycle, against every peer that installs."""

import csv
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from benchmarks import places
from benchmarks.agreement import Agreement, compare
from benchmarks.contenders import Contender
from benchmarks.measure import median
from benchmarks.peer_environments import PEERS, python_of
from benchmarks.report import Section, Table, count, seconds

ROUNDS, QUICK_ROUNDS = 9, 2
LIMIT_S = 120.0
SLOW_S = 3.0  # who needs longer is timed in three rounds only
OURS = "interplay"

FILES = (
    "neware/BTS85-36-6-5-110-20240424.ndax",
    "neware/nw4-120-1-6-53.ndax",
    "neware/TESTCELL0001-Test_Data_Collection_Ndc17.ndax",
    "neware/nda8.nda",
    "neware/nw_regular_export_ife_example.csv",
    "biologic/jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data_C09.mpr",
    "biologic/jdb11-1_e1_s3_squidTest_data_C15.mpr",
    "biologic/250116_kigr_gen6_01_02_GCPL_CD8.mpr",
    "biologic/gcpl.issue_211.mpr",
    "biologic/biol.mpr",
    "biologic/gcpl.issue_211.mpt",
    "biologic/Sample_data_biologic_01_MB_CA1.txt",
    "arbin/20160805_test001_45_cc_01.res",
    "arbin/bs542_004_gr_li_50ua_50mv_1v_191020_Channel_11.xlsx",
    "arbin/7_3_13_1C_Cycle.csv",
    "arbin/10_3_13_1C_Cycle.csv",
    "arbin/3_4_14_1C_Cycle.csv",
    "maccor/maccor_001.txt",
    "maccor/xTESLADIAG_000019_CH70.070",
    "csv/p492-13-raw.csv",
    "landt/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv",
    "landt/LANHE_GPCL.ccs",
    "novonix/sample_data_novonix.csv",
    "basytec/sample_data_basytec.txt",
    "bdf/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.bdf.csv",
    "bdf/batmo_bdf.csv",
    "bdf/legacy.bdf.parquet",
)
ZIPPED = {"neware/nda8.nda": "neware/nda8.nda.zip"}
DERIVED = "biologic/jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data_C09.mpr"


@dataclass
class Timing:
    """What one program did with one file."""

    times: list[float] = field(default_factory=list)
    answer: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    recognised: list[float] = field(default_factory=list)  # seconds of each call that went into finding out the format

    @property
    def middle(self) -> float:
        return median(self.times)


def run(*, quick: bool) -> Section:
    """Every file with every program that claims it, round after round so that all meet the same machine."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with places.folder() as folder, _contenders() as (contenders, absent):
        files = {name: _file(name, folder) for name in FILES}
        found = {}
        for name, path in files.items():
            found[name] = _timed(contenders, name, path, rounds)
            print(_line(name, found[name]), file=sys.stderr, flush=True)
        derived = _derivatives(contenders, _half_cycle(files[DERIVED], folder), rounds)
    versions = ", ".join(f"{c.name} {c.version}" for c in contenders if c.name != OURS)
    intro = (
        f"One process for each program, imported and asked once before; then {rounds} rounds in turn, medians (programs slower "
        f"than {SLOW_S:.0f} s: 3 rounds). Work: the format recognised, the file read, charge and discharge of each cycle computed. "
        f"Peers: {versions}." + "".join(f" Not here: {name}, {reason}." for name, reason in absent.items())
    )
    return Section("peers", "Against the field's programs", intro, (_comparison(found), _everything(found), _derivative_table(derived)))


def _file(name: str, folder: Path) -> Path:
    if name not in ZIPPED:
        return places.cycling(name)
    with ZipFile(places.cycling(ZIPPED[name])) as archive:
        (member,) = archive.namelist()
        made = folder / "neware" / Path(name).name
        made.parent.mkdir(exist_ok=True)
        made.write_bytes(archive.read(member))
    return made


@contextmanager
def _contenders() -> Iterator[tuple[list[Contender], dict[str, str]]]:
    running, absent = [], {}
    try:
        running.append(Contender(OURS, Path(sys.executable)))
        for peer in PEERS:
            try:
                running.append(Contender(peer.name, python_of(peer)))
            except places.Missing as err:
                absent[peer.package] = str(err)
        yield running, absent
    finally:
        for contender in running:
            contender.close()


def _timed(contenders: Sequence[Contender], name: str, path: Path, rounds: int) -> dict[str, Timing]:
    claims = {p.name for p in PEERS if p.claims(name)} | {OURS}
    tasks = [(c, "summary", c.name) for c in contenders if c.name in claims]
    tasks += [(c, "stored", "stored") for c in contenders if c.name == OURS]
    return _rounds(tasks, path, rounds)


def _rounds(tasks: Sequence[tuple[Contender, str, str]], path: Path, rounds: int) -> dict[str, Timing]:
    found = {}
    for contender, task, label in tasks:
        answer = contender.ask(task, path, limit_s=LIMIT_S)
        found[label] = Timing([], answer, str(answer.get("error", "")))
    for k in range(rounds):
        for contender, task, label in tasks:
            timing = found[label]
            if timing.error or (k >= 3 and timing.middle > SLOW_S):
                continue
            answer = contender.ask(task, path, limit_s=LIMIT_S)
            timing.times.append(float(answer.get("seconds", "nan")))
            timing.recognised.append(float(answer.get("recognised", 0.0)))
    return found


def _line(name: str, found: Mapping[str, Timing]) -> str:
    parts = [f"{who} {seconds(t.middle) if t.times else t.error[:70]}" for who, t in found.items()]
    return f"{name}: {'; '.join(parts)}"


# -- tables ----------------------------------------------------------------------------------------------------------------


def _agreements(found: Mapping[str, Timing]) -> dict[str, Agreement]:
    ours = found[OURS]
    return {n: compare(ours.answer, t.answer) for n, t in found.items() if n not in (OURS, "stored") and not t.error and not ours.error}


def _comparison(found: Mapping[str, Mapping[str, Timing]]) -> Table:
    rows = tuple(_compared(name, timings) for name, timings in found.items())
    columns = (
        "file",
        "rows",
        "this program",
        "of it recognising",
        "stored as well",
        "fastest peer, same charge",
        "its time",
        "times faster",
    )
    notes = (
        "“Stored as well”: hashed, written, synced to disk and opened again, as an import does. A peer counts where its total charge and "
        "discharge are within 2 % of ours. Peers are told the format, this program finds it out from the content.",
        *_exceptions(found),
    )
    return Table("Read and cycle summary", columns, rows, notes)


def _best(found: Mapping[str, Timing]) -> str | None:
    """The fastest peer that found the same charge."""
    same = [n for n, a in _agreements(found).items() if a.whole]
    return min(same, key=lambda n: found[n].middle) if same else None


def _compared(name: str, found: Mapping[str, Timing]) -> tuple[str, ...]:
    ours, stored, best = found[OURS], found["stored"], _best(found)
    if ours.error:
        return (name, "–", ours.error, "–", "–", "–", "–", "–")
    start = (name, count(int(ours.answer["rows"])), *map(seconds, (ours.middle, median(ours.recognised), stored.middle)))
    if best is None:
        tried = [n for n in found if n not in (OURS, "stored")]
        return (*start, "none" if tried else "no peer reads it", "–", "–")
    return (*start, best, seconds(found[best].middle), f"{found[best].middle / ours.middle:.3g}")


def _exceptions(found: Mapping[str, Mapping[str, Timing]]) -> Iterator[str]:
    """Sentences about the files on which a peer is faster, and whether finding out the format is the cause."""
    slower = {name: t for name, t in found.items() if (best := _best(t)) and t[best].middle < t[OURS].middle}
    by_recognising = [n for n, t in slower.items() if t[OURS].middle - median(t[OURS].recognised) <= t[_best(t) or OURS].middle]
    by_reading = [n for n in slower if n not in by_recognising]
    if by_recognising:
        yield f"Slower than a peer only because the format is found out: {', '.join(by_recognising)}."
    if by_reading:
        yield f"Slower than a peer also where the format is known: {', '.join(by_reading)}."
    if not slower:
        yield "On no file is a peer that does the same work faster."


def _everything(found: Mapping[str, Mapping[str, Timing]]) -> Table:
    rows = []
    for name, timings in found.items():
        agreements = _agreements(timings)
        for who, timing in timings.items():
            if who in (OURS, "stored"):
                continue
            if timing.error:
                rows.append((name, who, "–", "–", f"does not read it: {_said(timing.error)}"))
            elif who in agreements:
                ratio = timing.middle / timings[OURS].middle
                rows.append((name, who, seconds(timing.middle), f"{ratio:.3g}", agreements[who].words()))
    return Table("Every peer on every file that it claims", ("file", "peer", "time", "× ours", "its numbers against ours"), tuple(rows))


# -- dQ/dV -----------------------------------------------------------------------------------------------------------------


def _half_cycle(source: Path, folder: Path) -> Path:
    """The longest half cycle of a record as a table that every program can take."""
    from analysis.core.run import read
    from analysis.cycling.curves import half_curves
    from analysis.cycling.derivative import DerivativeParams
    from analysis.modalities import registry

    reader = registry().recognise(source)
    record = read((source,), reader, reader.options.check({}))
    halves = half_curves(record, tuple(range(30)), DerivativeParams()).halves
    longest = max(halves, key=lambda h: h.voltage.size)
    made = folder / "half_cycle.csv"
    with open(made, "w", newline="", encoding="ascii") as f:
        writer = csv.writer(f)
        writer.writerow(["capacity_mAh", "voltage_V", "current_A"])
        writer.writerows(zip(longest.capacity.tolist(), longest.voltage.tolist(), longest.current.tolist(), strict=True))
    return made


def _derivatives(contenders: Sequence[Contender], path: Path, rounds: int) -> dict[str, Timing]:
    return _rounds([(c, "dqdv", c.name) for c in contenders if "dqdv" in c.tasks], path, rounds)


def _derivative_table(found: Mapping[str, Timing]) -> Table:
    ours = found[OURS]
    rows = []
    for name, timing in found.items():
        if timing.error:
            rows.append((name, "–", "–", "–", _said(timing.error)))
            continue
        points, values = count(int(timing.answer["points"])), count(int(timing.answer["values"]))
        rows.append((name, seconds(timing.middle), f"{timing.middle / ours.middle:.3g}", points, f"{values} values"))
    return Table("dQ/dV of one half cycle", ("program", "time", "× ours", "points in", "out"), tuple(rows))


def _said(error: str) -> str:
    """The beginning of what a program said, with the names of files but not where they lie here."""
    return re.sub(r"(?:/[\w.+-]+)+/([\w.+-]+)", r"\1", error)[:110]
