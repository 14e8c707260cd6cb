"""The step `watch`: rows that came since, from a table to a run, a verdict and an exit code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

import adaptml
from adaptml.cli.app import app
from adaptml.cli.watch import EXIT_MOVED
from adaptml.database import Vector, WritebackKind, write_back
from adaptml.errors import FeatureError, FrameError, NothingNewError, TrackingError
from adaptml.frames import read_frame, write_frame
from adaptml.project import Project
from benchmarks.watch import SHIFTS, Posts, posts
from dataprogramming.watch import watch

REPOSITORY = Path(__file__).resolve().parents[3]
TASK = """
title: Which topic?
setting: multiclass
classes: [{name: sport}, {name: food}, {name: travel}]
columns: [{name: text}]
lf_features: [text]
features: [vector]
"""
LFS = """
from adaptml import LFParams
from snorkel.labeling import LabelingFunction

RULES = {"goal": "sport", "match": "sport", "bread": "food", "taste": "food", "hotel": "travel", "beach": "travel"}

class Params(LFParams):
    stop: str = "no word"

def get_lfs(params: Params):
    def rule(word, name):
        return LabelingFunction(word, lambda x: name if word in x.text.split() and word != params.stop else None)
    return [rule(word, name) for word, name in RULES.items()]
"""
TABLES = dict(zip(SHIFTS, ["still", "doubled", "died", "topic"], strict=True))


def fill(project: Project, table: str, some: Posts, prefix: str = "") -> None:
    columns = {"id": sa.Text(), "text": sa.Text(), "vector": Vector()}
    project.database.create_table(table, columns, ["id"])
    ids = [f"{prefix}{i}" for i in range(len(some.texts))]
    frame = pd.DataFrame({"id": ids, "text": some.texts, "vector": list(some.vectors)})
    project.database.upsert(table, frame, ["id"])


def make_task(project: Project, name: str) -> None:
    folder = project.settings.tasks_dir / name
    folder.mkdir(parents=True)
    (folder / "task.yaml").write_text(TASK)
    (folder / "lfs.py").write_text(LFS)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Project]:
    """A champion of the task `topics`, trained on 1,000 posts; a table of new posts for each shift."""
    room = tmp_path_factory.mktemp("served")
    with Project(room) as project:
        project.settings.home.mkdir()
        (project.settings.home / "mlflow.db").write_bytes(empty_store.read_bytes())
        make_task(project, "topics")
        fill(project, "posts", posts(1_000, 0))
        for shift, table in TABLES.items():
            fill(project, table, posts(400, 1, shift))
        labelled = project.label("topics", "posts", label_model="majority_vote")
        trained = project.train("topics", labelled, test=0.2, algorithm="logistic_regression")
        project.deploy(trained.model_name)
        yield project


def moved(found: pd.DataFrame) -> set[tuple[str, str]]:
    return set(found.loc[found["moved"], ["kind", "subject"]].itertuples(index=False, name=None))


def test_nothing_moves(served: Project) -> None:
    found = served.watch("topics", "still")
    assert not found.moved
    assert found.verdict == "nothing moved, in 17 comparisons"
    assert (found.n_old, found.n_new, found.path) == (1_000, 400, None)
    assert found.to_annotate.empty
    # 6 rules, rows without votes, 3 classes of votes and 3 of predictions, confidence, agreement, words, vectors
    assert found.quantities["kind"].nunique() == 8
    run = served.runs.get(found.run_id)
    assert run.info.run_name == "watch multiclass"
    assert run.data.params["model"] == "multiclass_topics version 1"
    assert run.data.metrics["rows_new"] == 400
    coverage = found.quantities.set_index("subject").loc["goal"]
    assert run.data.metrics["new/coverage/goal"] == coverage["new"]
    assert (
        run.data.metrics["new_low/coverage/goal"]
        <= coverage["new"]
        <= run.data.metrics["new_high/coverage/goal"]
    )
    assert served.runs.artifacts(found.run_id) == {"comparisons.csv", "report.html", "log.txt"}


def test_a_class_that_doubles(served: Project) -> None:
    found = served.watch("topics", "doubled")
    assert ("voted", "travel") in moved(found.quantities)
    assert f"annotate these {len(found.to_annotate)} rows" in found.verdict


def test_a_rule_that_dies(served: Project) -> None:
    found = served.watch("topics", "died")
    assert ("coverage", "taste") in moved(found.quantities)
    assert found.rules == ["taste"]
    assert "look at rule taste" in found.verdict
    assert ("look", "adaptml lfs topics --data died --show taste") in found.lines


def test_a_new_topic_and_the_rows_to_annotate(served: Project, tmp_path: Path) -> None:
    found = served.watch("topics", "topic")
    assert ("words", "") in moved(found.quantities)
    assert len(found.to_annotate) in range(20, 51)
    texts = served.database.read(found.to_annotate, ["text"])["text"]
    assert texts.str.contains("flood").mean() > 0.5
    assert found.path is not None
    assert found.path.parent == served.settings.unlabeled_data
    sent = served.sample_tasks("topics", str(found.path), 50, to=tmp_path / "tasks.json")
    assert set(sent.frame["id"]) == set(found.to_annotate["id"])
    page = served.runs.artifact(found.run_id, "report.html", tmp_path).read_text()
    assert page.count('class="dot"') > 17  # earlier watches are shown, too
    assert "flood" in page
    assert (
        "annotate",
        f"adaptml annotate push topics --data {found.path} --n {len(found.to_annotate)}",
    ) in found.lines


def test_votes_that_were_kept_are_not_cast_again(served: Project) -> None:
    first, again = (served.watch("topics", "still") for _ in range(2))
    # 6 rules on 400 new rows, and once more on those of which predictions are compared with votes
    assert ", 0 computed; " in dict(again.lines)["votes"]
    pd.testing.assert_frame_equal(first.quantities, again.quantities)


def test_rules_that_changed_since_are_cast_anew_on_the_old_rows(served: Project) -> None:
    lfs = served.settings.tasks_dir / "topics" / "lfs.py"
    lfs.write_text(LFS.replace("word in x.text.split()", "word[:4] in x.text"))
    try:
        found = served.watch("topics", "still")
    finally:
        lfs.write_text(LFS)
    assert ("rules", "changed since the run: votes were cast anew on 1000 of its rows") in found.lines
    assert not found.moved


def test_too_few_rows_are_said_and_no_run_is_made(served: Project) -> None:
    runs = len(
        served.runs.client.search_runs([served.runs.client.get_experiment_by_name("topics").experiment_id])
    )
    with pytest.raises(
        NothingNewError,
        match=r"^0 rows of posts came since run [0-9a-f]{32} labelled 1000; expected at least 50",
    ):
        served.watch("topics")
    with pytest.raises(NothingNewError, match=r"^9 rows of still where"):
        served.watch("topics", "still where length(id) = 1 and id <> '0'")
    after = len(
        served.runs.client.search_runs([served.runs.client.get_experiment_by_name("topics").experiment_id])
    )
    assert after == runs


def test_rows_that_nobody_featurised_are_no_dead_rules(tmp_path: Path) -> None:
    def add(project: Project, prefix: str) -> None:
        texts = ["Subscribe to my channel", "I love this song", "What a voice"] * 20
        frame = pd.DataFrame({"id": [f"{prefix}{i}" for i in range(60)], "text": texts})
        project.database.upsert("comments", frame, ["id"])

    with adaptml.example_project(tmp_path / "example") as project:
        with pytest.raises(
            NothingNewError, match=r"^0 rows of comments .* labelled 24; expected at least 50 of both"
        ):
            project.label("spam", "comments", label_model="majority_vote")
            project.watch("spam")
        add(project, "a")
        project.featurize("spam", "comments")
        project.label("spam", "comments", label_model="majority_vote")
        add(project, "b")
        message = r"60 of 60 new rows have no 'tokens' yet, .*: run `adaptml featurize spam --data comments`"
        with pytest.raises(FeatureError, match=message):
            project.watch("spam")
        project.featurize("spam", "comments")
        assert project.watch("spam").n_new == 60


def test_the_command_s_exit_code(served: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTML_ROOT", str(served.settings.root))
    codes = {
        data: CliRunner().invoke(app, ["watch", "topics", "--data", data]).exit_code
        for data in ("still", "died", "posts", "nowhere")
    }
    assert codes == {"still": 0, "died": 3, "posts": 0, "nowhere": 1}


def test_what_usage_shows_is_what_is_printed(served: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks marked `console watched`; `…` stands for any lines."""
    monkeypatch.setenv("ADAPTML_ROOT", str(served.settings.root))
    usage = (REPOSITORY / "usage.md").read_text(encoding="utf-8")
    (block,) = re.findall(
        r"^```console watched\n\$ adaptml (.*?)\n(.*?)^```$", usage, re.MULTILINE | re.DOTALL
    )
    fill(served, "posts", posts(400, 1, "a rule dies"), "new")
    try:
        done = CliRunner().invoke(app, block[0].split())
    finally:
        with served.database.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM posts WHERE id LIKE 'new%'"))
    assert done.exit_code == EXIT_MOVED, done.output
    shown = block[1].removesuffix("…\n")
    assert done.stdout.startswith(shown), done.stdout
    assert re.search(r"^annotate +adaptml annotate push topics --data \S+ --n 50$", done.stdout, re.MULTILINE)


