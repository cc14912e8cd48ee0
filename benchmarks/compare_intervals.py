"""How often the scorecard sees a difference: between groups of one kind, and between groups that differ by a stated amount.

Cells are drawn from the laws of the synthetic study (how its cells and particles scatter), turned into results as the modalities store
them, and go through ``compare.values`` and ``compare.scorecard``.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from analysis.compare.compute import scorecard, values
from analysis.compare.scorecard import ScorecardParams
from analysis.compare.values import ValuesParams
from analysis.core.data import Scalar, table, with_scalars
from analysis.demo.cells import LAWS, SPREAD
from analysis.demo.particle_laws import BUILDS, CHEMISTRY
from analysis.demo.spectra_model import AREAS
from analysis.demo.spectra_model import SPREAD as AREA_SPREAD
from analysis.demo.spectra_study import drawn_areas
from benchmarks.report import Section, Table

SEEDS, QUICK_SEEDS = 200, 10
SIZES = (5, 10)
SHIFT_SD = 2.0  # the stated effect, in standard deviations from cell to cell
LAW = "coated"
CYCLES = 200
BRIDGING = "P–Sx–P"
REACH_EV = 1.5  # edge energy from the lithiated to the delithiated end
KNOWN = {
    "cycling.initial_capacity": "Initial capacity",
    "cycling.retention": "Retention",
    "cycling.fade_rate": "Fade rate",
    "cycling.mean_ce": "Mean CE",
    "cycling.hysteresis_growth": "Hysteresis growth",
    "cracks.ratio": "Crack volume ratio",
    "xanes.edge_charged": "Edge energy, charged",
    "xanes.edge_discharged": "Edge energy, discharged",
    "xanes.activity": "Activity",
    "xanes.spread_discharged": "Heterogeneity, discharged",
    "spectra.bridging_charged": "2472.0 eV peak, charged",
}


def run(*, quick: bool) -> Section:
    seeds = QUICK_SEEDS if quick else SEEDS
    alike = {n: rates(seeds, n, shift=0.0) for n in SIZES}
    apart = rates(seeds, SIZES[-1], shift=SHIFT_SD)
    rows = [(title, *(f"{100 * alike[n][m]:.1f} %" for n in SIZES), f"{100 * apart[m]:.0f} %") for m, title in KNOWN.items()]
    columns = ("metric", *(f"alike, {n} + {n}: 95 % interval excludes 0" for n in SIZES), f"{SHIFT_SD:g} SD apart, 10 + 10: found")
    outside = [f"{KNOWN[m]} at {n} + {n}" for n in SIZES for m in KNOWN if not 0.02 <= alike[n][m] <= 0.09]
    weak = [KNOWN[m] for m in KNOWN if apart[m] < 0.8]
    verdict = (
        f"Between 2 and 9 %: {'all' if not outside else 'all but ' + ', '.join(outside)}.",
        f"Found in 80 % or more: {'all' if not weak else 'all but ' + ', '.join(weak)}.",
    )
    intro = f"{seeds} seeds. Five a side: Welch's interval; ten: Hodges–Lehmann with its exact interval (95.7 % attained)."
    return Section("scorecard", "Scorecard: false and true differences", intro, (Table("Shares of seeds", columns, tuple(rows), verdict),))


def rates(seeds: int, n: int, *, shift: float) -> dict[str, float]:
    """Share of seeds in which each metric's interval excludes zero, ``n`` cells a side, one side shifted by ``shift`` SD."""
    found = dict.fromkeys(KNOWN, 0)
    for seed in range(seeds):
        rng = np.random.default_rng([seed, n, round(10 * shift)])
        sides = {"a": _cells(rng, n, 0.0), "b": _cells(rng, n, shift)}
        card = scorecard(values=_values(sides), params=ScorecardParams(reference="a", compared="b"))
        significant = dict(zip(card["id"].values.astype(str), card["significant"].values.astype(str), strict=True))
        for metric in KNOWN:
            found[metric] += significant[metric] == "yes"
    return {m: k / seeds for m, k in found.items()}


