"""The benchmark of changed rules and rows runs, and compares every label matrix."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adaptml.database import Database
from adaptml.features.ranges import RangedTable
from benchmarks import incremental
from benchmarks.form import read_report
from benchmarks.measuring import Cost
from dataprogramming import kept_votes


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the benchmark puts in place of others goes with the test."""
    for place, name in ((RangedTable, "digests"), (RangedTable, "read"), (kept_votes, "row_hashes")):
        monkeypatch.setattr(place, name, getattr(place, name))
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_says_what_a_changed_rule_and_changed_rows_cost(tmp_path: Path) -> None:
    incremental.main(1_000, 3, 0, None, tmp_path / "found.json")
    anew, rule, rows, few, nothing = read_report(tmp_path / "found.json").lines
    assert [anew.what, rule.what] == ["3 rules anew", "1 of 3 rules changed"]
    assert [few.what, nothing.what] == ["10 changed rows, with reading", "nothing changed, with reading"]
    assert all(line.theirs is not None for line in (anew, rule, rows, few, nothing))
    assert few.theirs is not None
    assert few.note == f"{few.ours.seconds / few.theirs.seconds:.2f} times a bare scan"
    assert (
        "2,970 kept from before, 3,030 computed" in rows.note
    )  # 990 old rows of 3 rules; 1,010 new or changed ones


def test_a_vote_that_differs_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = incremental.bare

    def other(database: Database, *given: Any) -> tuple[object, Cost]:
        expected, cost = bare(database, *given)
        return -expected, cost

    monkeypatch.setattr(incremental, "bare", other)
    with pytest.raises(SystemExit, match="the label matrices differ"):
        incremental.main(1_000, 3, 0, None, None)
