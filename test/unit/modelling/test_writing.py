"""`?write=true` stores what it answers where the service is set to, for whoever has the key; and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from adaptml.database import WritebackKind, read_back
from adaptml.errors import SettingsError
from adaptml.project import Project
from adaptml.tasks import Task
from modelling.app.main import create_app
from modelling.deploy import deploy
from modelling.predict import predict
from modelling.train import train

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")  # MLflow's own
KEY = "k" * 32
ENDPOINT = "/predict_multiclass_side"
ASKED = {"table_name": ["points"] * 3, "id": ["t7", "t0", "t7"]}
PREDICTIONS = WritebackKind.PREDICTIONS


@pytest.fixture
def run_id(project: Project, task: Task, data: str) -> str:
    """The run of the champion."""
    done = train(project, task, data)
    deploy(project, done.model_name)
    return done.run_id


@contextmanager
def service(*, writes: bool = True) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADAPTML_SERVICE_WRITES", str(writes))
        with Project() as project, TestClient(create_app(project)) as client:
            yield client


@pytest.fixture
def key(clean_room: Path) -> dict[str, str]:
    """A key for the service, and the header that carries it."""
    (clean_room / "secrets").mkdir()
    (clean_room / "secrets" / "api_key").write_text(KEY + "\n")
    return {"X-API-Key": KEY}


def test_it_writes_what_predict_writes(
    project: Project, task: Task, run_id: str, key: dict[str, str]
) -> None:
    with service() as client:
        plain = client.post(ENDPOINT, json=ASKED)
        assert "side_predictions" not in project.results.tables()
        for _ in range(2):  # the second time, the same rows are replaced
            answer = client.post(ENDPOINT, params={"write": "true"}, json=ASKED, headers=key)
            assert (answer.status_code, answer.json()) == (200, plain.json())
    written = read_back(project.results, task, PREDICTIONS)
    assert written["id"].tolist() == ["t0", "t7"]
    assert set(written["run_id"]) == {run_id}
    assert set(written["model"]) == {"multiclass_side/1"}
    done = predict(project, task, "points where id in ('t0', 't7')", write=True)
    assert done.new_rows == 0
    again = read_back(project.results, task, PREDICTIONS)
    pd.testing.assert_frame_equal(written.drop(columns="written_at"), again.drop(columns="written_at"))


def test_who_may_not_write_is_told_so_and_nothing_is_written(
    project: Project, run_id: str, key: dict[str, str]
) -> None:
    told = []
    for writes, said, headers in (
        (False, "true", key),
        (True, "true", {}),
        (True, "1", {"X-API-Key": "wrong"}),
        (True, "maybe", key),
    ):
        with service(writes=writes) as client:
            answer = client.post(ENDPOINT, params={"write": said}, json=ASKED, headers=headers)
            told.append((answer.status_code, answer.json()["error"]["code"]))
            assert client.post(ENDPOINT, params={"write": "false"}, json=ASKED).status_code == 200
    assert told == [
        (403, "writing_is_off"), (401, "wrong_key"), (401, "wrong_key"), (422, "invalid_request"),
    ]  # fmt: skip
    assert "side_predictions" not in project.results.tables()


def test_a_database_that_refuses_is_told_without_its_inside(
    project: Project, run_id: str, key: dict[str, str]
) -> None:
    project.results.create_table("side_predictions", {"id": sa.Text()})  # somebody else's
    with service() as client:
        answer = client.post(ENDPOINT, params={"write": "true"}, json=ASKED, headers=key)
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "not_written"
        assert answer.json()["error"]["message"] == (
            "the predictions were not written to side_predictions; the server's log says why"
        )


def test_a_service_that_is_to_write_does_not_start_without_a_key(clean_room: Path) -> None:
    for text in (None, "short"):
        if text is not None:
            (clean_room / "secrets").mkdir()
            (clean_room / "secrets" / "api_key").write_text(text)
        with (
            pytest.raises(
                SettingsError,
                match=r"SERVICE_WRITES is set, and .*api_key holds no key of 16 .* API_KEY_FILE$",
            ),
            service(),
        ):
            pass


def test_openapi_says_so(run_id: str) -> None:
    with service(writes=False) as client:
        post = client.get("/openapi.json").json()["paths"][ENDPOINT]["post"]
    (parameter,) = post["parameters"]
    assert (parameter["name"], parameter["in"], parameter["schema"]["default"]) == ("write", "query", False)
    codes = {status: post["responses"][status]["description"] for status in ("401", "403", "409")}
    assert "`wrong_key`" in codes["401"]
    assert "`writing_is_off`" in codes["403"]
    assert "`not_written`" in codes["409"]
