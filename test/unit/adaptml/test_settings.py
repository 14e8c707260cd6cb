from pathlib import Path

import pytest

from adaptml.errors import SettingsError
from adaptml.settings import get_settings, load_settings


def test_defaults_lie_in_the_project_folder_wherever_a_step_runs(clean_room: Path) -> None:
    deep = clean_room / "dataprogramming" / "x"
    deep.mkdir(parents=True)
    settings = load_settings(deep)
    assert settings.root == clean_room
    assert settings.home == clean_room / "workspace"
    assert settings.tasks_dir == clean_room / "tasks"
    assert settings.database_url.get_secret_value() == f"sqlite:///{clean_room}/workspace/data.db"
    assert settings.tracking_uri == f"sqlite:///{clean_room}/workspace/mlflow.db"
    assert settings.gold("animals") == clean_room / "workspace/annotations/animals/gold_df.parquet"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_environment_wins_over_the_env_file(clean_room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean_room / ".env").write_text(
        "ADAPTML_HOME=from_file\nADAPTML_PORT=1\nMLFLOW_TRACKING_URI=http://file\nOTHER=x\n"
    )
    monkeypatch.setenv("ADAPTML_HOME", "/from/environment")
    settings = load_settings(clean_room)
    assert settings.home == Path("/from/environment")
    assert settings.port == 1
    assert settings.tracking_uri == "http://file"


def test_all_wrong_values_are_told_at_once(clean_room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTML_PORT", "http")
    with pytest.raises(SettingsError) as caught:
        load_settings(clean_room)
    assert str(caught.value) == (
        "settings cannot be used: port: Input should be a valid integer, unable to parse string as an integer; "
        f"mend them in the environment or in {clean_room / '.env'}"
    )


def test_the_password_of_the_database_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTML_DATABASE_URL", "postgresql+psycopg://me:secret@db/x")
    get_settings.cache_clear()
    assert "secret" not in repr(get_settings())
