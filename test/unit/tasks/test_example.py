import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from adaptml.features.lemmas import lemmatize
from adaptml.tasks import MULTILABEL, indicator, load_task
from dataprogramming.applier import apply_to_frame
from dataprogramming.lfs import load_lfs
from labelstudio.export import load_export

REPOSITORY = Path(__file__).resolve().parents[3]
EXAMPLE_DATA = REPOSITORY / "example_data"


def votes(texts: list[str]) -> tuple[list[str], np.ndarray]:
    task = load_task("example", REPOSITORY / "tasks")
    lfs = load_lfs(task)
    frame = pd.DataFrame({"txt_clean_lemma": [lemmatize(text) for text in texts]})
    return [lf.name for lf in lfs], apply_to_frame(lfs, frame, task.labels)


def test_the_task_file_says_what_the_example_needs(repository_tasks: Path) -> None:
    task = load_task("example", repository_tasks)
    assert task.problem is MULTILABEL
    assert task.class_names == ["cat", "dog", "bird", "horse", "snake"]
    (made,) = task.featurize
    assert made.model_dump() == {
        "text": "txt",
        "lemmas": "txt_clean_lemma",
        "vector": "txt_vec",
        "encoder": "hybrid",
        "answer": None,
        "score": None,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The kittens purred.", {"cat_kitten": 0, "cat_purr": 0}),
        ("Two huskies howling at geese", {"dog_husky": 1, "dog_howl": 1, "bird_duck": 2}),
        ("Hooves and saddles", {"horse_hoof": 3, "horse_saddle": 3}),
        ("A viper slithered past the owls", {"snake_viper": 4, "snake_slither": 4, "bird_owl": 2}),
        # ambiguous on purpose: the votes are wrong, and the label model has to find out
        ("She hissed at the sofa", {"snake_hiss": 4}),
        ("The bark of the oak", {"dog_bark": 1}),
        ("My Python script", {"snake_python": 4}),
        ("Nothing about animals at all", {}),
    ],
)
def test_votes_on_hand_picked_posts(text: str, expected: dict[str, int]) -> None:
    names, matrix = votes([text])
    assert {name: vote for name, vote in zip(names, matrix[0].tolist(), strict=True) if vote >= 0} == expected


def test_about_fifty_keywords_and_each_fires_somewhere() -> None:
    lines = (EXAMPLE_DATA / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    names, matrix = votes([json.loads(line)["txt"] for line in lines])
    assert 45 <= len(names) <= 55
    assert [name for name, column in zip(names, matrix.T, strict=True) if (column < 0).all()] == []


def test_simple_votes_are_right_on_nearly_all_annotated_posts() -> None:
    task = load_task("example", REPOSITORY / "tasks")
    export = load_export(EXAMPLE_DATA / "example_annotations.json")
    first = [[name for (name,) in point.annotations[0].result[0].chosen or []] for point in export]
    gold = indicator([[name for name in names if name != "NONE"] for names in first], task.class_names)
    posts = json.loads((EXAMPLE_DATA / "example_annotations.json").read_text(encoding="utf-8"))
    _, matrix = votes([post["data"]["txt"] for post in posts])
    counts = np.stack([(matrix == number).sum(axis=1) for number in range(5)], axis=1)

    one = gold.sum(axis=1) == 1
    assert (counts.argmax(axis=1) == gold.argmax(axis=1))[one].mean() >= 0.95
    union = counts > 0
    sizes = union.sum(axis=1) + gold.sum(axis=1)
    f1 = np.where(sizes == 0, 1.0, 2 * (union & (gold > 0)).sum(axis=1) / np.maximum(sizes, 1))
    assert f1.mean() >= 0.95
