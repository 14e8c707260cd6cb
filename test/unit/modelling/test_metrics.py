"""What the service counts, as Prometheus reads it."""

import re
from contextlib import suppress

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adaptml.errors import FeatureError
from modelling.app.api_errors import ApiError, translated
from modelling.app.metrics import UNKNOWN, Metrics
from modelling.app.model_cache import Served, ServedModel
from modelling.champion import Champion


def model(name: str, version: str | None, problem: str | None = None) -> ServedModel:
    """A model of which some version answers, or none."""
    champion = version and Champion(name, version, "run7", ("cat", "dog"), {}, None)  # type: ignore[arg-type]
    return ServedModel(name, "2", 0, champion or None, problem, 0.0)


@pytest.fixture
def metrics() -> Metrics:
    models = [
        model("animals", "2"),
        model("old", "1", "it does not load"),
        model("none", None, "nor does this"),
    ]
    return Metrics(Served({m.name: m for m in models}))


def found(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    """Sample → values of its labels, in the order of their names → number."""
    read: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            read.setdefault(sample.name, {})[tuple(value for _, value in sorted(sample.labels.items()))] = (
                sample.value
            )
    return read


def ask(metrics: Metrics, name: str, error: Exception | None = None) -> None:
    with suppress(Exception), metrics.request(name):
        if error is not None:
            raise error


def test_requests_are_counted_by_model_and_status_with_their_time(metrics: Metrics) -> None:
    ask(metrics, "animals")
    ask(metrics, "animals")
    ask(metrics, "animals", ApiError(503, "too_busy", "later"))
    ask(metrics, "old", RuntimeError("a fault"))
    read = found(metrics)
    assert read["adaptml_requests_total"] == {
        ("animals", "200"): 2, ("animals", "503"): 1, ("old", "500"): 1,
    }  # fmt: skip
    assert read["adaptml_request_seconds_count"] == {("animals",): 3, ("old",): 1}
    assert read["adaptml_request_seconds_bucket"]["+Inf", "animals"] == 3
    assert read["adaptml_requests_in_progress"] == {(): 0}


def test_names_that_no_model_has_make_one_series_together(metrics: Metrics) -> None:
    for name in map(str, range(100)):
        ask(metrics, name, ApiError(404, "unknown_model", "no model"))
    assert found(metrics)["adaptml_requests_total"] == {(UNKNOWN, "404"): 100}


def test_answers_are_counted_by_class(metrics: Metrics) -> None:
    answer = {"id": ["a", "b", "c"], "cat": [1, 0, 1], "dog": [0, 1, 1]}
    for _ in range(2):
        metrics.answered("animals", ["cat", "dog"], answer)
    read = found(metrics)
    assert read["adaptml_data_points_total"] == {("animals",): 6}
    assert read["adaptml_predictions_total"] == {("cat", "animals"): 4, ("dog", "animals"): 4}


def test_rows_without_features_are_counted(metrics: Metrics) -> None:
    for error in (FeatureError("empty for 7 of 9 data points", n_empty=7), FeatureError("vectors differ")):
        with pytest.raises(ApiError), metrics.request("animals"):
            raise translated(error) from error
    read = found(metrics)
    assert read["adaptml_rows_without_features_total"] == {("animals",): 7}
    assert read["adaptml_requests_total"] == {("animals", "409"): 2}


def test_requests_under_way_are_seen(metrics: Metrics) -> None:
    with metrics.request("animals"), metrics.request("old"):
        assert found(metrics)["adaptml_requests_in_progress"] == {(): 2}


def test_versions_and_the_registrys_age_are_those_of_the_moment(metrics: Metrics) -> None:
    read = found(metrics)
    assert read["adaptml_model_info"] == {("animals", "run7", "2"): 1, ("old", "run7", "1"): 1}
    assert read["adaptml_champion_loaded"] == {("animals",): 1, ("none",): 0, ("old",): 0}
    assert "adaptml_registry_age_seconds" not in read  # models from files have none
    metrics._cache.registry_answered_s = 0.0
    assert found(metrics)["adaptml_registry_age_seconds"][()] > 0


def test_every_line_is_explained_and_two_services_count_apart(metrics: Metrics) -> None:
    ask(metrics, "animals")
    text = metrics.text().decode()
    named = set(re.findall(r"^# HELP (\S+) .+\.$", text, re.MULTILINE))
    assert named == set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    assert {name for name in named if name.startswith("process_")}
    assert "animals" not in Metrics(Served({})).text().decode()
