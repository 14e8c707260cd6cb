"""What a CrateDB refuses, in the words of a 6.4.3, to its own client: waited for, halved, or said in one line."""

import logging

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from cratedb_server import STARTING, TOO_MUCH, Recorder

from adaptml.database import Database, cratedb
from adaptml.database.chunks import TooMuchAtOnceError
from adaptml.errors import DatabaseError, DatabaseUnavailableError, SettingsError
from modelling.app.api_errors import translated


def many(n: int) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "posts", "id": [f"p{i}" for i in range(n)]})


def asked(recorder: Recorder) -> list[int]:
    """How many rows each request asked for or sent."""
    return [
        len(request["bulk_args"] if "bulk_args" in request else request["args"][0])
        for request in recorder.sent
        if "bulk_args" in request or (request.get("args") and isinstance(request["args"][0], list))
    ]


def test_a_read_that_is_too_much_is_halved_until_it_passes(crate: Database, recorder: Recorder) -> None:
    recorder.memory_rows = 100
    read = crate.read(many(300), ["vec", "n"])
    assert read["n"].tolist() == list(range(300))
    assert asked(recorder) == [256, 128, 64, 64, 64, 64, 44]
    stored = list(crate.read_stored(many(10), ["n"]))
    assert [list(rows.cells["n"]) for rows in stored] == [list(range(10))]


def test_a_write_that_is_too_much_is_halved_until_it_passes(crate: Database, recorder: Recorder) -> None:
    recorder.memory_rows = 3
    crate.upsert("posts", pd.DataFrame({"id": [f"p{i}" for i in range(10)], "n": range(10)}), ["id"])
    assert asked(recorder) == [10, 5, *[2, 2] * 5]  # those that are there are counted before each is sent
    crate.upsert("posts", pd.DataFrame({"id": ["p1", "p2"], "txt": ["x", "y"]}), ["id"])
    assert asked(recorder)[12:] == [2, 2]


def test_one_row_that_is_too_much_is_one_line_and_may_pass_later(crate: Database, recorder: Recorder) -> None:
    recorder.memory_rows = 0
    with pytest.raises(TooMuchAtOnceError) as caught:
        crate.read(many(2), ["vec"])
    assert isinstance(caught.value, DatabaseUnavailableError)
    assert translated(caught.value).status == 503
    message = str(caught.value)
    assert "has too little memory for what was asked: CircuitBreakingException[Allocating 7.7kb" in message
    assert "give it more (CRATE_HEAP_SIZE in the stack), or try again" in message
    assert "\n" not in message
    assert "secret" not in message
    assert asked(recorder) == [2, 1]


def test_a_bulk_request_of_which_a_row_is_too_much_is_halved(crate: Database, recorder: Recorder) -> None:
    recorder.refused = {"p1": TOO_MUCH}
    with pytest.raises(TooMuchAtOnceError):
        crate.upsert("posts", pd.DataFrame({"id": ["p0", "p1"], "n": [0, 1]}), ["id"])
    assert len([sent for sent in recorder.statements if sent.startswith("INSERT")]) == 3  # both, p0, p1


