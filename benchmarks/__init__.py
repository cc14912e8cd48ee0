"""Side-by-side measurements: ratios against other programs and against the project's own limits.

``python -m benchmarks`` runs every part and writes ``RESULTS.md`` beside this file; ``python -m benchmarks PART --quick`` looks
quickly. Absolute times hold for the machine that the results name; ratios come from one run.
"""
