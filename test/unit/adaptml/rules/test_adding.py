"""A rule is added to a task's folder, with all that it needs."""

from collections.abc import Iterator

import pytest

import adaptml
from adaptml.errors import LabellingError, TaskError
from adaptml.project import Project
from adaptml.rules.adding import add_rule, needs_feature, preview
from adaptml.rules.core import Example
from adaptml.rules.source import keyword_source, like_source, lookup_source
from adaptml.tasks import Task
from adaptml.tasks.rule_file import read_rules, saves


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with adaptml.example_project() as made:
        yield made


def test_rules_of_each_kind_vote_as_they_were_typed(project: Project) -> None:
    task = project.task("spam")
    vectors = adaptml.table_vectors(project.points, "comments", "vector").of(["s0", "s9"])
    like = [Example.of("comments", key, vector) for key, vector in vectors.items()]
    rules = [
        keyword_source("win", ["win a"], "spam", "text"),
        lookup_source("coins", ["coins", "gift cards"], "spam", "text", "coins.txt"),
        like_source("like_s0", like, [], "spam", "vector", 0.999, "like_s0.json"),
    ]
    assert [needs_feature(task, rule) for rule in rules] == [False, False, True]
    for rule in rules:
        add_rule(project, project.task("spam"), rule, who="Ana")
    task = project.task("spam")
    assert task.lf_features == ("text", "tokens", "vector")
    votes = project.apply_lfs(task, "comments")
    assert votes.lf_names[-3:] == ("win", "coins", "like_s0")
    hits = {name: votes.keys["id"][votes.L[:, j] >= 0].tolist() for j, name in enumerate(votes.lf_names)}
    assert [hits[rule.rule.name] for rule in rules] == [["s0", "s11"], ["s2", "s8"], ["s0", "s9"]]
    assert [save.who for save in saves(project, task)] == [
        "Ana",
        "Ana",
        "Ana",
        "",
    ]  # the first is the example's


def test_what_is_there_is_not_overwritten(project: Project) -> None:
    task = project.task("spam")
    assert task.folder is not None
    (task.folder / "words.txt").write_text("mine\n")
    before = read_rules(task)
    with pytest.raises(LabellingError, match=r"a file words\.txt beside lfs\.py already.*another name"):
        add_rule(project, task, lookup_source("w", ["yours"], "spam", "text", "words.txt"), who="Ana")
    assert (task.folder / "words.txt").read_text() == "mine\n"
    assert read_rules(task) == before
    assert "words.txt" in preview(task, lookup_source("w", ["mine"], "spam", "text", "words.txt"))


def test_a_task_without_a_folder(project: Project) -> None:
    with pytest.raises(TaskError, match="made in Python"):
        preview(Task(classes=["a", "b"]), keyword_source("a", ["b"], "a", "t"))
