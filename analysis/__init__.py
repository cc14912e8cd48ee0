"""Numerical backend of Interplay: importable and usable without the dashboard."""
