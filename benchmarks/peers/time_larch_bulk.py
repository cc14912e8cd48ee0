"""Seconds of Larch for whole sets: ``pre_edge`` of every spectrum, and ``lincombo_fitall`` of all combinations.

Run by the interpreter of its own environment, with the folder of the arrays.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from larch import Group
from larch.math import lincombo_fitall
from larch.xafs import pre_edge

folder = Path(sys.argv[1])
asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
energy, spectra = np.load(folder / "energy.npy"), np.load(folder / "spectra.npy")
ranges = {**asked["ranges"], "e0": asked["e0"]}


def one(mu: np.ndarray) -> Group:
    group = Group(energy=energy, mu=mu)
    pre_edge(group, **ranges)
    return group


one(spectra[0])
started = time.perf_counter()
groups = [one(mu) for mu in spectra]
normalise = time.perf_counter() - started

grid, unknown, references = (np.load(folder / f"{n}.npy") for n in ("grid", "unknown", "references"))
target = Group(energy=grid, norm=unknown, filename="unknown")
parts = [Group(energy=grid, norm=r, filename=f"r{k}") for k, r in enumerate(references)]
started = time.perf_counter()
fits = lincombo_fitall(target, parts, minvals=[0] * len(parts), maxvals=[1] * len(parts), sum_to_one=True, max_ncomps=len(parts))
combine = time.perf_counter() - started
best = min(float(f.rfactor) for f in fits)
print(
    json.dumps(
        {
            "normalise": normalise,
            "combine": combine,
            "fits": len(fits),
            "best": best,
            "steps": [float(g.edge_step) for g in groups[:20]],
            "version": version("xraylarch"),
        }
    )
)
