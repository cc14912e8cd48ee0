"""Tasks that take as long as a test needs."""

import time
from collections.abc import Mapping
from typing import Any

from analysis.core.progress import report
from analysis.core.store import Store


def wait(_store: Store, payload: Mapping[str, Any]) -> str:
    """Report progress for ``seconds``."""
    steps = max(1, int(payload["seconds"] * 10))
    for i in range(steps):
        report(i / steps, f"step {i} of {steps}")
        time.sleep(0.1)
    return "waited"
