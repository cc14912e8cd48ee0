"""X-ray microscopy over an absorption edge: where in a particle which valence is."""
