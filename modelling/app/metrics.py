"""What the service counts, in the text form that Prometheus reads."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client import values as kept
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from adaptml.errors import FeatureError
from modelling.app.api_errors import ApiError
from modelling.app.model_cache import Served

UNKNOWN = "(unknown)"  # stands for every name that no model has: callers make no series
LATENCIES_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counts of one service, from its start; where several processes are the service, of all of them.

    How much of its machine a process takes is told where there is one alone: of several, chance says which
    of them answers.
    """

    def __init__(self, cache: Served) -> None:
        """Count nothing yet.

        Args:
            cache: the models, whose names are the only ones that are counted by name.
        """
        self._cache, self._registry = cache, CollectorRegistry()
        self._told: set[tuple[str, str]] = set()  # models and classes that there is a count of
        self._of_all = self._registry
        if kept.ValueClass is not kept.MutexValue:  # the counts are in files that the processes share
            self._of_all = CollectorRegistry()
            MultiProcessCollector(self._of_all)  # type: ignore[no-untyped-call]
        else:
            ProcessCollector(registry=self._registry)
        self._of_all.register(_OfModels(cache))
        self._requests = Counter(
            "adaptml_requests", "Requests for predictions that were answered.", ["model", "status"],
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "adaptml_request_seconds", "Time from a request for predictions to its answer.", ["model"],
            buckets=LATENCIES_S, registry=self._registry,
        )  # fmt: skip
        self._predictions = Counter(
            "adaptml_predictions", "Data points for which a class was answered.", ["model", "class"],
            registry=self._registry,
        )  # fmt: skip
        self._points = Counter(
            "adaptml_data_points", "Data points that were answered.", ["model"], registry=self._registry
        )
        self._without = Counter(
            "adaptml_rows_without_features", "Data points that were refused for want of features.", ["model"],
            registry=self._registry,
        )  # fmt: skip
        self._under_way = Gauge(
            "adaptml_requests_in_progress", "Requests for predictions under way.",
            multiprocess_mode="livesum", registry=self._registry,
        )  # fmt: skip

    @contextmanager
    def request(self, name: str) -> Iterator[None]:
        """Count a request for a model's predictions, whatever becomes of it."""
        model = name if self._cache.get(name) else UNKNOWN
        status, start = 500, time.perf_counter()
        self._under_way.inc()
        try:
            yield
            status = 200
        except ApiError as error:
            status = error.status
            if isinstance(error.__cause__, FeatureError):
                self._without.labels(model).inc(error.__cause__.n_empty)
            raise
        finally:
            self._under_way.dec()
            self._requests.labels(model, str(status)).inc()
            self._seconds.labels(model).observe(time.perf_counter() - start)

    def answered(self, name: str, classes: Sequence[str], answer: Mapping[str, Sequence[Any]]) -> None:
        """Count what a model answered.

        Args:
            name: of the model.
            classes: its classes.
            answer: as `Champion.predict` gives it.
        """
        self._points.labels(name).inc(len(answer["id"]))
        for known in classes:
            n = sum(answer[known])
            if n or (name, known) not in self._told:  # a class that no point has is told as 0, once
                self._told.add((name, known))
                self._predictions.labels(name, known).inc(n)

    def text(self) -> bytes:
        """All of it as Prometheus' text."""
        return generate_latest(self._of_all)


class _OfModels(Collector):
    """What is known of the models at the moment of asking."""

    def __init__(self, cache: Served) -> None:
        self._cache = cache

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Which version answers, whether it is the champion's, and how old the registry's word is."""
        version = GaugeMetricFamily(
            "adaptml_model_info",
            "1 for the version of each model that answers.",
            labels=["model", "version", "run_id"],
        )
        loaded = GaugeMetricFamily(
            "adaptml_champion_loaded",
            "1 where the version that the registry names answers, else 0.",
            labels=["model"],
        )
        for model in self._cache.models:
            champion = model.champion
            if champion is not None:
                version.add_metric([model.name, champion.version, champion.run_id or ""], 1)
            loaded.add_metric([model.name], float(model.problem is None))
        yield version
        yield loaded
        answered_s = self._cache.registry_answered_s
        if answered_s is not None:
            help_text = "Time since the model registry last answered."
            yield GaugeMetricFamily(
                "adaptml_registry_age_seconds", help_text, value=time.monotonic() - answered_s
            )
