"""``python -m benchmarks [PART …] [--quick]``."""

import argparse
import importlib
import sys
import time
from dataclasses import replace

from benchmarks import measure, places, report

PARTS = {
    "peers": "against_peers",
    "figure": "first_figure",
    "rows": "many_rows",
    "browser": "in_browser",
    "crash": "killed",
    "mutations": "mutated",
    "slices": "browser_slices",
    "xanes": "edge_speed",
    "stack": "large_stack",
    "accuracy": "edge_accuracy",
    "particles": "particle_coverage",
    "real": "real_stacks",
    "spectra": "spectra_speed",
    "coverage": "spectra_coverage",
    "cracks": "crack_truth",
    "cracks_speed": "crack_speed",
    "volume": "browser_volume",
    "masks": "browser_masks",
    "scorecard": "compare_intervals",
}


def main(argv: list[str] | None = None) -> int:
    args = _arguments(argv)
    status = 0
    for part in args.parts or PARTS:
        started = time.perf_counter()
        described = measure.machine()
        print(f"\n== {part}: {described}", flush=True)
        try:
            section = importlib.import_module(f"benchmarks.{PARTS[part]}").run(quick=args.quick)
        except places.Missing as err:
            print(f"{part} is skipped: {err}.", file=sys.stderr)
            status = 1
            continue
        section = replace(section, machine=f"{described}; this part took {time.perf_counter() - started:.0f} s")
        print(section.markdown(), flush=True)
        if not args.quick:
            report.write(section, tuple(PARTS))
    return status


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="few repetitions; prints, and leaves RESULTS.md as it is")
    args = parser.parse_args(argv)
    if unknown := sorted(set(args.parts) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return args


if __name__ == "__main__":
    sys.exit(main())
