"""The data page, asked without a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from portal_server import page_of

from adaptml import example_project
from adaptml.project import Project

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000000000500010d0a2db40000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    """The small example; tests that write rows have a table of their own."""
    with example_project() as made:
        yield made


@pytest.fixture(scope="module")
def client(project: Project) -> Iterator[TestClient]:
    """A browser's requests, logged in, to the page of the example."""
    portal = page_of(project)
    with TestClient(portal.app, base_url=portal.url, follow_redirects=False) as made:
        made.headers |= {"sec-fetch-site": "same-origin", "accept": "text/html"}
        made.cookies.set(*portal.cookie())
        yield made


def make(project: Project, table: str, texts: dict[str, str | None]) -> None:
    project.database.create_table(table, {"id": sa.Text(), "txt": sa.Text()})
    frame = pd.DataFrame({"id": list(texts), "txt": list(texts.values())}, dtype=object)
    project.database.upsert(table, frame, ["id"])


def ids(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]*" dir="auto">([^<]*)</a>', text)


def test_a_table_is_browsed_by_key(client: TestClient) -> None:
    assert "comments" in client.get("/data").text
    assert client.get("/tasks/spam/data").headers["location"] == "/data/comments?task=spam"
    page = client.get("/data/comments?task=spam").text
    assert ids(page)[:4] == ["h0", "h1", "h10", "h11"]
    assert "I love this song so much" in page
    behind = client.get("/data/comments?after=s5").text
    assert ids(behind) == ["s6", "s7", "s8", "s9"]
    previous = re.search(r'href="([^"]*)" rel="prev"', behind)
    assert previous is not None
    assert ids(client.get(previous[1]).text)[-1] == "s5"


def test_conditions_are_put_together(client: TestClient) -> None:
    asked = "/data/comments?task=spam&q=song&c=@gold&o=is&v=ham&c=id&o=begins&v=h"
    page = client.get(asked).text
    assert "gold is ham" in page
    assert "looking for rows" in page
    rows = client.get(asked.replace("comments?", "comments/rows?")).text
    assert ids(rows) == ["h10", "h6", "h9"]
    assert "<strong>3</strong> rows of 24" in client.get(asked.replace("comments?", "comments/count?")).text
    wrong = client.get("/data/comments?c=text&o=%3E&v=3")
    assert wrong.status_code == 400
    assert "does not go with it; expected one of contains" in wrong.text
    without_task = client.get("/data/comments?c=@votes&o=is&v=uncovered")
    assert "votes are those of a task" in without_task.text


def test_fields_follow_the_column(client: TestClient) -> None:
    text = client.get("/data/comments/condition?c=text").text
    assert 'value="contains"' in text
    assert 'value="&lt;="' not in text
    gold = client.get("/data/comments/condition?c=@gold&task=spam").text
    assert "<option>ham</option><option>spam</option>" in gold


def test_votes_of_the_last_run_are_asked_for(client: TestClient, project: Project) -> None:
    none = client.get("/data/comments/rules?task=spam").text
    assert "No label run on this table yet" in none
    project.label("spam", "comments", label_model="majority_vote")
    rules = client.get("/data/comments/rules?task=spam").text
    assert "uncovered (1)" in rules
    assert ids(client.get("/data/comments/rows?task=spam&c=@votes&o=is&v=uncovered").text) == ["h3"]
    spam = client.get("/data/comments/rows?task=spam&c=@vote:subscribe&o=is&v=spam").text
    assert ids(spam) == ["s0", "s3", "s6", "s9"]
    # Labels were not written into the database: the run is asked for them.
    assert len(ids(client.get("/data/comments/rows?task=spam&c=@label&o=is-empty&v=").text)) == 1
    runs = client.get("/data/comments/runs-of-point?key=s0&task=spam").text
    assert "subscribe" in runs
    coloured = client.get("/data/comments/map/picture?task=spam&column=vector&colour=votes").text
    assert "uncovered" in coloured


def test_texts_are_shown_as_texts(client: TestClient, project: Project) -> None:
    texts = {
        "x1": "<script>alert(1)</script>", "x2": "مرحبا 😀", "x3": "long " * 20_000,
        "a/b?c=1#d": "an id with signs", "x4": None,
    }  # fmt: skip
    make(project, "odd #1?", texts)
    base = "/data/odd%20%231%3F"
    assert f'href="{base}"' in client.get("/data").text
    page = client.get(f"{base}/rows?q=x1").text + client.get(base).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    long = client.get(f"{base}?after=x2").text
    assert "… <a" in long
    assert len(long) < 20_000
    assert len(client.get(f"{base}/points/x3").text) < 60_000
    link = re.search(r'href="([^"]*/points/a[^"]*)"', client.get(f"{base}/rows?q=signs").text)
    assert link is not None
    assert "an id with signs" in client.get(link[1]).text
    assert "<script>alert" not in client.get(f"{base}/distribution?column=txt").text
    assert "This table has no vectors yet" in client.get(f"{base}/map").text
    assert "odd%20%231%3F.csv" in client.get(f"{base}/export.csv").headers["content-disposition"]


