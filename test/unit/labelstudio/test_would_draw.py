"""What a sampling would choose, without writing or sending anything."""

from pathlib import Path
from typing import Any

import pytest

import adaptml
from adaptml.errors import AnnotationError
from adaptml.project import Project
from adaptml.sampling.mixture import SAMPLERS
from adaptml.sampling.ways import WAYS
from labelstudio.local_copy import LocalCopy
from labelstudio.would_draw import would_draw


@pytest.fixture(scope="module")
def example() -> Any:
    with adaptml.example_project() as project:
        yield project


def written(project: Project) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in project.settings.home.rglob("*") if path.is_file()}


def test_it_chooses_as_the_step_does_and_writes_nothing(example: Project) -> None:
    before = written(example)
    found = would_draw(example, "spam", "comments", 12, seed=3)
    assert written(example) == before
    assert (found.kinds, found.strata, found.empty) == ({"random": 12}, {}, 0)
    assert list(found.rows.columns) == ["table_name", "id", "text", "kind", "inclusion_prob"]
    assert len(found.rows) == 10
    assert found.rows["inclusion_prob"].eq(0.5).all()
    drawn = found.sample.frame["id"].tolist()
    assert found.gold == found.asked == sum(int(key[1:]) >= 6 for key in drawn)  # h6 … s11 were annotated
    done = example.sample_tasks("spam", "comments", 12, seed=3)
    assert done.frame["id"].tolist() == drawn


def test_the_parts_of_a_mixture(example: Project) -> None:
    found = would_draw(example, "spam", "comments", 10, sampling="random:0.3,diverse:0.7")
    assert found.kinds == {"diverse": 7, "random": 3}
    assert found.rows["kind"].tolist() == ["diverse"] * 7 + ["random"] * 3


def test_the_values_of_a_column(example: Project) -> None:
    found = would_draw(example, "spam", "comments", 24, sampling="stratified", by="text")
    assert set(found.strata.values()) == {1}
    assert len(found.strata) == 20  # of 24


def test_points_that_were_asked_before(example: Project) -> None:
    found = would_draw(example, "spam", "comments", 9, sampling="disputed")
    assert (found.sample.frame["id"].tolist(), found.kinds, found.gold) == (["s8"], {"disputed": 1}, 1)
    assert would_draw(example, "spam", "comments", 3, sampling="again").kinds == {"again": 3}
    with pytest.raises(AnnotationError, match="no gold point of task 'spam' has changed"):
        would_draw(example, "spam", "comments", 3, sampling="changed")


def test_points_that_label_studio_has_count_as_asked(example: Project) -> None:
    meta = {"table_name": "comments", "task": "spam"}
    with LocalCopy(example.settings.annotations("spam") / "label_studio.sqlite3", "http://ls", 7) as copy:
        copy.put([{"id": 1, "data": {"ref_id": "h0", "meta_info": meta}}])
    found = would_draw(example, "spam", "comments where id in ('h0', 'h1')", 2)
    assert (found.asked, found.gold) == (1, 0)


def test_every_way_is_explained() -> None:
    assert [way.name for way in WAYS if way.mixes] != []
    assert {way.name for way in WAYS if way.mixes} == set(SAMPLERS)
    assert {way.name for way in WAYS if not way.mixes} == {"disputed", "suspicious", "changed", "again"}
    assert {way.needs for way in WAYS} == {"", "run", "by", "vector"}
