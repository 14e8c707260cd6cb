"""Votes on ranges of a table, each of which another process can cast, are those on the whole table."""

import pickle

import pandas as pd
import pytest

from adaptml.database import Range
from adaptml.database.splitting import split
from adaptml.project import Project
from dataprogramming.apply import apply_lfs
from dataprogramming.vote_range import RangeVotes, joined, vote_range


@pytest.mark.parametrize("rows", [1, 2, 4, 6, 100])
def test_ranges_together_are_the_table(pets: Project, rows: int) -> None:
    whole = apply_lfs(pets, "pets", "posts", gold=None, fresh=True)
    ranges = split(pets.database, "posts", rows)
    assert len(ranges) == -(-6 // rows)
    parts = [vote_range(pets, "pets", "posts", one, fresh=True) for one in ranges]
    assert [len(part.patterns) for part in parts] == [min(rows, 6 - i * rows) for i in range(len(parts))]
    found: RangeVotes = joined(pickle.loads(pickle.dumps(parts)))
    assert found.patterns.matrix().tolist() == whole.L.tolist()
    pd.testing.assert_frame_equal(found.keys, whole.keys)
    assert (found.reuse.kept, found.reuse.computed) == (0, 18)


def test_votes_of_a_range_are_kept(pets: Project) -> None:
    first, second = split(pets.database, "posts", 3)
    assert (first, second) == (Range(None, "3"), Range("3", None))
    vote_range(pets, "pets", "posts", first)
    votes = apply_lfs(pets, "pets", "posts", gold=None)
    assert votes.reuse is not None
    assert (votes.reuse.kept, votes.reuse.computed) == (9, 9)
