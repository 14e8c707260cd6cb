"""Which champions the registry names, and which of them are loaded; or models from folders."""

import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from mlflow.entities.model_registry import RegisteredModel
from mlflow.tracking import MlflowClient

from adaptml.addresses import sqlite_file
from adaptml.errors import AdaptmlError, ModelError, one_line
from adaptml.features.points import Points
from adaptml.runs.class_lists import CLASSES_TAG
from adaptml.runs.moved import follow_home
from adaptml.runs.registry import CHAMPION, end_models
from adaptml.runs.tracking import close_stores
from modelling.champion import Champion, load_champion, note_on_classes
from modelling.model_folder import load_model_folder

RETRY_AFTER_S = 30.0
ASKED_ANYWAY_S = 60.0  # a registry whose file looks as it did
MAX_PROBLEM_CHARS = 300
_ADDRESS = re.compile(r"\b(?!file:)[A-Za-z][\w+.-]*://[^\s'\"<>)]+")
REGISTRY_AWAY = "the model registry does not answer; the server's log says why"
_log = logging.getLogger(__name__)
# Of the files of a store: inode, size and time of the last write; None of one that is not there.
Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True)
class ServedModel:
    """A model that the registry names as a champion, and what serves in its name.

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


class Served:
    """The models of a service.

    Attributes:
        registry_problem: why the registry did not answer when last asked, or None.
        registry_answered_s: monotonic time of its last answer; None where it never gave one, or is not asked.
    """

    registry_problem: str | None = None
    registry_answered_s: float | None = None

    def __init__(self, models: Mapping[str, ServedModel]) -> None:
        """Serve these, by name."""
        self._models = MappingProxyType({**models})

    @property
    def models(self) -> list[ServedModel]:
        """All of them, by name."""
        return [model for _, model in sorted(self._models.items())]

    def get(self, name: str) -> ServedModel | None:
        """One of them, or None where there is none of that name."""
        return self._models.get(name)

    def refresh(self) -> None:
        """Look for newer ones; models that were given as files stay what they are."""

    def close(self) -> None:
        """Give back what they are looked for with."""


def exported_models(folders: Sequence[Path], points: Points) -> Served:
    """Models from folders that `export_model` wrote.

    Raises:
        ModelError: a folder that cannot be served, or two of one name.
        DatabaseError: the database's features cannot be looked up.
    """
    found: dict[str, tuple[Path, ServedModel]] = {}
    for folder in folders:
        champion = load_model_folder(folder, points)
        if champion.name in found:
            other = found[champion.name][0]
            raise ModelError(f"{other} and {folder} are both {champion.name!r}; serve one of them")
        model = ServedModel(champion.name, champion.version, 0, champion, None, 0.0)
        found[champion.name] = (folder, model)
    return Served({name: model for name, (_, model) in found.items()})


class ModelCache(Served):
    """The champions. `refresh` runs in one thread at a time; reading is safe from any thread."""

    def __init__(self, tracking_uri: str, points: Points, home: Path | None = None) -> None:
        """Load nothing yet.

        Args:
            tracking_uri: address of the registry that names the champions.
            points: reads their features.
            home: the home folder, which a registry of its own follows where it was moved.
        """
        super().__init__({})
        self._uri, self._points, self._home = tracking_uri, points, home
        self._asked: MlflowClient | None = None
        self._file = sqlite_file(tracking_uri)
        self._looked: tuple[Stamp, float] | None = None
        self.registry_problem = "not asked yet"

    def refresh(self) -> None:
        """Ask the registry, load what is new, drop what is gone; an older version serves until then.

        Where the registry does not answer, everything stays as it is. One in a file is asked again only when
        its file was written, which costs nothing to see.
        """
        stamp, now = _stamp(self._file), time.monotonic()
        if stamp is not None and self._is_known(stamp, now):
            self.registry_answered_s = now
            return
        self._looked = None
        try:
            named = {m.name: m for m in end_models(self._client()) if CHAMPION in m.aliases}
        except Exception:  # noqa: BLE001 - the service's edge: MLflow lets any error of its stores through
            if self.registry_problem != REGISTRY_AWAY:  # say it once, not at every try
                _log.exception("the model registry does not answer")
            self.registry_problem = REGISTRY_AWAY
            return
        self.registry_problem, self.registry_answered_s = None, time.monotonic()
        self._follow_home()
        for name in self._models.keys() - named.keys():
            _log.info("model %s is not a champion any more", name)
        self._models = MappingProxyType({n: model for n, model in self._models.items() if n in named})
        for name, registered in named.items():
            model = _noted(self._updated(self._models.get(name), registered), registered)
            self._models = MappingProxyType({**self._models, name: model})
        if stamp is not None and not any(model.problem for model in self.models):
            self._looked = stamp, now

    def _is_known(self, stamp: Stamp, now: float) -> bool:
        """Whether the registry's file is as it was when it was last asked, and all its champions loaded."""
        if self._looked is None:
            return False
        then, asked_s = self._looked
        return stamp == then and now - asked_s < ASKED_ANYWAY_S

    def _follow_home(self) -> None:
        """Once, as soon as the registry has answered."""
        if self._file is not None and self._home is not None:
            follow_home(self._file, self._home)
        self._home = None

    def _updated(self, old: ServedModel | None, registered: RegisteredModel) -> ServedModel:
        version, made = str(registered.aliases[CHAMPION]), int(registered.creation_timestamp or 0)
        now = time.monotonic()
        same = old is not None and (old.version, old.made) == (version, made)
        if old and same and (old.problem is None or now - old.tried_s < RETRY_AFTER_S):
            return old
        serving = old.champion if old and old.made == made else None
        model = ServedModel(registered.name, version, made, serving, None, now)
        try:
            champion = load_champion(self._client(), self._points, model.name, version)
        except Exception as error:  # noqa: BLE001 - the service's edge: files can be broken in any way
            model = replace(model, problem=_problem(error))
            if not (old and same and old.problem == model.problem):  # say it once, not at every try
                _log.exception("model %s version %s does not load", model.name, version)
            return model
        _log.info("model %s version %s is loaded", model.name, version)
        return replace(model, champion=champion)

    def close(self) -> None:
        """Give back every connection to a registry in a file."""
        if self._asked is not None:
            close_stores(self._asked)

    def _client(self) -> MlflowClient:
        """A client that asks nothing when it is made: the registry may be away now and then."""
        self._asked = MlflowClient(self._uri, registry_uri=self._uri)
        return self._asked


