"""A model's files are what somebody else can have written: sizes, numbers and trees are looked at first."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from mlflow.entities.model_registry import ModelVersion
from served import Registry, animals
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier

from adaptml.errors import ModelError
from adaptml.project import Project
from adaptml.runs.models import save_model
from modelling.algorithms import EndModel
from modelling.algorithms.trees import check_trees
from modelling.champion import load_champion
from modelling.columns import Columns
from modelling.keyed import MAX_JSON_BYTES, load_keyed_model, read_names

NAMES = {"setting": "multiclass", "classes": ["cat", "dog"], "features": ["x"], "dimensions": 1}
X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("[" * 100_000, "recursion limit exceeded"),
        ('{"a": NaN', "Invalid JSON"),
        ("[]", "Input should be an object"),
        ({}, "setting: missing"),
        (NAMES | {"setting": "multi"}, "setting is 'multi'; expected"),
        (NAMES | {"classes": []}, "classes: List should have at least 1 item"),
        (NAMES | {"classes": ["a"] * 2}, "classes: has a class twice"),
        (NAMES | {"classes": list(map(str, range(128)))}, "at most 127 items"),
        (NAMES | {"classes": ["cat", 1]}, "classes[1]: Input should be a valid string"),
        (NAMES | {"classes": ["cat", "d" * 1_001]}, "at most 1000 characters"),
        (NAMES | {"features": "x"}, "features: Input should be a valid array"),
        (NAMES | {"features": ["x"] * 10_001}, "at most 10000 items"),
        (NAMES | {"dimensions": 10**12}, "dimensions: Input should be less than or equal to 10000000"),
        (json.dumps(NAMES)[:-2] + "1" * 5_000 + "}", "Invalid JSON: number out of range"),
        (NAMES | {"dimensions": 1.5}, "dimensions: Input should be a valid integer"),
        (NAMES | {"dimensions": True}, "dimensions: Input should be a valid integer"),
        (NAMES | {"columns": {"x": {"median": float("nan")}}}, "median is nan; expected a finite number"),
        (NAMES | {"columns": {"x": {"categories": ["a"] * 101}}}, "categories are no list of 100"),
        (NAMES | {"columns": {"x": {"categories": "abc"}}}, "categories are no list"),
        (NAMES | {"columns": {"x": {}}}, "median"),
        (NAMES | {"columns": []}, "columns: Input should be"),
        (" " * (MAX_JSON_BYTES + 1), "is larger than 4,194,304 bytes"),
    ],
)
def test_names_that_no_model_has(said: Any, problem: str, project: Project, tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    with pytest.raises(ModelError) as raised:
        load_keyed_model(tmp_path / "classifier.skops", path, project.points)
    text = str(raised.value)
    assert problem in text
    assert text.startswith(f"{path} is not the file of an end model (")
    assert "\n" not in text
    assert len(text) < 500


def test_names_and_classifier_are_of_one_model(project: Project, tmp_path: Path) -> None:
    classifier, names = tmp_path / "classifier.skops", tmp_path / "names.json"
    animals().save(classifier)
    names.write_text(json.dumps(NAMES))
    assert load_keyed_model(classifier, names, project.points).class_names == ("cat", "dog")
    assert Columns.from_json(read_names(names).columns).learned == {}
    for changed in ({"classes": ["cat", "dog", "owl"]}, {"setting": "multilabel"}):
        names.write_text(json.dumps(NAMES | changed))
        with pytest.raises(ModelError, match=r"tells 2 classes, multiclass, and names.json says [23], multi"):
            load_keyed_model(classifier, names, project.points)


def content(**changes: Any) -> dict[str, Any]:
    part = animals().parts_[0]
    whole = {
        "format": 2,
        "setting": "multiclass",
        "algorithm": "logistic_regression",
        "k": 2,
        "parts": [part],
    }
    return whole | {"base_model": None, "scale": 1.0} | changes


def ensemble(n: int, **changes: Any) -> dict[str, Any]:
    """What of `content` an ensemble of n such models has otherwise."""
    return {"algorithm": "ensemble", "parts": [], "members": [content()] * n} | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"k": 0}, {"k": 10**9}, {"k": "2"}, {"k": 1}, {"scale": float("nan")}, {"scale": "1"}, {"algorithm": ["a"]},
        {"parts": []}, {"parts": [0.5]}, {"parts": ["text"]}, {"parts": [{}]}, {"parts": None}, {"parts": [None]},
        {"setting": "multilabel", "parts": [0.5, 1.5]}, {"setting": "multilabel", "parts": [0.5] * 3},
        {"calibrator": [[1.0, 1.0]]}, {"calibrator": [[1.0, 0.0], [0.0, 0.0]]}, {"calibrator": "ab"},
        {"calibrator": [[1.0, 1.0], [0.0, float("inf")]]},
        {"calibrator": [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]},
        {"base_model": 3}, {"base_model": {"parts": []}}, {"base_model": content(k=0)},
        {"algorithm": "ensemble"}, {"members": [content()] * 2}, ensemble(0), ensemble(1), ensemble(2, k=3),
        ensemble(2) | {"parts": [0.5]}, ensemble(2) | {"base_model": content()}, ensemble(2, setting="multilabel"),
        ensemble(2, member_weights=[1.0]), ensemble(2, member_weights=[1.5, -0.5]), ensemble(2, member_weights="ab"),
        ensemble(2, member_weights=[0.5, 0.6]), ensemble(2, member_weights=[float("nan"), 1.0]),
        ensemble(2, member_weights=[[0.5], [0.5]]), ensemble(2) | {"vote_scale": 1.0}, {"algorithm": "ensemble", "parts": [], "members": [ensemble(2)] * 2},
    ],
    ids=lambda changes: str(changes)[:50],
)  # fmt: skip
def test_a_classifier_that_is_put_together_wrongly(changes: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "classifier.skops"
    skops.io.dump(content(**changes), path)
    with pytest.raises(ModelError, match=rf"^{path} is no end model that can be read; expected a file that"):
        EndModel.load(path)


@pytest.mark.parametrize("changes", [{}, ensemble(2)], ids=["one", "ensemble"])
def test_one_that_is_put_together_rightly(changes: dict[str, Any], tmp_path: Path) -> None:
    skops.io.dump(content(**changes), tmp_path / "classifier.skops")
    assert EndModel.load(tmp_path / "classifier.skops").predict(np.array([[3.0]], np.float32)).tolist() == [
        [1, 0]
    ]


def test_a_few_bytes_fill_no_memory(tmp_path: Path) -> None:
    """Packed zeros; and the same bytes named twice, as `zipfile` alone would not write them."""
    packed = tmp_path / "packed.skops"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("schema.json", "{}" + " " * 10**7)
    with pytest.raises(ModelError, match=r"would unpack to 10,000,002 bytes, more than the file has"):
        EndModel.load(packed)
    twice = tmp_path / "twice.skops"
    with zipfile.ZipFile(twice, "w") as file:
        file.writestr("schema.json", " " * 10_000)
        for number in range(20):
            file.filelist.append(file.getinfo("schema.json"))
            file.NameToInfo[f"{number}"] = file.getinfo("schema.json")
    with pytest.raises(ModelError, match=r"would unpack to 210,000 bytes"):
        EndModel.load(twice)


def test_an_array_that_is_larger_than_its_bytes(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.skops", tmp_path / "classifier.skops"
    skops.io.dump(content(), whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith(".npy"):
                data = data.replace(b"(1, 1), }           ", b"(9999999999999, 1), }")[: len(data)]
            new.writestr(name, data)
    with pytest.raises(ModelError, match="is no end model that can be read"):
        EndModel.load(path)


def hist(change: Callable[[Any], None]) -> Any:
    """Histogram gradient boosting, with the nodes of its first tree changed."""
    made = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=2).fit(X, Y)
    change(made._predictors[0][0].nodes)
    return made


def tree(change: Callable[[Any], None]) -> Any:
    made = DecisionTreeClassifier(max_depth=3).fit(X, Y)
    state = made.tree_.__getstate__()
    change(state["nodes"])
    made.tree_.__setstate__(state)
    return made


def of_a_forest(change: Callable[[Any], None]) -> Any:
    made = RandomForestClassifier(2, max_depth=3).fit(X, Y)
    made.estimators_[1] = tree(change)
    return made


def boosted(change: Callable[[Any], None]) -> Any:
    made = GradientBoostingClassifier(n_estimators=2, max_depth=2).fit(X, Y)
    change(made)
    return made


def setting(field: str, value: int, of: int = 0) -> Callable[[Any], None]:
    def change(nodes: Any) -> None:
        nodes[field][of] = value

    return change


def attribute(name: str, value: object) -> Callable[[Any], None]:
    def change(made: Any) -> None:
        setattr(made, name, value)

    return change


@pytest.mark.parametrize(
    ("made", "change"),
    [
        (hist, setting("left", 4_000_000_000)),
        (hist, setting("right", 0)),  # goes round for ever
        (hist, setting("feature_idx", 3)),
        (hist, setting("feature_idx", -1)),
        (hist, setting("is_categorical", 1)),  # there is no set of categories
        (tree, setting("left_child", 10**9)),
        (tree, setting("right_child", 0)),
        (tree, setting("right_child", -5)),
        (tree, setting("feature", 3)),
        (tree, setting("feature", -7)),
        (of_a_forest, setting("left_child", 10**9)),
        (boosted, attribute("n_features_in_", 1)),
        (boosted, attribute("n_trees_per_iteration_", 5)),
        (boosted, attribute("estimators_", "text")),
    ],
)
def test_trees_that_cannot_be_followed(made: Any, change: Callable[[Any], None], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^x holds a \w+ that names columns or nodes which are not there: "):
        check_trees({"parts": [made(change)]}, Path("x"))


@pytest.mark.parametrize("made", [hist, tree, of_a_forest, boosted])
def test_trees_that_were_grown(made: Any) -> None:
    check_trees({"parts": [made(lambda _: None)], "other": np.array([None, 1], dtype=object)}, Path("x"))


@pytest.mark.parametrize(
    ("said", "example"),
    [
        ({"columns": ["table_name", "id"], "data": [["t", "1"], ["t", 2]]}, {"table_name": ["t", "t"], "id": ["1", "2"]}),
        ({"columns": ["table_name", "id"], "data": [["t", "1"]] * 101}, {}),
        ({"columns": ["table_name", "id"], "data": [["t", "1" * 501]]}, {}),
        ({"columns": ["table_name", "id"], "data": [["t", "a\0b"]]}, {}),
        ({"columns": ["id"], "data": [["1"]]}, {}),
        ({"columns": ["table_name", "id"], "data": [["t"]]}, {}),
        ({"columns": ["table_name", "id"], "data": []}, {}),
        ([], {}),
    ],
)  # fmt: skip
def test_the_example_of_a_model(said: Any, example: Any, project: Project, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    save_model(Registry(project).model("animals", tmp_path / "made"), tmp_path / "model")
    (tmp_path / "model" / "input_example.json").write_text(json.dumps(said))
    (tmp_path / "model" / "MLmodel").write_text("artifact_path: !!python/object/apply:os.system [false]")
    client: Any = _Here(tmp_path / "model")
    assert load_champion(client, project.points, "animals", "1").example == example


class _Here:
    """A registry whose one version lies in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_model_version_download_uri(self, *_: str) -> str:
        return str(self._folder)

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        return ModelVersion(name, version, 0)
