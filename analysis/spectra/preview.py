"""What spectra look like before they are taken."""

import numpy as np
import xarray as xr

from analysis.schemas import SPECTRA, Preview

SHOWN = 12  # curves


def spectra(ds: xr.Dataset) -> Preview:
    """The spectra over one another, each between 0 and 1, so that counts and absorption can be seen beside each other."""
    energy, names = ds["energy"].values, [str(n) for n in ds["name"].values]
    several = len(names) > 1
    curves = []
    for name, row in zip(names[:SHOWN], np.asarray(ds["mu"].values, float), strict=False):
        known = np.isfinite(row)
        low, high = (row[known].min(), row[known].max()) if known.any() else (0.0, 1.0)
        curves.append((name, energy[known], (row[known] - low) / (high - low if high > low else 1.0) if several else row[known]))
    edge = f"{ds.attrs.get('element', '')} {ds.attrs.get('edge', '')}".strip()
    facts = {
        "Spectra": ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else ""),
        "Energies": f"{energy.size} points, {energy.min():.1f} … {energy.max():.1f} eV",
        **({"Edge": edge} if edge else {}),
        **({"Measured in": str(ds.attrs["mode"])} if ds.attrs.get("mode") else {}),
    }
    unit = ds["mu"].attrs.get("units", "1")
    title = "Absorption, 0 to 1 each" if several else "Absorption" if unit == "1" else f"Absorption / {unit}"
    return Preview(facts, curves=tuple(curves), x_title="Energy / eV", y_title=title, lacks=() if edge else ("element and edge",))


PREVIEWS = {SPECTRA.name: spectra}
