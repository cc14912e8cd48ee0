"""What third-party readers say stays off the console and reaches the caller."""

import logging
import warnings

import pytest

from analysis.formats.library_messages import captured_messages


def test_log_records_and_warnings_are_collected_and_nothing_leaks(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("some_library")
    with captured_messages("some_library") as messages:
        logging.getLogger("some_library.part").warning("a part is %s", "missing")
        logger.info("not worth saying")
        warnings.warn("old version", UserWarning, stacklevel=1)
    assert messages == ["a part is missing", "old version"]
    assert caplog.records == []
    assert logger.handlers == []
    assert logger.propagate


def test_an_error_passes_and_the_logger_is_as_before() -> None:
    logger = logging.getLogger("some_library")
    with pytest.raises(KeyError), captured_messages("some_library"):
        raise KeyError("x")
    assert logger.handlers == []
    assert logger.propagate