def _cells(rng: np.random.Generator, n: int, shift: float) -> list[dict[str, float]]:
    """Numbers of ``n`` cells of one group; each is shifted by so many of its own standard deviations."""
    law, build = LAWS[LAW], BUILDS[LAW]

    def scattered(centre: float, spread: float) -> float:
        return centre * float(np.exp(rng.normal(0, spread))) + shift * centre * spread

    def edge(state: str) -> float:
        chemistry = CHEMISTRY[LAW, state]
        return 8341.5 + REACH_EV * (rng.normal(chemistry.base, chemistry.between_particles) + shift * chemistry.between_particles)

    made = []
    for _ in range(n):
        isolation = scattered(law.isolation, SPREAD["isolation"])
        charged, discharged = edge("charged"), edge("discharged")
        area = drawn_areas(LAW, "charged", rng)
        made.append(
            {
                "initial": scattered(200 * law.accessible, SPREAD["accessible"]),
                "retention": 1 - CYCLES * isolation,
                "fade": -100 * scattered(law.isolation, SPREAD["isolation"]),
                "ce": 1 - scattered(law.side_fraction, SPREAD["side_fraction"]),
                "hysteresis": 1e-3 * scattered(law.resistance_growth, SPREAD["resistance_growth"]),
                "cracks": scattered(build.crack_ratio, build.crack_spread),
                "charged": charged,
                # Activity is shifted too, so the discharged side moves the other way.
                "discharged": discharged - 2 * shift * REACH_EV * CHEMISTRY[LAW, "discharged"].between_particles,
                "spread": scattered(0.035, 0.06),
                "area": area[BRIDGING] + shift * AREA_SPREAD * AREAS[LAW]["charged"][BRIDGING],
            }
        )
    return made


def _values(sides: Mapping[str, list[dict[str, float]]]) -> xr.Dataset:
    """The table of values of both sides, from results as they are stored."""
    cells = [(f"{g}{k}", g, c) for g, side in sides.items() for k, c in enumerate(side)]
    given: dict[str, list[dict[str, object]]] = {n: [] for n in ("cycles", "cracks", "edges", "peaks")}
    edges: list[xr.Dataset] = []
    for name, group, cell in cells:
        unit: dict[str, object] = {"cell": name, "group": group}
        given["cycles"].append(unit)
        given["cracks"].append({**unit, "particle": "P"})
        for state in ("charged", "discharged"):
            given["edges"].append({**unit, "particle": state, "state": state})
            edges.append(with_scalars(xr.Dataset(), {"median": Scalar(cell[state], "eV"), "heterogeneity": Scalar(cell["spread"], "eV")}))
        given["peaks"].append({**unit, "state": "charged", "spectra": [name]})
    return values(
        params=ValuesParams.check(given),
        cycles=tuple(_cycles(c) for *_, c in cells),
        cracks=tuple(with_scalars(xr.Dataset(), {"crack_volume_ratio": Scalar(c["cracks"])}) for *_, c in cells),
        edges=tuple(edges),
        peaks=(_peaks([(name, c["area"]) for name, _, c in cells]),),
    )


def _cycles(cell: Mapping[str, float]) -> xr.Dataset:
    columns = {"cycle": ([1], "1"), "discharge_capacity": ([cell["initial"]], "mA h/g"), "kind": (np.array(["cycle"]), "")}
    facts = {
        "initial_discharge_capacity": Scalar(cell["initial"], "mA h/g"),
        "retention": Scalar(cell["retention"]),
        "fade_rate": Scalar(cell["fade"], "mA h/g/cycle"),
        "mean_coulombic_efficiency": Scalar(cell["ce"]),
        "hysteresis_growth": Scalar(cell["hysteresis"], "V/cycle"),
    }
    return with_scalars(table(columns, dim="cycle", attrs={"reference_cycle": 1}), facts)


def _peaks(areas: list[tuple[str, float]]) -> xr.Dataset:
    size = np.array([a for _, a in areas])
    columns = {
        "spectrum_name": (np.array([n for n, _ in areas]), ""),
        "center": (np.full(size.size, 2472.0), "eV"),
        "area": (size, "eV"),
        "area_low": (size - 0.1, "eV"),
        "area_high": (size + 0.1, "eV"),
    }
    return table(columns, dim="peak", attrs={"level": 0.9})
