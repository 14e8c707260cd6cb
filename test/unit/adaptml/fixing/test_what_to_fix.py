"""What a run says should be fixed, and what somebody has settled since."""

from collections.abc import Iterator

import pandas as pd
import pytest
from kept_to_fix import FOUND, keep_to_fix

from adaptml import example_project
from adaptml.errors import TrackingError
from adaptml.project import Project


@pytest.fixture
def example() -> Iterator[Project]:
    with example_project() as project:
        yield project


def test_what_a_run_keeps_until_somebody_settles_it(example: Project) -> None:
    run = keep_to_fix(example)
    assert example.what_to_fix("spam", run) == FOUND
    assert FOUND.frame()["id"].tolist() == ["s6", "h1"]
    path = example.settings.root / "settled.csv"
    pd.DataFrame({"table_name": "comments", "id": ["s6"], "label": ["spam"]}).to_csv(path, index=False)
    example.gold("spam", path, who="Ana")  # confirmed: there is nothing to look at any more
    left = example.what_to_fix("spam", run)
    assert [one.id for one in left.suspects] == ["h1"]
    assert left.n_suspects == {"gold": 0, "training": 1}
    assert repr(left).splitlines()[1] == "0 of 12 gold labels look wrong"


def test_of_a_run_that_kept_nothing_it_is_worked_out(example: Project) -> None:
    labelled = example.label("spam", "comments", gold="task", label_model="majority_vote")
    found = example.what_to_fix("spam", labelled.run_id)
    assert (found.n_gold, found.n_training, found.duplicates) == (12, 0, None)


def test_runs_that_cannot_say_it(example: Project) -> None:
    labelled = example.label("spam", "comments", label_model="majority_vote")
    with pytest.raises(
        TrackingError, match="was compared with no gold, so nothing says which labels look wrong; name"
    ):
        example.what_to_fix("spam", labelled.run_id)
    with pytest.raises(
        TrackingError, match=r"^what_to_fix.json of run .* is not what `train` writes: .*; train again$"
    ):
        example.what_to_fix("spam", keep_to_fix(example, text='{"n_gold": 1}'))
