"""Instrument file formats: files in, plain arrays and metadata out; one format a module."""
