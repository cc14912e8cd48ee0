"""Revisions of the catalog's tables, applied by Alembic when a workspace is opened.

A new one: copy the newest file in ``versions``, set ``down_revision`` to its revision, describe the step in
``upgrade``, and append its name to ``REVISIONS``.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
# Oldest first; kept here so that an up-to-date catalog opens without Alembic. A test compares it with the files.
REVISIONS = ("0001", "0002")
HEAD = REVISIONS[-1]
