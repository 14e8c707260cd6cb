"""A step that comes before `featurize` names the command that is missing."""

import pandas as pd
import pytest

from adaptml.errors import FeatureError, UnknownTableError
from adaptml.features.required import check_featurized
from adaptml.project import Project
from adaptml.tasks import Task


@pytest.fixture
def task() -> Task:
    return Task(
        name="mood", classes=["good", "bad"],
        lf_features=["txt", "words"], features=["vec"],
        featurize={"text": "txt", "lemmas": "words", "vector": "vec", "encoder": "hashing"},
    )  # fmt: skip


def test_what_featurize_makes_is_asked_of_it_by_name(project: Project, task: Task) -> None:
    project.import_table(pd.DataFrame({"id": ["a"], "txt": ["one"]}), "notes")
    with pytest.raises(
        FeatureError,
        match=r"^table 'notes' has no words yet, which task 'mood' reads: "
        r"run `adaptml featurize mood --data notes`$",
    ):
        check_featurized(project.points, task, ["notes"], task.lf_features)
    with pytest.raises(FeatureError, match="has no vec yet"):
        check_featurized(project.points, task, ["notes"], task.features)
    check_featurized(project.points, task, ["notes"], ["txt", "nobody makes this"])
    project.featurize(task, "notes")
    check_featurized(project.points, task, ["notes"], [*task.lf_features, *task.features])
    with pytest.raises(UnknownTableError, match="no table 'more'"):
        check_featurized(project.points, task, ["notes", "more"], task.features)


def test_columns_that_lie_in_the_table_are_there(project: Project, task: Task) -> None:
    frame = pd.DataFrame({"id": ["a"], "txt": ["one"], "words": [["one"]], "vec": [[1.0, 2.0]]})
    project.import_table(frame, "notes")
    check_featurized(project.points, task, ["notes"], [*task.lf_features, *task.features])
