"""The rehearsal reaches every recipe of the modality."""

import pytest
import xarray as xr

from analysis.core.data import Schema
from analysis.cycling.compute import RECIPES
from analysis.cycling.rehearsal import rehearse


def test_rehearsal_runs_every_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = set()
    conform = Schema.conform

    def noted(schema: Schema, ds: xr.Dataset) -> xr.Dataset:
        reached.add(schema.name)
        return conform(schema, ds)

    monkeypatch.setattr(Schema, "conform", noted)
    rehearse()
    assert reached == {r.output.name for r in RECIPES}
