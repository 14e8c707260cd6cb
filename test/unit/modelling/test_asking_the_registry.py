"""The service asks a registry in a file only when that was written; another it asks each time."""

import os

import pytest
from served import Registry

from adaptml.project import Project
from modelling.app import model_cache
from modelling.app.model_cache import ModelCache

# MLflow's own use of SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
NAME = "multiclass_pets"


@pytest.fixture
def registry(project: Project, tracking: object) -> Registry:
    made = Registry(project)
    made.promote(NAME, made.add(NAME))
    return made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one each time when the registry is asked."""
    found: list[object] = []
    ask = model_cache.end_models

    def counted(client: object) -> object:
        found.append(client)
        return ask(client)  # type: ignore[arg-type]

    monkeypatch.setattr(model_cache, "end_models", counted)
    return found


def version(cache: ModelCache) -> str:
    cache.refresh()
    model = cache.get(NAME)
    assert model is not None
    assert model.champion is not None
    return model.champion.version


def test_a_file_that_was_not_written_is_not_asked(
    registry: Registry, asked: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ModelCache(registry.project.settings.tracking_uri, registry.project.points)
    assert [version(cache) for _ in range(3)] == ["1"] * 3
    assert len(asked) == 1
    registry.promote(NAME, registry.add(NAME))
    assert version(cache) == "2"
    n = len(asked)
    assert n == 2
    monkeypatch.setattr(model_cache, "ASKED_ANYWAY_S", 0.0)
    assert version(cache) == "2"
    assert len(asked) == n + 1


def test_a_champion_that_does_not_load_is_tried_again(registry: Registry, asked: list[object]) -> None:
    registry.promote(NAME, registry.add_broken(NAME))
    cache = ModelCache(registry.project.settings.tracking_uri, registry.project.points)
    for _ in range(2):
        cache.refresh()
    assert len(asked) == 2
    assert cache.models[0].problem is not None


def test_a_file_that_is_no_database_any_more_is_told(registry: Registry) -> None:
    cache = ModelCache(registry.project.settings.tracking_uri, registry.project.points)
    assert version(cache) == "1"
    file = registry.home / "mlflow.db"
    before = file.stat()
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert version(cache) == "1"
    file.write_text("no database")
    cache.refresh()
    assert cache.registry_problem == model_cache.REGISTRY_AWAY
