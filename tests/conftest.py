"""What all tests share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of large real instrument files; tests that need one are skipped where it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of large instrument files (../shared/data) is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def small_data() -> Path:
    """Small real instrument files that are part of the repository."""
    return ROOT / "tests" / "data"
