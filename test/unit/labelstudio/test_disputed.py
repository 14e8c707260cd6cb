"""Which points are sent to somebody else to settle."""

from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.errors import AnnotationError
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.sampling import Sample
from labelstudio.disputed import disputed_points
from labelstudio.sample_tasks import label_studio_tasks

SAID: dict[str, list[list[str] | None]] = {
    "1": [["cat"], ["cat", "dog"], ["cat"], ["dog"], None, ["cat"]],
    "2": [["cat"], ["cat"], ["dog"], None, ["dog"], ["dog"]],
}


@pytest.fixture
def annotated(project: Project) -> Project:
    """00: agreed; 01: a class in common (MASI 2/3); 02: nothing in common; 03, 04: one annotator; other/05: as 02."""
    database = project.database
    for table in ("posts", "other"):
        database.create_table(table, dict.fromkeys(["id", "txt"], sa.Text()))
        rows = pd.DataFrame({"id": [f"{i:02}" for i in range(6)], "txt": "x"})
        database.upsert(table, rows, ["id"])
    frame = pd.DataFrame({"table_name": ["posts"] * 5 + ["other"], "id": [f"{i:02}" for i in range(6)]})
    frame = frame.assign(**{name: pd.Series(cells, dtype=object) for name, cells in SAID.items()})
    write_frame(frame, project.settings.annotations("zoo") / "ann_df.parquet")
    return project


def test_the_worst_first_and_of_the_named_table_alone(annotated: Project, make_task: Any) -> None:
    found = disputed_points(annotated, make_task(), "posts", 10)
    assert found.frame["id"].tolist() == ["02", "01"]
    assert found.frame["inclusion_prob"].isna().all()
    assert found.name == "disputed n=10 seed=0"
    assert disputed_points(annotated, make_task(), "posts", 1).frame["id"].tolist() == ["02"]
    assert disputed_points(annotated, make_task(), "other", 9).frame["id"].tolist() == ["05"]
    assert disputed_points(annotated, make_task(), "posts", 9, "id > '01'").frame["id"].tolist() == ["02"]


def test_nothing_to_settle(annotated: Project, make_task: Any) -> None:
    with pytest.raises(AnnotationError) as error:
        disputed_points(annotated, make_task(), "posts where id = '00'", 9)
    assert str(error.value) == (
        "nothing is disputed: annotators agree on all 1 points of posts that two or more of them had labelled "
        "when they were last pulled (`adaptml annotate pull zoo`)"
    )
    with pytest.raises(AnnotationError, match="0 points were asked for; expected at least 1"):
        disputed_points(annotated, make_task(), "posts", 0)


def test_before_anything_was_pulled(project: Project, make_task: Any) -> None:
    with pytest.raises(
        AnnotationError, match=r"^no annotations of task 'zoo' in .*fetch them first: `adaptml"
    ):
        disputed_points(project, make_task(), "posts", 9)


def test_tasks_to_settle_say_so_and_nothing_of_the_draw(make_task: Any) -> None:
    rows = pd.DataFrame({"table_name": ["posts"], "id": ["02"], "txt": ["x"]})
    sample = Sample(rows[["table_name", "id"]].assign(inclusion_prob=float("nan")), "disputed", 1, 0)
    (made,) = label_studio_tasks(rows, make_task(), sample, [float("nan")], purpose="adjudication")
    assert made["data"]["meta_info"] == {"table_name": "posts", "task": "zoo", "purpose": "adjudication"}
