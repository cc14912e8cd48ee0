"""Uploads: pieces in order, interrupted and resumed, refused with a sentence; names made harmless; what is given up goes."""

import hashlib
import io
import os
import shutil
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import staging
from analysis.core.errors import StoreError
from analysis.staging import CHUNK_BYTES, NAME_LENGTH, RoomError, Staging, printed_bytes, safe_name

OFFSET = "Upload-Offset"


def send(served: Any, sid: str, offset: int, content: bytes) -> Any:
    return served.client.patch(f"/uploads/{sid}", data=content, headers={OFFSET: str(offset)})


def begin(served: Any, name: str, size: int, stamp: str = "1") -> dict[str, Any]:
    return dict(served.client.post("/uploads", json={"name": name, "size": size, "stamp": stamp}).get_json())


def test_pieces_make_the_file(served: Any) -> None:
    content = bytes(range(256)) * 1000
    started = begin(served, "cell 1.mpr", len(content))
    assert started["offset"] == 0
    assert started["chunk"] == CHUNK_BYTES
    assert served.staging.entries() == [], "not there before it is whole"
    for start in range(0, len(content), 100_000):
        answer = send(served, started["id"], start, content[start : start + 100_000])
        assert answer.status_code == 204
        assert int(answer.headers[OFFSET]) == min(start + 100_000, len(content))
    (entry,) = served.staging.entries()
    assert (entry.name, entry.size, entry.referenced) == ("cell 1.mpr", len(content), False)
    assert hashlib.sha256(entry.path.read_bytes()).digest() == hashlib.sha256(content).digest()


def test_an_interrupted_upload_goes_on(served: Any) -> None:
    first = begin(served, "a.csv", 10)
    send(served, first["id"], 0, b"0123")
    assert served.client.head(f"/uploads/{first['id']}").headers[OFFSET] == "4"
    again = begin(served, "a.csv", 10)
    assert (again["id"], again["offset"]) == (first["id"], 4)
    assert begin(served, "a.csv", 10, stamp="2")["id"] != first["id"], "another file of that name"
    send(served, again["id"], 4, b"456789")
    assert served.staging.entry(first["id"]).path.read_bytes() == b"0123456789"


def test_a_piece_that_does_not_follow_is_refused_with_the_right_place(served: Any) -> None:
    sid = begin(served, "a.csv", 10)["id"]
    send(served, sid, 0, b"0123")
    for offset in (0, 2, 6):
        answer = send(served, sid, offset, b"xx")
        assert (answer.status_code, answer.headers[OFFSET]) == (409, "4")
    send(served, sid, 4, b"456789")
    assert send(served, sid, 4, b"456789").status_code == 409, "it is whole already"
    assert served.staging.entry(sid).path.read_bytes() == b"0123456789"


def test_a_broken_connection_keeps_what_arrived(served: Any) -> None:
    sid = begin(served, "a.csv", 3 << 20)["id"]

    class Breaking(io.RawIOBase):
        left = 1

        def read(self, _size: int = -1) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise ConnectionResetError
            return b"x" * (1 << 20)

    with pytest.raises(ConnectionResetError):
        served.staging.write(sid, 0, Breaking())  # type: ignore[arg-type]
    assert served.staging.offset(sid) == 1 << 20


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"name": "a", "size": -1}, 400),
        ({"name": "a", "size": "12"}, 400),
        ({"name": "a", "size": True}, 400),
        ({"name": 3, "size": 12}, 400),
        ({"size": 12}, 400),
        ([], 400),
        ({"name": "a", "size": (64 << 30) + 1}, 413),
    ],
)
def test_bad_beginnings_are_sentences(served: Any, asked: Any, status: int) -> None:
    answer = served.client.post("/uploads", json=asked)
    assert answer.status_code == status
    assert answer.text.rstrip().endswith(".")
    assert not list(served.staging.root.glob("*"))


def test_bad_pieces_are_refused(served: Any) -> None:
    sid = begin(served, "a.csv", 10)["id"]
    assert served.client.patch(f"/uploads/{sid}", data=b"x").status_code == 400
    assert served.client.patch(f"/uploads/{sid}", data=b"x", headers={OFFSET: "-1"}).status_code == 400
    assert send(served, sid, 0, b"x" * 11).status_code == 400, "more than was announced"
    assert send(served, sid, 0, b"x" * (CHUNK_BYTES + 1)).status_code == 413
    for strange in ("0" * 32, "..", "x", "arrived.json"):
        assert send(served, strange, 0, b"x").status_code in (404, 405)
        assert served.client.head(f"/uploads/{strange}").status_code == 404
        assert served.client.delete(f"/uploads/{strange}").status_code == 404


