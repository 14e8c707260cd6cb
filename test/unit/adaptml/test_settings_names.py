import logging
from pathlib import Path

import pytest
from dotenv import dotenv_values
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.settings_names import unread_names

REPOSITORY = Path(__file__).resolve().parents[3]
# Every variable of the original's .env, with values that are none.
ORIGINAL = """
DATA_PATH=./example_data
DB_DATA_PATH=./crate
DATABASE_IP=crate://crate-db:4200
LS_PATH=${DATA_PATH}/ls
LS_DATA_PATH=${LS_PATH}/data
LS_TASKS_PATH=${LS_PATH}/tasks
LS_ANNOTATIONS_PATH=${LS_PATH}/annotations
DP_DATA_PATH=${DATA_PATH}/dp
DP_MYSQL_DATABASE=mlruns.db
DP_MYSQL_USER=someone
DP_HOST_NAME=dp-mlflow-db
DP_MLFLOW_TRACKING_URI=mysql+pymysql://dp-mlflow-db:3306/mlruns.db
MODELLING_DATA_PATH=${DATA_PATH}/m
MULTICLASS_EXAMPLE_MODEL_PATH=/mlruns/multiclass_model.pkl
"""


@pytest.fixture
def clone(clean_room: Path) -> Path:
    """A project's folder with the files that a clone has."""
    for name in ("docker-compose.yml", ".env"):
        (clean_room / name).write_text((REPOSITORY / name).read_text())
    return clean_room


def test_what_is_there_and_what_is_others_is_passed_over(clone: Path) -> None:
    settings = dict.fromkeys(dotenv_values(REPOSITORY / ".env"), "x")
    others = ("MLFLOW_RUN_ID", "MLFLOW_S3", "COMPOSE_FILE", "LS_COLORS", "PATH", "TASK", "APP_ID", "DB_HOST",
              "LABEL_STUDIO_HOST", "MYSQL_USER", "LLAMA_MODEL_PATH", "DATABASE_USERNAME", "adaptml_home")  # fmt: skip
    assert unread_names(clone, settings | dict.fromkeys(others, "x")) == []


def test_each_name_of_the_original_is_told_its_successor(clone: Path) -> None:
    (clone / ".env.dev").write_text(ORIGINAL)
    lines = unread_names(clone, {})
    assert all(".env.dev" in line for line in lines)
    said = {name: line for line in lines for name in line.split(" in .env.dev")[0].split(", ")}
    expected = {
        "DB_DATA_PATH": "CRATE_DATA", "DATABASE_IP": "STACK_DATABASE_URL in the stack, ADAPTML_DATABASE_URL",
        "LS_PATH": "LABEL_STUDIO_DATA", "LS_DATA_PATH": "LABEL_STUDIO_DATA", "LS_TASKS_PATH": "ANNOTATIONS",
        "LS_ANNOTATIONS_PATH": "ANNOTATIONS", "DP_DATA_PATH": "DATA_PATH", "DP_MYSQL_DATABASE": "secrets/",
        "DP_MYSQL_USER": "secrets/", "DP_HOST_NAME": "nothing to set",
        "DP_MLFLOW_TRACKING_URI": "MLFLOW_TRACKING_URI without the stack", "MODELLING_DATA_PATH": "DATA_PATH",
        "MULTICLASS_EXAMPLE_MODEL_PATH": "adaptml deploy MODEL",
    }  # fmt: skip
    assert set(said) == set(expected)  # DATA_PATH is read
    assert [name for name, new in expected.items() if new not in said[name].split("today: ")[1]] == []
    assert len(lines) < len(said)  # those with one successor are one line


def test_a_common_name_in_the_environment_counts_beside_one_that_is_the_original_s(clean_room: Path) -> None:
    common = {"DATABASE_USERNAME": "me", "CAT_MODEL_PATH": "a.pkl"}
    assert unread_names(clean_room, common) == []
    assert len(unread_names(clean_room, common | {"DATABASE_IP": "crate://h:4200"})) == 3


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ADAPTML_DATABASE_ULR", "ADAPTML_DATABASE_URL"),
        ("ADAPTML_TASK_DIR", "ADAPTML_TASKS_DIR"),
        ("adaptml_prot", "ADAPTML_PORT"),
        ("STACK_DATABSE_URL", "STACK_DATABASE_URL"),
        ("DP_MLFLOW_PROT", "DP_MLFLOW_PORT"),
        ("ADAPTML_NOTHING_LIKE_IT", "adaptml settings"),
    ],
)
@pytest.mark.parametrize("place", [".env", ".env.dev", "the environment"])
def test_a_mistyped_name_is_told_what_was_meant(clone: Path, place: str, name: str, meant: str) -> None:
    if place.startswith("."):
        (clone / place).write_text(f"{name}=x\n")
    (line,) = unread_names(clone, {name: "x"} if place == "the environment" else {})
    assert line.startswith(f"{name} in {place}: no setting; ")
    assert meant in line


def test_in_a_file_settings_of_the_stack_may_be_mistyped_too(clone: Path) -> None:
    (clone / ".env.dev").write_text("API_PROT=8001\nHF_TOKEN=x\n")
    assert unread_names(clone, {"API_PROT": "8001"}) == [
        "API_PROT in .env.dev: no setting; did you mean API_PORT?"
    ]


def test_a_command_says_it_once_on_stderr_and_goes_on(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("adaptml"), "handlers", [])
    monkeypatch.setenv("ADAPTML_HOEM", "elsewhere")
    for words in (["settings", "home"], ["tables"]):
        done = CliRunner().invoke(app, words, prog_name="adaptml")
        assert done.exit_code == 0
        assert done.stderr == (
            "warning: ADAPTML_HOEM in the environment: no setting; did you mean ADAPTML_HOME or ADAPTML_HOST?\n"
        )
        assert "ADAPTML_HOEM" not in done.stdout


def test_what_mlflow_itself_reads_may_stand_in_the_files_and_a_mistyped_one_is_named(
    clean_room: Path,
) -> None:
    (clean_room / ".env").write_text("MLFLOW_TRACKING_USERNAME=a\nMLFLOW_TRACKING_INSECURE_TLS=true\n")
    assert unread_names(clean_room, {}) == []
    (clean_room / ".env").write_text("MLFLOW_TRACKING_PASWORD=a\n")
    (line,) = unread_names(clean_room, {})
    assert "did you mean MLFLOW_TRACKING_PASSWORD" in line
