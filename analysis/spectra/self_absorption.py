"""Correction of fluorescence for self-absorption in a thick, homogeneous sample.

What is measured is damped where the sample absorbs most: in the white line. With everything but the edge's own jump called
background, a(E) = [mu_total(E_f) · sin(in) / sin(out) + mu_background(E)] / mu_edge(E), where E_f is the energy of the emitted line,

    norm_true = norm · a / (a + 1 - norm),        d norm_true / d norm = a (a + 1) / (a + 1 - norm)²

(C. H. Booth, F. Bridges, Phys. Scr. T115, 202 (2005), doi 10.1238/Physica.Topical.115a00202; D. Haskel, FLUO (1999)). The second
is the amplification by which noise and errors of normalisation grow. As norm nears a + 1 it diverges, and the spectrum holds
no information on the height any more: that is refused.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Scalar, warn, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.params import Params
from analysis.spectra.cross_sections import attenuation, parse_formula, shell
from analysis.spectra.edge_energy import half_step, white_line
from analysis.spectra.schemas import NORMALISED

LARGE = 5.0  # amplification from which on heights are said to be uncertain
REFUSED = 20.0  # amplification beyond which there is no height to be had
ABOVE = 2.0  # eV above the edge from which on the table is beyond its jump


class SelfAbsorptionParams(Params):
    """The sample as a thick homogeneous slab; a composite under a micrometre beam is none."""

    formula: str = Field("Li6PS5Cl", min_length=1, title="Formula of the whole sample")
    element: str = Field("S", min_length=1, max_length=2, title="Absorbing element")
    edge: Literal["K", "L1", "L2", "L3"] = Field("K", title="Edge")
    angle_in: float = Field(45.0, gt=0, le=90, title="Angle of the beam to the surface", json_schema_extra={"unit": "degree"})
    angle_out: float = Field(45.0, gt=0, le=90, title="Angle of the detector to the surface", json_schema_extra={"unit": "degree"})


def damping(energy: np.ndarray, params: SelfAbsorptionParams) -> np.ndarray:
    """The ratio a(E) of all other attenuation to that of the edge; shape (N,), for energies in eV.

    Below the edge it is that just above, so that the correction has no step of its own.
    """
    atoms = parse_formula(params.formula)
    if params.element not in atoms:
        raise ParamError(f"{params.formula} holds no {params.element}.", hint="State the formula of the whole sample.")
    level = shell(params.element, params.edge)
    above = np.maximum(energy, level.energy + ABOVE)
    line = np.array([level.line])
    total = sum(n * attenuation(e, line)[0] for e, n in atoms.items())
    absorber = atoms[params.element] * attenuation(params.element, above)
    edge = absorber * (1.0 - 1.0 / level.jump)
    rest = sum((n * attenuation(e, above) for e, n in atoms.items() if e != params.element), np.zeros_like(above)) + absorber - edge
    geometry = np.sin(np.radians(params.angle_in)) / np.sin(np.radians(params.angle_out))
    return (total * geometry + rest) / edge


def corrected(normalised: xr.Dataset, params: SelfAbsorptionParams) -> xr.Dataset:
    """Normalised spectra with self-absorption taken off and the amplification of every point.

    Raises
    ------
    DataError
        The correction diverges: the white line is as high as a thick sample of this formula lets it be.
    """
    energy = np.asarray(normalised["energy"].values, dtype=float)
    a = damping(energy, params)
    out = normalised.copy()
    gains = np.full(normalised["norm"].shape, np.nan)
    for name in ("norm", "flat"):
        values = np.asarray(normalised[name].values, dtype=float)
        room = a + 1.0 - values
        gain = np.where(room > 0, a * (a + 1.0) / np.where(room > 0, room, 1.0) ** 2, np.inf)
        _refuse(normalised, values, gain, a)
        out[name] = (normalised[name].dims, values * a / room, normalised[name].attrs)
        gains = np.fmax(gains, np.where(np.isfinite(values), gain, np.nan))
    out["amplification"] = (normalised["norm"].dims, gains, {"units": "1"})
    out["noise"] = normalised["noise"] * float(np.median(a * (a + 1.0) / a**2))
    said = [w for w in warnings_of(normalised) if not w.startswith("Uncorrected")]
    said += [
        f"The correction amplifies '{name}' up to {np.nanmax(gain):.1f} times: heights there are uncertain."
        for name, gain in zip(normalised["name"].values.astype(str), gains, strict=True)
        if np.nanmax(gain) > LARGE
    ]
    notes = {**params.model_dump(mode="json"), "a_at_edge": float(a[0]), "model": "thick homogeneous sample"}
    return warn(_with_white_line(out).assign_attrs(self_absorption=notes, warnings=[]), *said)


def _refuse(normalised: xr.Dataset, values: np.ndarray, gain: np.ndarray, a: np.ndarray) -> None:
    wild = np.isfinite(values) & (gain > REFUSED)
    if not wild.any():
        return
    row, column = np.argwhere(wild)[0]
    energy, name = float(normalised["energy"].values[column]), str(normalised["name"].values[row])
    raise DataError(
        f"'{name}' reaches {values[row, column]:.2f} at {energy:.1f} eV, but a thick sample of this formula saturates at "
        f"{a[column] + 1:.2f}: its self-absorption cannot be corrected.",
        hint="Check formula and normalisation, or measure a diluted or thin sample, or electron yield.",
    )


def _with_white_line(out: xr.Dataset) -> xr.Dataset:
    """The white line and the half-step energy anew."""
    energy = np.asarray(out["energy"].values, dtype=float)
    found = []
    for flat, e0 in zip(np.asarray(out["flat"].values, dtype=float), out["e0"].values.astype(float), strict=True):
        own = np.isfinite(flat)
        found.append((*white_line(energy[own], flat[own], e0), half_step(energy[own], flat[own], e0)))
    for name, values in zip(("white_line", "white_line_height", "half_step"), np.array(found).T, strict=True):
        out[name] = (("spectrum",), values, out[name].attrs)
    return out


def summarise(stored: xr.Dataset, params: SelfAbsorptionParams) -> Mapping[str, Scalar]:
    """The largest amplification and the corrected white line."""
    gain = float(np.nanmax(stored["amplification"].values))
    made = {"amplification": Scalar(gain, "1", title="Largest amplification")}
    for name, unit in (("white_line", "eV"), ("white_line_height", "1")):
        values = np.asarray(stored[name].values, dtype=float)
        if np.isfinite(values).any():
            count = int(values.size) if values.size > 1 else None
            made[name] = Scalar(float(np.nanmean(values)), unit, n=count, of="spectra", title=NORMALISED.variables[name].title)
    return made
