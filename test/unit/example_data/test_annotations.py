import csv
import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from example_data import make_annotations
from labelstudio.export import load_export

TASK_KEYS = (
    "id annotations drafts predictions data meta created_at updated_at allow_skip inner_id total_annotations "
    "cancelled_annotations total_predictions comment_count unresolved_comment_count last_comment_updated_at "
    "project updated_by comment_authors"
)
ANNOTATION_KEYS = (
    "id completed_by result was_cancelled ground_truth created_at updated_at draft_created_at lead_time "
    "prediction result_count unique_id import_id last_action bulk_created task project updated_by "
    "parent_prediction parent_annotation last_created_by"
)


@pytest.fixture(scope="module")
def export() -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(make_annotations.EXPORT.read_text(encoding="utf-8"))
    return content


def chosen(annotation: dict[str, Any]) -> list[str]:
    return [name for result in annotation["result"] for name in result["value"]["choices"]]


def test_the_script_writes_the_shipped_files_again(export: list[dict[str, Any]]) -> None:
    lines = make_annotations.POSTS.read_text(encoding="utf-8").splitlines()
    posts = {post["id"]: post["txt"] for post in map(json.loads, lines)}
    with make_annotations.CHOICES.open(encoding="utf-8", newline="") as file:
        assert make_annotations.make_export(posts, list(csv.DictReader(file))) == export
    tasks = json.loads(make_annotations.TASKS.read_text(encoding="utf-8"))
    assert make_annotations.make_tasks(export) == tasks


def test_it_has_the_keys_that_label_studio_writes(export: list[dict[str, Any]]) -> None:
    assert {" ".join(task) for task in export} == {TASK_KEYS}
    annotations = [annotation for task in export for annotation in task["annotations"]]
    assert {" ".join(annotation) for annotation in annotations} == {ANNOTATION_KEYS}
    results = [result for annotation in annotations for result in annotation["result"]]
    assert {" ".join(result) for result in results} == {"value id from_name to_name type origin"}
    for key in ("id", "unique_id"):
        assert len({annotation[key] for annotation in annotations}) == len(annotations)
    assert len({result["id"] for result in results}) == len(results)


def test_the_product_reads_it() -> None:
    assert len(load_export(make_annotations.EXPORT)) == 90


def test_choices_are_those_that_the_page_offers(export: list[dict[str, Any]]) -> None:
    offered = {"cat", "dog", "bird", "horse", "snake", "NONE"}
    for task in export:
        assert task["data"]["meta_info"] == {"table_name": "example_data", "task": "example"}
        for annotation in task["annotations"]:
            assert set(chosen(annotation)) <= offered
            assert "NONE" not in chosen(annotation) or chosen(annotation) == ["NONE"]
            assert annotation["was_cancelled"] == (not annotation["result"])


def test_what_really_happens_happens_in_it(export: list[dict[str, Any]]) -> None:
    assert sum(task["cancelled_annotations"] for task in export) == 1
    assert sum(len(task["annotations"]) == 1 for task in export) == 1
    careful = Counter(
        len([name for name in chosen(task["annotations"][0]) if name != "NONE"]) for task in export
    )
    assert careful == {0: 3, 1: 48, 2: 31, 3: 3, 4: 5}


def test_the_annotators_disagree_too_much(export: list[dict[str, Any]]) -> None:
    pairs = [
        [frozenset(chosen(annotation)) for annotation in task["annotations"] if annotation["result"]]
        for task in export
    ]
    pairs = [pair for pair in pairs if len(pair) == 2]
    labels = [label for pair in pairs for label in pair]
    observed = sum(one != other for one, other in pairs) / len(pairs)
    drawn = list(combinations(labels, 2))
    expected = sum(one != other for one, other in drawn) / len(drawn)
    assert len(pairs) == 88
    assert 1 - observed / expected < 0.667  # Krippendorff's alpha, nominal over label sets


def test_posts_are_of_three_kinds_and_readable() -> None:
    posts = [json.loads(line) for line in make_annotations.POSTS.read_text(encoding="utf-8").splitlines()]
    assert [post["id"] for post in posts] == [f"{number:03d}" for number in range(1, 441)]
    assert Counter(post["frame"] for post in posts) == {"multiclass": 175, "multilabel": 175, "annotated": 90}
    assert len({post["txt"] for post in posts}) == 440
    assert all(6 <= len(post["txt"].split()) <= 30 for post in posts)
    annotated = {post["id"] for post in posts if post["frame"] == "annotated"}
    with Path(make_annotations.CHOICES).open(encoding="utf-8", newline="") as file:
        assert {row["id"] for row in csv.DictReader(file)} == annotated
