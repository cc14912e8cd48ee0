"""A study goes into a file and comes out with the same bits; whatever is wrong with the file, nothing is half imported."""

import json
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.catalog.boards import BoardRecord
from analysis.core.errors import StoreError
from analysis.core.hashing import file_digest
from analysis.report import unarchive as unarchive_module
from analysis.report.archive import LIST, archive
from analysis.report.unarchive import unarchive
from analysis.workspace import Workspace

Change = Callable[[dict[str, bytes]], dict[str, bytes]]


@pytest.fixture
def packed(board: BoardRecord, study: Workspace, tmp_path: Path) -> Path:
    archive(study, tmp_path / "study.zip")
    return tmp_path / "study.zip"


def stored(root: Path) -> dict[str, str]:
    folders = ("raw", "data", "edits", "results")
    return {p.relative_to(root).as_posix(): file_digest(p) for f in folders for p in (root / f).rglob("*") if p.is_file()}


def test_the_round_trip_is_bit_equal_and_keeps_the_board(packed: Path, study: Workspace, tmp_path: Path) -> None:
    opened = unarchive(packed, tmp_path / "elsewhere" / "study")
    assert stored(opened.root) == stored(study.root)
    assert opened.check() == []
    assert opened.catalog.measurements() == study.catalog.measurements()
    assert opened.catalog.boards.get("Review March") == study.catalog.boards.get("Review March")
    for key in study.store.keys("der"):
        assert opened.store.open(key).load().identical(study.store.open(key).load())
    # What is computed there has the same keys: nothing depends on the place.
    m = opened.catalog.measurements()[0]
    assert opened.ready(opened.request("cycling.summary", m)) in study.store.keys("r")


def rewritten(packed: Path, to: Path, change: Change) -> Path:
    with zipfile.ZipFile(packed) as z:
        entries = {n: z.read(n) for n in z.namelist()}
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in change(entries).items():
            z.writestr(name, content)
    return to


def listing(entries: dict[str, bytes], change: Callable[[dict], object]) -> dict[str, bytes]:
    listed = json.loads(entries[LIST])
    change(listed)
    return {**entries, LIST: json.dumps(listed).encode()}


def with_entry(name: str, content: bytes = b"x", size: int | None = None) -> Change:
    import hashlib

    about = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content) if size is None else size}
    return lambda e: {**listing(e, lambda x: x["files"].update({name: about})), name: content}


def flipped(entries: dict[str, bytes]) -> dict[str, bytes]:
    name = next(n for n in entries if n.startswith("results/") and not n.endswith("json"))
    return {**entries, name: bytes([entries[name][0] ^ 1]) + entries[name][1:]}


def without_dataset(entries: dict[str, bytes]) -> dict[str, bytes]:
    gone = [n for n in entries if n.startswith("data/")]
    kept = {n: c for n, c in entries.items() if n not in gone}
    return listing(kept, lambda x: [x["files"].pop(n) for n in gone])


BAD: dict[str, tuple[Change, str]] = {
    "outside": (with_entry("../evil"), "does not belong into a workspace"),
    "deep": (with_entry("raw/../../evil"), "does not belong into a workspace"),
    "absolute": (with_entry("/etc/evil"), "does not belong into a workspace"),
    "windows": (with_entry("raw\\..\\evil"), "does not belong into a workspace"),
    "drive": (with_entry("C:/evil"), "does not belong into a workspace"),
    "cache": (with_entry("cache/jobs/x"), "does not belong into a workspace"),
    "unlisted": (lambda e: {**e, "raw/aa/more": b"x"}, "does not hold what its list says"),
    "missing": (lambda e: {n: c for n, c in e.items() if n != "format"}, "does not hold what its list says"),
    "size": (with_entry("raw/aa/b", b"abc", 2), "another size than listed"),
    "flipped": (flipped, "is not what was archived"),
    "no list": (lambda e: {n: c for n, c in e.items() if n != LIST}, "no list of its files"),
    "list": (lambda e: {**e, LIST: b"{"}, "list of files cannot be read"),
    "newer": (lambda e: listing(e, lambda x: x.update(archive=99)), "newer version"),
    "bomb": (with_entry("raw/aa/zeros", bytes(320 << 20)), "which no study does"),
    "dataset": (without_dataset, "is missing"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_one_sentence_and_nothing_is_imported(
    name: str, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unarchive_module, "FREE_BYTES", 1 << 20)
    change, sentence = BAD[name]
    bad = rewritten(packed, tmp_path / "bad.zip", change)
    before = set(tmp_path.iterdir())
    with pytest.raises(StoreError, match=sentence) as caught:
        unarchive(bad, tmp_path / "new")
    assert caught.value.message.count(". ") == 0
    assert set(tmp_path.iterdir()) == before
    assert not (tmp_path.parent / "evil").exists()


def test_a_cut_archive_no_zip_and_a_used_folder(packed: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(packed.read_bytes()[:-100])
    with pytest.raises(StoreError, match=r"cut\.zip is damaged or not a study archive"):
        unarchive(cut, tmp_path / "new")
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(StoreError, match="damaged or not a study archive"):
        unarchive(tmp_path / "text.zip", tmp_path / "new")
    with pytest.raises(StoreError, match="is not empty"):
        unarchive(packed, tmp_path)
    with pytest.raises(StoreError, match="There is no file"):
        unarchive(tmp_path / "none.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_catalog_with_a_trigger_is_refused(packed: Path, tmp_path: Path) -> None:
    import hashlib

    def poisoned(entries: dict[str, bytes]) -> dict[str, bytes]:
        path = tmp_path / "c.sqlite"
        path.write_bytes(entries["catalog.sqlite"])
        with sqlite3.connect(path) as c:
            c.execute("CREATE TRIGGER t AFTER INSERT ON cells BEGIN DELETE FROM cells; END")
        c.close()
        content = path.read_bytes()
        path.unlink()
        about = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        return {**listing(entries, lambda x: x["files"].update({"catalog.sqlite": about})), "catalog.sqlite": content}

    with pytest.raises(StoreError, match="programs in it"):
        unarchive(rewritten(packed, tmp_path / "bad.zip", poisoned), tmp_path / "new")


def test_links_inside_an_archive_become_no_links(packed: Path, tmp_path: Path) -> None:
    """A link is unpacked as the few bytes that it consists of, and then has not the hash of what it pointed to."""
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(packed) as z, zipfile.ZipFile(bad, "w") as out:
        for info in z.infolist():
            if info.filename == "format":
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            out.writestr(info, z.read(info.filename))
    opened = unarchive(bad, tmp_path / "new")
    assert not (opened.root / "format").is_symlink()


def test_a_file_that_is_there_is_not_written_over(packed: Path, study: Workspace) -> None:
    with pytest.raises(StoreError, match="already there"):
        archive(study, packed)