def test_a_map_has_regions_with_rows_and_words(client: TestClient) -> None:
    assert "laying out the map" in client.get("/data/comments/map?task=spam").text
    picture = client.get("/data/comments/map/picture?task=spam&column=vector").text
    key = re.search(r'data-map="(\w+)"', picture)
    assert key is not None
    assert "gold" not in picture.split("</svg>")[0]
    asked = f"task=spam&column=vector&region={key[1]}%200%200%2050%20100"
    region = client.get(f"/data/comments/map/picture?{asked}").text
    n = int(re.search(r">(\d+) rows in this region", region)[1])  # type: ignore[index]
    assert 0 < n < 24
    assert "Words that mark it" in region
    rows = client.get(f"/data/comments/rows?task=spam&region={key[1]}%200%200%2050%20100").text
    assert len(ids(rows)) == n
    assert client.get("/data/comments/rows?region=nonsense").status_code == 400


def test_files_hold_what_is_shown(client: TestClient) -> None:
    made = client.get("/data/comments/export.csv?q=subscribe&task=spam")
    assert made.headers["content-disposition"] == "attachment; filename*=UTF-8''comments.csv"
    assert len(made.text.splitlines()) == 5
    parquet = client.get("/data/comments/export.parquet?q=subscribe")
    assert parquet.content[:4] == b"PAR1"


def test_a_long_table_is_searched_by_a_job(
    client: TestClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("counts.EXACT_ROWS", "search.SEARCHED_ROWS"):
        monkeypatch.setattr(f"adaptml.browsing.{name}", 10)
    assert "about" in client.get("/data/comments/count").text
    page = client.get("/data/comments/rows?q=subscribe").text
    assert "as a job" in page
    action = re.search(r'action="([^"]*)"', page)
    assert action is not None
    started = client.post(action[1])
    assert (started.status_code, started.headers["location"]) == (303, "/jobs/1")
    assert client.get("/data/comments/export.csv?q=subscribe").status_code == 400
    project.find("comments", ["* contains subscribe"])
    rows = client.get("/data/comments/rows?q=subscribe").text
    assert ids(rows) == ["s0", "s3", "s6", "s9"]
    assert "These are the rows that the search of" in rows
    assert "<strong>4</strong> rows" in client.get("/data/comments/count?q=subscribe").text
    assert len(client.get("/data/comments/export.csv?q=subscribe").text.splitlines()) == 5


def test_only_media_files_are_served(client: TestClient, project: Project, tmp_path: Path) -> None:
    folder = project.settings.media
    (folder / "in").mkdir(parents=True)
    for name in ("a b.png", "in/c.png", "page.html", "vector.svg"):
        (folder / name).write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    picture = client.get("/media/a%20b.png")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert "sandbox" in picture.headers["content-security-policy"]
    assert client.get("/media/in/c.png").status_code == 200
    for path in (
        "page.html", "vector.svg", "link.png", "nope.png", "..%2fdata.db", "%2e%2e/data.db", "..%2f..%2fsecret.png",
        f"{str(tmp_path).replace('/', '%2f')}%2fsecret.png", "a%00.png", "in",
    ):  # fmt: skip
        assert client.get(f"/media/{path}").status_code == 404, path
    make(
        project,
        "pictures",
        {"p1": "in/c.png", "p2": str(folder / "a b.png"), "p3": "https://x.example/y.png"},
    )
    assert '<img class="picture" src="/media/in/c.png"' in client.get("/data/pictures/points/p1").text
    listed = client.get("/data/pictures").text
    assert 'src="/media/a%20b.png"' in listed
    assert "x.example/y.png" in listed
    assert 'src="https' not in listed


def test_what_is_not_there_is_said(client: TestClient) -> None:
    missing = client.get("/data/nope")
    assert missing.status_code == 404
    assert "no table &#39;nope&#39;" in missing.text
    assert client.get("/data/comments/points/nope").status_code == 404
    assert client.get("/data/comments/distribution?column=nope").status_code == 400
    assert client.get("/data/comments/points/s8?task=nope").status_code == 400


def test_no_table_and_no_database(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    with Project(tmp_path) as empty:
        portal = page_of(empty)
        with TestClient(portal.app, base_url=portal.url) as client:
            client.cookies.set(*portal.cookie())
            assert "There is no table yet" in client.get("/data").text
    away = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    with Project(tmp_path, database_url=away) as gone:
        portal = page_of(gone)
        with TestClient(portal.app, base_url=portal.url) as client:
            client.cookies.set(*portal.cookie())
            answer = client.get("/data/comments")
            assert answer.status_code == 503
            assert "does not answer" in answer.text
