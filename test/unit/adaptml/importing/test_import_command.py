"""`adaptml import` and `adaptml tables`, as they are typed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from adaptml.cli.app import app

POSTS = "tweet_id,text,likes,user.name\n57,Good morning to all of you,3,Ann\n58,No,,Bob\n"


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, words, prog_name="adaptml")
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def posts(clean_room: Path) -> str:
    (clean_room / "posts.csv").write_text(POSTS)
    return "posts.csv"


def test_what_was_found_out_is_shown_and_the_next_command_named(posts: str) -> None:
    code, out, _ = run("import", posts, "posts", "--id", "tweet_id")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["posts.csv:", "CSV,", "UTF-8,", "comma"],
        ["column", "type", "missing", "first", "value"],
        ["id", "text", "0", "57", "(from", "column", "tweet_id)"],
        ["text", "text", "0", "Good", "morning", "to", "all", "of", "you"],
        ["likes", "integer", "1", "3"],
        ["user_name", "text", "0", "Ann", "(from", "'user.name')"],
        ["posts:", "2", "rows", "read:", "2", "new"],
        ["Next:", "`adaptml", "task", "new", "TASK", "--classes", "A,B", "--text", "text`"],
    ]
    code, out, _ = run("tables")
    assert out.splitlines()[1].split()[:8] == [
        "posts",
        "2",
        "text",
        "yes",
        "text",
        "(text),",
        "likes",
        "(number),",
    ]


def test_the_next_command_is_the_check_of_a_task_that_reads_such_a_table(posts: str) -> None:
    assert run("task", "new", "topic", "--text", "text")[0] == 0
    out = run("import", posts, "posts", "--id", "tweet_id")[1]
    assert "Next: `adaptml task check topic --data posts`" in out


def test_types_are_typed_by_column(posts: str) -> None:
    out = run("import", posts, "posts", "--id", "tweet_id", "--types", "likes=text")[1]
    assert [line.split()[:2] for line in out.splitlines()][4] == ["likes", "text"]


def test_no_tables_yet() -> None:
    assert run("tables")[1] == "no tables yet; make one: `adaptml import FILE TABLE`\n"


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        (["posts.csv"], ["no table's name after 'posts.csv'", "adaptml import posts.csv posts"]),
        (["none.csv", "posts"], ["no file", "none.csv"]),
        (["posts.csv", "posts", "--types", "likes"], ["'likes' names no type", "COLUMN=TYPE"]),
        (["posts.csv", "posts", "--id", "key"], ["no column 'key'"]),
    ],
)
def test_what_cannot_be_done_is_one_line(posts: str, words: list[str], facts: list[str]) -> None:
    code, out, err = run("import", *words)
    last = err.splitlines()[-1]
    assert (code, out) == (1, "")
    assert last.startswith("error: ")
    assert [fact for fact in facts if fact not in last] == []


def test_in_a_container_a_file_of_the_host_is_imported_from_there(
    posts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK_SERVICE", "dp-mlflow")
    code, out, err = run("import", "mine.csv", "posts")
    assert (code, out) == (1, "")
    facts = ("`adaptml import mine.csv posts`", "the container dp-mlflow", "on the host")
    assert [fact for fact in facts if fact not in err] == []
    assert run("import", posts, "posts", "--id", "tweet_id")[0] == 0  # what the host copied in is there


def test_after_a_folder_of_pictures_comes_a_task_about_pictures(clean_room: Path) -> None:
    (clean_room / "photos").mkdir()
    (clean_room / "photos" / "a.jpg").write_bytes(b"picture")
    code, out, _ = run("import", "photos", "photos")
    assert code == 0
    assert "Next: `adaptml task new TASK --classes A,B --image path`" in out


def test_columns_beside_pictures_come_from_a_second_file(clean_room: Path) -> None:
    (clean_room / "photos").mkdir()
    (clean_room / "photos" / "a.jpg").write_bytes(b"picture")
    (clean_room / "sites.csv").write_text("id,habitat\na.jpg,wood\n")
    code, _, err = run("import", "photos", "sites.csv", "photos")
    assert code == 1
    assert "import one after the other, which adds columns to the same ids" in err
    assert run("import", "photos", "photos")[0] == 0
    code, out, _ = run("import", "sites.csv", "photos")
    assert code == 0
    assert "photos: 1 row read: 0 new, 1 changed" in out
    assert "Next: `adaptml task new TASK --classes A,B --image path`" in out
