"""The version of code: a hash of what it means, not of how it is laid out.

A reader's or recipe's version covers every module of the project that can be reached from it by static import,
plus ``analysis/core/data.py``. Comments, docstrings, layout, titles and descriptions do not count, so that editing a
text does not make every stored result stale.
"""

import ast
import importlib.metadata
import importlib.util
import inspect
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from analysis.core.hashing import digest

NUMERIC_LIBRARIES = ("numpy", "scipy", "numba", "xarray", "dask")
_WORDS = {"title", "description", "json_schema_extra"}  # keywords that only people read
_ALWAYS = "analysis.core.data"
# What recipes import to declare themselves and to report: no number depends on it, colours of figures are below it.
_PARSING = threading.RLock()  # CPython 3.11 counts the depth of syntax trees across threads, and fails where two are made at once
_NEVER = {"analysis.core.registry", "analysis.core.progress"}


@cache
def library_versions() -> dict[str, str]:
    found = {}
    for name in NUMERIC_LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def code_version(*functions: Callable[..., Any]) -> str:
    """Hash of all project code that the functions can reach, 16 hexadecimal digits."""
    with _PARSING:
        return _version(tuple((f.__module__, f.__qualname__) for f in map(inspect.unwrap, functions)))


@cache
def _version(functions: tuple[tuple[str, str], ...]) -> str:
    reached = closure(_ALWAYS, "analysis").union(*(closure(module, module.partition(".")[0]) for module, _ in functions))
    parts = [qualname.encode() for _, qualname in functions]
    for name in sorted(reached):
        parts += [name.encode(), meaning(_source(name))]
    return digest(parts)[:16]


@cache
def closure(module: str, top: str) -> frozenset[str]:
    """Names of the modules below package ``top`` that ``module`` reaches by import statements, itself included."""
    seen: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name in seen or name in _NEVER or _source(name) is None:
            continue
        seen.add(name)
        todo += [m for m in _imports(name) if m.partition(".")[0] in (top, "analysis")]
    return frozenset(seen)


@cache
def _source(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ModuleNotFoundError, ValueError):
        return None
    origin = spec.origin if spec else None
    return Path(origin) if origin and origin.endswith(".py") else None


@cache
def _imports(module: str) -> tuple[str, ...]:
    path = _source(module)
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if path else ():
        if isinstance(node, ast.Import):
            names += [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            # ``from package import part`` may name a module or something inside ``package``.
            origin = _origin(node, module, is_package=path is not None and path.name == "__init__.py")
            inside = [f"{origin}.{a.name}" for a in node.names]
            modules = [m for m in inside if _source(m) is not None]
            names += modules if len(modules) == len(inside) else [origin, *modules]
    return tuple(dict.fromkeys(names))


def _origin(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    package = module if is_package else module.rpartition(".")[0]
    return importlib.util.resolve_name("." * node.level + (node.module or ""), package)


def meaning(path: Path | None) -> bytes:
    """The syntax tree of a module as bytes, without what only people read."""
    if path is None:
        return b""
    return _dump(_WithoutWords().visit(ast.parse(path.read_text(encoding="utf-8")))).encode()


def _dump(node: Any) -> str:
    """The tree as text; empty fields are left out, because newer Pythons add some (``ast.dump`` shows them or not)."""
    if isinstance(node, ast.AST):
        fields = [f"{name}={_dump(value)}" for name, value in ast.iter_fields(node) if value is not None and value != []]
        return f"{type(node).__name__}({','.join(fields)})"
    return f"[{','.join(map(_dump, node))}]" if isinstance(node, list) else repr(node)


class _WithoutWords(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [k for k in node.keywords if k.arg not in _WORDS]
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.body = [n for n in node.body if not _is_text(n)] or [ast.Pass()]
        return node


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