def test_a_file_that_does_not_fit_on_the_disk_is_refused_before_it_is_sent(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(served.workspace.root)._replace(free=4_000_000_000)
    monkeypatch.setattr(staging.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(RoomError) as refused:
        served.staging.begin("big.csv", 2_000_000_000)
    assert str(refused.value).startswith("big.csv (2 GB) does not fit: its import needs 4.54 GB, the disk of the workspace has 4 GB free.")
    served.staging.begin("a.csv", 1_500_000_000)
    with pytest.raises(RoomError):  # what other uploads will need is counted
        served.staging.begin("b.csv", 1_500_000_000)


def test_a_cancelled_upload_is_gone(served: Any) -> None:
    sid = begin(served, "a.csv", 10)["id"]
    send(served, sid, 0, b"0123")
    assert served.client.delete(f"/uploads/{sid}").status_code == 204
    assert send(served, sid, 4, b"4").status_code == 404
    assert not list(served.staging.root.glob("*"))


def test_memory_does_not_grow_with_the_file(served: Any) -> None:
    sid = begin(served, "a.bin", 64 << 20)["id"]

    class Zeros(io.RawIOBase):
        left = 64 << 20

        def read(self, size: int = -1) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    tracemalloc.start()
    served.staging.write(sid, 0, Zeros())  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert served.staging.entry(sid).path.stat().st_size == 64 << 20
    assert peak < 4 << 20


def test_the_start_of_a_server_sweeps_what_was_given_up(served: Any) -> None:
    old, new = begin(served, "old.csv", 10)["id"], begin(served, "new.csv", 10)["id"]
    whole = served.waiting("whole.csv", b"abc")
    done = served.waiting("done.csv", b"abc")
    served.staging.say(done, done="1")
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(served.staging.root / old / "part", (long_ago, long_ago))
    os.utime(served.staging.root / done / "form.json", (long_ago, long_ago))
    assert served.staging.sweep() == 2
    assert {p.name for p in served.staging.root.iterdir()} == {new, whole}


def test_waiting_files_survive_the_sweeping_of_the_store(served: Any) -> None:
    sid = served.waiting("a.csv", b"abc")
    served.workspace.store.sweep()
    assert Staging(served.workspace.root).entry(sid).path.read_bytes() == b"abc"


def test_a_file_that_is_only_referred_to_is_never_deleted(served: Any) -> None:
    original = served.offered / "a.csv"
    original.write_text("abc")
    sid = served.staging.refer(original)
    assert served.staging.refer(original) == sid, "chosen twice, waiting once"
    served.staging.drop_content(sid)
    served.staging.discard(sid)
    assert original.read_text() == "abc"
    with pytest.raises(StoreError):
        served.staging.entry(sid)


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("cell 1.mpr", "cell 1.mpr"),
        ("Zelle Ü (3).csv", "Zelle Ü (3).csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\x.ndax", "x.ndax"),
        ("a\x00b\n.csv", "a_b_.csv"),
        (".hidden", "hidden"),
        ("..", "file"),
        ("", "file"),
        ("con.csv", "_con.csv"),
        ("a<b>:c.csv", "a_b__c.csv"),
        ("evil\u202egpj.csv", "evil_gpj.csv"),
    ],
)
def test_names_are_made_harmless(given_name: str, safe: str) -> None:
    assert safe_name(given_name) == safe


@given(st.text(max_size=400))
def test_any_name_can_be_a_file(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    safe = safe_name(name)
    assert safe == safe_name(safe)
    assert 0 < len(safe.encode()) <= NAME_LENGTH
    folder = Path(tmp_path_factory.getbasetemp())
    assert (folder / safe).parent == folder
    (folder / f"{safe}").write_bytes(b"")
    (folder / safe).unlink()


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (999_400, "999 kB"), (999_600, "1 MB"), (2.05e9, "2.05 GB")]
)
def test_sizes_are_printed_as_people_say_them(size: float, text: str) -> None:
    assert printed_bytes(size) == text