def _stamp(file: Path | None) -> Stamp | None:
    """What changes with each write to an SQLite file and the log beside it; None where there is no file."""
    if file is None or not file.exists():
        return None
    found: list[tuple[int, int, int] | None] = []
    for path in (file, file.with_name(f"{file.name}-wal")):
        try:
            said = path.stat()
            found.append((said.st_ino, said.st_size, said.st_mtime_ns))
        except FileNotFoundError:
            found.append(None)
    return tuple(found)


def _noted(model: ServedModel, registered: RegisteredModel) -> ServedModel:
    """The model, marked where its task has other classes now; it serves on."""
    champion = model.champion
    if champion is None:
        return model
    of = f"model {model.name} version {champion.version}"
    note = note_on_classes(of, champion.classes, registered.tags.get(CLASSES_TAG))
    if note == champion.note:
        return model
    if note:
        _log.warning("%s", note)
    else:
        _log.info("%s is of the classes that its task has now", of)
    return replace(model, champion=replace(champion, note=note))


def _problem(error: BaseException) -> str:
    """What callers see: words of ours, without addresses; a library's name hosts and ports."""
    ours = isinstance(error, AdaptmlError)
    said = _ADDRESS.sub("its address", one_line(error)) if ours else "the server's log says why"
    text = f"{type(error).__name__}: {said}"
    return text if len(text) <= MAX_PROBLEM_CHARS else text[: MAX_PROBLEM_CHARS - 1] + "…"
