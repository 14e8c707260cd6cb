"""One run of everything on the small example: what is done, what is taken again, where it stops."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

import adaptml
from adaptml.cli.app import app
from adaptml.pipeline.order import Order
from adaptml.pipeline.run import alone, run_steps
from adaptml.project import Project
from adaptml.stack.compose import StackError
from adaptml.stack.run import answer_of, words_of

MODEL = "multiclass_spam"


@pytest.fixture(scope="module")
def spam(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Project]:
    """The example, with a store that need not be made."""
    root = tmp_path_factory.mktemp("run") / "example"
    with adaptml.example_project(root) as made:
        shutil.copy(empty_store, root / "workspace" / "mlflow.db")
        yield made


def states(done: adaptml.RunResult) -> dict[str, str]:
    return {step.step: step.state for step in done.steps}


def champion(project: Project) -> str:
    return str(project.runs.client.get_model_version_by_alias(MODEL, "champion").version)


def swapped(text: str) -> str:
    """Rules that vote for the other class."""
    return text.replace('"spam"', '"SPAM"').replace('"ham"', '"spam"').replace('"SPAM"', '"ham"')


def test_from_the_first_version_to_one_that_is_better(spam: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[adaptml.StepEvent] = []
    first = spam.run("spam", on_event=seen.append)
    assert [(event.step, event.state) for event in seen if event.state == "started"] == [
        (name, "started") for name in ("check", "featurize", "label", "train", "compare")
    ]
    assert states(first) == {
        "check": "done", "featurize": "kept", "label": "done", "train": "done", "compare": "done", "deploy": "skipped",
    }  # fmt: skip
    runs = spam.list_runs("spam")
    assert {first.label.run_id, first.train.run_id} == set(runs["run_id"])
    assert spam.runs.get(first.train.run_id).data.params["train_data"] == first.label.run_id
    assert first.label.experiment_id == first.train.experiment_id == "1"
    assert first.frame[["experiment_id", "run_id"]].to_numpy().tolist() == [
        ["1", first.label.run_id], ["1", first.train.run_id],
    ]  # fmt: skip
    assert first.frame["accuracy"].round(3).tolist() == [0.75, 0.833]
    assert first.frame["f1/spam"].round(3).tolist() == [round(first.label.metrics["dev_f1/spam"], 3), 0.833]
    assert "F1 of spam 0.833 on gold by cross-validation" in first.train.text
    assert (first.better, first.champion, first.deployed) == (True, None, False)
    assert first.next_order == f"adaptml deploy {MODEL} --version 1"
    assert first.next_order in first._repr_html_()

    deployed = spam.run("spam", deploy_if_better=True)
    assert states(deployed) == states(first) | {"label": "kept", "train": "kept", "deploy": "done"}
    assert (deployed.version, deployed.deployed, deployed.next_order) == ("1", True, "")
    assert champion(spam) == "1"

    monkeypatch.chdir(spam.settings.root)
    quiet = CliRunner().invoke(app, ["run", "spam", "--deploy-if-better"])
    assert quiet.exit_code == 0
    said = [line.split(maxsplit=2) for line in quiet.stdout.splitlines()]
    assert [words[:2] for words in said[:8] if words[0] != "run"] == [
        ["check", "done"], ["featurize", "kept"], ["label", "kept"], ["train", "kept"], ["compare", "done"], ["deploy", "skipped"],
    ]  # fmt: skip
    assert ["run", first.train.run_id] in said
    assert re.search(r"f1/spam +accuracy +experiment +run", quiet.stdout)
    assert re.search(r"version 1 +0\.833 +0\.833", quiet.stdout)
    assert "Version 1 is the champion." in quiet.stdout
    assert "Next" not in quiet.stdout

    rules = spam.settings.tasks_dir / "spam" / "lfs.py"
    good = rules.read_text()
    rules.write_text(swapped(good))
    worse = spam.run("spam", deploy_if_better=True)
    assert (worse.version, worse.champion, worse.better, worse.deployed) == ("2", "1", False, False)
    assert champion(spam) == "1"
    figures = worse.frame.set_index("what")["accuracy"]
    assert figures["version 2"] < figures["champion, version 1"]
    assert worse.compare.found["notes"] == []  # no label model saw the gold that it is judged on

    spam.deploy(MODEL, "2")
    rules.write_text(good)
    better = spam.run("spam", deploy_if_better=True)
    assert (states(better)["label"], states(better)["train"]) == ("kept", "kept")
    assert (better.version, better.champion, better.better, better.deployed) == ("1", "2", True, True)
    assert better.compare.text.startswith(
        "Version 1 is better than the champion, version 2 (F1 of spam 0.833"
    )
    assert champion(spam) == "1"


def test_the_host_s_steps_are_those_of_here(spam: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the stack: each step a command with its order, and its answer as JSON; here without a container."""
    monkeypatch.chdir(spam.settings.root)

    def do(name: str, order: Order) -> adaptml.StepResult:
        done = CliRunner().invoke(app, words_of(name, order))
        if done.exit_code:
            raise adaptml.AdaptmlError(done.stderr.removeprefix("error: ").strip())
        return answer_of(f"a line of somebody's\n{done.stdout}", name)

    here = spam.run("spam")
    there = run_steps(do, spam.task("spam"), Order("spam"), deploy_if_better=False)
    assert there.frame.equals(here.frame)
    assert states(there) == states(here)
    with pytest.raises(adaptml.PipelineError, match=r"^stopped at check: data: no table 'posts'"):
        run_steps(do, spam.task("spam"), Order("spam", "posts"), deploy_if_better=False)
    with pytest.raises(
        StackError, match=r"^dp-mlflow gave no answer to label but 'usage'; .*`adaptml up --build`$"
    ):
        answer_of("usage\n", "label")


