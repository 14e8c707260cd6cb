"""A champion is asked with the versions of features that it was trained on, whatever is computed meanwhile."""

from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

import adaptml
from adaptml.errors import FeatureError
from adaptml.project import Project
from modelling.app.main import create_app

# MLflow's own use of SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
ASKED = {"table_name": ["comments", "comments"], "id": ["s1", "h1"]}


def ask(project: Project, body: dict[str, Any], *, featurize: bool = False) -> tuple[int, Any]:
    with TestClient(create_app(project, featurize=featurize)) as client:
        answer = client.post("/predict_multiclass_spam", json=body)
    return answer.status_code, answer.json()


def trained(project: Project) -> str:
    """Train and deploy; gives the features that the run says."""
    done = project.train("spam", project.label("spam", "comments", label_model="majority_vote"))
    project.deploy(done.model_name)
    return str(project.runs.get(done.run_id).data.params["features"])


def test_a_champion_is_asked_with_its_own_version_and_featurize_fills_it_on() -> None:
    with adaptml.example_project() as project:
        assert trained(project) == "vector@1"
        status, before = ask(project, ASKED)
        assert status == 200
        # Another encoder: what the name stands for now has another length.
        assert project.featurize("spam", "comments", encoder="sentence").features == (
            "tokens@1", "vector@2", "vector@1",
        )  # fmt: skip
        assert ask(project, ASKED) == (200, before)
        new = pd.DataFrame({"id": ["n1"], "text": ["Subscribe to my channel and win a phone!"]})
        project.database.upsert("comments", new, ["id"])
        asked = {"table_name": ["comments"], "id": ["n1"]}
        status, answer = ask(project, asked)
        assert (status, answer["error"]["code"]) == (409, "features_do_not_fit")
        assert answer["error"]["message"] == (
            "feature column 'vector@1' is empty for 1 of 1 data points (comments/n1); "
            "compute it with `adaptml featurize`; where its encoder has changed since, train again"
        )
        status, on_the_fly = ask(project, asked, featurize=True)
        assert status == 200
        assert project.points.read(pd.DataFrame(asked), ["vector@1"])["vector@1"].tolist() == [None]
        project.featurize("spam", "comments", encoder="sentence")
        status, filled = ask(project, asked)
        assert status == 200
        for name in ("prob_spam", "prob_ham"):
            assert filled[name] == pytest.approx(on_the_fly[name], abs=1e-3)  # kept in half precision
        with pytest.raises(FeatureError, match=r"^vector@1 is read by the champion multiclass_spam"):
            project.drop_feature("vector@1")
        assert trained(project) == "vector@2"
        assert ask(project, asked)[0] == 200
        assert project.drop_feature("vector@1") == ["comments"]


def test_a_model_of_columns_goes_on_reading_columns() -> None:
    with adaptml.example_project() as project:
        project.database.add_columns("comments", {"likes": sa.Integer()})
        project.database.upsert(
            "comments",
            pd.DataFrame({"id": project.database.keys("comments")["id"], "likes": range(24)}),
            ["id"],
        )
        labelled = project.label("spam", "comments", label_model="majority_vote")
        done = project.train("spam", labelled, features=["likes"])
        project.deploy(done.model_name)
        assert project.runs.get(done.run_id).data.params["features"] == "likes"
        assert ask(project, ASKED)[0] == 200
        assert project.list_features()["used_by"].tolist() == [[], []]
