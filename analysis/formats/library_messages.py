"""What third-party readers say on the side, kept from the console and handed to the user."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class _Collector(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append(record.getMessage())


@contextmanager
def captured_messages(logger_name: str) -> Iterator[list[str]]:
    """Messages of one library while the block runs: log records from level warning on, then Python warnings.

    Nothing reaches the root logger or ``sys.stderr``. The list is complete after the block.
    """
    messages: list[str] = []
    logger = logging.getLogger(logger_name)
    handler = _Collector(messages)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield messages
            messages.extend(str(w.message) for w in warned)
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
