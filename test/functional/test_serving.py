"""The real service: a process of its own on a free port of this machine, with real models and a real registry."""

import gzip
import json
import os
import re
import runpy
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import mlflow
import numpy as np
import pandas as pd
import pytest
import skops.io
import sqlalchemy as sa
import yaml
from debian_programs import program_of
from served import (
    CAT,
    CLOSE,
    REPOSITORY,
    START_S,
    Pickled,
    Registry,
    Server,
    soon,
    start,
    status,
    stop,
)

from adaptml.listening import address_of, listen
from adaptml.project import Project
from modelling.app.openapi import ERRORS
from modelling.champion import load_champion

LARGEST_MB = 400  # 326 were measured; with PyTorch, which skops would load where it is installed, 507


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Registry]:
    home = tmp_path_factory.mktemp("home")
    (home / "tasks").mkdir()
    shutil.copy(empty_store, home / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("ADAPTML_", "MLFLOW_"))]:
            patch.delenv(name)  # a fixture of the whole module comes before the clean room
        patch.setenv("ADAPTML_HOME", str(home))
        project = Project(home)
    database = project.database
    database.create_table("animals", {"id": sa.Text(), "x": sa.Float()})
    log_odds = [np.log(p) - np.log1p(-p) for p in CAT.values()]
    database.upsert("animals", pd.DataFrame({"id": [*CAT, "empty"], "x": [*log_odds, None]}), ["id"])
    database.create_table("bare", {"id": sa.Text(), "txt": sa.Text()})
    database.upsert("bare", pd.DataFrame({"id": ["a"], "txt": ["miau"]}), ["id"])
    made = Registry(project)
    made.promote("animals", made.add("animals"))
    made.promote("second", made.add("second", flip=True))
    made.promote("broken", made.add_broken("broken"))
    made.promote("boom", made.add("boom", columns=2))  # loads, and fails when it is asked
    made.promote("votes", made.add("votes"))
    project.runs.client.set_registered_model_tag("votes", "adaptml.kind", "label_model")
    made.add("waiting")
    yield made
    project.close()


@pytest.fixture(scope="module")
def server(registry: Registry) -> Iterator[Server]:
    running = start(registry.home)
    yield running
    stop(running)


def test_answers_come_in_the_order_of_the_request(server: Server) -> None:
    answer = server.predict("animals", "b", "a", "c", "b")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "table_name": ["animals"] * 4,
        "id": ["b", "a", "c", "b"],
        "cat": [0, 1, 1, 0],
        "dog": [1, 0, 0, 1],
        "prob_cat": pytest.approx([0.2, 0.9, 0.5, 0.2], abs=CLOSE),
        "prob_dog": pytest.approx([0.8, 0.1, 0.5, 0.8], abs=CLOSE),
    }


def test_an_exported_model_answers_alike_in_a_process_without_a_registry(
    server: Server, registry: Registry, tmp_path: Path
) -> None:
    exported = registry.project.export_model("animals", tmp_path / "animals").folder
    (tmp_path / "tasks").mkdir()
    shutil.copy(registry.home / "data.db", tmp_path / "data.db")
    alone = start(tmp_path, "--model", str(exported))
    try:
        for ids in (["b", "a", "c", "b"], ["nope"]):
            ours, theirs = (where.predict("animals", *ids) for where in (alone, server))
            assert (ours.status_code, ours.json()) == (theirs.status_code, theirs.json())
    finally:
        assert stop(alone) == 0
    assert not (tmp_path / "mlflow.db").exists()


