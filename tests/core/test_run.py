"""Files to datasets, requests to results, and where a number comes from."""

import json
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from pydantic import Field, ValidationError

from analysis.core.data import Scalar, Schema, Var, scalars
from analysis.core.errors import DataError, ParamError, ReadError, StoreError
from analysis.core.params import Options, Params
from analysis.core.progress import report, reporting, stage
from analysis.core.registry import Input, Modality, Reader, Recipe, Registry
from analysis.core.run import Request, command, explain, ingest, plan, run, schema_of
from analysis.core.store import Store

ROW = ("row",)
CURVE = Schema("t.curve", {"voltage": Var(ROW, "V")})
OTHER = Schema("t.other", {"voltage": Var(ROW, "V")})


class Scale(Params):
    factor: float = Field(2.0, title="Factor")
    offsets: tuple[float, ...] = Field((), title="Offsets")
    name: str | None = Field(None, title="Name")


class Columns(Options):
    column: int = Field(0, ge=0, title="Column")


computed: list[str] = []


def read_text(paths: tuple[Path, ...], options: Columns) -> xr.Dataset:
    rows = [line.split(",")[options.column] for p in paths for line in p.read_text(encoding="utf-8").splitlines()]
    return xr.Dataset({"voltage": ("row", np.array([float(r) for r in rows]), {"units": "mV"})})


def beside(path: Path) -> tuple[Path, ...]:
    side = path.with_suffix(".head")
    return (side,) if side.exists() else ()


def scale(curve: xr.Dataset, *, params: Scale) -> xr.Dataset:
    computed.append("scale")
    report(0.5, "half")
    return curve[["voltage"]].map(lambda v: v * params.factor + sum(params.offsets), keep_attrs=True)


def top(stored: xr.Dataset, params: Scale) -> dict[str, Scalar]:
    return {"top": Scalar(float(stored["voltage"].max()), "V", n=stored.sizes["row"], of="rows")}


def mean_of(curves: tuple[xr.Dataset, ...], mask: xr.Dataset | None = None, *, params: Params) -> xr.Dataset:
    return xr.concat([c.expand_dims("set") for c in curves], "set").mean("set", keep_attrs=True)


def lazy(curve: xr.Dataset, *, params: Params) -> xr.Dataset:
    assert isinstance(curve["voltage"].data, da.Array)
    return curve * 2


def wrong(curve: xr.Dataset, *, params: Params) -> xr.Dataset:
    return xr.Dataset({"current": ("row", [1.0], {"units": "A"})})


READER = Reader("t.text", "Text", CURVE, (".txt",), lambda p: float(p.head[:1] in b"0123456789"), read_text, Columns, beside)
RECIPES = (
    Recipe("t.scale", "Scale", {"curve": Input("t.curve")}, CURVE, scale, Scale, summarise=top),
    Recipe("t.mean", "Mean", {"curves": Input("t.curve", many=True), "mask": Input("t.mask", optional=True)}, CURVE, mean_of),
    Recipe("t.lazy", "Lazy", {"curve": Input("t.curve")}, CURVE, lazy, chunked=True),
    Recipe("t.wrong", "Wrong", {"curve": Input("t.curve")}, OTHER, wrong),
    Recipe("t.strict", "Strict", {"curve": Input("t.other")}, OTHER, wrong),
)
REGISTRY = Registry({"t": Modality("t", "Test", readers=(READER,), recipes=RECIPES)})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    computed.clear()
    return Store(tmp_path / "ws")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cell 1.txt"
    path.write_text("1000,5\n2000,6\n", encoding="ascii")
    return path


@pytest.fixture
def curve(file: Path, store: Store) -> str:
    return ingest([file], REGISTRY, store)


# -- files to datasets -----------------------------------------------------------------------------------------------------------


def test_a_file_becomes_a_conforming_dataset_once(file: Path, store: Store) -> None:
    key = ingest([file], REGISTRY, store)
    assert ingest([file], REGISTRY, store, reader_id="t.text", options={"column": 0}) == key
    ds = store.open(key)
    assert ds["voltage"].values.tolist() == [1.0, 2.0]
    assert (ds["voltage"].attrs["units"], ds.attrs["schema"]) == ("V", "t.curve")
    assert store.keys() == [key]
    record = store.provenance(key)
    assert record["files"][0]["name"] == "cell 1.txt"
    assert record["files"][0]["bytes"] == 14
    assert record["options"] == {"column": 0}


def test_options_content_name_side_files_and_order_make_another_dataset(file: Path, store: Store, tmp_path: Path) -> None:
    second = tmp_path / "part 2.txt"
    second.write_text("3000,7\n", encoding="ascii")
    keys = [
        ingest([file], REGISTRY, store),
        ingest([file], REGISTRY, store, options={"column": 1}),
        ingest([file, second], REGISTRY, store),
        ingest([second, file], REGISTRY, store),
        ingest([file.rename(tmp_path / "cell 2.txt")], REGISTRY, store),
    ]
    (tmp_path / "cell 2.head").write_text("energies", encoding="ascii")
    keys.append(ingest([tmp_path / "cell 2.txt"], REGISTRY, store))
    assert len(set(keys)) == len(keys)


