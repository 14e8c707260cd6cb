from dataclasses import replace
from pathlib import Path

import pytest

from adaptml.tasks.draft import DraftClass, TaskDraft
from adaptml.tasks.schema import Column

DRAFT = TaskDraft(
    name="pets",
    title="Which pet?",
    classes=[DraftClass("cat", "It purrs.", ["purr"]), DraftClass("dog")],
    columns=[Column(name="txt"), Column(name="likes", type="number")],
    language="de",
    encoder="hashing",
)


def test_a_draft_without_problems_becomes_a_task(tmp_path: Path) -> None:
    assert DRAFT.problems(tmp_path) == {}
    made = DRAFT.make(tmp_path)
    assert (made.title, made.language, made.setting) == ("Which pet?", "de", "multiclass")
    assert made.classes[0].model_dump() == {"name": "cat", "description": "It purrs.", "examples": ("purr",)}
    assert made.classes[1].description == "When an annotator should choose it."  # still to be written
    assert [(part.text, part.encoder) for part in made.featurize] == [("txt", "hashing")]
    assert made.features == ("txt_vec", "likes")
    assert DRAFT.problems(tmp_path) == {"name": "there is a task 'pets' already; choose another name"}


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"name": "../etc"}, "name", "expected a lower-case letter"),
        ({"name": ""}, "name", "expected a lower-case letter"),
        ({"title": "?"}, "title", "at least 3 characters"),
        ({"setting": "binary"}, "setting", "'multiclass' or 'multilabel'"),
        ({"classes": []}, "classes", "2 to 127 classes; given 0"),
        ({"classes": [DraftClass("a"), DraftClass("a")]}, "classes", "a is duplicated"),
        ({"classes": [DraftClass("a"), DraftClass("<b>")]}, "classes.1", "given '<b>'"),
        ({"columns": []}, "columns", "at least 1 item"),
        ({"language": "German"}, "language", "ISO code"),
        ({"encoder": "word2vec"}, "encoder", "no encoder 'word2vec'"),
        ({"encoder": "pictures"}, "encoder", "pictures reads image, and the columns hold texts"),
    ],
)
def test_each_problem_is_told_at_its_field(
    tmp_path: Path, change: dict[str, object], field: str, said: str
) -> None:
    found = replace(DRAFT, **change).problems(tmp_path)  # type: ignore[arg-type]
    assert [*found] == [field]
    assert said in found[field]
