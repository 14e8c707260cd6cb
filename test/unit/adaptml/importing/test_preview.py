from pathlib import Path

import pytest

from adaptml.errors import FrameError
from adaptml.importing.files import check_kind
from adaptml.importing.preview import preview_import
from adaptml.project import Project

POSTS = "id,txt,likes\na,good morning everyone,3\nb,good night,\nc,,5\n"


@pytest.fixture
def posts(clean_room: Path) -> Path:
    path = clean_room / "posts.csv"
    path.write_text(POSTS)
    return path


def test_what_an_import_would_make_is_said_and_nothing_is_written(project: Project, posts: Path) -> None:
    found = preview_import(project, posts, "posts")
    assert (found.rows, found.whole, found.problem, found.exists) == (3, True, "", False)
    assert (found.columns, found.ids, found.example_id) == (("id", "txt", "likes"), "column id", "a")
    assert [(c.name, c.kind, c.missing) for c in found.planned] == [
        ("txt", "text", 1),
        ("likes", "integer", 1),
    ]
    assert found.first_rows == (("good morning everyone", "3"), ("good night", ""), ("", "5"))
    assert (found.longest, found.said) == ("txt", "CSV, UTF-8, comma")
    assert project.database.tables() == []


def test_a_table_that_is_there_gets_what_is_new(project: Project, posts: Path) -> None:
    project.import_table(posts, "posts")
    posts.write_text("id,txt,lang\nd,more,en\n")
    found = preview_import(project, posts, "posts")
    assert (found.exists, found.added, found.problem) == (True, ("lang",), "")
    posts.write_text("id,likes\nd,many\n")
    misfit = preview_import(project, posts, "posts")
    assert "column 'likes' of table 'posts' is integer" in misfit.problem
    assert (misfit.ids, misfit.example_id) == ("column id", "d")


@pytest.mark.parametrize(
    ("options", "table", "said"),
    [
        ({"id": "txt"}, "posts", "no id in column txt"),
        ({"types": {"txt": "number"}}, "posts", "column 'txt' cannot be number"),
        ({}, "bad-name", "name it 'bad_name', say"),
        ({}, "adaptml_x", "the steps' own"),
    ],
)
def test_what_is_wrong_is_said_and_the_rows_are_shown_all_the_same(
    project: Project, posts: Path, options: dict[str, object], table: str, said: str
) -> None:
    found = preview_import(project, posts, table, **options)  # type: ignore[arg-type]
    assert said in found.problem
    assert (found.columns, len(found.first_rows)) == (("id", "txt", "likes"), 3)


def test_of_a_long_file_only_the_first_rows_are_read(project: Project, posts: Path) -> None:
    posts.write_text("id,txt\n" + "".join(f"{n},text\n" for n in range(500)) + "0,again\n")
    found = preview_import(project, posts, most_rows=70)  # more than the first chunk of 64
    assert (found.rows, found.whole, found.problem) == (70, False, "")
    assert preview_import(project, posts, most_rows=500).whole is False
    whole = preview_import(project, posts, most_rows=501)
    assert whole.whole
    assert "duplicated" in whole.problem or "more than one" in whole.problem or "repeated" in whole.problem


def test_a_file_that_is_none_of_rows_is_refused(project: Project, clean_room: Path) -> None:
    (clean_room / "posts.csv").write_bytes(b"")
    with pytest.raises(FrameError):
        preview_import(project, clean_room / "posts.csv")
    check_kind("posts.CSV.gz")
    for name in ("posts.pkl", "posts", "posts.parquet.gz", ".csv"):
        with pytest.raises(FrameError, match="convert or rename it"):
            check_kind(name)
