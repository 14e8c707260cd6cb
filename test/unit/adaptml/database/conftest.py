"""A CrateDB that records what it is sent, and a database that it serves."""

from collections.abc import Iterator

import pytest
from cratedb_server import Recorder, recording

from adaptml.database import Database


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as server:
        yield server


@pytest.fixture
def crate(recorder: Recorder) -> Iterator[Database]:
    with Database(recorder.url, patience_s=5) as made:
        yield made
