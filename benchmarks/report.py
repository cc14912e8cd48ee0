"""Results as text: tables on the terminal, and a page in which every part has its own place."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent / "RESULTS.md"
HEAD = """# Benchmarks

Written by `make bench` (or `python -m benchmarks PART`, which replaces that part alone). Ratios are between medians of one run,
side by side on one machine; times beside them hold for the machine that the part names.
"""


@dataclass(frozen=True)
class Table:
    """A table with a title above it and remarks below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        lines = [f"### {self.title}", "", _row(self.columns), _row(["---"] * len(self.columns)), *map(_row, self.rows)]
        return "\n".join([*lines, *[f"\n{n}" for n in self.notes]])


@dataclass(frozen=True)
class Section:
    """What one part found."""

    part: str
    title: str
    intro: str
    tables: tuple[Table, ...]
    machine: str = ""

    def markdown(self) -> str:
        tables = "\n\n".join(t.markdown() for t in self.tables)
        return f"<!-- {self.part} -->\n## {self.title}\n\n{self.intro}\n\n*{self.machine}*\n\n{tables}\n<!-- /{self.part} -->"


def write(section: Section, order: Sequence[str], page: Path = PAGE) -> None:
    """Put the section in its place on the page, which is made if missing; other parts stay."""
    found = {section.part: section.markdown()}
    if page.is_file():
        for part, text in re.findall(r"(?s)(?=<!-- (\w+) -->)(.*?<!-- /\1 -->)", page.read_text(encoding="utf-8")):
            found.setdefault(part, text)
    body = [found[part] for part in order if part in found]
    page.write_text("\n\n".join([HEAD.rstrip(), *body]) + "\n", encoding="utf-8")


def seconds(value: float) -> str:
    """A duration with three digits and its unit."""
    if value >= 1.0:
        return f"{value:.3g} s" if value < 1000 else f"{value:.0f} s"
    return f"{value * 1e3:.3g} ms"


def count(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def mebibytes(value: float) -> str:
    return f"{value / 2**20:.0f} MiB"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"
