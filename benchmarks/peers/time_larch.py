"""Seconds a spectrum of Larch's ``pre_edge`` with a fixed E0; run by the interpreter of its own environment."""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from larch import Group
from larch.xafs import pre_edge

folder = Path(sys.argv[1])
energy, spectra = np.load(folder / "energy.npy"), np.load(folder / "spectra.npy").astype(float)
ranges = {"e0": 8343.0, "pre1": -120, "pre2": -25, "norm1": 45, "norm2": 350, "nnorm": 1}
pre_edge(energy, spectra[0], group=Group(), **ranges)
started = time.perf_counter()
for spectrum in spectra:
    pre_edge(energy, spectrum, group=Group(), **ranges)
print(json.dumps({"seconds": (time.perf_counter() - started) / len(spectra), "version": version("xraylarch")}))