def test_files_that_cannot_be_read(file: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReadError, match=r"There is no file gone\.txt"):
        ingest([tmp_path / "gone.txt"], REGISTRY, store)
    with pytest.raises(ReadError, match="No file was given"):
        ingest([], REGISTRY, store)
    with pytest.raises(ParamError, match=r"Column \[column\]"):
        ingest([file], REGISTRY, store, options={"column": -1})
    (tmp_path / "cell 1.head").mkdir()
    with pytest.raises(ReadError, match=r"cell 1\.head cannot be read: Is a directory"):
        ingest([file], REGISTRY, store)
    assert store.keys() == []


def test_a_file_without_rows(store: Store, tmp_path: Path) -> None:
    (tmp_path / "header.txt").write_text("\n", encoding="ascii")
    empty = Reader("t.empty", "", CURVE, (), lambda _p: 1.0, lambda _f, _o: xr.Dataset({"voltage": ("row", np.zeros(0), {"units": "V"})}))
    with pytest.raises(ReadError, match=r"header\.txt holds no rows of data"):
        ingest([tmp_path / "header.txt"], Registry({"t": Modality("t", "", readers=(empty,))}), store)


# -- requests to results -----------------------------------------------------------------------------------------------------------


def test_a_result_is_computed_once_with_its_scalars(curve: str, store: Store) -> None:
    request = Request(recipe="t.scale", inputs={"curve": curve}, params={"factor": 3})
    seen: list[tuple[float, str]] = []
    with reporting(lambda fraction, message: seen.append((fraction, message))):
        key = run(request, REGISTRY, store)
    assert run(request, REGISTRY, store) == key
    assert computed == ["scale"]
    assert seen == [(0.5, "half")]
    assert store.open(key)["voltage"].values.tolist() == [3.0, 6.0]
    assert scalars(store.open(key))["top"] == Scalar(6.0, "V", n=2, of="rows")
    assert run(Request(recipe="t.scale", inputs={"curve": key}), REGISTRY, store) != key
    assert schema_of(key, REGISTRY, store) == CURVE


def test_the_key_does_not_depend_on_how_the_request_is_written(curve: str) -> None:
    key = plan(Request(recipe="t.scale", inputs={"curve": curve}), REGISTRY).key
    same = [
        {"params": {"factor": 2}},
        {"params": {"factor": "2.0"}},
        {"params": {"name": None, "offsets": [], "factor": 2.0}},
        {"params": {"offsets": (), "factor": 2.0, "name": None}},
        {"inputs": {"curve": (curve,)}},
    ]
    for change in same:
        request = Request.model_validate({"recipe": "t.scale", "inputs": {"curve": curve}, **change})
        assert plan(request, REGISTRY).key == key
        assert plan(Request.model_validate_json(request.model_dump_json()), REGISTRY).key == key


