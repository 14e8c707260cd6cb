"""Runs and models without a browser: what forms send on, where links lead, what cannot be done."""

import pytest
from fastapi.testclient import TestClient
from portal_server import Portal

from adaptml.project import Project
from adaptml.runs.models import END_MODEL, KIND_TAG
from portal.jobs import JobStore
from portal.runs.forms import Field, Form
from portal.runs.links import mlflow_page

FORM = Form(
    "train",
    "Train",
    [
        Field("data", "Data", needed=True),
        Field("strategy", "Strategy", "select", usual="union"),
        Field("seed", "Seed", "number", usual="0"),
        Field("keep", "Keep", "check"),
        Field("soft_labels", "Soft", "check", usual="on", off="hard_labels"),
    ],
)


def test_only_what_differs_from_what_holds_anyway_is_sent_on() -> None:
    same = {"data": "posts", "strategy": "union", "seed": "0", "soft_labels": "on"}
    assert FORM.options(same) == {"data": "posts"}
    other = {"data": " posts ", "strategy": "auto", "seed": "7", "keep": "on"}
    assert FORM.options(other) == {
        "data": "posts", "strategy": "auto", "seed": "7", "keep": True, "hard_labels": True,
    }  # fmt: skip
    assert FORM.wrong({"data": "", "seed": "-1"}) == {
        "data": "this is needed",
        "seed": "'-1' is no whole number",
    }


def test_a_value_that_is_typed_never_becomes_an_option(client: TestClient, portal: Portal) -> None:
    typed = {
        "sent": "1",
        "data": "--dry-run",
        "gold": "none",
        "label_model": "auto; rm -rf /",
        "workers": "1",
    }
    answer = client.post("/tasks/spam/runs/start/label", data=typed)
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/1")
    job = JobStore(portal.project.settings.home).get(1)
    assert job.argv[:2] == ("label", "--data=--dry-run")
    assert job.argv[-2:] == ("--", "spam")
    assert "--label-model=auto; rm -rf /" in job.argv
    assert (job.by, job.task) == ("Ana", "spam")


def test_deploying_is_a_job_with_the_name_of_who_decides(client: TestClient, portal: Portal) -> None:
    assert client.post("/tasks/spam/models/multiclass_spam/1/deploy").status_code == 303
    job = JobStore(portal.project.settings.home).get(1)
    assert job.argv == ("deploy", "--version=1", "--by=Ana", "--", "multiclass_spam")
    assert job.task == "spam"


def finished_run(project: Project, step: str, params: dict[str, str], metrics: dict[str, float]) -> str:
    """A run of a step that did nothing."""
    said = {"task": "spam", "setting": "multiclass", "algorithm": "logistic_regression"} | params
    with project.runs.run("spam", f"{step} multiclass", said) as recorder:
        recorder.metrics |= metrics
    return recorder.run_id


def test_versions_show_their_run_s_metric_and_the_accuracy_beside_it(
    client: TestClient, project: Project
) -> None:
    """A version of before, whose run says no metric, has its accuracy alone."""
    old = finished_run(project, "train", {}, {"gold_accuracy": 0.5, "lm_accuracy": 0.625})
    store = project.runs.client
    store.create_registered_model("multiclass_spam", {KIND_TAG: END_MODEL})
    store.create_model_version("multiclass_spam", "nowhere", old)
    page = client.get("/tasks/spam/models/list").text
    assert "the newest first; accuracy as each run found it" in page
    assert (page.count("0.500"), page.count("0.625")) == (1, 1)
    by_f1 = {"gold_f1/spam": 0.75, "gold_accuracy": 0.875, "lm_f1/spam": 0.25}
    new = finished_run(project, "train", {"judged_by": "f1/spam"}, by_f1)
    store.create_model_version("multiclass_spam", "nowhere", new)
    page = client.get("/tasks/spam/models/list").text
    for text in ("F1 of spam</span> 0.750", ">0.875<", ">0.250<", ">Accuracy<", "accuracy</span> 0.500"):
        assert text in page, text
    change = client.get("/tasks/spam/models/multiclass_spam/2/change").text
    assert "F1 of spam on gold</th><td>0.750" in change
    assert "accuracy on gold</th><td>0.875" in change


def test_strategies_are_shown_by_the_metric_of_their_run(client: TestClient, project: Project) -> None:
    metrics = {
        "weak_f1/spam": 0.75,
        "weak_f1/spam_low": 0.5,
        "weak_f1/spam_high": 1.0,
        "weak_accuracy": 0.875,
    }
    metrics["weak_log_loss"] = 0.25
    by_f1 = finished_run(project, "compare", {"judged_by": "f1/spam"}, metrics)
    page = client.get(f"/tasks/spam/runs/{by_f1}/result").text
    for text in ("F1 of spam on gold by cross-validation", "0.500 to 1.000", ">accuracy<", ">0.875<"):
        assert text in page, text
    of_before = finished_run(project, "compare", {}, {"weak_accuracy": 0.875})
    page = client.get(f"/tasks/spam/runs/{of_before}/result").text
    assert "accuracy on gold by cross-validation" in page
    assert "F1 of spam" not in page


def test_what_is_asked_for_wrongly_is_one_line(client: TestClient) -> None:
    table = {
        "/tasks/spam/runs/beside?run=a": "1 runs were chosen; expected two",
        "/tasks/spam/runs/new?step=rm": "no step &#39;rm&#39; to start here; expected one of label, train, compare",
        "/tasks/nothing/runs": "no task &#39;nothing&#39;",
        "/tasks/nothing/models": "no task &#39;nothing&#39;",
    }
    for path, message in table.items():
        answer = client.get(path)
        assert answer.status_code == 400
        assert message in answer.text


def test_the_page_comes_without_asking_mlflow(client: TestClient, portal: Portal) -> None:
    """Whatever is slow is read after."""
    for path in (
        "/tasks/spam/runs",
        "/tasks/spam/runs/new?step=train",
        "/tasks/spam/runs/abc",
        "/tasks/spam/models",
    ):
        assert client.get(path).status_code == 200
    assert not (portal.project.settings.home / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("services", "step", "expected"),
    [
        ("", "label", ""),
        ("MLflow|http://h:5000/|", "train", "http://h:5000/#/experiments/3/runs/r"),
        (
            "data programming runs|http://h:1|;modelling runs|http://h:2|",
            "label",
            "http://h:1/#/experiments/3/runs/r",
        ),
        (
            "data programming runs|http://h:1|;modelling runs|http://h:2|",
            "train",
            "http://h:2/#/experiments/3/runs/r",
        ),
    ],
)
def test_a_run_s_page_in_mlflow_is_that_of_its_step(
    portal: Portal, services: str, step: str, expected: str
) -> None:
    settings = portal.project.settings.model_copy(update={"services": services})
    assert mlflow_page(settings, step, "3", "r") == expected
    assert mlflow_page(settings, step, "") == ""
