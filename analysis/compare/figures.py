"""Figures of comparisons: one metric in two groups, all effects, metrics against each other, the vicious circle."""

from analysis.compare.figures_circle import circle
from analysis.compare.figures_groups import MetricParams, effects, effects_table, metric
from analysis.compare.figures_matrix import MatrixParams, matrix, matrix_table
from analysis.core.registry import Figure

FIGURES = (
    Figure("compare.metric", "One metric, group by group", "compare.values", metric, MetricParams),
    Figure("compare.effects", "All effects", "compare.scorecard", effects, table=effects_table),
    Figure("compare.matrix", "Metrics against each other", "compare.values", matrix, MatrixParams, table=matrix_table, aspect=0.96),
    Figure("compare.circle", "The vicious circle", "compare.correlation", circle, aspect=1.1),
)
