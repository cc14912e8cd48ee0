"""What is missing or wrong in a catalog, one sentence each."""

from collections.abc import Callable

from analysis.catalog.catalog import Catalog
from analysis.catalog.records import CellFields, CellRecord, Fields, FileRecord, MeasurementFields, MeasurementRecord
from analysis.core.errors import ParamError

MASS_TOLERANCE = 0.01  # a given active mass and composite mass × fraction are both rounded by hand


def check(
    catalog: Catalog, *, has_dataset: Callable[[str], bool] | None = None, file_problem: Callable[[FileRecord], str | None] | None = None
) -> list[str]:
    """Problems of every row; empty where all is well.

    Parameters
    ----------
    has_dataset
        Whether the store has a dataset of this key.
    file_problem
        What is wrong with an original file, as the end of a sentence ("is missing", "has changed since it was
        imported"); None where it is as recorded.
    """
    problems = catalog.damage()
    for cell in catalog.cells():
        problems += _of_cell(cell)
    for m in catalog.measurements():
        problems += _of_measurement(m, has_dataset, file_problem)
    return problems


def _of_cell(cell: CellRecord) -> list[str]:
    problems = _invalid(CellFields, cell, f"cell '{cell.name}'")
    given, composite, fraction = cell.active_mass_mg, cell.composite_mass_mg, cell.active_fraction
    if given is not None and composite is not None and fraction is not None and abs(composite * fraction - given) > MASS_TOLERANCE * given:
        problems.append(
            f"Cell '{cell.name}': the active mass is given as {given:g} mg, "
            f"but {composite:g} mg composite × {fraction:g} is {composite * fraction:g} mg."
        )
    return problems


def _of_measurement(
    m: MeasurementRecord, has_dataset: Callable[[str], bool] | None, file_problem: Callable[[FileRecord], str | None] | None
) -> list[str]:
    whose = f"Measurement {m.id} ({m.modality} of cell '{m.cell}')"
    problems = _invalid(MeasurementFields, m, f"measurement {m.id}")
    if not m.dataset_keys:
        problems.append(f"{whose} has no dataset.")
    if has_dataset is not None:
        problems += [f"{whose}: dataset {key} is missing." for key in m.dataset_keys if not has_dataset(key)]
    if file_problem is not None:
        found = ((f, file_problem(f)) for f in m.files)
        problems += [f"{whose}: {f.original_name} {problem}." for f, problem in found if problem]
    return problems


def _invalid(cls: type[Fields], record: Fields, subject: str) -> list[str]:
    try:
        cls.check({name: getattr(record, name) for name in cls.model_fields}, subject=subject)
    except ParamError as err:
        return [err.message]
    return []
