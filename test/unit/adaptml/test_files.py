"""Who may read what is written, and files that take their places together."""

import os
from pathlib import Path

import pytest

from adaptml.errors import FileError
from adaptml.files import PRIVATE, finish_replacing, new_folder, replacing_together, write_text


@pytest.mark.parametrize(
    ("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0o002, 0o664, 0o775)]
)
def test_who_may_read_what_is_written_is_what_the_umask_says(
    tmp_path: Path, umask: int, file: int, folder: int
) -> None:
    before = os.umask(umask)
    try:
        text = write_text("x", tmp_path / "made" / "f.txt")
        secret = write_text("x", tmp_path / "made" / "s.txt", mode=PRIVATE)
        made = new_folder(tmp_path, ".made-")
        with replacing_together(tmp_path / "set") as new:
            (new / "a.txt").write_text("a")
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (text, tmp_path / "set" / "a.txt", made, secret)]
    assert modes == [file, file, folder, 0o600]


def test_files_take_their_places_together(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for name in ("a", "gone", "other"):
        write_text("old", folder / name)
    with pytest.raises(RuntimeError), replacing_together(folder, gone=["gone"]) as new:
        (new / "a").write_text("new")
        raise RuntimeError
    assert {path.name: path.read_text() for path in folder.iterdir()} == dict.fromkeys(
        ["a", "gone", "other"], "old"
    )
    with replacing_together(folder, gone=["gone", "never there"]) as new:
        (new / "a").write_text("new")
        (new / "b").write_text("new")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "a": "new",
        "b": "new",
        "other": "old",
    }


def test_a_place_that_is_taken_by_a_folder_is_told_before_any_file_changes(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_text("old", folder / "a")
    (folder / "b").mkdir()
    with pytest.raises(FileError, match=r"b is a folder; expected a file"), replacing_together(folder) as new:
        (new / "a").write_text("new")
        (new / "b").write_text("new")
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]
    assert (folder / "a").read_text() == "old"


def test_what_a_killed_process_left_ready_takes_its_place_first(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_text("old", folder / "gone")
    write_text("new", folder / ".complete" / "a")
    write_text('["gone"]', folder / ".complete" / ".gone.json")
    finish_replacing(folder)
    finish_replacing(folder)  # nothing to do
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "new"}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    write_text("", tmp_path / "file")
    with (
        pytest.raises(FileError, match=r"file/set cannot be written: Not a directory; free space, or see"),
        replacing_together(tmp_path / "file" / "set"),
    ):
        pytest.fail("the block must not be entered")


def test_what_a_killed_process_was_writing_is_cleared_by_the_next_set(tmp_path: Path) -> None:
    place = tmp_path / "set"
    killed, young = place / ".unfinished-00000000", place / ".unfinished-00000001"
    for folder in (killed, young):
        folder.mkdir(parents=True)
        (folder / "half").write_text("half")
    os.utime(killed, (0, 0))
    with replacing_together(place) as new:
        write_text("whole", new / "a")
    assert sorted(path.name for path in place.iterdir()) == [young.name, "a"]
