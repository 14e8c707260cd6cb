"""Importing a file through the page, without a browser."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from adaptml.project import Project
from portal.jobs import JobStore
from portal.new_task.uploads import KEPT_S, plain_name


@pytest.fixture
def project(clean_room: Path) -> Iterator[Project]:
    """An empty project, which is made sooner than the example."""
    with Project(clean_room) as made:
        yield made


POSTS = b"id,txt,likes\na,good morning,3\nb,<script>alert(1)</script>,\n"


def uploads(project: Project) -> list[Path]:
    return sorted(path for path in (project.settings.home / "uploads").rglob("*") if path.is_file())


def sent(client: TestClient, content: bytes = POSTS, name: str = "posts.csv") -> Any:
    return client.post("/import/upload", params={"name": name}, content=content)


def test_a_file_is_uploaded_looked_at_and_imported_by_a_job(client: TestClient, project: Project) -> None:
    assert ".csv" in client.get("/import").text
    address = sent(client).json()["address"]
    page = client.get(address).text
    assert "CSV, UTF-8, comma" in page
    assert "2 rows" in page
    assert "good morning" in page
    assert "<script>alert" not in page
    file = address.partition("=")[2]
    choices = {"file": file, "table": "mail", "ids": "", "column": ["txt", "likes"], "type": ["", "text"]}
    answer = client.post("/import", data=choices)
    assert answer.status_code == 303
    job = JobStore(project.settings.home).get(int(answer.headers["location"].rpartition("/")[2]))
    (path,) = uploads(project)
    assert (path.name, path.read_bytes()) == ("posts.csv", POSTS)
    assert list(job.argv) == [
        "import",
        "--on-duplicate=refuse",
        "--types=likes=text",
        "--",
        str(path),
        "mail",
    ]


def test_what_is_wrong_is_said_before_anything_is_written(client: TestClient, project: Project) -> None:
    address = sent(client, b"id,txt\na,one\na,two\n").json()["address"]
    page = client.get(address).text
    assert "disabled>Import" in page
    assert 'role="alert"' in page
    numbered = client.get(f"{address}&ids=%23&table=posts").text
    assert "disabled>Import" not in numbered
    assert "Ids: the row’s number" in numbered or "Ids: the row&#39;s number" in numbered
    assert "posts" not in project.database.tables()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../etc/cron.csv", "cron.csv"),
        ("C:\\temp\\my list.csv", "my_list.csv"),
        ("отзывы.csv", "отзывы.csv"),
    ],
)
def test_a_name_is_never_a_path(client: TestClient, project: Project, name: str, kept: str) -> None:
    assert sent(client, name=name).status_code == 200
    (path,) = uploads(project)
    assert path.name == kept
    assert path.parent.parent == project.settings.home / "uploads"


@pytest.mark.parametrize("name", ["model.pkl", "run.sh", "posts", "", "..", "posts.csv/", "x.html"])
def test_a_file_of_another_kind_is_refused(client: TestClient, project: Project, name: str) -> None:
    answer = sent(client, name=name)
    assert answer.status_code == 422
    assert "convert or rename it" in answer.json()["error"]
    assert uploads(project) == []


def test_a_file_that_is_too_large_leaves_nothing(client: TestClient, project: Project) -> None:
    object.__setattr__(project, "settings", project.settings.model_copy(update={"upload_limit_mb": 1}))
    answer = sent(client, b"id\n" + b"a" * 1_000_000)
    assert answer.status_code == 413
    assert "larger than 1 MB" in answer.json()["error"]
    assert uploads(project) == []


def test_only_a_number_of_an_upload_leads_to_a_file(client: TestClient) -> None:
    for file in ("../spam", "0" * 32, "x", "..%2f..", "/etc/passwd", "a\0b"):
        answer = client.get("/import", params={"file": file})
        assert answer.status_code == 400
        assert "no longer here" in answer.text
        assert client.post("/import", data={"file": file, "table": "x"}).status_code == 400


def test_uploads_of_more_than_a_week_ago_are_removed(client: TestClient, project: Project) -> None:
    sent(client)
    (path,) = uploads(project)
    old = path.stat().st_mtime - KEPT_S - 60
    os.utime(path.parent, (old, old))
    sent(client, name="more.csv")
    assert [one.name for one in uploads(project)] == ["more.csv"]


def test_a_table_and_a_type_that_look_like_options_stay_values(client: TestClient, project: Project) -> None:
    file = sent(client).json()["address"].partition("=")[2]
    choices = {
        "file": file,
        "table": "--stack",
        "ids": "--x",
        "on_duplicate": "--y",
        "column": ["a"],
        "type": ["--z"],
    }
    answer = client.post("/import", data=choices)
    job = JobStore(project.settings.home).get(int(answer.headers["location"].rpartition("/")[2]))
    (path,) = uploads(project)
    assert list(job.argv) == ["import", "--id=--x", "--on-duplicate=refuse", "--", str(path), "--stack"]


def test_plain_names() -> None:
    for letter in "aé字":
        long = plain_name(letter * 200 + ".csv")
        assert long == letter * 56 + ".csv"
    assert plain_name("???.csv") == "file.csv"
    assert plain_name("a\0b.csv") == "a_b.csv"
