"""Work in the background: progress, errors, cancelling, sharing, and what becomes of it when a process dies."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from analysis.core import settings
from analysis.core.errors import ParamError
from analysis.core.jobs import Executor, Inline, Jobs, Status, advance, note, noted
from analysis.core.progress import report
from analysis.core.store import Store
from analysis.pool import Pool

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0  # spawning workers takes seconds on a busy machine


def until(fact: Callable[[], object], *, within: float = PATIENCE_S) -> None:
    end = time.monotonic() + within
    while not fact():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def processes() -> list[psutil.Process]:
    """Worker processes of this one."""
    return [p for p in psutil.Process().children() if "spawn_main" in " ".join(p.cmdline())]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Two workers that all tests of this file share."""
    made = Pool(2)
    yield made
    workers = processes()
    made.close()
    assert not [w for w in workers if w.is_running()]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "ws")


@pytest.fixture
def jobs(store: Store, pool: Pool) -> Jobs:
    return Jobs(store, pool)


@pytest.fixture
def inline(store: Store) -> Jobs:
    return Jobs(store, Inline())


class Flags:
    """Files through which a test and its job talk."""

    def __init__(self, folder: Path, name: str) -> None:
        self.mark, self.go = folder / f"{name}.mark", folder / f"{name}.go"

    @property
    def payload(self) -> dict[str, str]:
        return {"mark": str(self.mark), "go": str(self.go)}

    def pid(self) -> int:
        """Process of the job, once it runs."""
        until(lambda: self.mark.exists() and self.mark.read_text(encoding="ascii"))
        return int(self.mark.read_text(encoding="ascii"))


def wait_for(jobs: Jobs, key: str) -> Status:
    until(lambda: not jobs.status(key).active)
    return jobs.status(key)


# -- at once, in this process ----------------------------------------------------------------------------------------------------


def test_an_inline_job_is_done_when_submit_returns(inline: Jobs) -> None:
    status = inline.submit("j-1", "jobtasks:store_square", {"number": 3}, title="Square")
    assert (status.state, status.result, status.title, status.fraction) == ("done", "r-square3", "Square", 1.0)
    assert inline.store.open("r-square3")["x"].item() == 9
    assert inline.submit("j-1", "jobtasks:store_square", {"number": 3}).run != status.run


def test_an_inline_job_may_run_another(inline: Jobs) -> None:
    assert inline.submit("j-outer", "jobtasks:submit_another", {}).result == "r-square4"