# One process, as whoever runs the tests, with its files in one folder.
NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {server}
}}
"""


@contextmanager
def nginx(folder: Path, service: Server) -> Iterator[str]:
    """The documents' example in front of a service; gives its address."""
    program = program_of("nginx-light", "nginx")
    port = address_of(free := listen("127.0.0.1", 0)).rpartition(":")[2]
    free.close()
    example = (REPOSITORY / "docs" / "nginx.conf").read_text()
    example = example.replace("listen 80;", f"listen 127.0.0.1:{port};")
    example = example.replace("http://127.0.0.1:8000", service.address)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, server=example))
    words = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        while process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", int(port))):
                break
        assert process.poll() is None, process.communicate()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def test_behind_nginx_under_a_prefix_all_is_found(registry: Registry, tmp_path: Path) -> None:
    exported = registry.project.export_model("animals", tmp_path / "animals").folder
    (tmp_path / "tasks").mkdir()
    shutil.copy(registry.home / "data.db", tmp_path / "data.db")
    service = start(tmp_path, "--model", str(exported), "--root-path", "/ml")
    try:
        with nginx(tmp_path, service) as address, httpx.Client(base_url=f"{address}/ml/") as ask:
            answer = ask.post("predict_animals", json={"table_name": ["animals"], "id": ["a"]})
            assert answer.json()["prob_cat"] == pytest.approx([0.9], abs=CLOSE)
            assert [ask.get(path).status_code for path in ("health", "health/", "docs", "openapi.json")] == [
                200
            ] * 4
            assert ask.head("health").status_code == 200
            page = ask.get("docs").text
            assets = re.findall(r"(?:src|href|url: )=?[\"'](/[^\"']+)", page)
            assert "/ml/openapi.json" in assets
            assert {httpx.get(address + asset).status_code for asset in assets} == {200}
            assert ask.get("openapi.json").json()["servers"] == [{"url": "/ml"}]
            models = httpx.get(f"{address}/ml", follow_redirects=True)
            assert [model["name"] for model in models.json()["models"]] == ["animals"]
            wrong = ask.get("nope")
            assert (wrong.status_code, wrong.json()["error"]["code"]) == (404, "unknown_path")
    finally:
        assert stop(service) == 0


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the memory of a process is read from Linux's /proc")
def test_the_service_holds_no_library_that_it_does_not_use(server: Server) -> None:
    assert server.predict("animals", "a").status_code == 200
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    peak_mb = int(status.split("VmHWM:")[1].split()[0]) / 1024
    assert peak_mb < LARGEST_MB


def test_every_champion_is_listed_with_why_it_is_not_loaded(server: Server, registry: Registry) -> None:
    models = {model["name"]: model for model in server.get("/").json()["models"]}
    assert set(models) >= {"animals", "broken", "boom", "second"}
    assert "votes" not in models  # a label model
    assert "waiting" not in models  # no champion
    version = registry.project.runs.client.get_model_version("second", "1")
    assert models["second"] == {
        "name": "second",
        "endpoint": "/predict_second",
        "champion_version": "1",
        "loaded": True,
        "version": "1",
        "run_id": version.run_id,
        "classes": ["cat", "dog"],
        "problem": None,
        "note": None,
        "answered_from": [],
    }
    assert models["broken"]["loaded"] is False
    assert re.search(
        r"^ModelError: .*classifier\.skops is no end model that can be read", models["broken"]["problem"]
    )


def test_code_in_a_registered_model_is_never_run(server: Server, registry: Registry, tmp_path: Path) -> None:
    """Not the code that MLflow would run, not a pickle, and no type in the classifier that is not on our list."""
    marks = {name: tmp_path / name for name in ("code", "pickle", "own_type")}

    def with_pickle(folder: Path) -> None:
        shutil.rmtree(folder)
        with warnings.catch_warnings(action="ignore"):
            mlflow.pyfunc.save_model(folder, python_model=Pickled(marks["pickle"]), pip_requirements=[])

    def with_own_type(folder: Path) -> None:
        """It also asks to be trusted, in the place where MLflow's own loader would read that."""
        described = yaml.safe_load((folder / "MLmodel").read_text())
        described["flavors"]["sklearn"] = {
            "pickled_model": "artifacts/classifier.skops",
            "serialization_format": "skops",
            "skops_trusted_types": ["served.Pickled"],
        }
        (folder / "MLmodel").write_text(yaml.safe_dump(described))
        content = {"format": 2, "parts": [Pickled(marks["own_type"])]}
        skops.io.dump(content, folder / "artifacts" / "classifier.skops")

    changes = {"code": None, "pickle": with_pickle, "own_type": with_own_type}
    versions = {name: registry.add_with_code(name, marks["code"], change) for name, change in changes.items()}
    for name, version in versions.items():
        registry.promote(name, version)
    soon(server, lambda: all(status(server, name) for name in marks))
    soon(server, lambda: status(server, "code").get("loaded") is True)
    assert server.predict("code", "a").json()["prob_cat"] == pytest.approx([0.9], abs=CLOSE)
    assert "has no file classifier.skops" in status(server, "pickle")["problem"]
    assert "holds types that no end model of ours holds" in status(server, "own_type")["problem"]
    champion = load_champion(registry.project.runs.client, registry.project.points, "code", "1")
    assert champion.predict(["animals"], ["b"])["prob_cat"] == pytest.approx([0.2], abs=CLOSE)
    assert [name for name, mark in marks.items() if mark.exists()] == []
    runpy.run_path(str(registry.home / "code.py"))  # run by hand, it leaves its mark
    assert marks["code"].exists()


