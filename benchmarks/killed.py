"""Kill -9 at random moments during imports and jobs: the workspace must be whole each time."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks import places
from benchmarks.report import Section, Table, count

sys.path.insert(0, str(places.ROOT / "tests" / "core"))

import crash  # the judge that the tests use

ROUNDS, QUICK_ROUNDS = 30, 3
SEED = 2025
START_S = 120.0
DEAD_S = 10.0
LONGEST_S = {"imports": 1.2, "jobs": 1.2}
FILES = (
    "neware/nw4-120-1-6-53.ndax",
    "biologic/gcpl.issue_211.mpt",
    "biologic/jdb11-1_e1_s3_squidTest_data_C15.mpr",
    "arbin/10_3_13_1C_Cycle.csv",
    "landt/LANHE_GPCL.ccs",
)


@dataclass
class Outcome:
    """What many kills left behind."""

    kind: str
    rounds: int
    killed: int = 0
    finished: int = 0  # measurements or results that were whole at the end
    swept: int = 0  # half-written folders that the next start removed
    problems: list[str] = field(default_factory=list)


def run(*, quick: bool) -> Section:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    chance = random.Random(SEED)
    outcomes = [_survived(kind, rounds, chance) for kind in ("imports", "jobs")]
    rows = tuple(
        (o.kind, str(o.rounds), str(o.killed), str(o.swept), count(o.finished), "; ".join(o.problems) or "whole each time")
        for o in outcomes
    )
    intro = (
        f"A program imports real files over and over (`Workspace.import_files`), or runs jobs in the process pool; after a random "
        f"time it and its workers are killed (seed {SEED}). Then the next start sweeps, and everything is looked at: every array against "
        "its digest, every catalog row against its files and arrays, every original; nothing may be left in `temp`."
    )
    columns = ("killed during", "kills", "hit it at work", "half-written folders swept", "whole at the end", "found")
    notes = ("A dataset that was complete before its catalog row was written is no damage: nothing refers to it, and `prune` removes it.",)
    return Section("crash", "Kill −9", intro, (Table("Damage", columns, rows, notes),))


def _survived(kind: str, rounds: int, chance: random.Random) -> Outcome:
    outcome = Outcome(kind, rounds)
    paths = [str(places.cycling(name)) for name in FILES]
    with places.folder() as folder:
        root, ready = folder / "workspace", folder / "ready"
        for k in range(rounds):
            command = ["benchmarks.killed_child", kind, str(root), str(ready), str(SEED + k), *paths]
            outcome.killed += _killed(command, ready, chance.uniform(0.0, LONGEST_S[kind]))
            outcome.problems += [f"round {k}: {p}" for p in _looked_at(root, outcome)]
            print(f"{kind} {k + 1}/{rounds}: {len(outcome.problems)} problems", file=sys.stderr, flush=True)
        outcome.finished = _whole(root, kind)
    return outcome


def _killed(command: list[str], ready: Path, delay_s: float) -> bool:
    """Start a module, wait for the file that says it is at work, kill it and its workers ``delay_s`` later; False if it had ended."""
    ready.unlink(missing_ok=True)
    program = subprocess.Popen([sys.executable, "-m", *command], cwd=places.ROOT, start_new_session=True)
    until = time.monotonic() + START_S
    while not ready.exists() and program.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(delay_s)
    if program.poll() is not None:
        return False
    members = [psutil.Process(program.pid), *psutil.Process(program.pid).children(recursive=True)]
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    _, alive = psutil.wait_procs(members, timeout=DEAD_S)  # a lock is free when its process is gone, not when it was told to go
    if alive:
        raise RuntimeError(f"{len(alive)} workers live on {DEAD_S:.0f} s after they were killed")
    return True


def _looked_at(root: Path, outcome: Outcome) -> list[str]:
    from analysis.workspace import Workspace

    outcome.swept += sum(p.is_dir() for p in (root / "temp").iterdir())
    found = list(crash.damage(root))
    workspace = Workspace(root)
    found += workspace.check()
    for m in workspace.catalog.measurements():
        if not m.dataset_keys or not m.files:
            found.append(f"measurement {m.id} has no data or no file.")
    return found


def _whole(root: Path, kind: str) -> int:
    from analysis.workspace import Workspace

    workspace = Workspace(root)
    return len(workspace.catalog.measurements()) if kind == "imports" else len(workspace.store.keys("r"))
