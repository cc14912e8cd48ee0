"""Figures of spectra and of shifts: lines that normalise, edge energies, units."""

import numpy as np
import pytest
import xarray as xr
from xanes_truth import E0, GRID, edge, stack

from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.xanes.compute import mean_spectrum
from analysis.xanes.figures_shifts import ShiftParams, shifts
from analysis.xanes.figures_spectra import MARK_COLOURS, SpectraParams, spectra
from analysis.xanes.spectrum import SPECTRUM, SpectrumParams

STYLE = Style(groups=("uncoated", "coated"))


def item(shift: float, number: str) -> Labelled:
    mu = np.broadcast_to(0.4 * edge(GRID - shift) + 0.2, (3, 4, GRID.size))
    found = SPECTRUM.conform(mean_spectrum(stack=stack(mu.astype(np.float32)), params=SpectrumParams(e0=E0)))
    return Labelled(found, label=number, group="uncoated", origin="synthetic", id=number)


def test_spectra_have_their_lines_and_their_edge_energy() -> None:
    items = (item(0.0, "whole"), item(1.0, "P1"))
    fig = spectra(items, STYLE, SpectraParams(colours={"P1": 3}))
    named = [t for t in fig.data if t.showlegend is not False]
    assert [t.line.color for t in named] == [STYLE.color("uncoated"), MARK_COLOURS["light"][3]]
    marked = [t for t in fig.data if t.mode == "markers"]
    assert marked[1].x[0] - marked[0].x[0] == pytest.approx(1.0, abs=0.02), "the edge moves with the spectrum"
    dotted = next(t for t in fig.data if t.line.dash == "dot")
    assert max(dotted.x) <= E0 and np.asarray(dotted.y) == pytest.approx(0.2, abs=0.02)
    assert fig.layout.yaxis.title.text == "Optical depth / 1"
    assert fig.layout.xaxis.title.text.startswith("Photon energy / eV")
    assert "Synthetic data" in fig.layout.xaxis.title.text and "half of the edge step" in fig.layout.xaxis.title.text
    whole = spectra(items, STYLE, SpectraParams(show="normalised", whole=True))
    heights = [t.y[0] for t in whole.data if t.mode == "markers"]
    assert heights == pytest.approx([0.5, 0.5], abs=0.05), "half of the step, of the smoothed spectrum"
    assert spectra((), STYLE, SpectraParams()).layout.annotations[0].text.startswith("Click a voxel")


def test_shifts_are_drawn_in_pixels() -> None:
    energy = np.array([8324.0, 8354.0])
    values = {"shift_y": [0.0, -19.9], "shift_x": [0.0, -10.1], "scale": [1.0, 0.9964]}
    ds = xr.Dataset({n: ("energy", v, {"units": "1"}) for n, v in values.items()}, {"energy": ("energy", energy, {"units": "eV"})})
    fig = shifts((Labelled(ds.assign_attrs(reference_energy=8324.0), label="fov1"),), STYLE, ShiftParams())
    assert [list(t.y) for t in fig.data] == [[0.0, -19.9], [0.0, -10.1]]
    assert fig.layout.yaxis.title.text == "Shift / px"
    assert "scaled by 0.9964" in fig.layout.xaxis.title.text