def test_health_asks_the_database_and_names_the_models(server: Server) -> None:
    answer = server.get("/health")
    assert answer.status_code == 200
    assert answer.json()["database"] == "ok"
    assert answer.json()["status"] == "degraded"
    assert {"animals": "1", "second": "1"}.items() <= answer.json()["loaded"].items()
    assert answer.json()["not_loaded"]["broken"] == "it does not load; GET / and the server's log say why"
    assert str(server.log.parent) not in answer.text
    assert answer.json()["failing"] == {"boom": "it fails when it is asked; the server's log says why"}
    assert (
        "health: model boom fails: ValueError: matmul: Input operand 1 has a mismatch"
        in server.log.read_text()
    )


JSON = {"Content-Type": "application/json"}
POINT = {"table_name": ["animals"], "id": ["a"]}
TOO_MANY = {"table_name": ["animals"] * 100_001, "id": ["a"] * 100_001}
BAD_REQUESTS = [
    ("animals", {**POINT, "id": ["a", "b"]}, 422, "invalid_request", "table_name has 1 items and id 2"),
    ("animals", {"table_name": [], "id": []}, 422, "invalid_request", "at least 1 item"),
    ("animals", TOO_MANY, 413, "too_many_ids", "a request takes 1 to 100,000 data points: split it"),
    ("animals", {**POINT, "id": [7.5]}, 422, "invalid_request", "id.0: Input should be a valid string"),
    ("animals", {**POINT, "id": [7]}, 404, "unknown_data_points", "1 of the data points are not in"),
    ("animals", {**POINT, "id": "a"}, 422, "invalid_request", "id: Input should be a valid array"),
    (
        "animals",
        {**POINT, "id": [""]},
        422,
        "invalid_request",
        "id.0: String should have at least 1 character",
    ),
    ("animals", {**POINT, "id": ["a\x00"]}, 422, "invalid_request", "id.0: String should match pattern"),
    ("animals", {"id": ["a"]}, 422, "invalid_request", "table_name: Field required"),
    ("animals", {**POINT, "more": 1}, 422, "invalid_request", "more: Extra inputs are not permitted"),
    ("animals", [1, 2], 422, "invalid_request", "body: Input should be an object"),
    ("animals", {**POINT, "id": ["zz"]}, 404, "unknown_data_points", "1 of the data points are not in"),
    ("animals", {**POINT, "id": ["' OR 1=1 --"]}, 404, "unknown_data_points", "1 of the data points"),
    ("animals", {**POINT, "table_name": ["nope"]}, 404, "unknown_table", "no table nope in the database"),
    (
        "animals",
        {**POINT, "table_name": ['animals"; DROP TABLE animals; --']},
        404,
        "unknown_table",
        'no table animals"; DROP TABLE animals; -- in the database',
    ),
    (
        "animals",
        {**POINT, "table_name": ["bare"]},
        409,
        "features_do_not_fit",
        "does not hold what the model",
    ),
    (
        "animals",
        {**POINT, "id": ["empty"]},
        409,
        "features_do_not_fit",
        "feature column 'x' is empty for 1 of 1 data points",
    ),
    ("nope", POINT, 404, "unknown_model", "no model 'nope' is served; served are animals, "),
    ("votes", POINT, 404, "unknown_model", "no model 'votes' is served"),
    ("broken", POINT, 503, "model_not_loaded", "model broken version 1 does not load; GET / says why"),
    (
        "boom",
        POINT,
        500,
        "internal_error",
        "something broke; the server's log says what",
    ),
]


