"""Programs under the clock: each in its own process, imported once, asked again and again."""

import json
import os
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.places import ENVIRONMENTS, Missing

DRIVERS = Path(__file__).parent / "peers"
START_S = 120.0


class Contender:
    """One driver of ``benchmarks/peers`` in one environment."""

    def __init__(self, name: str, python: Path) -> None:
        self.name = name
        self._python = python
        self._process = self._start()
        greeting = self._line(START_S)
        if greeting is None:
            self.close()
            raise Missing(f"the driver of {name} does not start")
        self.version: str = greeting["version"]
        self.tasks: frozenset[str] = frozenset(greeting["tasks"])

    def _start(self) -> subprocess.Popen[bytes]:
        threads = {n: str(os.cpu_count() or 1) for n in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")}
        return subprocess.Popen(
            [str(self._python), str(DRIVERS / f"drive_{self.name}.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **threads},
            cwd=ENVIRONMENTS,  # some write logs where they stand
            bufsize=0,
        )

    def ask(self, task: str, file: Path, *, limit_s: float) -> Mapping[str, Any]:
        """The answer to one request; past the limit the process is started anew and the answer is an error."""
        _opened(self._process.stdin).write(json.dumps({"task": task, "file": str(file)}).encode() + b"\n")
        answer = self._line(limit_s)
        if answer is not None:
            return answer
        self.close()
        self._process = self._start()
        self._line(START_S)
        return {"error": f"no answer within {limit_s:.0f} s"}

    def _line(self, limit_s: float) -> dict[str, Any] | None:
        pipe, text, until = _opened(self._process.stdout), b"", time.monotonic() + limit_s
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            part = os.read(pipe.fileno(), 1 << 20) if ready else b""
            if not part:
                return None
            text += part
        return dict(json.loads(text))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def _opened(pipe: Any) -> Any:
    """The pipe that was asked for when the process was started."""
    if pipe is None:
        raise RuntimeError("the process was started without a pipe")
    return pipe
