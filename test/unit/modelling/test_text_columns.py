"""Algorithms of texts read the columns that features are made of."""

import pandas as pd
import pytest

from adaptml.errors import FeatureError, ModelError
from adaptml.features.catalogue import Reference
from adaptml.project import Project
from adaptml.tasks import Task
from modelling.columns import Columns, Text
from modelling.text_columns import as_they_stand, text_columns

KEYS = pd.DataFrame({"table_name": ["points"] * 2, "id": ["t1", "t0"]})


def test_features_that_nobody_has_computed_are_read_as_the_text_they_are_made_of(
    task: Task, project: Project
) -> None:
    made = {"featurize": [{"text": "txt", "vector": "txt_vec", "lemmas": "txt_lemma"}]}
    task = Task.model_validate(task.model_dump() | made)
    found = text_columns(project.points, task, ["points"], ["txt_vec@3", "txt_lemma", "txt"])
    columns = as_they_stand(found)
    assert found == [Reference("txt", 0)]
    assert columns.read(project.points, KEYS, found).tolist() == [["text number 1"], ["text number 0"]]
    again = Columns.from_json(columns.to_json())
    assert again.learned == {"txt": Text()}
    assert columns.to_json() == {"txt": {"text": True}}


def test_vectors_are_no_texts(task: Task, project: Project) -> None:
    found = text_columns(project.points, task, ["points"], task.features)
    columns = as_they_stand(found)
    with pytest.raises(
        FeatureError, match=r"^column 'vec' holds ndarray for 2 of 2 data points .* column of texts"
    ):
        columns.read(project.points, KEYS, found)


def test_features_of_pictures_are_refused(task: Task, project: Project) -> None:
    made = {"featurize": [{"text": "path", "vector": "sign_vec", "encoder": "pictures"}]}
    task = Task.model_validate(task.model_dump() | made)
    with pytest.raises(ModelError, match=r"^sign_vec is made of path by pictures, which reads no text"):
        text_columns(project.points, task, ["points"], ["sign_vec"])
    with pytest.raises(ModelError, match=r"^task 'task' names no features; name a column of texts"):
        text_columns(project.points, task, ["points"], [])


def test_no_text_is_an_empty_one() -> None:
    frame = pd.DataFrame({"table_name": "t", "id": ["1", "2"], "txt": pd.Series(["a", None], dtype=object)})
    assert Text().matrix(frame, "txt").tolist() == [["a"], [""]]