@pytest.mark.parametrize(("model", "body", "code", "word", "text"), BAD_REQUESTS)
def test_a_bad_request_has_one_shape(
    server: Server, model: str, body: Any, code: int, word: str, text: str
) -> None:
    answer = server.post(f"/predict_{model}", body)
    assert answer.status_code == code, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["code"] == word
    assert text in error["message"]
    assert "\n" not in error["message"]
    for inside in ("sqlite", "Traceback", "SELECT", str(server.log.parent)):
        assert inside not in answer.text
    assert server.predict("animals", "a").status_code == 200


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b'{"table_name": ["animals"], "id": ["\\ud800"]}']
)
def test_what_is_not_json_is_said_to_be_so(server: Server, content: bytes) -> None:
    answer = httpx.post(f"{server.address}/predict_animals", content=content, headers=JSON)
    assert answer.status_code == 422
    assert "body: Invalid JSON" in answer.json()["error"]["message"]


def test_a_body_without_end_is_refused(server: Server) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(70):
            yield b" " * 2**20

    answer = httpx.post(f"{server.address}/predict_animals", content=endless(), headers=JSON, timeout=60)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"


def test_a_client_that_hangs_up_leaves_no_traceback(server: Server) -> None:
    before = server.log.read_text()
    host, port = server.address.removeprefix("http://").split(":")
    head = b"POST /predict_animals HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 1000\r\n\r\n"
    for _ in range(3):
        with socket.create_connection((host, int(port))) as client:
            client.sendall(head + b'{"table_name":')
    server.get("/")  # answered after these
    assert server.predict("animals", "a").status_code == 200
    assert "ClientDisconnect" not in server.log.read_text()[len(before) :]


@pytest.mark.parametrize(
    ("method", "path", "code", "word"),
    [
        ("GET", "/nope", 404, "unknown_path"),
        ("GET", "/predict_animals", 405, "method_not_allowed"),
        ("POST", "/predict_animals/extra", 404, "unknown_path"),
    ],
)
def test_unknown_paths_have_the_same_shape(
    server: Server, method: str, path: str, code: int, word: str
) -> None:
    answer = httpx.request(method, server.address + path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (code, word)


def test_unknown_data_points_are_counted_and_listed_up_to_a_limit(server: Server) -> None:
    answer = server.predict("animals", "a", *(f"gone{i}" for i in range(150)))
    assert answer.status_code == 404
    details = answer.json()["error"]["details"]
    assert details["count"] == 150
    assert len(details["missing"]) == 100
    assert details["missing"][0] == {"table_name": "animals", "id": "gone0"}


def test_100000_ids_are_taken(server: Server) -> None:
    answer = server.predict("animals", *(["a"] * 100_000))
    assert answer.status_code == 200
    assert sum(answer.json()["cat"]) == 100_000


def test_what_breaks_is_logged_with_its_traceback(server: Server) -> None:
    server.predict("boom", "a")
    log = server.log.read_text()
    assert "Traceback" in log
    assert "ValueError: matmul: Input operand 1 has a mismatch" in log


def test_the_service_has_its_own_names_and_wants_json(server: Server) -> None:
    other = httpx.get(server.address, headers={"Host": "evil.example"})
    assert (other.status_code, other.json()["error"]["code"]) == (421, "wrong_host")
    form = httpx.post(f"{server.address}/predict_animals", data=POINT)
    assert (form.status_code, form.json()["error"]["code"]) == (415, "wrong_content_type")
    packed = gzip.compress(json.dumps(POINT).encode())
    headers = {**JSON, "Content-Encoding": "gzip"}
    assert httpx.post(f"{server.address}/predict_animals", content=packed, headers=headers).status_code == 200
    assert httpx.head(f"{server.address}/health").status_code == 200


def test_docs_need_no_other_machine(server: Server) -> None:
    page = server.get("/docs").text
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]+", page)
    for asset in re.findall(r"(?:src|href)=\"(/[^\"]+)", page):
        assert server.get(asset).status_code == 200