def test_the_key_depends_on_all_that_determines_the_result(curve: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def key(registry: Registry = REGISTRY, **change: object) -> str:
        return plan(Request.model_validate({"recipe": "t.scale", "inputs": {"curve": curve}, **change}), registry).key

    class Wider(Scale):
        factor: float = Field(2.5, title="Factor")

    class Titled(Scale):
        factor: float = Field(2.0, title="Another word for it")

    def of(params: type[Params], **parts: object) -> Registry:
        recipe = Recipe(**{**vars(RECIPES[0]), "params": params, **parts})
        return Registry({"t": Modality("t", "", recipes=(recipe,))})

    keys = [key(), key(params={"factor": 2.1}), key(inputs={"curve": "d-other"}), key(of(Wider)), key(of(Scale, summarise=None))]
    monkeypatch.setattr("analysis.core.run.library_versions", lambda: {"numpy": "0"})
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert key(of(Titled)) == keys[-1]


def test_the_order_of_many_inputs_counts(store: Store, file: Path) -> None:
    a, b = ingest([file], REGISTRY, store), ingest([file], REGISTRY, store, options={"column": 1})
    keys = [plan(Request(recipe="t.mean", inputs={"curves": c}), REGISTRY).key for c in ((a, b), (b, a), (a,), a)]
    assert len(set(keys)) == 3
    assert keys[2] == keys[3]
    made = run(Request(recipe="t.mean", inputs={"curves": (a, b)}), REGISTRY, store)
    assert store.open(made)["voltage"].values == pytest.approx([0.5025, 1.003])


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"recipe": "t.gone", "inputs": {}}, "There is no recipe 't.gone'"),
        ({"recipe": "t.scale", "inputs": {}}, r"needs 'curve' \(t\.curve\)"),
        ({"recipe": "t.scale", "inputs": {"curve": ()}}, "needs 'curve'"),
        ({"recipe": "t.scale", "inputs": {"curve": "d-1", "mask": "e-1"}}, "has no input 'mask'"),
        ({"recipe": "t.scale", "inputs": {"curve": ("d-1", "d-2")}}, "takes one 'curve', 2 were given"),
        ({"recipe": "t.scale", "inputs": {"curve": "d-1"}, "params": {"factr": 1}}, "there is no parameter 'factr'"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_runs(request_: dict[str, object], sentence: str) -> None:
    with pytest.raises(ParamError, match=sentence):
        plan(Request.model_validate(request_), REGISTRY)


def test_a_request_holds_nothing_else() -> None:
    with pytest.raises(ValidationError):
        Request.model_validate({"recipe": "t.scale", "inputs": {}, "cell": "A1"})


def test_inputs_of_another_schema_and_inputs_that_are_gone(curve: str, store: Store) -> None:
    with pytest.raises(ParamError, match=f"needs t.other as 'curve', but {curve} holds t.curve"):
        run(Request(recipe="t.strict", inputs={"curve": curve}), REGISTRY, store)
    with pytest.raises(StoreError, match="has no 'd-gone'"):
        run(Request(recipe="t.scale", inputs={"curve": "d-gone"}), REGISTRY, store)


def test_a_recipe_that_breaks_its_output_schema_stores_nothing(curve: str, store: Store) -> None:
    with pytest.raises(DataError, match="'voltage' is missing"):
        run(Request(recipe="t.wrong", inputs={"curve": curve}), REGISTRY, store)
    assert store.keys("r") == []


def test_chunked_recipes_get_lazy_arrays(curve: str, store: Store) -> None:
    key = run(Request(recipe="t.lazy", inputs={"curve": curve}), REGISTRY, store)
    assert store.open(key)["voltage"].values.tolist() == [2.0, 4.0]


def test_an_edit_is_an_ordinary_input(store: Store) -> None:
    def make(value: float) -> str:
        return store.put_edit(CURVE.conform(xr.Dataset({"voltage": ("row", [value], {"units": "V"})})))

    keys = [run(Request(recipe="t.scale", inputs={"curve": make(v)}), REGISTRY, store) for v in (1.0, 2.0, 1.0)]
    assert keys[0] == keys[2] != keys[1]
    assert explain(keys[0], store)["inputs"]["curve"][0]["kind"] == "edit"


# -- where a number comes from -------------------------------------------------------------------------------------------------------


def test_explain_walks_back_to_the_files(curve: str, store: Store) -> None:
    first = run(Request(recipe="t.scale", inputs={"curve": curve}), REGISTRY, store)
    second = run(Request(recipe="t.mean", inputs={"curves": (first, curve)}), REGISTRY, store)
    tree = explain(second, store)
    json.dumps(tree)
    assert (tree["recipe"], tree["key"]) == ("t.mean", second)
    scaled, direct = tree["inputs"]["curves"]
    assert scaled["params"] == {"factor": 2.0, "offsets": [], "name": None}
    assert scaled["inputs"]["curve"][0]["files"][0]["name"] == "cell 1.txt"
    assert direct["reader"] == "t.text"
    assert {"code", "libraries", "created", "seconds"} <= set(tree)


def test_explain_says_which_input_was_removed(curve: str, store: Store) -> None:
    key = run(Request(recipe="t.scale", inputs={"curve": curve}), REGISTRY, store)
    store.remove(curve)
    assert explain(key, store)["inputs"]["curve"] == [{"key": curve, "kind": "removed"}]
    with pytest.raises(StoreError):
        explain(curve, store)


def test_the_command_reproduces_the_request(curve: str, store: Store) -> None:
    import shlex

    params = {"factor": 0.5, "offsets": [1.0, -2.0], "name": "it's a cell"}
    key = run(Request(recipe="t.scale", inputs={"curve": curve}, params=params), REGISTRY, store)
    words = shlex.split(command(key, store))
    assert words[:6] == ["python", "-m", "analysis", "run", "t.scale", curve]
    assert words[-2:] == ["--workspace", str(store.root)]
    again = Scale.parse([words[i + 1] for i, w in enumerate(words) if w == "-p"])
    assert plan(Request(recipe="t.scale", inputs={"curve": curve}, params=again), REGISTRY).key == key
    assert shlex.split(command(curve, store)) == ["python", "-m", "analysis", "inspect", "cell 1.txt"]


# -- progress ------------------------------------------------------------------------------------------------------------------------


def test_progress_is_clipped_scaled_by_stages_and_goes_nowhere_by_default() -> None:
    report(0.3, "nobody listens")
    seen: list[float] = []
    with reporting(lambda fraction, _message: seen.append(fraction)):
        report(-1.0)
        report(7.0)
        with stage(0.5, 0.7):
            report(0.5)
            with stage(0.5, 1.0):
                report(1.0)
        report(0.9)
    assert seen == pytest.approx([0.0, 1.0, 0.6, 0.7, 0.9])


def test_reports_end_with_their_block_also_after_an_error() -> None:
    seen: list[float] = []
    with pytest.raises(DataError), reporting(lambda fraction, _message: seen.append(fraction)):
        raise DataError("No.")
    report(0.5)
    assert seen == []
