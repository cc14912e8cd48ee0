"""What the style guide lets a machine check: imports, sizes, and a few habits."""

import ast
import io
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("analysis", "components", "pages")
MAX_BODY, MAX_MODULE, MAX_CALLBACK, MAX_INPUTS, MAX_CORE = 50, 400, 30, 6, 1500
MAY_CATCH_EVERYTHING = {"analysis/core/jobs.py", "analysis/core/registry.py"}


def sources() -> list[Path]:
    found = [p for package in PACKAGES for p in (ROOT / package).rglob("*.py")]
    return sorted([*found, *ROOT.glob("*.py")])


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last one."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def written_lines(path: Path) -> int:
    return sum(bool(line.strip()) for line in path.read_text(encoding="utf-8").splitlines())


def called(node: ast.expr) -> str:
    """The last part of what a decorator or call names: ``callback`` of ``@app.callback(...)``."""
    target = node.func if isinstance(node, ast.Call) else node
    return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")


every_source = pytest.mark.parametrize("path", sources(), ids=name_of)


# -- imports -------------------------------------------------------------------------------------------------------------------


def settings() -> str:
    """The contracts of ``pyproject.toml``, with every modality that is listed: listing one is all that adding it takes."""
    from analysis.modalities import PACKAGES as modalities

    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for known, all_of_them in (
        ('"(analysis.cycling) | (analysis.catalog)"', json.dumps(" | ".join(f"({m})" for m in (*modalities, "analysis.catalog")))),
        ('modules = ["analysis.cycling"]', f"modules = {json.dumps(modalities)}"),
    ):
        assert text.count(known) == 1
        text = text.replace(known, all_of_them)
    return text


@pytest.mark.parametrize("contract", [c["id"] for c in tomllib.loads(settings())["tool"]["importlinter"]["contracts"]])
def test_import_contract(contract: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlinter.api  # noqa: F401 - configures it
    from importlinter.application import use_cases

    (tmp_path / "contracts.toml").write_text(settings(), encoding="utf-8")
    monkeypatch.chdir(ROOT)
    said = io.StringIO()
    with redirect_stdout(said):
        kept = use_cases.lint_imports(str(tmp_path / "contracts.toml"), limit_to_contracts=(contract,), cache_dir=None, no_logo=True)
    assert kept, said.getvalue()


HEAVY = ("dash", "flask", "plotly", "pint", "dask", "zarr", "scipy", "numba", "pebble")


@pytest.mark.parametrize(
    ("module", "absent"),
    [("analysis.core.run", HEAVY), ("analysis.core.jobs", HEAVY), ("analysis.modalities", ("dash", "flask"))],
)
def test_what_an_import_does_not_bring(module: str, absent: tuple[str, ...]) -> None:
    """The dashboard starts a second sooner without them, and workers and scripts do without Dash altogether."""
    call = "; analysis.modalities.registry()" if module == "analysis.modalities" else ""
    code = f"import sys, {module}{call}; print(*[m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


# -- sizes ---------------------------------------------------------------------------------------------------------------------


@every_source
def test_functions_fit_on_a_screen(path: Path) -> None:
    long = [f"{f.name}: {body_lines(f)} lines" for f in functions(path) if body_lines(f) > MAX_BODY]
    assert long == []


@every_source
def test_modules_are_short(path: Path) -> None:
    assert written_lines(path) <= MAX_MODULE


def test_the_kernel_stays_small() -> None:
    kernel = [p for p in (ROOT / "analysis" / "core").rglob("*.py") if "numerics" not in p.parts]
    assert sum(map(written_lines, kernel)) <= MAX_CORE


# -- habits --------------------------------------------------------------------------------------------------------------------


def catches_everything(node: ast.ExceptHandler) -> bool:
    """Whether a handler swallows what it does not know; tidying up and raising it again is no swallowing."""
    if isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None:
        return False
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(k is None or (isinstance(k, ast.Name) and k.id in ("Exception", "BaseException")) for k in kinds)


@every_source
def test_only_the_edges_of_the_kernel_catch_everything(path: Path) -> None:
    if name_of(path) in MAY_CATCH_EVERYTHING:
        return
    lines = [n.lineno for n in ast.walk(tree(path)) if isinstance(n, ast.ExceptHandler) and catches_everything(n)]
    assert lines == []


@every_source
def test_input_is_never_checked_by_assert(path: Path) -> None:
    assert [n.lineno for n in ast.walk(tree(path)) if isinstance(n, ast.Assert)] == []


@every_source
def test_every_module_says_what_it_is_and_none_is_a_drawer(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}
    assert ast.get_docstring(tree(path)) or not tree(path).body


@every_source
def test_one_callback_writes_a_property(path: Path) -> None:
    assert "allow_duplicate" not in path.read_text(encoding="utf-8")


def is_callback(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(called(d) == "callback" for d in node.decorator_list)


@every_source
def test_callbacks_are_short_at_module_level_and_take_few_things(path: Path) -> None:
    wrong = []
    top = set(map(id, tree(path).body))
    for f in functions(path):
        if not is_callback(f):
            continue
        decorator = next(d for d in f.decorator_list if called(d) == "callback")
        taken = [n for n in ast.walk(decorator) if isinstance(n, ast.Call) and called(n) in ("Input", "State")]
        wrong += [f"{f.name} is not at module level"] if id(f) not in top else []
        wrong += [f"{f.name}: {body_lines(f)} lines"] if body_lines(f) > MAX_CALLBACK else []
        wrong += [f"{f.name}: {len(taken)} inputs and states"] if len(taken) > MAX_INPUTS else []
        wrong += [f"{f.name} does not stand in components/"] if "components" not in path.parts else []
    assert wrong == []


@pytest.mark.parametrize("path", [p for p in sorted((ROOT / "pages").glob("*.py")) if p.name != "__init__.py"], ids=name_of)
def test_a_page_is_an_address_and_a_layout(path: Path) -> None:
    docstring, *rest = tree(path).body
    assert isinstance(docstring, ast.Expr)
    imports = [n for n in rest if isinstance(n, ast.Import | ast.ImportFrom)]
    others = [n for n in rest if n not in imports]
    calls = [called(n.value) for n in others if isinstance(n, ast.Expr)]
    defined = [n.name for n in others if isinstance(n, ast.FunctionDef)]
    defined += [ast.unparse(t) for n in others if isinstance(n, ast.Assign) for t in n.targets]
    assert calls == ["register_page"]
    assert defined == ["layout"]
    assert len(others) == 2


# -- the checks themselves -------------------------------------------------------------------------------------------------------


def test_the_checks_see_what_they_look_for() -> None:
    code = (
        "def f():\n    '''Doc.\n\n    Long.'''\n    a = 1\n\n    return a\n"
        "@app.callback(Output('a', 'b'), Input('c', 'd'), State('e', 'f'))\ndef g(): pass\n"
        "try: pass\nexcept (ValueError, Exception): pass\nexcept BaseException:\n    raise\n"
    )
    f, g, t = ast.parse(code).body
    assert isinstance(f, ast.FunctionDef)
    assert isinstance(g, ast.FunctionDef)
    assert isinstance(t, ast.Try)
    assert body_lines(f) == 3
    assert is_callback(g)
    assert not is_callback(f)
    assert [catches_everything(h) for h in t.handlers] == [True, False]
    assert len(sources()) > 20