def test_without_a_champion_predictions_come_from_their_table(served: Project, tmp_path: Path) -> None:
    """As in the Docker stack, whose end models have a store of their own; the first new rows are the base."""
    make_task(served, "plain")
    served.label("plain", "posts", label_model="majority_vote", lf_parameters={"stop": "taste"})
    first = watch(served, "plain", "still where cast(id as integer) < 200")
    said = dict(first.lines)["predictions"]
    assert said.startswith(
        "left out: no champion here, and no predictions in plain_predictions: `adaptml predict plain"
    )
    assert first.quantities.set_index("subject").loc["taste", "new"] == 0  # the run's parameters are taken

    def predicted(some: Posts, table: str) -> None:
        frame = pd.DataFrame({"table_name": table, "id": [str(i) for i in range(len(some.texts))]})
        names = [["sport", "food", "travel"][c] for c in some.classes]
        probs = [[0.8 if c == k else 0.1 for k in range(3)] for c in some.classes]
        frame = frame.assign(label=[[name] for name in names], label_probs=probs, model="multiclass_plain/1")
        write_back(served.results, served.task("plain"), WritebackKind.PREDICTIONS, frame, "a" * 32)

    predicted(posts(400, 1), "still")
    base = watch(served, "plain", "still")
    assert "what later ones compare predictions with" in dict(base.lines)["predictions"]
    kept = read_frame(served.runs.artifact(base.run_id, "watched_predictions.parquet", tmp_path))
    assert len(kept) == base.quantities.set_index("kind").loc["voted", "rows"].iloc[0]
    predicted(posts(400, 1, SHIFTS[1]), "doubled")
    found = watch(served, "plain", "doubled")
    assert f"new rows of the first watch, {base.run_id}" in dict(found.lines)["predictions"]
    assert ("predicted", "travel") in moved(found.quantities)


