"""The explicit list of modalities. Adding one means adding its package here."""

from functools import cache

from analysis.core.registry import Registry, load

PACKAGES = ("analysis.cycling", "analysis.xanes", "analysis.spectra", "analysis.cracks", "analysis.scalars", "analysis.compare")


@cache
def registry() -> Registry:
    """All modalities, imported once."""
    return load(PACKAGES)