def test_in_a_container_of_the_stack_it_is_typed_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK_SERVICE", "dp-mlflow")
    done = CliRunner().invoke(app, ["run", "spam"])
    assert done.exit_code == 1
    assert "`adaptml run spam` was typed in the container dp-mlflow; expected on the host" in done.stderr


def test_a_run_that_was_stopped_goes_on_where_it_was_and_ends_without_gold(spam: Project) -> None:
    """There is a champion, and nothing to compare with it by."""

    def stop(event: adaptml.StepEvent) -> None:
        if (event.step, event.state) == ("train", "started"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spam.run("spam", "comments", gold="none", on_event=stop)
    seen: list[adaptml.StepEvent] = []
    message = r"^stopped at compare: comparing with the champion needs gold labels; .* `adaptml deploy \w+`$"
    with pytest.raises(adaptml.PipelineError, match=message) as raised:
        spam.run("spam", "comments", gold="none", on_event=seen.append)
    assert raised.value.step == "compare"
    ends = {event.step: event.state for event in seen}
    assert ends == {
        "check": "done", "featurize": "kept", "label": "kept", "train": "done", "compare": "failed",
    }  # fmt: skip


def test_what_changed_is_done_anew_and_no_more(spam: Project) -> None:
    before = spam.run("spam")
    spam.database.upsert(
        "comments", pd.DataFrame({"id": ["h0"], "text": ["I love this song so so much"]}), ["id"]
    )
    after = spam.run("spam")
    assert states(after) | {"compare": "", "deploy": ""} == states(before) | {
        "featurize": "done", "label": "kept", "train": "done", "compare": "", "deploy": "",
    }  # fmt: skip
    assert after.step("featurize").text == "0 new and 1 changed rows, 23 had their features already"
    file = spam.settings.tasks_dir / "spam" / "task.yaml"
    file.write_text(f"{file.read_text()}train: {{algorithm: knn}}\n")
    other = spam.run("spam")
    assert (states(other)["label"], states(other)["train"]) == ("kept", "done")
    assert spam.runs.get(other.train.run_id).data.params["algorithm"] == "knn"
    again = spam.run("spam", fresh=True)
    assert {states(again)["label"], states(again)["train"]} == {"done"}


def test_what_stops_it_is_one_line_with_the_step(spam: Project) -> None:
    spam.database.create_table("empty", {"id": sa.Text(), "text": sa.Text()}, ["id"])
    silent = adaptml.Task(
        name="silent", classes=["ham", "spam"], features=["vector"], lf_features=["tokens"],
        lfs=[adaptml.keyword_lf("never", ["xyzzy"], "spam", "tokens")],
    )  # fmt: skip
    table = [
        ("spam", "posts", "check", "no table 'posts'"),
        ("spam", "empty", "check", "no rows: load some"),
        (silent, "comments", "label", "none of the 1 labelling functions votes on any"),
    ]
    for task, data, step, message in table:
        with pytest.raises(adaptml.PipelineError, match=message) as raised:
            spam.run(task, data)
        assert raised.value.step == step
        assert "\n" not in str(raised.value)
    with pytest.raises(adaptml.PipelineError, match="the data tables are comments, empty; name one: --data"):
        spam.run(silent)
    with (
        alone(spam.settings.home, "spam"),
        pytest.raises(adaptml.PipelineError, match="another run of task 'spam'"),
    ):
        spam.run("spam")
