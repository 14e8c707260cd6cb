"""Which points are sent because their labels look wrong."""

from collections.abc import Iterator

import pandas as pd
import pytest
from kept_to_fix import keep_to_fix

from adaptml import example_project
from adaptml.errors import AnnotationError
from adaptml.frames import write_frame
from adaptml.project import Project
from labelstudio.suspicious import suspicious_points
from labelstudio.would_draw import would_draw


@pytest.fixture(scope="module")
def example() -> Iterator[Project]:
    with example_project() as project:
        yield project


def test_what_a_run_says_gold_first(example: Project) -> None:
    task, run = example.task("spam"), keep_to_fix(example)
    found = suspicious_points(example, task, "comments", 10, run)
    assert found.frame["id"].tolist() == ["s6", "h1"]
    assert found.name == "suspicious n=10 seed=0"
    assert found.frame["inclusion_prob"].isna().all()
    assert suspicious_points(example, task, "comments", 1, run).frame["id"].tolist() == ["s6"]
    assert suspicious_points(example, task, "comments where id = 'h1'", 9, run).frame["id"].tolist() == ["h1"]
    shown = would_draw(example, task, "comments", 10, sampling="suspicious", run=run)
    assert (shown.kinds, shown.gold) == ({"suspicious": 2}, 1)
    with pytest.raises(
        AnnotationError, match=f"no label of comments where id = 'h5' looks wrong to run {run}; nothing"
    ):
        suspicious_points(example, task, "comments where id = 'h5'", 9, run)


def test_points_that_a_person_chose(example: Project) -> None:
    chosen = pd.DataFrame({"table_name": "comments", "id": ["s9", "h2"]})
    path = write_frame(chosen, example.settings.home / "chosen.parquet")
    found = suspicious_points(example, example.task("spam"), path, 2, None)
    assert sorted(found.frame["id"]) == ["h2", "s9"]


def test_nothing_says_which(example: Project) -> None:
    with pytest.raises(
        AnnotationError, match=r"none was named; name a run of .* with --run RUN_ID, or a file"
    ):
        suspicious_points(example, example.task("spam"), "comments", 9, None)
    with pytest.raises(AnnotationError, match="0 points were asked for"):
        suspicious_points(example, example.task("spam"), "comments", 0, None)
