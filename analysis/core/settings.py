"""What comes from the environment: the machine, the clock, the user's choices. Nothing else reads them."""

import os
from datetime import UTC, datetime
from pathlib import Path

PREFIX = "INTERPLAY_"


def workspace() -> Path | None:
    """Folder named by INTERPLAY_WORKSPACE, if any."""
    text = os.environ.get(f"{PREFIX}WORKSPACE")
    return Path(text) if text else None


def token() -> str:
    """Secret that clients of a non-loopback server must show (INTERPLAY_TOKEN)."""
    return os.environ.get(f"{PREFIX}TOKEN", "")


def scheduler() -> str:
    """Address of the Dask scheduler that computes chunked arrays (INTERPLAY_SCHEDULER), or ""."""
    return os.environ.get(f"{PREFIX}SCHEDULER", "")


def workers() -> int:
    """Processes of the job pool (INTERPLAY_WORKERS): one for two cores, at least two so that a short job need not wait for a long one."""
    text = os.environ.get(f"{PREFIX}WORKERS", "")
    return int(text) if text.isdigit() and int(text) > 0 else max(2, (os.cpu_count() or 2) // 2)


def threads_per_worker(count: int) -> int:
    """Threads for each of ``count`` processes that share this machine."""
    return max(1, (os.cpu_count() or 1) // count)


def memory_bytes() -> int:
    """Physical memory of this machine, or of the container that the program runs in."""
    import psutil

    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text(encoding="ascii").strip() if limit.is_file() else ""
    total = int(psutil.virtual_memory().total)
    return min(total, int(text)) if text.isdigit() else total


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
