"""The spectra with known truth that the tests use, for the long studies here."""

import importlib
import sys
from typing import Any

from benchmarks.places import ROOT


def truth() -> Any:
    """The module ``tests/xanes/xanes_truth.py``."""
    folder = str(ROOT / "tests" / "xanes")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("xanes_truth")
