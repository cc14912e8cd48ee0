"""An environment of its own for each peer: their pins and ours exclude one another."""

import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from benchmarks.places import ENVIRONMENTS, Missing


@dataclass(frozen=True)
class Peer:
    """A program of the field: what pip calls it, and which of the files it says it can read."""

    name: str
    package: str
    reads: tuple[str, ...]
    pins: tuple[str, ...] = ()

    def claims(self, file: str) -> bool:
        return any(fnmatch(file, pattern) for pattern in self.reads)


PEERS = (
    Peer("newarenda", "NewareNDA", ("neware/*.nda", "neware/*.ndax")),
    Peer("yadg", "yadg", ("biologic/*.mpr", "biologic/*.mpt")),
    Peer("pyprobe", "PyProBE-Data", ("biologic/*.mpt", "biologic/*.txt", "*.xlsx", "arbin/*.csv", "maccor/*", "novonix/*", "basytec/*")),
    Peer("ampworks", "ampworks", ("*.csv", "*.xlsx", "*.mpt", "*.txt", "maccor/*")),
    Peer("navani", "navani", ("biologic/*.mpr", "biologic/*.mpt", "neware/*.ndax", "arbin/*.xlsx", "arbin/*.res", "bdf/*"), ("pyarrow",)),
    Peer(
        "cellpy",
        "cellpy",
        ("neware/*.nda", "neware/*.ndax", "neware/*.xlsx", "biologic/*.mpr", "arbin/*.res", "maccor/*.txt", "bdf/batmo*"),
    ),
    Peer("batterydf", "batterydf", ("*.csv", "*.mpt", "*.txt", "*.xlsx", "*.nda", "*.ndax", "bdf/*", "maccor/*")),
)


def python_of(peer: Peer) -> Path:
    """The interpreter of the peer's environment, which is made if it is missing; refused with pip's last line where pip cannot."""
    folder = ENVIRONMENTS / f".venv-bench-{peer.name}"
    python, done = folder / "bin" / "python", folder / ".installed"
    if done.is_file():
        return python
    ENVIRONMENTS.mkdir(exist_ok=True)
    print(f"installing {peer.package} into {folder.name} …", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", peer.package, *peer.pins]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        lines = [line for line in found.stderr.splitlines() if line.startswith("ERROR")]
        raise Missing(lines[-1][:300] if lines else f"pip could not install {peer.package}")
    done.touch()
    return python