def test_gold_that_was_made_since_judges_the_model(served: Project) -> None:
    made = pd.DataFrame({"table_name": "still", "id": [str(i) for i in range(40)]})
    names = [["sport", "food", "travel"][c] for c in posts(400, 1).classes[:40]]
    path = write_frame(made.assign(label=[[name] for name in names]), served.settings.root / "gold.parquet")
    served.gold("topics", path)
    found = watch(served, "topics", "still")
    told = dict(found.lines)["on gold"]
    assert told.startswith("accuracy 20")
    assert "40 points)" in told
    assert any(name.startswith("on_gold/") for name in served.runs.get(found.run_id).data.metrics)


def test_what_cannot_be_compared_with(served: Project, tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match=r"run 0+ cannot be read"):
        watch(served, "topics", "still", run="0" * 32)
    make_task(served, "bare")
    with pytest.raises(TrackingError, match=r"'bare' has no run of `label` .*; label first"):
        watch(served, "bare", "still")
    keys = served.database.keys("posts").head(100)
    labelled = served.label("bare", keys, label_model="majority_vote")
    with pytest.raises(
        TrackingError, match="labelled a frame of 100 rows, which is no table: say with --data"
    ):
        watch(served, "bare")
    assert watch(served, "bare", "posts").n_new == 900
    served.label("bare", "posts where cast(id as integer) < 100", label_model="majority_vote")
    few = "posts where cast(id as integer) < 100"
    with pytest.raises(FrameError, match="SQL is run on a person's word only; name it: --data 'posts where "):
        watch(served, "bare")
    with pytest.raises(NothingNewError, match=rf"^0 rows of {re.escape(few)} came since"):
        watch(served, "bare", few)
    task = served.settings.tasks_dir / "bare" / "task.yaml"
    task.write_text(TASK.replace("travel", "tours"))
    (task.parent / "lfs.py").write_text(LFS.replace("travel", "tours"))
    message = f"run {labelled.run_id} was made with the classes sport, food, travel, and the task has sport, food, tours"
    with pytest.raises(TrackingError, match=message):
        watch(served, "bare", "posts", run=labelled.run_id)
