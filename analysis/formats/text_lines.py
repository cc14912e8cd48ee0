"""Text of instruments: the lines of a file, whatever its encoding, and numbers in any notation."""

from pathlib import Path

from analysis.core.errors import ReadError

MAX_BYTES = 256 * 1024 * 1024  # spectra are kilobytes; beyond this a file is something else
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_lines(path: Path) -> list[str]:
    """The lines of a text file without line ends: UTF-8 or UTF-16 where marked, UTF-8 where valid, else latin-1.

    Raises
    ------
    ReadError
        The file cannot be opened, is larger than 256 MB, is empty or is not text.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ReadError(f"{path.name} is too large for a table of spectra.", hint="Choose the reader of its instrument.")
        content = path.read_bytes()
    except OSError as err:
        raise ReadError(f"{path.name} cannot be opened: {err.strerror or err}.", hint="Check the path and its permissions.") from err
    text = decoded(content)
    if not text.strip():
        raise ReadError(f"{path.name} is empty.", hint="Export or copy it again.")
    if "\x00" in text[:4096]:
        raise ReadError(f"{path.name} is not a text file.", hint="Choose the reader of its instrument, or export it as text.")
    return text.splitlines()


def decoded(content: bytes) -> str:
    """Text in the encoding that its mark states, in UTF-8 where it is valid, else in latin-1, which never fails."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content.decode(name, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def numbers(cells: list[str]) -> list[float] | None:
    """The cells as numbers (``1.0E+02``, Fortran's ``1.0D+02``, ``nan``); None if one of them is none."""
    try:
        return [float(c) for c in cells]
    except ValueError:
        pass
    try:
        return [float(c.replace("D", "E").replace("d", "e")) for c in cells]
    except ValueError:
        return None