def test_a_server_that_is_starting_is_waited_for_and_that_is_said_once(
    crate: Database, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.starting = 3
    with caplog.at_level(logging.WARNING):
        assert crate.read(many(2), ["n"])["n"].tolist() == [0, 1]
    assert [record.getMessage() for record in caplog.records] == [
        "the database is starting; waiting for it, up to 5 s"
    ]
    recorder.starting = 1
    crate.upsert("posts", pd.DataFrame({"id": ["p0"], "n": [0]}), ["id"])  # the refresh before it
    assert recorder.starting == 0


def test_rows_that_were_not_taken_while_it_starts_are_sent_again(crate: Database, recorder: Recorder) -> None:
    table = crate.found_table("posts", [])
    rows = [{"id": "a", "txt": "x"}, {"id": "b", "txt": "y"}]
    with crate.engine.begin() as connection:
        recorder.starting = 1
        cratedb.execute_bulk(connection, sa.insert(table), rows, "posts", ["a", "b"])
    assert [request["bulk_args"] for request in recorder.sent if "bulk_args" in request] == [
        [["a", "x"], ["b", "y"]]
    ] * 2


@pytest.mark.parametrize(
    "reason",
    [
        STARTING,
        "NoShardAvailableActionException[null]",
        "UnavailableShardsException[[posts][0] Not enough active copies to meet shard count of [ALL]]",
        "ClusterBlockException[blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];]",
    ],
)
def test_a_server_that_goes_on_starting_is_away_and_not_wrong(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr("cratedb_server.STARTING", reason)
    recorder.starting = 1000
    with (
        Database(recorder.url, patience_s=0) as impatient,
        pytest.raises(DatabaseUnavailableError, match=r"cannot answer yet: .*; try again$") as caught,
    ):
        impatient.read(many(2), ["n"])
    assert reason in str(caught.value)
    assert translated(caught.value).status == 503  # what the prediction service answers


def test_a_block_that_a_full_disk_causes_is_not_waited_for(crate: Database, recorder: Recorder) -> None:
    recorder.refused = {
        "a": "ClusterBlockException[blocked by: [FORBIDDEN/12/index read-only / allow delete];]"
    }
    with pytest.raises(DatabaseError, match="FORBIDDEN/12/index read-only") as caught:
        crate.upsert("posts", pd.DataFrame({"id": ["a"], "txt": ["x"]}), ["id"])
    assert not isinstance(caught.value, DatabaseUnavailableError)


def test_rows_that_are_not_taken_are_named_with_the_reason(crate: Database, recorder: Recorder) -> None:
    reason = "SQLParseException[Cannot cast value `x` to type `integer`]"
    recorder.refused = {f"p{i}": reason for i in range(1, 8)} | {"p7": "another"}
    frame = pd.DataFrame({"id": [f"p{i}" for i in range(9)], "txt": ["x"] * 9})
    with pytest.raises(DatabaseError) as caught:
        crate.upsert("posts", frame, ["id"])
    assert str(caught.value) == (
        "CrateDB did not take 7 of 9 rows for table 'posts' (p1, p2, p3, p4, p5 and 2 more): "
        f"{reason} and 1 more; the others and those before them are written: "
        "see that values fit their columns, then write all rows again"
    )


def test_what_is_too_long_for_the_server_is_said_with_its_limit(crate: Database, recorder: Recorder) -> None:
    recorder.refused = {"a": 'IllegalArgumentException[DocValuesField "3" is too large, must be <= 32766]'}
    with pytest.raises(
        DatabaseError, match=r"posts' \(a\): .* hold 32,766 bytes at most there: shorten these"
    ):
        crate.upsert("posts", pd.DataFrame({"id": ["a"], "txt": ["x"]}), ["id"])


def test_a_list_with_an_item_that_is_too_long_is_named_before_the_server_is_asked(
    crate: Database, recorder: Recorder
) -> None:
    frame = pd.DataFrame({"id": list("abc"), "lemmas": [["k"], None, ["ok", "é" * 16_384]]})
    with pytest.raises(DatabaseError) as caught:
        crate.upsert("posts", frame, ["id"])
    assert str(caught.value) == (
        "column 'lemmas' of table 'posts': 1 of 3 values (c) hold an item of more than 32,766 bytes; "
        "CrateDB takes none in a list: shorten it"
    )
    assert not any("bulk_args" in request for request in recorder.sent)


@pytest.mark.parametrize(
    "servers",
    [
        "?servers=a,b,c",
        "?servers=127.0.0.1:x",
        "?timeout=soon",
        "?sslmode=odd",
        "?nothing=1",
        "?ca_cert=/no/file",
    ],
)
def test_an_address_that_cannot_be_used_is_one_line_with_the_form_that_can(servers: str) -> None:
    with (
        Database(f"crate://adaptml:secret@127.0.0.1:1/{servers}") as database,
        pytest.raises(SettingsError) as caught,
    ):
        database.tables()
    message = str(caught.value)
    assert message.startswith("the address of the CrateDB at 127.0.0.1 cannot be used: ")
    assert "crate://user:***@host:4200/?servers=host:4200&servers=other:4200" in message
    assert "\n" not in message
    assert "secret" not in message


def test_of_several_servers_one_is_enough_and_nobody_speaks_of_the_others(
    recorder: Recorder, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    there = f"127.0.0.1:{recorder.server_port}"
    with Database(f"crate://adaptml:secret@{there}/?servers=127.0.0.1:1&servers={there}") as database:
        assert database.count("posts") == 2
    assert not [record for record in caplog.records if record.name.startswith("crate")]
    assert capfd.readouterr() == ("", "")


def test_infinity_is_refused_where_json_would_lose_it(crate: Database) -> None:
    for column, values in (("vec", [np.array([1.0, np.inf]), None]), ("emb", [[1.0], [np.nan]])):
        with pytest.raises(
            DatabaseError, match=f"column '{column}' of table 'posts': 1 of 2 values .* hold NaN or inf"
        ):
            crate.upsert("posts", pd.DataFrame({"id": ["a", "b"], column: values}), ["id"])
