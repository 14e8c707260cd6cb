from pathlib import Path

import pytest

from adaptml.errors import SettingsError
from adaptml.settings import hand_on_mlflow, load_settings


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


def test_the_environment_is_over_a_person_s_file_and_that_over_the_project_s(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_room / ".env").write_text(
        "ADAPTML_HOME=env\nADAPTML_HOST=env\nADAPTML_PORT=1\nMLFLOW_TRACKING_URI=http://env\nOTHER=x\n"
    )
    (clean_room / ".env.dev").write_text("ADAPTML_HOME=dev\nADAPTML_HOST=dev\nADAPTML_PORT=2\n")
    monkeypatch.setenv("ADAPTML_HOME", "/from/environment")
    settings = load_settings(clean_room)
    assert settings.home == Path("/from/environment")
    assert (settings.host, settings.port) == ("dev", 2)
    assert settings.tracking_uri == "http://env"


def test_a_person_s_file_alone_is_read(clean_room: Path) -> None:
    (clean_room / ".env.dev").write_text("ADAPTML_PORT=2\n")
    assert load_settings(clean_room).port == 2


def test_what_is_set_to_nothing_is_not_set(clean_room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean_room / ".env").write_text("ADAPTML_HOST=env\nADAPTML_DATABASE_URL=\nADAPTML_HOME=\n")
    (clean_room / ".env.dev").write_text("ADAPTML_HOST=\nADAPTML_PORT=2\nMLFLOW_TRACKING_URI=\n")
    monkeypatch.setenv("ADAPTML_PORT", "")
    settings = load_settings(clean_room)
    assert (settings.host, settings.port) == ("env", 2)
    assert settings.home == clean_room / "workspace"
    assert settings.database_url.get_secret_value() == f"sqlite:///{clean_room}/workspace/data.db"
    assert settings.tracking_uri == f"sqlite:///{clean_room}/workspace/mlflow.db"


def test_all_wrong_values_are_told_at_once(clean_room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTML_PORT", "http")
    with pytest.raises(SettingsError) as caught:
        load_settings(clean_room)
    facts = ("port", "valid integer", "environment", str(clean_room / ".env.dev"))
    assert [fact for fact in facts if fact not in str(caught.value)] == []
    assert "\n" not in str(caught.value)


def test_the_password_of_the_database_is_not_shown(clean_room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTML_DATABASE_URL", "postgresql+psycopg://me:hunter2@db/x")
    assert "hunter2" not in repr(load_settings(clean_room))


def test_mlflow_gets_its_own_variables_from_the_files(clean_room: Path) -> None:
    (clean_room / ".env").write_text("MLFLOW_TRACKING_USERNAME=ada\nMLFLOW_TRACKING_PASSWORD=of the file\n")
    (clean_room / ".env.dev").write_text(
        "MLFLOW_TRACKING_USERNAME=eve\nMLFLOW_TRACKING_TOKEN=\nMLFLOW_TRACKING_SERVER_CERT_PATH=certs/ca.pem\n"
        "MLFLOW_TRACKING_URI=http://h\nMLFLOW_RUN_ID=1\nOTHER=2\n"
    )
    environment = {"MLFLOW_TRACKING_PASSWORD": "of the environment"}
    hand_on_mlflow(clean_room, environment)
    assert environment == {
        "MLFLOW_TRACKING_USERNAME": "eve",
        "MLFLOW_TRACKING_PASSWORD": "of the environment",
        "MLFLOW_TRACKING_SERVER_CERT_PATH": str(clean_room / "certs/ca.pem"),
    }
