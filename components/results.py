"""Results for views: at once where they are stored or quick, otherwise as a job to wait for."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from analysis import tasks
from analysis.catalog import MeasurementRecord
from analysis.core.errors import UserError
from analysis.core.jobs import Status
from analysis.core.registry import Labelled
from analysis.core.run import Request, plan
from components.context import jobs, workspace
from components.views import Items

_MISSING: ContextVar[list[str] | None] = ContextVar("missing", default=None)
_PATIENT: ContextVar[bool] = ContextVar("patient", default=False)


def results(recipe_id: str, measurements: Iterable[MeasurementRecord], params: Mapping[str, Any] | None = None) -> Items:
    """The recipe's result of each measurement; problems of one do not hide the others."""
    shown: list[Labelled] = []
    waiting: list[Status] = []
    problems: list[tuple[str, str]] = []
    failed: list[str] = []
    without: list[str] = []
    for m in measurements:
        recipe = workspace().recipe_for(recipe_id, m)
        if recipe is None:
            without.append(m.cell)
            continue
        try:
            request = workspace().request(recipe, m, _known(recipe, params))
            key, status = obtain(request, title=f"{workspace().registry.recipe(recipe).title}: {m.cell}")
        except UserError as err:
            problems.append((m.cell, str(err)))
            continue
        if key is not None:
            shown.append(workspace().labelled(key, m))
        elif status is not None and status.active:
            waiting.append(status)
        elif status is not None:
            problems.append((m.cell, f"{status.message} {status.hint}".strip()))
            failed.append(status.key)
    if without:
        problems.append((", ".join(without), "only a table of cycles, no curves."))
    return Items(tuple(shown), tuple(waiting), tuple(problems), tuple(failed))


def _known(recipe_id: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Parameters that this recipe takes: another one may stand in for the one that they were chosen for."""
    fields = workspace().registry.recipe(recipe_id).params.model_fields
    return {name: value for name, value in (params or {}).items() if name in fields}


@contextmanager
def looking() -> Iterator[list[str]]:
    """Inside, nothing is computed and no job begins: the list names what is not there."""
    missing: list[str] = []
    token = _MISSING.set(missing)
    try:
        yield missing
    finally:
        _MISSING.reset(token)


def is_looking() -> bool:
    """Whether nothing may be computed now."""
    return _MISSING.get() is not None


@contextmanager
def patiently() -> Iterator[None]:
    """Inside, what is asked for does not get ahead of what others wait for."""
    token = _PATIENT.set(True)
    try:
        yield
    finally:
        _PATIENT.reset(token)


def prefer(status: Status) -> None:
    """Have a job that waits run next, because somebody looks at what needs it."""
    if not _PATIENT.get() and status.state == "queued":
        jobs().prefer(status.key)


def obtain(request: Request, *, title: str) -> tuple[str | None, Status | None]:
    """The key of a result that is there, or the status of the job that makes it."""
    if (missing := _MISSING.get()) is not None:
        known_key = plan(request, workspace().registry).key
        if workspace().store.has(known_key):
            return known_key, None
        missing.append(title)
        return None, None
    key = workspace().ready(request)
    if key is not None:
        return key, None
    key = plan(request, workspace().registry).key
    known = jobs().status(key)
    if known.active:
        prefer(known)
    if known.state in ("failed", "cancelled") or known.active:
        return None, known
    made = jobs().submit(key, tasks.RUN, {"request": request.model_dump(mode="json"), "key": key}, title=title)
    return (key, None) if made.state == "done" else (None, made)


def merged(*parts: Items) -> Items:
    """Several lists of items as one."""
    return Items(
        tuple(i for p in parts for i in p.shown),
        tuple({s.key: s for p in parts for s in p.waiting}.values()),
        tuple(dict.fromkeys(x for p in parts for x in p.problems)),
        tuple(dict.fromkeys(k for p in parts for k in p.failed)),
    )
