"""Who gets which points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.project import Project
from labelstudio.people import distribute

PEOPLE = ["a", "b", "c"]
IDS = st.lists(st.text(min_size=1, max_size=3), unique=True, max_size=60)


@given(IDS, st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_a_share_goes_to_all_and_the_rest_is_split_evenly(ids: list[str], overlap: float) -> None:
    found = distribute(ids, "t", PEOPLE, overlap, {})
    shared = set.intersection(*(set(keys) for keys in found.values()))
    assert len(shared) == round(overlap * len(ids))
    assert sorted(key for keys in found.values() for key in set(keys) - shared) == sorted(set(ids) - shared)
    loads = [len(keys) for keys in found.values()]
    assert max(loads) - min(loads) <= 1
    for keys in found.values():
        assert keys == [key for key in ids if key in keys]  # in the order of the sample


@given(IDS, st.data())
def test_what_was_cut_short_goes_on_where_it_stopped(ids: list[str], data: st.DataObject) -> None:
    whole = distribute(ids, "t", PEOPLE, 0.3, {})
    # Any first part of what each person was sent has arrived.
    arrived = {person: keys[: data.draw(st.integers(0, len(keys)))] for person, keys in whole.items()}
    there = {key: {person for person in PEOPLE if key in arrived[person]} for key in ids}
    again = distribute(ids, "t", PEOPLE, 0.3, there)
    for person in PEOPLE:
        assert set(arrived[person]) <= set(again[person])
    shared = set.intersection(*(set(keys) for keys in again.values()))
    assert len(shared) == round(0.3 * len(ids))
    assert sorted(key for keys in again.values() for key in set(keys) - shared) == sorted(set(ids) - shared)


def test_another_order_is_the_same_split() -> None:
    ids = [str(number) for number in range(20)]
    one, other = distribute(ids, "t", PEOPLE, 0.2, {}), distribute(ids[::-1], "t", PEOPLE, 0.2, {})
    assert {person: set(keys) for person, keys in one.items()} == {p: set(keys) for p, keys in other.items()}
    assert one != distribute(ids, "u", PEOPLE, 0.2, {})


def test_who_has_left_keeps_their_points() -> None:
    found = distribute(["1", "2", "3"], "t", ["a", "b"], 0.0, {"1": {"z"}, "2": {"a"}})
    assert "1" not in found["a"] + found["b"]
    assert found == {"a": ["2"], "b": ["3"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--overlap 0.2", "--overlap goes with --annotators ADDRESS,ADDRESS"),
        ("--annotators 2 --overlap 0.2", "--overlap goes with --annotators ADDRESS,ADDRESS"),
        ("--annotators 0", "--annotators is below 1; expected how many people see each point"),
    ],
)
def test_options_that_do_not_go_together(words: str, message: str, project: Project) -> None:
    done = CliRunner().invoke(app, ["annotate", "setup", "zoo", *words.split()], prog_name="adaptml")
    assert done.exit_code == 2
    assert message in done.output
    assert not project.settings.home.exists()
