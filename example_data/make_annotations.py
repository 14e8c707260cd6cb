"""Write the shipped task file and Label Studio's export of it: two annotators, one of them in a hurry.

    python example_data/make_annotations.py

Annotator 1 read every post with care; annotator 2 stopped at the first animal, missed the described ones
and mixed some up. `annotator_choices.csv` holds what they chose: class names joined by `|`, `NONE`,
`skipped` (the Skip button), or nothing where the annotator never saw the post. The same table gives the
same file, byte for byte.
"""

import csv
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
POSTS = FOLDER / "posts.jsonl"
CHOICES = FOLDER / "annotator_choices.csv"
TASKS = FOLDER / "example_tasks.json"
EXPORT = FOLDER / "example_annotations.json"
PROJECT = 1
ANNOTATORS = (1, 2)
SKIPPED = "skipped"
SEED = 1
IMPORTED_AT = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
# The alphabet of the ids that Label Studio's page gives to results.
_LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))


def make_export(
    posts: dict[str, str], choices: list[dict[str, str]], seed: int = SEED
) -> list[dict[str, Any]]:
    """The tasks of an export as Label Studio 1.23 writes them.

    Args:
        posts: id → text.
        choices: one row per task: `id`, `annotator_1`, `annotator_2`.
        seed: of lead times and of the ids that Label Studio draws at random.
    """
    rng = np.random.default_rng(seed)
    clock = _clock(rng)
    numbers = count(1)
    return [
        _task(number, row, posts[row["id"]], clock, numbers, rng) for number, row in enumerate(choices, 1)
    ]


def make_tasks(export: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was imported before anybody annotated, as `sample_tasks` writes it."""
    return [{"id": task["data"]["ref_id"], "data": task["data"]} for task in export]


def _task(
    number: int,
    row: dict[str, str],
    text: str,
    clock: Iterator[tuple[datetime, float]],
    numbers: Iterator[int],
    rng: np.random.Generator,
) -> dict[str, Any]:
    annotations = [
        _annotation(next(numbers), number, user, chosen, next(clock), rng)
        for user in ANNOTATORS
        if (chosen := row[f"annotator_{user}"])
    ]
    cancelled = sum(annotation["was_cancelled"] for annotation in annotations)
    last = annotations[-1]
    return {
        "id": number,
        "annotations": annotations,
        "drafts": [],
        "predictions": [],
        "data": {
            "ref_id": row["id"],
            "meta_info": {"table_name": "example_data", "task": "example"},
            "txt": text,
        },
        "meta": {},
        "created_at": _stamp(IMPORTED_AT + timedelta(microseconds=137 * number)),
        "updated_at": last["updated_at"],
        "allow_skip": True,
        "inner_id": number,
        "total_annotations": len(annotations) - cancelled,
        "cancelled_annotations": cancelled,
        "total_predictions": 0,
        "comment_count": 0,
        "unresolved_comment_count": 0,
        "last_comment_updated_at": None,
        "project": PROJECT,
        "updated_by": last["completed_by"],
        "comment_authors": [],
    }


def _annotation(
    number: int,
    task: int,
    user: int,
    chosen: str,
    when: tuple[datetime, float],
    rng: np.random.Generator,
) -> dict[str, Any]:
    created, lead_time = when
    result = [] if chosen == SKIPPED else [_result(chosen.split("|"), rng)]
    return {
        "id": number,
        "completed_by": user,
        "result": result,
        "was_cancelled": chosen == SKIPPED,
        "ground_truth": False,
        "created_at": _stamp(created),
        "updated_at": _stamp(created + timedelta(microseconds=41)),
        "draft_created_at": None,
        "lead_time": lead_time,
        "prediction": {},
        "result_count": len(result),
        "unique_id": str(uuid.UUID(bytes=rng.bytes(16), version=4)),
        "import_id": None,
        "last_action": None,
        "bulk_created": False,
        "task": task,
        "project": PROJECT,
        "updated_by": user,
        "parent_prediction": None,
        "parent_annotation": None,
        "last_created_by": None,
    }


def _result(names: list[str], rng: np.random.Generator) -> dict[str, Any]:
    return {
        "value": {"choices": names},
        "id": "".join(rng.choice(_LETTERS, 10)),
        "from_name": "label",
        "to_name": "txt",
        "type": "choices",
        "origin": "manual",
    }


def _clock(rng: np.random.Generator) -> Iterator[tuple[datetime, float]]:
    """When each annotation was saved and how many seconds its annotator took."""
    now = IMPORTED_AT
    while True:
        lead_time = round(float(rng.gamma(4.0, 2.0)) + 1.5, 3)
        now += timedelta(seconds=lead_time + 0.8, microseconds=int(rng.integers(1_000_000)))
        yield now, lead_time


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def main() -> None:
    """Write both files beside this script."""
    posts = [json.loads(line) for line in POSTS.read_text(encoding="utf-8").splitlines()]
    texts = {post["id"]: post["txt"] for post in posts}
    with CHOICES.open(encoding="utf-8", newline="") as file:
        export = make_export(texts, list(csv.DictReader(file)))
    for path, content in ((TASKS, make_tasks(export)), (EXPORT, export)):
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
