"""What the recipes of absorption spectra make, and the edit they take.

Spectra of one dataset share one energy axis: the union of their own energies. Where a spectrum has no point of its own its
values are NaN; nothing is interpolated. ``analysis.spectra.curves`` takes them apart and puts them together.

Attributes of spectra: ``element``, ``edge`` (str), ``mode`` (transmission, fluorescence, yield, mu), ``calibration`` (dict:
standard, feature, assigned, measured, shift in eV), ``metadata`` (dict). Variables beside those declared:
``energy_shift (spectrum)`` in eV, what has been added to the energies since they were measured;
``reference (spectrum, energy)``, the absorption of a foil behind the sample; ``partner (spectrum)``, the place of the spectrum
of the foil measured with this one, -1 for none.
"""

from analysis.core.data import Schema, Var

CURVE = ("spectrum", "energy")
ONE = ("spectrum",)

GLITCHES = Schema(
    "spectra.glitches",
    {
        # Points taken out by hand: in spectrum ``spectrum_name`` ("" for all of them) the point nearest to ``energy``.
        "energy": Var(("point",), "eV", title="Photon energy"),
        "spectrum_name": Var(("point",), "", title="Spectrum"),
    },
)

NORMALISED = Schema(
    "spectra.normalised",
    {
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "name": Var(ONE, "", title="Spectrum"),
        "mu": Var(CURVE, ("1", "1/um"), title="Absorption"),
        "pre": Var(CURVE, ("1", "1/um"), title="Pre-edge line"),
        "post": Var(CURVE, ("1", "1/um"), title="Post-edge line"),
        "norm": Var(CURVE, "1", title="Normalised absorption"),
        "flat": Var(CURVE, "1", title="Flattened absorption"),
        "e0": Var(ONE, "eV", title="Edge energy E0"),
        "edge_step": Var(ONE, ("1", "1/um"), title="Edge step"),
        "white_line": Var(ONE, "eV", title="White-line energy"),
        "white_line_height": Var(ONE, "1", title="White-line height"),
        "half_step": Var(ONE, "eV", title="Energy at half of the edge step"),
        "max_slope": Var(ONE, "eV", title="Energy of the steepest rise"),
        "inflection": Var(ONE, "eV", title="Energy where the second derivative crosses zero"),
        "baseline_error": Var(ONE, ("1", "1/um"), optional=True, title="Error of the level below the edge"),
        "noise": Var(ONE, "1", title="Noise after the edge"),
        "interference": Var(CURVE, ("1", "1/um"), optional=True, title="Step of another edge, taken off"),
        "interference_step": Var(ONE, ("1", "1/um"), optional=True, title="Step of another edge"),
        "amplification": Var(CURVE, "1", optional=True, title="Amplification by the self-absorption correction"),
    },
)

DIFFERENCE = Schema(
    "spectra.difference",
    {
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "name": Var(ONE, "", title="Spectrum"),
        "difference": Var(CURVE, "1", title="Difference of normalised absorption"),
        "area": Var(ONE, "eV", title="Area of the absolute difference"),
        "shift": Var(ONE, "eV", title="Energy shift between the two"),
    },
)

PEAKS = Schema(
    "spectra.peaks",
    {
        # One row a peak and spectrum.
        "spectrum_name": Var(("peak",), "", title="Spectrum"),
        "peak_name": Var(("peak",), "", title="Peak"),
        "center": Var(("peak",), "eV", title="Centre"),
        "height": Var(("peak",), "1", title="Height"),
        "area": Var(("peak",), "eV", title="Area"),
        "area_low": Var(("peak",), "eV", title="Area, lower end of the interval"),
        "area_high": Var(("peak",), "eV", title="Area, upper end of the interval"),
        "sigma": Var(("peak",), "eV", title="Gaussian width"),
        "gamma": Var(("peak",), "eV", title="Lorentzian half width"),
        "flags": Var(("peak",), "", title="Remarks"),
        # The fitted curves, for drawing; NaN outside the fitted range.
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "name": Var(ONE, "", title="Spectrum"),
        "norm": Var(CURVE, "1", title="Normalised absorption"),
        "fit": Var(CURVE, "1", title="Fit"),
        "background": Var(CURVE, "1", title="Step and baseline"),
        "component": Var(("peak", "energy"), "1", title="Peak"),
        "feature_height": Var(ONE, "1", optional=True, title="Height of the named feature"),
    },
)

LCF = Schema(
    "spectra.lcf",
    {
        "reference": Var(("reference",), "", title="Reference"),
        "weight": Var(("reference",), "1", title="Fraction"),
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "unknown": Var(("energy",), "1", title="Normalised absorption"),
        "fit": Var(("energy",), "1", title="Fit"),
        "residual": Var(("energy",), "1", title="Residual"),
        "component": Var(("reference", "energy"), "1", title="Weighted reference"),
        # Combinations, the best first; p is that of the F-test against the best one.
        "combination": Var(("combination",), "", title="References in the fit"),
        "n_references": Var(("combination",), "1", title="Number of references"),
        "combination_r_factor": Var(("combination",), "1", title="R factor"),
        "combination_p": Var(("combination",), "1", title="p of the F-test against the best fit"),
        "combination_weight": Var(("combination", "reference"), "1", title="Fraction"),
    },
)

LCF_TABLE = Schema(
    "spectra.lcf_table",
    {
        "name": Var(("row",), "", title="Spectrum"),
        "reference": Var(("row",), "", title="Reference"),
        "weight": Var(("row",), "1", title="Fraction"),
        "weight_low": Var(("row",), "1", title="Fraction, lower end of the interval"),
        "weight_high": Var(("row",), "1", title="Fraction, upper end of the interval"),
        "r_factor": Var(("row",), "1", title="R factor of the fit"),
        "shift": Var(("row",), "eV", title="Energy shift of the references"),
        "independent_points": Var(("row",), "1", title="Independent points"),
    },
)

PCA = Schema(
    "spectra.pca",
    {
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "name": Var(ONE, "", title="Spectrum"),
        "component": Var(("component",), "1", title="Component"),
        "eigenvalue": Var(("component",), "1", title="Eigenvalue"),
        "explained": Var(("component",), "1", title="Share of the variance so far"),
        "real_error": Var(("component",), "1", title="Real error"),
        "indicator": Var(("component",), "1", title="Indicator function"),
        "f_level": Var(("component",), "1", title="Significance level"),
        "loading": Var(("component", "energy"), "1", title="Loading"),
        "score": Var(("component", "spectrum"), "1", title="Score"),
    },
)

EDGE_TABLE = Schema(
    "spectra.edge_table",
    {n: NORMALISED.variables[n] for n in ("name", "e0", "edge_step", "white_line", "white_line_height", "half_step", "noise")},
)

PEAK_TABLE = Schema(
    "spectra.peak_table",
    {n: v for n, v in PEAKS.variables.items() if v.dims == ("peak",)},
)

REPEATS = Schema(
    "spectra.repeats",
    {
        "scan": Var(("scan",), "1", title="Scan"),
        "name": Var(("scan",), "", title="Spectrum"),
        "feature": Var(("scan",), "1", title="Mean of normalised absorption in the window"),
        "distance": Var(("scan",), "1", title="Distance from the mean of the scans"),
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "trend": Var(("energy",), "1", title="Change a scan"),
    },
)
