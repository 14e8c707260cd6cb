"""The parts of the prediction service that need no server."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from adaptml.database import Database
from adaptml.errors import (
    DatabaseUnavailableError,
    FeatureError,
    MissingDataPointsError,
    ModelError,
    UnknownColumnError,
)
from adaptml.features.points import Points
from modelling.app.api_errors import ApiError, translated
from modelling.app.model_cache import ModelCache, Served
from modelling.app.openapi import describe, response_schema
from modelling.app.prediction import MAX_IDS, parse
from modelling.app.status import health
from modelling.champion import Champion
from modelling.keyed import Answer


@dataclass
class Says:
    """A model that always says the same of its classes cat and dog."""

    probs: list[list[float]]

    def answer(self, tables: list[str], ids: list[str]) -> Answer:
        probs = np.array(self.probs)
        return Answer(probs, (probs > 0.5).astype(np.int8), None)


def champion(probs: list[list[float]], classes: tuple[str, ...] = ("cat", "dog")) -> Champion:
    return Champion("animals", "1", "run", classes, {}, Says(probs))  # type: ignore[arg-type]


def body(table_name: object, ids: object) -> bytes:
    return json.dumps({"table_name": table_name, "id": ids}).encode()


def test_an_answer_has_the_keys_then_flags_then_probabilities() -> None:
    answer = champion([[0.25, 0.75]]).predict(["t"], ["1"])
    assert answer == {
        "table_name": ["t"],
        "id": ["1"],
        "cat": [0],
        "dog": [1],
        "prob_cat": [0.25],
        "prob_dog": [0.75],
    }
    assert list(answer) == ["table_name", "id", "cat", "dog", "prob_cat", "prob_dog"]


@pytest.mark.parametrize("prob", [np.nan, 1.5, -0.1])
def test_numbers_that_are_no_probabilities_never_leave(prob: float) -> None:
    with pytest.raises(ModelError, match="model animals answered with numbers that are no probabilities"):
        champion([[prob, 0.5]]).predict(["t"], ["1"])


def test_as_many_ids_as_allowed_are_read() -> None:
    assert len(parse(body(["t"] * MAX_IDS, ["1"] * MAX_IDS)).id) == MAX_IDS


def test_a_wrong_item_is_named_once() -> None:
    with pytest.raises(ApiError) as raised:
        parse(body(["t"] * 3, [1.0, True, None]))
    assert raised.value.status == 422
    assert raised.value.body.error.details == {
        "problems": [{"where": "id.0", "problem": "Input should be a valid string"}]
    }


def test_whole_numbers_are_ids_and_other_values_are_none() -> None:
    assert parse(body(["t"] * 5, [0, -7, 2**63, "007", "7"])).id == ["0", "-7", str(2**63), "007", "7"]
    for wrong in (1.0, True, None, 10**100, [1]):
        with pytest.raises(ApiError):
            parse(body(["t"], [wrong]))
    with pytest.raises(ApiError):
        parse(b'{"table_name": ["t"], "id": [' + b"9" * 5_000 + b"]}")
    with pytest.raises(ApiError):
        parse(body([1], ["1"]))


@pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")  # MLflow's own
@pytest.mark.parametrize("uri", ["nonsense://x", "sqlite:///{folder}/junk.db"])
def test_a_registry_that_does_not_answer_is_said_and_logged_once(
    uri: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "junk.db").write_text("no database")
    cache = ModelCache(uri.format(folder=tmp_path), Points(Database("sqlite://"), Database("sqlite://")))
    for _ in range(2):
        cache.refresh()
    assert cache.models == []
    assert health(cache, {}).status == "degraded"
    assert cache.registry_problem == "the model registry does not answer; the server's log says why"
    assert [r.message for r in caplog.records if r.exc_info] == ["the model registry does not answer"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (MissingDataPointsError([("t", "1")], 2), 404, "unknown_data_points"),
        (
            DatabaseUnavailableError("the database postgresql://me@host does not answer"),
            503,
            "database_unavailable",
        ),
        (UnknownColumnError("table t has no column vec; its columns are salary"), 409, "features_do_not_fit"),
        (FeatureError("t/1 has no vector"), 409, "features_do_not_fit"),
    ],
)
def test_our_errors_become_answers_without_the_inside(
    error: MissingDataPointsError | FeatureError | UnknownColumnError, status: int, code: str
) -> None:
    answer = translated(error)
    assert (answer.status, answer.body.error.code) == (status, code)
    for inside in ("postgresql", "salary"):
        assert inside not in answer.body.model_dump_json()


def test_class_names_need_not_be_python_names() -> None:
    odd = champion([], ("left-wing", "schema", "model_x", "_x"))
    fields = response_schema(odd).model_json_schema(by_alias=True)["properties"]
    assert list(fields)[2:] == [
        "left-wing",
        "schema",
        "model_x",
        "_x",
        "prob_left-wing",
        "prob_schema",
        "prob_model_x",
        "prob__x",
    ]


def test_the_description_offers_the_models_own_example() -> None:
    shown = replace(champion([]), example={"table_name": ["t"], "id": ["7"]})
    post = describe(FastAPI(), [shown])["paths"]["/predict_animals"]["post"]
    assert post["requestBody"]["content"]["application/json"]["schema"]["examples"] == [
        {"table_name": ["t"], "id": ["7"]}
    ]


def test_a_service_with_no_model_is_degraded() -> None:
    found = health(Served({}), {})
    assert (found.status, found.loaded, found.not_loaded) == ("degraded", {}, {})
