"""What the draw of gold points allows one to say about the table."""

from typing import Any

import pandas as pd
import pytest

from adaptml.project import Project
from labelstudio.annotator_agreement import annotator_agreement
from labelstudio.export import parse_export
from labelstudio.process_annotations import process_annotations, summary
from labelstudio.sampling_record import balance_lines, sample_warning, sampling_record


def sample(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [("posts", *row) for row in rows], columns=["table_name", "id", "sampling", "inclusion_prob"]
    )


GOLD = pd.DataFrame({"table_name": "posts", "id": ["1", "2", "3"], "gold_label": [["cat"], ["cat"], []]})


def test_the_draw_travels_with_the_task(exported: Any, annotation: Any) -> None:
    task = exported("07", annotation(3, "cat"))
    task["data"]["meta_info"] |= {"sampling": "random n=2 seed=0", "inclusion_prob": 0.5}
    found = sampling_record(parse_export([task, exported("08", annotation(3, "cat"))], "here"))
    assert found.to_dict("records") == [
        {"table_name": "posts", "id": "07", "sampling": "random n=2 seed=0", "inclusion_prob": 0.5}
    ]


def test_nothing_on_record() -> None:
    assert balance_lines(GOLD, sample()) == []
    assert sample_warning(sample()) == ""


def test_a_random_sample_speaks_for_the_table() -> None:
    found = sample(
        ("1", "random n=3 seed=0", 0.1), ("2", "random n=3 seed=0", 0.1), ("3", "random n=9 seed=0", 0.3)
    )
    assert balance_lines(GOLD, found) == ["shares among gold points: cat 0.667, none 0.333"]


def test_a_mixture_with_a_random_part_is_weighted_back() -> None:
    # 1 and 2 stand for one row each, 3 for eight: 2 / 10 are cats.
    name = "uncertain:0.67,random:0.33 n=3 seed=0"
    lines = balance_lines(GOLD, sample(("1", name, 1.0), ("2", name, 1.0), ("3", name, 0.125)))
    assert lines[:2] == [
        "shares among gold points: cat 0.667, none 0.333",
        "shares in the table, weighted back: cat 0.200, none 0.800",
    ]
    assert lines[2] == (
        f"warning: these points are not a simple random sample of the table (drawn as {name}): agreement and class "
        "shares hold for them, not for the table"
    )


@pytest.mark.parametrize(
    "names", [["diverse n=3 seed=0"] * 3, ["random n=2 seed=0"] * 2 + ["uncertain n=1 seed=0"]]
)
def test_what_cannot_be_weighted_back(names: list[str]) -> None:
    found = sample(*((str(i + 1), name, 0.5) for i, name in enumerate(names)))
    assert balance_lines(GOLD, found)[-1].endswith("; they cannot be weighted back")


def test_what_was_drawn_at_random_holds_for_the_table_beside_other_draws() -> None:
    found = sample(
        ("1", "random n=1 seed=0", 0.1), ("2", "diverse n=2 seed=0", 0.1), ("3", "diverse n=2 seed=0", 0.1)
    )
    assert balance_lines(GOLD, found)[1] == (
        "shares among the 1 drawn at random, which hold for the table: cat 1.000"
    )


def test_agreement_on_points_that_are_no_random_sample_says_so(
    make_task: Any, exported: Any, annotation: Any, write_export: Any, project: Project
) -> None:
    tasks = [
        exported(f"{i:02d}", annotation(3, "cat"), annotation(4, "cat" if i else "dog")) for i in range(4)
    ]
    for task in tasks:
        task["data"]["meta_info"] |= {"sampling": "uncertain n=4 seed=0", "inclusion_prob": 1.0}
    done = process_annotations(project, make_task(), write_export(tasks), "drop")
    assert annotator_agreement(project, make_task()).sample_warning.startswith(
        "these points are not a simple random sample"
    )
    assert "\nWarning: these points are not a simple" in (done.folder / "agreement.txt").read_text()
    assert any(line.startswith("warning: these points") for line in summary(done))
