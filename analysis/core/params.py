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

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def check(cls, values: dict[str, Any]) -> Self:
        """Return the validated set, or raise ``ParamError`` with one readable sentence."""
        try:
            return cls.model_validate(values)
        except ValidationError as err:
            raise ParamError(_sentence(cls, err), hint=_known(cls)) from err

    @classmethod
    def parse(cls, assignments: list[str]) -> dict[str, Any]:
        """Turn ``["cycles=1,100", "smooth=0.5"]`` into values: text where the field is text, else JSON where it parses."""
        values: dict[str, Any] = {}
        fields = cls.model_json_schema().get("properties", {})
        for text in assignments:
            name, equals, raw = (part.strip() for part in text.partition("="))
            if not equals:
                raise ParamError(f"'{text}' is not of the form name=value.")
            if name in values:
                raise ParamError(f"The parameter '{name}' is given twice.")
            values[name] = _value(raw, fields.get(name, {}))
        return values


def _value(raw: str, spec: dict[str, Any]) -> Any:
    choices = {s.get("type"): s for s in spec.get("anyOf", [spec])}
    if "array" in choices and not raw.startswith("[") and not (raw == "null" and "null" in choices):
        return [_value(part.strip(), choices["array"].get("items", {})) for part in raw.split(",") if part.strip()]
    if "string" in choices and set(choices) <= {"string", "null"}:
        return None if raw == "null" and "null" in choices else raw  # a cell may be called 42
    try:
        return json.loads(raw)
    except (json.JSONDecodeError, RecursionError):
        return raw


def _sentence(cls: type[Params], err: ValidationError) -> str:
    parts = []
    for e in err.errors(include_url=False):
        name = str(e["loc"][0]) if e["loc"] else ""
        field = cls.model_fields.get(name)
        label = field.title if field is not None and field.title else name
        if e["type"] == "extra_forbidden":
            parts.append(f"there is no parameter '{name}'")
        else:
            message = e["msg"].removeprefix("Value error, ").rstrip(".")
            where = f"{label} [{name}]: " if name else ""
            given = f" (given: {_short(e['input'])})" if name and e["type"] != "missing" else ""
            parts.append(f"{where}{message[:1].lower()}{message[1:]}{given}")
    return "Check the parameters: " + "; ".join(parts) + "."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _known(cls: type[Params]) -> str:
    return f"Known parameters: {', '.join(cls.model_fields)}." if cls.model_fields else "It takes no parameters."


class Options(Params):
    """Base of reader options: how a file is read. Part of the dataset's key."""
