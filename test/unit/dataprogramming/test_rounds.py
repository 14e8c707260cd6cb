"""The kept sample, and how rules came along on it."""

from dataclasses import replace

import pytest

from adaptml.errors import FileError, FrameError
from adaptml.project import Project
from dataprogramming.kept_sample import draw_kept_sample, kept_sample, sample_of_now
from dataprogramming.lfs_report import look
from dataprogramming.rounds import MOST_ROUNDS, Round, keep_round, round_of, rounds


def test_a_sample_is_drawn_once_and_kept(pets: Project) -> None:
    assert kept_sample(pets, "pets", "posts") is None
    drawn = draw_kept_sample(pets, "pets", "posts", n=4)
    found = kept_sample(pets, "pets", "posts")
    assert found is not None
    assert found.keys.equals(drawn.keys)
    assert (len(found.keys), found.n_points, found.digest) == (4, 6, drawn.digest)
    assert draw_kept_sample(pets, "pets", "posts", n=4).digest == drawn.digest
    assert draw_kept_sample(pets, "pets", "posts", n=9).keys["id"].tolist() == list("123456")


def test_a_sample_follows_its_table(pets: Project) -> None:
    first = sample_of_now(pets, "pets", "posts")
    assert first is not None
    assert len(first.keys) == 6
    with pets.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM posts WHERE id = '6'")
    again = sample_of_now(pets, "pets", "posts")
    assert again is not None
    assert again.keys["id"].tolist() == list("12345")
    draw_kept_sample(pets, "pets", "posts", n=3)
    kept = sample_of_now(pets, "pets", "posts")
    assert kept is not None
    assert len(kept.keys) == 3


def test_a_large_table_is_not_drawn_from_unasked(pets: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataprogramming.kept_sample.DRAWN_AT_ONCE", 5)
    assert sample_of_now(pets, "pets", "posts") is None
    draw_kept_sample(pets, "pets", "posts", n=3)
    kept = sample_of_now(pets, "pets", "posts")
    assert kept is not None
    assert len(kept.keys) == 3


def test_a_damaged_sample_counts_as_none(pets: Project) -> None:
    draw_kept_sample(pets, "pets", "posts")
    (pets.settings.workbench("pets") / "sample-posts.json").write_text("{")
    assert kept_sample(pets, "pets", "posts") is None


def test_an_empty_table_has_no_sample(pets: Project) -> None:
    pets.database.create_table("more", dict(pets.database.columns("posts")), ["id"])
    with pytest.raises(FrameError, match="more holds no data point"):
        draw_kept_sample(pets, "pets", "more")


def test_a_round_is_what_a_look_says(pets: Project) -> None:
    made = round_of(look(pets, "pets", "posts"), "s", "Ada")
    assert made.rules == {"cats": (3, 2, 2, 0), "dogs": (3, 1, 1, 2), "long": (2, 2, 0, 2)}
    assert (made.n, made.uncovered, made.disagreements, made.n_gold, made.who) == (6, 1, 2, 4, "Ada")
    without = round_of(look(pets, "pets", "posts", gold=None), "s", "Ada")
    assert without.rules["cats"] == (3, 2, -1, -1)


def a_round(votes: int) -> Round:
    return Round(f"2026-01-01T00:00:{votes:02d}+00:00", "Ada", "s", 9, 1, 0, 0, {"cats": (votes, 0, -1, -1)})


def test_rounds_that_say_the_same_are_one(pets: Project) -> None:
    for votes in (1, 1, 2):
        keep_round(pets, "pets", "posts", a_round(votes))
    assert rounds(pets, "pets", "posts") == [a_round(1), a_round(2)]
    assert keep_round(pets, "pets", "posts", replace(a_round(2), who="Bo")) == [a_round(1), a_round(2)]
    assert rounds(pets, "pets", "others") == []


def test_old_rounds_are_dropped(pets: Project) -> None:
    for votes in range(MOST_ROUNDS + 2):
        keep_round(pets, "pets", "posts", a_round(votes))
    assert [one.rules["cats"][0] for one in rounds(pets, "pets", "posts")] == list(range(2, MOST_ROUNDS + 2))


def test_damaged_rounds_are_told(pets: Project) -> None:
    keep_round(pets, "pets", "posts", a_round(1))
    (pets.settings.workbench("pets") / "rounds-posts.jsonl").write_text("{")
    with pytest.raises(FileError, match=r"rounds-posts\.jsonl cannot be read"):
        rounds(pets, "pets", "posts")
