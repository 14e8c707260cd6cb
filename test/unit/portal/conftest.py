"""A page on the small example, asked without a browser."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from portal_server import Portal, page_of

from adaptml import example_project
from adaptml.project import Project


@pytest.fixture
def project() -> Iterator[Project]:
    """The small example, each time a new one."""
    with example_project() as made:
        yield made


@pytest.fixture
def portal(project: Project) -> Portal:
    """The example's page."""
    return page_of(project)


@pytest.fixture
def client(portal: Portal) -> Iterator[TestClient]:
    """A browser's requests, logged in, sent from a page of its own; errors of the server are raised."""
    with TestClient(portal.app, base_url=portal.url, follow_redirects=False) as made:
        made.headers |= {"sec-fetch-site": "same-origin", "accept": "text/html"}
        name, value = portal.cookie()
        made.cookies.set(name, value)
        yield made
