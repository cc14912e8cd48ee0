"""Content addresses."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def digest(parts: Iterable[bytes]) -> str:
    """SHA-256 over length-prefixed parts, 32 hexadecimal digits (128 bits)."""
    h = hashlib.sha256()
    for part in parts:
        h.update(len(part).to_bytes(8, "big"))
        h.update(part)
    return h.hexdigest()[:32]


def json_digest(record: Any) -> str:
    """Digest of a JSON-able record, whatever the order of its keys."""
    return digest([json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()])


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks."""
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
