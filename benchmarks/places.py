"""Where things are: the repository, the real files, a folder for what is made on the way."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = Path(__file__).parent / ".envs"
CYCLING = ROOT.parent / "shared" / "data" / "cycling"
SMALL = ROOT / "tests" / "data"


class Missing(Exception):
    """Something that a part needs is not on this machine."""


def cycling(name: str) -> Path:
    """A real cycler file of the shared folder."""
    path = CYCLING / name
    if not path.is_file():
        raise Missing(f"{name} is not in ../shared/data/cycling")
    return path


@contextmanager
def folder() -> Iterator[Path]:
    """A folder on the disk of the repository (not in memory, as /tmp may be), removed afterwards."""
    base = ENVIRONMENTS.parent / ".work"
    base.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=base) as made:
        yield Path(made)
