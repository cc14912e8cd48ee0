"""What counts as a change of code, and how far it reaches."""

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analysis.core import versions
from analysis.core.hashing import digest, file_digest, json_digest

COMPUTE = '''"""Recipes."""
from {package} import shared
from {package}.steps import step

LIMIT = 3.0


def run(x):
    """Run it."""
    return step(x, limit=LIMIT, title="A step") + shared.offset()
'''
FILES = {
    "__init__.py": "",
    "compute.py": COMPUTE,
    "read.py": '"""Reader."""\nfrom .formats import text\n\n\ndef read(path):\n    return text(path)\n',
    "formats.py": "def text(path):\n    return path.read_text()\n",
    "steps.py": "def step(x, *, limit, title):\n    import {package}.late as late\n    return late.f(x) * limit\n",
    "late.py": "def f(x):\n    return x\n",
    "shared.py": "def offset():\n    return 1\n",
    "unrelated.py": "def g():\n    return 0\n",
}
_count = itertools.count()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of its own name; its modules are forgotten afterwards."""
    folder = tmp_path / f"versioned{next(_count)}"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text.replace("{package}", folder.name), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [m for m in sys.modules if m.partition(".")[0] == folder.name]:
        del sys.modules[name]


def version(package: Path, function: str = "compute:run") -> str:
    for cached in (versions._version, versions.closure, versions._source, versions._imports):
        cached.cache_clear()
    importlib.invalidate_caches()
    module, _, name = function.partition(":")
    return versions.code_version(getattr(importlib.import_module(f"{package.name}.{module}"), name))


def change(package: Path, file: str, old: str, new: str) -> None:
    text = (package / file).read_text(encoding="utf-8")
    assert old in text
    (package / file).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("compute.py", '"""Run it."""', '"""Run it, with care."""'),
        ("compute.py", '"""Run it."""', "# Run it."),
        ("compute.py", '"""Recipes."""', '"""All recipes."""\n\n\n# of this kind'),
        ("compute.py", 'title="A step"', 'title="One step"'),
        ("compute.py", "LIMIT = 3.0", "LIMIT  =  3.0  # volts"),
        ("unrelated.py", "return 0", "return 1"),
        ("read.py", "return text(path)", "return text(path).strip()"),
    ],
)
def test_words_layout_and_unreached_code_do_not_change_a_version(package: Path, file: str, old: str, new: str) -> None:
    before = version(package)
    change(package, file, old, new)
    assert version(package) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("compute.py", "LIMIT = 3.0", "LIMIT = 3.1"),
        ("compute.py", " + shared", " - shared"),
        ("steps.py", "* limit", "/ limit"),  # from package.module import function
        ("shared.py", "return 1", "return 2"),  # from package import module
        ("late.py", "return x", "return -x"),  # import inside a function, reached over another module
    ],
)
def test_an_expression_changes_the_version_of_all_that_reach_it(package: Path, file: str, old: str, new: str) -> None:
    before = version(package)
    change(package, file, old, new)
    assert version(package) != before


def test_reader_and_recipe_versions_are_separate(package: Path) -> None:
    recipe, reader = version(package), version(package, "read:read")
    change(package, "formats.py", "read_text()", "read_text('utf-8')")  # reached by a relative import
    assert version(package) == recipe
    assert version(package, "read:read") != reader


def test_a_name_that_the_package_itself_defines_brings_the_package(package: Path) -> None:
    change(package, "__init__.py", "", "SCALE = 2\n")
    change(
        package,
        "steps.py",
        f"import {package.name}.late",
        f"from {package.name} import SCALE, late\n    import {package.name}.late",
    )
    before = version(package)
    change(package, "__init__.py", "SCALE = 2", "SCALE = 3")
    assert version(package) != before


def test_a_wrapped_function_counts_as_what_it_wraps_and_two_functions_as_both(package: Path) -> None:
    import functools

    run: Callable[..., object] = importlib.import_module(f"{package.name}.compute").run
    read: Callable[..., object] = importlib.import_module(f"{package.name}.read").read

    @functools.wraps(run)
    def wrapper(x: object) -> object:
        return run(x)

    assert versions.code_version(wrapper) == versions.code_version(run)
    assert len({versions.code_version(run), versions.code_version(read), versions.code_version(run, read)}) == 3


def test_the_data_contract_is_part_of_every_version() -> None:
    assert "analysis.core.data" in versions.closure("analysis.core.data", "analysis")
    assert "analysis.core.errors" in versions.closure("analysis.core.data", "analysis")
    # a recipe that reports its progress must not depend on how results are stored
    assert not {m for m in versions.closure("analysis.core.progress", "analysis") if m.endswith(("store", "run", "jobs"))}


def test_the_libraries_that_compute_are_named_with_their_versions() -> None:
    import numpy as np

    assert versions.library_versions()["numpy"] == np.__version__
    assert set(versions.library_versions()) <= set(versions.NUMERIC_LIBRARIES)


# -- content addresses -------------------------------------------------------------------------------------------------------


def test_digests_do_not_depend_on_the_order_of_keys_but_on_everything_else() -> None:
    assert json_digest({"a": 1, "b": [1, 2]}) == json_digest({"b": [1, 2], "a": 1})
    assert json_digest({"a": 1}) != json_digest({"a": 1.5})
    assert json_digest({"a": [1, 2]}) != json_digest({"a": [2, 1]})
    assert digest([b"ab", b"c"]) != digest([b"a", b"bc"])
    with pytest.raises(ValueError, match="Out of range"):
        json_digest({"a": float("nan")})


def test_a_file_digest_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert file_digest(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