def test_openapi_gives_each_loaded_model_its_schema(server: Server) -> None:
    described = server.get("/openapi.json").json()
    assert "/predict_broken" not in described["paths"]
    post = described["paths"]["/predict_animals"]["post"]
    assert {int(status) for status in post["responses"]} == {200, *ERRORS}
    assert set(ERRORS) == {401, 403, 404, 408, 409, 413, 415, 421, 422, 500, 503}
    name = post["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    fields = described["components"]["schemas"][name]["properties"]
    assert list(fields) == ["table_name", "id", "cat", "dog", "prob_cat", "prob_dog"]
    assert fields["cat"]["items"]["enum"] == [0, 1]


def test_a_new_champion_and_a_new_name_are_served_without_a_restart(
    server: Server, registry: Registry
) -> None:
    assert server.predict("waiting", "a").status_code == 404
    assert server.predict("animals", "a").json()["prob_cat"] == pytest.approx([0.9], abs=CLOSE)
    registry.promote("waiting", "1")
    registry.promote("animals", registry.add("animals", flip=True))
    soon(server, lambda: server.predict("waiting", "a").status_code == 200)
    soon(server, lambda: server.predict("animals", "a").json()["prob_cat"] == pytest.approx([0.1], abs=CLOSE))
    assert status(server, "animals")["version"] == "2"
    registry.promote("animals", "1")
    soon(server, lambda: server.predict("animals", "a").json()["prob_cat"] == pytest.approx([0.9], abs=CLOSE))


def test_a_champion_that_does_not_load_leaves_the_old_one_serving(server: Server, registry: Registry) -> None:
    registry.promote("second", registry.add_broken("second"))
    soon(server, lambda: status(server, "second")["problem"] is not None)
    assert status(server, "second")["loaded"] is True
    assert status(server, "second")["champion_version"] == "2"
    assert status(server, "second")["version"] == "1"
    assert server.predict("second", "a").json()["prob_cat"] == pytest.approx([0.1], abs=CLOSE)


def test_a_model_that_is_no_champion_any_more_is_not_served(server: Server, registry: Registry) -> None:
    registry.promote("leaving", registry.add("leaving"))
    soon(server, lambda: server.predict("leaving", "a").status_code == 200)
    registry.project.runs.client.delete_registered_model_alias("leaving", "champion")
    soon(server, lambda: server.predict("leaving", "a").status_code == 404)


def test_a_locked_database_is_503_and_comes_back(server: Server, registry: Registry) -> None:
    lock = sqlite3.connect(registry.home / "data.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        answers = [server.predict("animals", "a"), server.get("/health")]
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert answer.json()["error"]["code"] == "database_unavailable"
        assert answer.headers["Retry-After"] == "5"
    assert server.predict("animals", "a").status_code == 200
    assert server.get("/health").status_code == 200


def change(registry: Registry, *statements: str) -> None:
    with closing(sqlite3.connect(registry.home / "data.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_whole_numbers_are_ids(server: Server, registry: Registry) -> None:
    change(
        registry,
        "CREATE TABLE numbers (id INTEGER PRIMARY KEY, x REAL)",
        "INSERT INTO numbers VALUES (7, 0), (10, 9)",
    )
    answer = server.post("/predict_animals", {"table_name": ["numbers"] * 3, "id": [10, "7", 7]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == ["10", "7", "7"]
    assert answer.json()["cat"] == [1, 1, 1]
    wrong = server.post("/predict_animals", {"table_name": ["numbers"] * 2, "id": ["07", "x"]})
    assert (wrong.status_code, wrong.json()["error"]["details"]["count"]) == (404, 2)


def test_a_table_that_is_dropped_or_made_again_is_answered_as_it_is(
    server: Server, registry: Registry
) -> None:
    def asked() -> tuple[int, str]:
        answer = server.post("/predict_animals", {"table_name": ["shifting"], "id": ["1"]})
        return answer.status_code, answer.json().get("error", {}).get("code", "")

    change(
        registry,
        "CREATE TABLE shifting (id TEXT PRIMARY KEY, x REAL)",
        "INSERT INTO shifting VALUES ('1', 0)",
    )
    assert asked() == (200, "")
    change(registry, "DROP TABLE shifting")
    assert asked() == asked() == (404, "unknown_table")
    change(
        registry,
        "CREATE TABLE shifting (id BIGINT PRIMARY KEY, x TEXT)",
        "INSERT INTO shifting VALUES (1, 'a')",
    )
    assert asked() == asked() == (409, "features_do_not_fit")
    change(registry, "UPDATE shifting SET x = '[0.5]'")
    assert asked() == (200, "")
    change(registry, "ALTER TABLE shifting RENAME COLUMN x TO y")
    assert asked() == asked() == (409, "features_do_not_fit")
    change(registry, "ALTER TABLE shifting RENAME COLUMN y TO x")
    assert asked() == (200, "")


def test_health_knows_of_a_renamed_column_and_a_dropped_table(server: Server, registry: Registry) -> None:
    there = "the table of its example is gone or has changed; the server's log says how"
    for broken, fixed in [
        ("ALTER TABLE animals RENAME COLUMN x TO y", "ALTER TABLE animals RENAME COLUMN y TO x"),
        ("ALTER TABLE animals RENAME TO beasts", "ALTER TABLE beasts RENAME TO animals"),
    ]:
        change(registry, broken)
        answer = server.get("/health")
        change(registry, fixed)
        assert answer.status_code == 200
        assert answer.json()["failing"]["animals"] == there
        assert "animals" not in server.get("/health").json()["failing"]
    assert server.predict("animals", "a").status_code == 200


def test_a_replaced_database_file_is_read_and_no_empty_one_is_made(
    server: Server, registry: Registry
) -> None:
    path, other, kept = (registry.home / name for name in ("data.db", "other.db", "kept.db"))
    shutil.copy(path, other)
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("UPDATE animals SET x = 0 WHERE id = 'a'")
    assert server.predict("animals", "a").json()["prob_cat"] == pytest.approx([0.9], abs=CLOSE)
    path.rename(kept)
    try:
        for answer in (server.predict("animals", "a"), server.get("/health"), server.predict("animals", "a")):
            assert answer.status_code == 503, answer.text
            assert answer.json()["error"]["code"] == "database_unavailable"
        assert not path.exists()
        other.rename(path)
        assert server.predict("animals", "a").json()["prob_cat"] == pytest.approx([0.5], abs=CLOSE)
    finally:
        kept.replace(path)
    assert server.predict("animals", "a").json()["prob_cat"] == pytest.approx([0.9], abs=CLOSE)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_asked_to(tmp_path: Path, by: signal.Signals) -> None:
    (tmp_path / "tasks").mkdir()
    server = start(tmp_path)
    assert server.get("/").json() == {"models": [], "registry_problem": None}
    assert stop(server, by) == 0
    assert "Traceback" not in server.log.read_text()


def test_a_taken_port_is_one_line(tmp_path: Path, server: Server) -> None:
    port = server.address.rsplit(":", 1)[1]
    done = subprocess.run(
        [sys.executable, "-m", "modelling.serve", "--port", port],
        cwd=REPOSITORY,
        env={**os.environ, "ADAPTML_ROOT": str(tmp_path), "MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=START_S,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"error: cannot listen on 127.0.0.1 port {port}: Address already in use; "
        "choose another with --port (0 takes a free one)"
    ]