def test_an_interrupted_inline_job_does_not_stay_claimed(inline: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    import jobtasks

    def interrupt(_store: Store, _payload: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(jobtasks, "complain", interrupt)
    with pytest.raises(KeyboardInterrupt):
        inline.submit("j-1", "jobtasks:complain", {})
    assert inline.status("j-1").state == "failed"
    assert inline.submit("j-1", "jobtasks:store_square", {"number": 2}).state == "done"


def test_an_inline_job_in_a_thread_ends_at_its_next_report_when_cancelled(inline: Jobs, tmp_path: Path) -> None:
    flags = Flags(tmp_path, "a")
    thread = threading.Thread(target=inline.submit, args=("j-1", "jobtasks:wait", {**flags.payload, "report": True}))
    thread.start()
    flags.pid()
    until(lambda: inline.status("j-1").message == "waiting")
    assert inline.cancel("j-1").state == "cancelled"
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert inline.status("j-1").state == "cancelled"


@pytest.mark.parametrize("key", ["", "../x", "a/b", "a b", ".."])
def test_a_key_that_is_no_name(inline: Jobs, key: str) -> None:
    with pytest.raises(ParamError, match="is not the name of a job"):
        inline.submit(key, "jobtasks:store_square", {"number": 1})


def test_nothing_is_known_of_an_unknown_job(inline: Jobs) -> None:
    assert inline.status("j-nothing") == Status("j-nothing")
    assert inline.cancel("j-nothing").state == "unknown"
    assert inline.recent() == []


def test_jobs_are_listed_latest_first_and_forgotten_when_finished(inline: Jobs, store: Store, tmp_path: Path) -> None:
    for n in range(3):
        inline.submit(f"j-{n}", "jobtasks:store_square", {"number": n})
        note(store.root, replace(noted(store.root, f"j-{n}"), since=f"2026-01-0{n + 1}T00:00:00+00:00"))
    assert [s.key for s in inline.recent()] == ["j-2", "j-1", "j-0"]
    flags = Flags(tmp_path, "a")
    thread = threading.Thread(target=inline.submit, args=("j-live", "jobtasks:wait", flags.payload))
    thread.start()
    flags.pid()
    inline.forget_finished()
    assert [s.key for s in inline.recent()] == ["j-live"]
    assert [p.name for p in (store.root / "cache" / "claims").iterdir()] == ["j-live.lock"]
    flags.go.touch()
    thread.join(PATIENCE_S)


# -- errors, the same from both executors --------------------------------------------------------------------------------------------


@pytest.fixture(params=["inline", "pool"])
def either(request: pytest.FixtureRequest, store: Store) -> Jobs:
    return Jobs(store, Inline() if request.param == "inline" else request.getfixturevalue("pool"))


def test_a_users_error_reaches_the_status_with_its_hint(either: Jobs) -> None:
    either.submit("j-1", "jobtasks:complain", {}, title="Summary")
    status = wait_for(either, "j-1")
    assert (status.state, status.message, status.hint) == ("failed", "The cell has no cycles.", "Choose another file.")
    assert (status.incident, status.title) == ("", "Summary")


@pytest.mark.parametrize("task", ["jobtasks:break_down", "jobtasks:no_such_task", "no_such_module:task"])
def test_a_bug_becomes_an_incident(either: Jobs, task: str) -> None:
    either.submit("j-1", task, {"zero": 0})
    status = wait_for(either, "j-1")
    assert (status.state, status.message) == ("failed", "This is a fault in the program, not in your data.")
    assert len(status.incident) == 8
    assert status.incident in status.hint


def test_the_incident_is_in_the_log_with_its_traceback(inline: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        status = inline.submit("j-1", "jobtasks:break_down", {"zero": 0})
    assert status.incident in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_results_are_the_same_from_both_executors(either: Jobs) -> None:
    either.submit("j-1", "jobtasks:store_square", {"number": 5})
    assert wait_for(either, "j-1").result == "r-square5"
    assert Store(either.store.root).open("r-square5")["x"].item() == 25
    assert either.store.check("r-square5") == []


# -- the pool --------------------------------------------------------------------------------------------------------------------------


def test_workers_have_their_share_of_threads_and_can_store_under_their_limit(jobs: Jobs) -> None:
    jobs.submit("j-1", "jobtasks:environment", {})
    status = wait_for(jobs, "j-1")
    blas, numba = status.result.split()
    assert int(blas) >= 1
    assert int(numba) == settings.threads_per_worker(2)
    assert "NUMBA_NUM_THREADS" not in os.environ


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces the limit")
def test_a_job_that_wants_too_much_memory_fails_with_a_sentence(jobs: Jobs) -> None:
    jobs.submit("j-1", "jobtasks:take_too_much", {"bytes": settings.memory_bytes()})
    status = wait_for(jobs, "j-1")
    assert (status.state, status.message) == ("failed", "This job needs more memory than its worker has.")
    assert "INTERPLAY_WORKERS" in status.hint


def test_progress_is_visible_while_a_job_runs(jobs: Jobs, store: Store, tmp_path: Path) -> None:
    flags = Flags(tmp_path, "a")
    assert jobs.submit("j-1", "jobtasks:wait", {**flags.payload, "report": True}, title="Wait").active
    until(lambda: jobs.status("j-1").fraction == 0.25)
    status = jobs.status("j-1")
    assert (status.state, status.message, status.title) == ("running", "waiting", "Wait")
    assert Jobs(Store(store.root), Inline()).status("j-1").state == "running"  # another server sees it too
    flags.go.touch()
    assert wait_for(jobs, "j-1").result == "waited"


def test_cancel_ends_one_job_and_its_process_inside_a_kernel_too_and_nothing_else(jobs: Jobs, store: Store, tmp_path: Path) -> None:
    one, other = Flags(tmp_path, "one"), Flags(tmp_path, "other")
    jobs.submit("j-one", "jobtasks:spin_in_kernel", one.payload)
    jobs.submit("j-other", "jobtasks:wait", {**other.payload, "report": True})
    ended, alive = one.pid(), other.pid()
    time.sleep(0.2)  # now in LAPACK, which returns to the interpreter after half a minute
    assert jobs.cancel("j-one").state == "cancelled"
    until(lambda: not psutil.pid_exists(ended), within=20)
    assert psutil.pid_exists(alive)
    assert jobs.status("j-other").active
    other.go.touch()
    assert wait_for(jobs, "j-other").state == "done"
    assert jobs.status("j-one").state == "cancelled"
    until(lambda: not list((store.root / "temp").iterdir()))
    jobs.submit("j-one", "jobtasks:store_square", {"number": 6})
    assert wait_for(jobs, "j-one").state == "done"


def test_a_cancelled_job_that_waits_never_runs(jobs: Jobs, tmp_path: Path) -> None:
    busy = [Flags(tmp_path, f"busy{i}") for i in range(2)]
    for i, flags in enumerate(busy):
        jobs.submit(f"j-busy{i}", "jobtasks:wait", flags.payload)
    pids = {flags.pid() for flags in busy}
    waiting = Flags(tmp_path, "waiting")
    jobs.submit("j-waiting", "jobtasks:wait", waiting.payload)
    jobs.submit("j-next", "jobtasks:store_square", {"number": 7})
    assert jobs.cancel("j-waiting").state == "cancelled"
    again = Flags(tmp_path, "again")
    assert jobs.submit("j-waiting", "jobtasks:wait", again.payload).state == "queued"  # may be asked for anew at once
    again.go.touch()
    for flags in busy:
        flags.go.touch()
    assert wait_for(jobs, "j-next").state == "done"
    assert {wait_for(jobs, f"j-busy{i}").state for i in range(2)} == {"done"}
    assert wait_for(jobs, "j-waiting").state == "done"
    assert again.pid() in pids
    assert not waiting.mark.exists()


def test_a_worker_that_its_pool_lost_is_noticed(jobs: Jobs, store: Store, tmp_path: Path) -> None:
    flags = Flags(tmp_path, "a")
    jobs.submit("j-1", "jobtasks:wait", flags.payload)
    pid = flags.pid()
    note(store.root, replace(noted(store.root, "j-1"), pid=2**22 + 1))  # above the largest process number
    assert jobs.status("j-1").message.startswith("The worker process died")
    jobs.submit("j-1", "jobtasks:store_square", {"number": 15})
    assert wait_for(jobs, "j-1").result == "r-square15"
    until(lambda: not psutil.pid_exists(pid))  # whatever it does, nobody waits for it: its place is free for others
    others = [Flags(tmp_path, f"other{i}") for i in range(2)]
    for i, other in enumerate(others):
        jobs.submit(f"j-other{i}", "jobtasks:wait", other.payload)
    assert len({other.pid() for other in others}) == 2, "both workers take work again"
    for i, other in enumerate(others):
        other.go.touch()
        assert wait_for(jobs, f"j-other{i}").state == "done"


def test_what_was_asked_for_last_runs_next(jobs: Jobs, tmp_path: Path) -> None:
    busy = [Flags(tmp_path, f"busy{i}") for i in range(2)]
    for i, flags in enumerate(busy):
        jobs.submit(f"j-busy{i}", "jobtasks:wait", flags.payload)
    for flags in busy:
        flags.pid()
    waiting = {name: Flags(tmp_path, name) for name in ("first", "second", "third")}
    for name, flags in waiting.items():
        jobs.submit(f"j-{name}", "jobtasks:wait", flags.payload)
    jobs.prefer("j-first")
    jobs.prefer("j-nothing")
    busy[0].go.touch()
    waiting["first"].pid()
    assert not waiting["second"].mark.exists() and not waiting["third"].mark.exists()
    waiting["first"].go.touch()
    waiting["third"].pid()
    assert not waiting["second"].mark.exists()
    for flags in (*busy, *waiting.values()):
        flags.go.touch()
    assert {wait_for(jobs, f"j-{name}").state for name in waiting} == {"done"}


def test_cancelling_what_has_ended_changes_nothing(jobs: Jobs) -> None:
    jobs.submit("j-1", "jobtasks:store_square", {"number": 8})
    assert wait_for(jobs, "j-1").state == "done"
    assert jobs.cancel("j-1").state == "done"


def test_many_submitters_share_one_job(jobs: Jobs, store: Store, pool: Pool, tmp_path: Path) -> None:
    flags = Flags(tmp_path, "a")
    runs: list[str] = []
    another_server = Jobs(Store(store.root), pool)

    def ask(server: Jobs) -> None:
        runs.append(server.submit("j-1", "jobtasks:wait", flags.payload).run)

    threads = [threading.Thread(target=ask, args=(s,)) for s in (jobs, another_server) * 4]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    first = flags.pid()
    assert jobs.submit("j-1", "jobtasks:wait", flags.payload).state == "running"
    flags.go.touch()
    assert wait_for(jobs, "j-1").state == "done"
    assert wait_for(another_server, "j-1").run in runs
    assert len(set(runs) - {""}) == 1
    assert flags.pid() == first


def test_a_killed_worker_gives_a_sentence_and_the_pool_goes_on(jobs: Jobs, store: Store, tmp_path: Path) -> None:
    jobs.submit("j-kept", "jobtasks:store_square", {"number": 9})
    assert wait_for(jobs, "j-kept").state == "done"
    flags = Flags(tmp_path, "a")
    jobs.submit("j-1", "jobtasks:wait_in_temp", flags.payload, title="Long")
    os.kill(flags.pid(), signal.SIGKILL)
    status = wait_for(jobs, "j-1")
    assert (status.state, status.message) == ("failed", "The worker process died, perhaps for lack of memory.")
    assert (status.hint, status.title) == ("Try again.", "Long")
    assert store.check("r-square9") == []
    until(lambda: not list((store.root / "temp").iterdir()))
    jobs.submit("j-1", "jobtasks:store_square", {"number": 10})
    assert wait_for(jobs, "j-1").state == "done"


def test_the_death_of_idle_workers_does_not_end_the_pool(jobs: Jobs, pool: Pool) -> None:
    jobs.submit("j-1", "jobtasks:store_square", {"number": 11})
    assert wait_for(jobs, "j-1").state == "done"
    for worker in processes():
        worker.kill()
    until(lambda: not pool._pool.active)
    jobs.submit("j-2", "jobtasks:store_square", {"number": 12})
    assert wait_for(jobs, "j-2").state == "done"


SERVER = """
import sys, time
from pathlib import Path
from analysis.core.jobs import Jobs
from analysis.core.store import Store
from analysis.pool import Pool

if __name__ == "__main__":
    jobs = Jobs(Store(Path(sys.argv[1])), Pool(1))
    jobs.submit("j-1", "jobtasks:wait", {"mark": sys.argv[2], "go": sys.argv[3], "report": True}, title="Long")
    jobs.submit("j-2", "jobtasks:wait", {"mark": sys.argv[2] + "2", "go": sys.argv[3]})
    time.sleep(600)
"""


def test_the_jobs_of_a_killed_server_have_failed_and_its_workers_end(store: Store, inline: Jobs, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER, encoding="utf-8")
    flags = Flags(tmp_path, "a")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}
    server = subprocess.Popen(
        [sys.executable, str(tmp_path / "server.py"), str(store.root), str(flags.mark), str(flags.go)],
        env=environ,
        stderr=subprocess.DEVNULL,
    )
    worker = psutil.Process(flags.pid())
    assert inline.status("j-1").active
    assert inline.submit("j-1", "jobtasks:store_square", {"number": 13}).active  # the other server's job is shared
    server.kill()
    server.wait()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    for key in ("j-1", "j-2"):
        status = inline.status(key)
        assert (status.state, status.message) == ("failed", "The program was stopped while this job ran.")
        assert status.hint == "Start it again."
    assert inline.submit("j-1", "jobtasks:store_square", {"number": 13}).state == "done"


# -- notes -------------------------------------------------------------------------------------------------------------------------------


def test_only_the_run_that_owns_a_job_moves_it_and_only_until_its_end(store: Store) -> None:
    root = store.root
    first, second = Status("j-1", "queued", run="a"), Status("j-1", "queued", run="b")
    assert not advance(root, first)
    note(root, first)
    assert advance(root, replace(first, state="running"))
    assert not advance(root, replace(second, state="running"))
    assert advance(root, replace(first, state="cancelled"))
    assert not advance(root, replace(first, state="running", fraction=0.9))
    assert noted(root, "j-1").state == "cancelled"


def test_notes_of_another_version_of_the_program_are_understood(store: Store) -> None:
    from analysis.core.jobs import _notes

    _notes(store.root).set("j-1", {"key": "j-1", "state": "done", "a_field_of_the_future": 1})
    assert noted(store.root, "j-1") == Status("j-1", "done")
    _notes(store.root).set("j-2", ["not", "a", "note"])
    assert noted(store.root, "j-2") == Status("j-2")


def test_a_claim_that_is_only_looked_at_does_not_lose_a_submission(inline: Jobs, store: Store) -> None:
    note(store.root, Status("j-1", "running", run="of a killed server"))
    looking = FileLock(store.root / "cache" / "claims" / "j-1.lock", thread_local=False)
    looking.acquire()
    threading.Timer(0.02, looking.release).start()
    assert inline.submit("j-1", "jobtasks:store_square", {"number": 14}).state == "done"


class Stuck:
    """An executor that takes work and never does it."""

    def submit(self, fn: Callable[..., object], *args: object) -> Future[object]:
        return Future()

    def cancel(self, future: Future[object]) -> None:
        future.cancel()

    def prefer(self, future: Future[object]) -> None:
        return

    def close(self) -> None:
        return


def test_a_closed_server_reports_what_it_left(store: Store, inline: Jobs) -> None:
    jobs = Jobs(store, Stuck())
    assert jobs.submit("j-1", "jobtasks:store_square", {"number": 1}).state == "queued"
    assert inline.submit("j-1", "jobtasks:store_square", {"number": 1}).state == "queued"
    jobs.close()
    status = jobs.status("j-1")
    assert (status.state, status.message) == ("failed", "The program was stopped while this job ran.")
    assert inline.submit("j-1", "jobtasks:store_square", {"number": 1}).state == "done"


class Refusing:
    """An executor that cannot start anything."""

    def submit(self, fn: Callable[..., object], *args: object) -> Future[object]:
        raise RuntimeError("no processes")

    def cancel(self, future: Future[object]) -> None:
        raise AssertionError

    def prefer(self, future: Future[object]) -> None:
        raise AssertionError

    def close(self) -> None:
        return


def test_an_executor_that_fails_leaves_no_claim(store: Store, inline: Jobs) -> None:
    refusing: Executor = Refusing()
    jobs = Jobs(store, refusing)
    with pytest.raises(RuntimeError):
        jobs.submit("j-1", "jobtasks:store_square", {"number": 1})
    assert jobs.status("j-1").state == "failed"
    assert inline.submit("j-1", "jobtasks:store_square", {"number": 1}).state == "done"


def test_progress_is_noted_at_most_ten_times_a_second(inline: Jobs, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import jobtasks

    written: list[Status] = []
    monkeypatch.setattr("analysis.core.jobs.note", lambda root, status: (written.append(status), note(root, status)))

    def chatter(_store: Store, _payload: object) -> str:
        for i in range(2000):
            report(i / 2000, f"chunk {i}")
        return ""

    monkeypatch.setattr(jobtasks, "complain", chatter)
    started = time.monotonic()
    assert inline.submit("j-1", "jobtasks:complain", {}).state == "done"
    assert len(written) <= 4 + 10 * (time.monotonic() - started)
