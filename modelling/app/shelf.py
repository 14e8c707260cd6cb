"""Which champions the registry names, and which of them are loaded."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import MappingProxyType

from mlflow.entities.model_registry import RegisteredModel
from mlflow.tracking import MlflowClient

from adaptml.project import Project
from adaptml.runs.registry import CHAMPION, end_models
from modelling.champion import Champion, load_champion

RETRY_AFTER_S = 30.0
MAX_PROBLEM_CHARS = 300
REGISTRY_AWAY = "the model registry does not answer; the server's log says why"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A model's place on the shelf.

    Attributes:
        name: the model's name in the registry.
        version: the version that the alias names.
        made: when the registered model was made, in ms; tells a model from a later one of its name.
        champion: what serves now; an older version while a newer one does not load; None if none ever did.
        problem: why the named version is not loaded.
        tried_s: monotonic time of the last try to load.
    """

    name: str
    version: str
    made: int
    champion: Champion | None
    problem: str | None
    tried_s: float


class Shelf:
    """The champions. `refresh` runs in one thread at a time; reading is safe from any thread."""

    def __init__(self, project: Project) -> None:
        """Load nothing yet.

        Args:
            project: its registry names the champions, its database holds their features.
        """
        self._project = project
        self._places: Mapping[str, Place] = MappingProxyType({})
        # Models are foreign code and may raise anything, MLflow lets its store's errors through: a future
        # keeps them, whatever they are.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="registry")
        self.registry_problem: str | None = "not asked yet"

    @property
    def places(self) -> list[Place]:
        """All champions that the registry names, by name."""
        return [place for _, place in sorted(self._places.items())]

    def get(self, name: str) -> Place | None:
        """One champion's place, or None where the registry names none of that name."""
        return self._places.get(name)

    def close(self) -> None:
        """Stop loading."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def refresh(self) -> None:
        """Ask the registry, load what is new, drop what is gone; an older version serves until then.

        Where the registry does not answer, everything stays as it is.
        """
        answer = self._thread.submit(_named, self._project)
        error = answer.exception()
        if error is not None:
            if self.registry_problem != REGISTRY_AWAY:  # say it once, not at every try
                _log.error("the model registry does not answer", exc_info=error)
            self.registry_problem = REGISTRY_AWAY
            return
        self.registry_problem, named = None, answer.result()
        for name in self._places.keys() - named.keys():
            _log.info("model %s is not a champion any more", name)
        self._places = MappingProxyType({n: place for n, place in self._places.items() if n in named})
        for name, model in named.items():
            place = self._updated(self._places.get(name), model)
            self._places = MappingProxyType({**self._places, name: place})

    def _updated(self, old: Place | None, model: RegisteredModel) -> Place:
        version, made = str(model.aliases[CHAMPION]), int(model.creation_timestamp or 0)
        now = time.monotonic()
        same = old is not None and (old.version, old.made) == (version, made)
        if old and same and (old.problem is None or now - old.tried_s < RETRY_AFTER_S):
            return old
        serving = old.champion if old and old.made == made else None
        place = Place(model.name, version, made, serving, None, now)
        loading = self._thread.submit(
            load_champion, _client(self._project), self._project.database, model.name, version
        )
        error = loading.exception()
        if error is None:
            _log.info("model %s version %s is loaded", model.name, version)
            return replace(place, champion=loading.result())
        place = replace(place, problem=_one_line(error))
        if not (old and same and old.problem == place.problem):  # say it once, not at every try
            _log.error("model %s version %s does not load", model.name, version, exc_info=error)
        return place


def _client(project: Project) -> MlflowClient:
    """A client that asks nothing when it is made: the registry may be away now and then."""
    return MlflowClient(project.settings.tracking_uri, registry_uri=project.settings.tracking_uri)


def _named(project: Project) -> dict[str, RegisteredModel]:
    """The end models that have a champion, by name."""
    models = end_models(_client(project))
    return {model.name: model for model in models if CHAMPION in model.aliases}


def _one_line(error: BaseException) -> str:
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return text if len(text) <= MAX_PROBLEM_CHARS else text[: MAX_PROBLEM_CHARS - 1] + "…"
