"""Which changed points are asked again, and where."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.errors import AnnotationError, LabelStudioError
from adaptml.gold_labels.core import Origin, cell_hash, seen_of, seen_text
from adaptml.gold_labels.home import GoldHome
from adaptml.project import Project
from adaptml.sampling import Sample
from labelstudio import parts
from labelstudio.changed import changed_sample
from labelstudio.export import ADJUDICATION
from labelstudio.local_copy import LocalCopy
from labelstudio.parts import Linked, changed_parts, parts_of
from labelstudio.project import Person
from labelstudio.sync import LinkedProject

NOW = {key: seen_of({"txt": f"new {key}"}) for key in "123"}


def linked(
    folder: Path, number: int, tasks: dict[str, list[str]], email: str = "", overlap: float | None = 0.0
) -> Linked:
    """A project with tasks of some points, each of a wording."""
    copy = LocalCopy(folder / f"{number}.sqlite3", "http://ls", number)
    found = [(key, text) for key, texts in tasks.items() for text in texts]
    copy.put(
        {"id": 100 * number + place, "annotations": [], "drafts": [],
         "data": {"ref_id": key, "meta_info": {"table_name": "t", "task": "zoo"}, "txt": text}}
        for place, (key, text) in enumerate(found)
    )  # fmt: skip
    return Linked(LinkedProject(None, number, copy), {}, Person(email, overlap) if email else None)  # type: ignore[arg-type]


def sample(ids: str) -> Sample:
    frame = pd.DataFrame({"table_name": "t", "id": list(ids), "inclusion_prob": 1.0})
    return Sample(frame, "changed", len(ids), 0)


def told(found: list[parts.Part]) -> dict[int, str]:
    return {part.linked.project.number: "".join(part.sample.frame["id"]) for part in found}


def test_who_was_asked_is_asked_again_once_for_each_wording(tmp_path: Path) -> None:
    one = linked(tmp_path, 1, {"1": ["old"], "2": ["old", "new 2"]}, "a")
    two = linked(tmp_path, 2, {"1": ["old"]}, "b")
    found = changed_parts([one, two], sample("12"), NOW)
    assert told(found) == {1: "1", 2: "1"}
    assert found[0].purpose == found[1].purpose != ""
    assert (
        found[0].purpose != changed_parts([one, two], sample("12"), NOW | {"1": {"txt": "other"}})[0].purpose
    )


def test_a_point_that_nobody_was_asked_goes_to_all_or_to_the_shared_project(tmp_path: Path) -> None:
    people = [linked(tmp_path, 1, {}, "a"), linked(tmp_path, 2, {"1": ["old"]}, "b")]
    assert told(changed_parts(people, sample("13"), NOW)) == {1: "3", 2: "13"}
    assert told(changed_parts([linked(tmp_path, 3, {}), *people], sample("13"), NOW)) == {3: "3", 2: "1"}


def test_adjudication_goes_to_the_shared_project_and_the_rest_to_people(tmp_path: Path) -> None:
    people = [linked(tmp_path, 1, {}, "a"), linked(tmp_path, 2, {}, "b"), linked(tmp_path, 4, {}, "c", None)]
    shared = linked(tmp_path, 3, {"2": ["old"]})
    assert told(parts_of([shared], sample("123"))) == {3: "123"}
    assert told(parts_of([shared, *people], sample("123"), ADJUDICATION)) == {3: "123"}
    split = told(parts_of([shared, *people], sample("123")))
    assert sorted("".join(split.values())) == ["1", "3"]
    assert set(split) == {1, 2}  # c gets nothing new
    with pytest.raises(LabelStudioError, match=r"there is none; make it: `adaptml annotate setup TASK`"):
        parts_of(people, sample("1"), ADJUDICATION)


def test_the_changed_points_of_a_table(project: Project, make_task: Any) -> None:
    task = make_task()
    project.database.create_table("t", {"id": sa.Text(), "txt": sa.Text()})
    frame = pd.DataFrame({"id": ["1", "2", "3"], "txt": ["new 1", "as it was", "new 3"]})
    project.database.upsert("t", frame, ["id"])
    rows = pd.DataFrame({"table_name": "t", "id": ["1", "2", "3"], "origin": Origin.PAGE.value})
    rows["label"] = pd.Series([["cat"]] * 3, dtype=object)
    rows["seen"] = [seen_text(seen_of({"txt": text})) for text in ("old", "as it was", "old")]
    GoldHome(project, "zoo").add(rows.assign(choice=None, who=None, made_at=None))
    found, now = changed_sample(project, task, "t", 9)
    assert found.frame["id"].tolist() == ["1", "3"]
    assert now == {"1": {"txt": cell_hash("new 1")}, "3": {"txt": cell_hash("new 3")}}
    assert changed_sample(project, task, "t", 1)[0].frame["id"].tolist() == ["1"]
    with pytest.raises(AnnotationError, match="no gold point of t has changed"):
        changed_sample(project, task, "t", 9, where="id = '2'")
    with pytest.raises(AnnotationError, match="0 points were asked for"):
        changed_sample(project, task, "t", 0)
