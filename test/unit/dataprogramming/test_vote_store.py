"""The files of kept votes: what is put in comes out, whatever happened to the files in between."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import FileError
from dataprogramming import vote_store
from dataprogramming.vote_store import UNKNOWN, VoteStore, evict, is_of_another_format, stored_bytes

A, B = "a" * 32, "b" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "votes"


def hashes(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.uint64)


def votes(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int8)


def looked_up(folder: Path, digests: list[str | None], *numbers: int) -> list[list[int]]:
    store = VoteStore(folder)
    return store.votes(digests, store.places(hashes(*numbers))).tolist()


def test_rows_are_found_in_any_order_and_others_are_not(folder: Path) -> None:
    assert VoteStore(folder / "none").places(hashes(1, 2)).tolist() == [-1, -1]
    VoteStore(folder).add(hashes(30, 10, 20), {A: votes(0, -1, 1), B: votes(1, UNKNOWN, -1)})
    assert len(VoteStore(folder)) == 3
    expected = [[1, -1, UNKNOWN], [0, 1, UNKNOWN], [UNKNOWN] * 3, [-1, UNKNOWN, UNKNOWN]]
    assert looked_up(folder, [A, B, None], 20, 30, 99, 10) == expected


@given(st.permutations(range(12)), st.lists(st.integers(0, 15), max_size=20), st.integers(1, 12))
def test_rows_are_found_in_runs_and_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, kept: list[int], asked: list[int], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("votes")
    VoteStore(folder).add(hashes(*kept[:cut]), {A: votes(*kept[:cut])})
    VoteStore(folder).add(hashes(*kept[cut:]), {A: votes(*kept[cut:])})
    store = VoteStore(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vote_store, "RUN_ROWS", 2)
        for rows in (kept, asked, kept[3:], [*kept[5:], 15, *kept[:5]]):
            found = store.votes([A], store.places(hashes(*rows)))[:, 0].tolist()
            assert found == [row if row < 12 else UNKNOWN for row in rows]


@pytest.mark.parametrize("run_rows", [1000, 2])
def test_places_where_rows_have_changed_moved_or_gone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, run_rows: int
) -> None:
    monkeypatch.setattr(vote_store, "RUN_ROWS", run_rows)
    VoteStore(folder).add(hashes(*range(10, 22)), {A: votes(*range(12))})
    VoteStore(folder).add(hashes(*range(22, 30)), {A: votes(*range(12, 20))})
    store = VoteStore(folder)
    first = store.places(hashes(10))[0]  # segments have their order by their names
    kept = [*range(10, 30)] if first == 0 else [*range(22, 30), *range(10, 22)]

    def places(*numbers: int) -> list[int]:
        return VoteStore(folder).places(hashes(*numbers)).tolist()

    assert places(*kept) == [*range(20)]
    assert places(*kept[:5], 99, *kept[6:]) == [*range(5), -1, *range(6, 20)]  # changed, in its place
    assert places(*kept[:5], kept[19], *kept[6:]) == [*range(5), 19, *range(6, 20)]  # as another one is
    assert places(*kept[:5], *kept[6:]) == [*range(5), *range(6, 20)]  # gone
    assert places(*kept[:5], 99, *kept[5:]) == [*range(5), -1, *range(5, 20)]  # one more
    assert places(99, *kept[1:]) == [-1, *range(1, 20)]
    assert places(*kept[3:6], 98, 99) == [3, 4, 5, -1, -1]


def test_a_row_that_comes_twice_is_kept_once(folder: Path) -> None:
    VoteStore(folder).add(hashes(5, 4, 5), {A: votes(1, 0, 1)})
    assert len(VoteStore(folder)) == 2
    assert looked_up(folder, [A], 4, 5) == [[0], [1]]


def test_a_vote_that_is_not_known_forgets_nothing(folder: Path) -> None:
    VoteStore(folder).add(hashes(1, 2, 3), {A: votes(0, 1, UNKNOWN)})
    store = VoteStore(folder)
    store.put(A, store.places(hashes(2, 3)), votes(UNKNOWN, 0))
    store.put(B, store.places(hashes(3)), votes(1))
    assert looked_up(folder, [A, B], 1, 2, 3) == [[0, UNKNOWN], [1, UNKNOWN], [0, 1]]


@pytest.mark.parametrize("damage", ["cut", "other bytes", "another array", "a text"])
def test_a_damaged_file_is_as_if_it_were_not_there(folder: Path, damage: str) -> None:
    VoteStore(folder).add(hashes(1, 2), {A: votes(0, 1), B: votes(1, 1)})
    (path,) = folder.glob(f"*/{A}.npz")
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "other bytes":
        place = content.index(bytes([0, 1]), 150)  # the votes themselves
        path.write_bytes(content[:place] + bytes([1, 1]) + content[place + 2 :])
    elif damage == "another array":
        np.savez(path, votes(0, 1, 1))
    else:
        path.write_text("votes")
    assert looked_up(folder, [A, B], 1, 2) == [[UNKNOWN, 1], [UNKNOWN, 1]]
    (path.parent / "rows.npz").write_bytes(b"")
    assert len(VoteStore(folder)) == 0


def test_small_segments_are_merged_and_say_the_same(folder: Path) -> None:
    for number in range(vote_store.SMALL_SEGMENTS):
        VoteStore(folder).add(
            hashes(number), {A: votes(number % 2), **({B: votes(0)} if number == 3 else {})}
        )
    rows = range(vote_store.SMALL_SEGMENTS)
    before = looked_up(folder, [A, B], *rows)
    assert before[3] == [1, 0]
    VoteStore(folder).tidy()
    assert len(VoteStore(folder).segments) == 1
    assert looked_up(folder, [A, B], *rows) == before


def test_rows_that_are_gone_are_dropped_once_they_are_most_of_a_segment(folder: Path) -> None:
    VoteStore(folder).add(hashes(1, 2, 3), {A: votes(0, 1, 1)})
    VoteStore(folder).add(hashes(7), {A: votes(0)})
    store = VoteStore(folder)
    used = np.zeros(4, dtype=bool)
    used[store.places(hashes(1, 3, 7))] = True
    store.tidy(used)
    assert len(VoteStore(folder)) == 4  # one of three is gone: not worth it
    used[store.places(hashes(1, 7))] = False
    VoteStore(folder).tidy(used)
    assert len(VoteStore(folder)) == 1
    assert looked_up(folder, [A], 3, 7) == [[1], [UNKNOWN]]


def test_what_was_not_used_for_longest_goes_first(folder: Path) -> None:
    rows = np.arange(50_000, dtype=np.uint64)
    noise = np.random.default_rng(0).integers(0, 2, (3, len(rows)), dtype=np.int8)
    VoteStore(folder).add(rows, {A: noise[0], B: noise[1], "c" * 32: noise[2]})
    for age, path in enumerate(sorted(folder.glob("*/*.npz"))):  # a, b, c, rows: a is the newest
        os.utime(path, (time.time() - age * 1000,) * 2)
    size = stored_bytes(folder)
    evict(folder, size)
    assert stored_bytes(folder) == size
    evict(folder, size - 60_000)
    assert {path.stem[0] for path in folder.glob("*/*.npz")} == {"a", "r"}
    evict(folder, 0)
    assert not list(folder.glob("*/*"))


def test_what_a_killed_process_left_is_removed_when_it_is_old(folder: Path) -> None:
    for name, age in ((".unfinished-old", 2 * vote_store.STALE_S), (".unfinished-new", 0.0)):
        (folder / name).mkdir(parents=True)
        (folder / name / "rows.npz").write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)
    assert len(VoteStore(folder)) == 0
    VoteStore(folder).tidy()
    assert [path.name for path in folder.iterdir()] == [".unfinished-new"]


def test_a_segment_that_another_process_has_merged_meanwhile(folder: Path) -> None:
    VoteStore(folder).add(hashes(1), {A: votes(1)})
    store = VoteStore(folder)
    shutil.rmtree(folder / store.segments[0])
    assert store.votes([A], store.places(hashes(1))).tolist() == [[UNKNOWN]]
    store.put(A, store.places(hashes(1)), votes(1))
    assert len(VoteStore(folder)) == 0


def test_the_same_rows_twice_at_once_are_one_segment(folder: Path) -> None:
    first, second = VoteStore(folder), VoteStore(folder)
    first.add(hashes(1, 2), {A: votes(0, 1)})
    second.add(hashes(1, 2), {A: votes(0, 1)})
    assert len(VoteStore(folder)) == 2
    assert not list(folder.glob(".unfinished*"))


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(FileError, match=r"^votes cannot be kept in .*posts: Not a directory$"):
        VoteStore(folder / "posts").add(hashes(1), {A: votes(1)})


def test_another_format_is_told(folder: Path) -> None:
    assert not is_of_another_format(folder)
    VoteStore(folder).add(hashes(1), {A: votes(1)})
    assert not is_of_another_format(folder)
    (folder / "format").write_text("2")
    assert is_of_another_format(folder)


@given(
    st.lists(st.dictionaries(st.integers(0, 20), st.sampled_from([-1, 0, 1]), min_size=1), max_size=8),
    st.booleans(),
)
def test_what_was_kept_last_is_found(
    tmp_path_factory: pytest.TempPathFactory, looks: list[dict[int, int]], tidy: bool
) -> None:
    folder = tmp_path_factory.mktemp("store")
    known: dict[int, int] = {}
    for look in looks:
        store = VoteStore(folder)
        rows, cast = hashes(*look), votes(*look.values())
        places = store.places(rows)
        new = places < 0
        if new.any():
            store.add(rows[new], {A: cast[new]})
        store.put(A, places[~new], cast[~new])
        if tidy:
            VoteStore(folder).tidy()
        known |= look
    assert looked_up(folder, [A], *known) == [[vote] for vote in known.values()]
