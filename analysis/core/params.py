"""Parameter sets: one class feeds the form, the command line, validation and the key."""

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from analysis.core.errors import ParamError


class Params(BaseModel):
    """Base of every parameter set: frozen, complete, nothing unknown.

    Each field has a ``title`` (what users read), a default that is a sensible first try, bounds,
    and its unit in ``json_schema_extra={"unit": "eV"}`` where it has one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def check(cls, values: dict[str, Any]) -> Self:
        """Return the validated set, or raise ``ParamError`` with one readable sentence."""
        try:
            return cls.model_validate(values)
        except ValidationError as err:
            raise ParamError(_sentence(cls, err), hint=_known(cls)) from err

    @classmethod
    def parse(cls, assignments: list[str]) -> dict[str, Any]:
        """Turn ``["cycles=1,100", "smooth=0.5"]`` into values; JSON where it parses, else text."""
        values: dict[str, Any] = {}
        for text in assignments:
            name, equals, raw = text.partition("=")
            if not equals:
                raise ParamError(f"'{text}' is not of the form name=value.")
            values[name.strip()] = _literal(raw.strip(), wants_list=_is_list(cls, name.strip()))
        return values


def _literal(raw: str, *, wants_list: bool) -> Any:
    if wants_list and not raw.startswith("["):
        return [_literal(part.strip(), wants_list=False) for part in raw.split(",") if part.strip()]
    try:
        return json.loads(raw)
    except json.JSONDecodeError:
        return raw


def _is_list(cls: type[Params], name: str) -> bool:
    spec = cls.model_json_schema().get("properties", {}).get(name, {})
    return any(s.get("type") == "array" for s in [spec, *spec.get("anyOf", [])])


def _sentence(cls: type[Params], err: ValidationError) -> str:
    parts = []
    for e in err.errors(include_url=False):
        name = str(e["loc"][0]) if e["loc"] else ""
        field = cls.model_fields.get(name)
        label = field.title if field is not None and field.title else name
        if e["type"] == "extra_forbidden":
            parts.append(f"there is no parameter '{name}'")
        else:
            given = "" if e["type"] == "missing" else f" (given: {e['input']!r})"
            parts.append(f"{label} [{name}]: {e['msg'][:1].lower()}{e['msg'][1:]}{given}")
    return "Check the parameters: " + "; ".join(parts) + "."


def _known(cls: type[Params]) -> str:
    return f"Known parameters: {', '.join(cls.model_fields)}." if cls.model_fields else "It takes no parameters."


class Options(Params):
    """Base of reader options: how a file is read. Part of the dataset's key."""
