"""A database that somebody else holds: the page says so, and does not wait as long as a step would."""

import sqlite3
from contextlib import closing

from fastapi.testclient import TestClient
from portal_server import page_of

from adaptml.addresses import sqlite_file
from adaptml.project import Project


def test_a_page_of_a_locked_table_says_so_and_answers_when_it_is_free(project: Project) -> None:
    hasty = Project(settings=project.settings, patience_s=0.1)
    file = sqlite_file(project.settings.database_url.get_secret_value())
    assert file is not None
    portal = page_of(hasty)
    with TestClient(portal.app, base_url=portal.url) as client, hasty:
        client.headers |= {"sec-fetch-site": "same-origin", "accept": "text/html"}
        name, value = portal.cookie()
        client.cookies.set(name, value)
        table = hasty.database.tables()[0]
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            answer = client.get(f"/data/{table}")
            assert answer.status_code == 503
            assert "locked" in answer.text
        assert client.get(f"/data/{table}").status_code == 200
