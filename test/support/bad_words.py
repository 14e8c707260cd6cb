"""Addresses, files to import, names and values that are refused."""

import pickle
import shlex

import pandas as pd
from bad_case import Case, Content, address, typed

READ = "sample-tasks topic --data posts --n 5"
ADDRESSES = [
    address("an address of noise", "database_url", READ, ADAPTML_DATABASE_URL="garbage"),
    address("an address of signs", "database_url", READ, ADAPTML_DATABASE_URL="://"),
    address("an address with a wrong port", "database_url", READ, ADAPTML_DATABASE_URL="postgresql+psycopg://me@127.0.0.1:port/x"),
    address("an address without a port", "database_url|127.0.0.1", READ, ADAPTML_DATABASE_URL="postgresql+psycopg://me@127.0.0.1:99999/x"),
    address("a database that nobody knows", "database_url", READ, ADAPTML_DATABASE_URL="nobody://x"),
    address("a driver that is not there", "database_url.*oracledb|database_url.*driver", READ, ADAPTML_DATABASE_URL="oracle+oracledb://me@127.0.0.1/x"),
    address("a server that is away", "127.0.0.1", READ, ADAPTML_DATABASE_URL="postgresql+psycopg://me@127.0.0.1:1/x?connect_timeout=2"),
    address("a CrateDB that is away", "127.0.0.1", READ, ADAPTML_DATABASE_URL="crate://127.0.0.1:1"),
    address("a SQLite file in no folder", "nowhere", READ, ADAPTML_DATABASE_URL="sqlite:////proc/nowhere/all.db"),
    address("a folder as a SQLite file", "/tmp", READ, ADAPTML_DATABASE_URL="sqlite:////tmp"),
    address("a SQLite file that is none", "noise.db", READ, ADAPTML_DATABASE_URL="sqlite:///noise.db")._replace(files={"noise.db": b"x" * 5_000}),
    address("a device", "/dev/null|no table", READ, ADAPTML_DATABASE_URL="sqlite:////dev/null"),
    address("a password with a colon", "database_url|example", READ, ADAPTML_DATABASE_URL="postgresql+psycopg://me:a:b@c@[::1/x"),
    address("a port of letters", "port", READ, ADAPTML_PORT="many"),
    address("a port too high", "port", READ, ADAPTML_PORT="99999"),
    address("a home that is a file", "labelled.parquet", READ, ADAPTML_HOME="labelled.parquet"),
    address("no tasks", "nowhere", "task check topic", ADAPTML_TASKS_DIR="nowhere"),
    address("tasks that are a file", "labelled.parquet", "task check topic", ADAPTML_TASKS_DIR="labelled.parquet"),
    address("a tracking address of noise", "tracking|MLFLOW_TRACKING_URI|odd", "runs topic", MLFLOW_TRACKING_URI="odd://x"),
    address("a folder as the tracking store", "/tmp", "runs topic", MLFLOW_TRACKING_URI="sqlite:////tmp"),
    address("a tracking store in no folder", "nowhere", "runs topic", MLFLOW_TRACKING_URI="sqlite:////proc/nowhere/mlflow.db"),
    address("an .env.dev in Latin-1", ".env.dev", READ)._replace(files={".env.dev": "ADAPTML_HOST=à\n".encode("latin-1")}),
    address("an .env.dev of noise", ".env.dev", READ)._replace(files={".env.dev": bytes(range(128, 256))}),
    address("an .env in Latin-1", r"\.env", READ)._replace(files={".env": "ADAPTML_HOST=à\n".encode("latin-1")}),
    address("an address of noise, shown", "database_url", "tables", ADAPTML_DATABASE_URL="garbage"),
    address("a results address of noise", "results_database_url", "label topic --data posts --new", ADAPTML_RESULTS_DATABASE_URL="garbage"),
]  # fmt: skip


def imported(name: str, facts: str, file: str, content: Content, more: str = "") -> Case:
    """A file that `import` refuses."""
    return Case(f"import: {name}", f"import {file} fresh {more}", facts, {file: content})


ROW = '{"id": "a", "txt": "one"}\n'
IMPORTS = [
    *(
        imported(f"{kind} of nothing", rf"new\.{kind}", f"new.{kind}", b"")
        for kind in ("csv", "tsv", "json", "jsonl", "parquet", "arrow", "feather", "xlsx")
    ),
    *(
        imported(f"{kind} of noise", rf"new\.{kind}", f"new.{kind}", bytes(range(256)) * 8)
        for kind in ("json", "jsonl", "parquet", "arrow", "feather", "xlsx", "csv.gz")
    ),
    imported("another ending", r"new\.xml.*\.csv", "new.xml", "<a/>"),
    imported("a pickle", r"new\.pkl.*\.csv", "new.pkl", pickle.dumps(pd.DataFrame({"id": ["a"]}))),
    imported("names and no row", "no rows", "new.csv", "id,txt\n"),
    imported("ids that a spreadsheet rounded", r"2 rows .*5\.70306E\+17.*--id", "new.csv", "id,txt\n5.70306E+17,a\n5.7031E+17,b\n"),
    imported("an id twice", "id.*a.*--on-duplicate", "new.csv", "id,txt\na,one\na,two\n"),
    imported("a row without an id", "id", "new.csv", "id,txt\na,one\n,two\n"),
    imported("a row too long", "new.csv.*line 3", "new.csv", "id,txt\na,one\nb,two,three\n"),
    imported("an open quote", "new.csv", "new.csv", 'id,txt\na,"one\n'),
    imported("half a character", r"half|surrogate|new\.jsonl", "new.jsonl", '{"id": "\\ud800", "txt": "one"}\n'),
    imported("100,000 brackets", r"new\.json", "new.json", "[" * 100_000),
    imported("one line that is no JSON", "line 2", "new.jsonl", ROW + "{\n"),
    imported("rows that are lists", r"new\.jsonl", "new.jsonl", "[1, 2]\n"),
    imported("a vector that is infinite", "inf|finite|not JSON", "new.jsonl", '{"id": "a", "v": [1.0, Infinity]}\n'),
    imported("an encoding that there is not", "no encoding 'klingon'", "new.csv", "id\na\n", "--encoding klingon"),
    imported("an encoding that it is not", "new.csv", "new.csv", "id,txt\na,à\n".encode("latin-1"), "--encoding utf-8"),
    imported("a delimiter of two characters", "delimiter 'ab'", "new.csv", "id\na\n", "--delimiter ab"),
    imported("a column of ids that is not there", "no column 'key'.*id, txt", "new.csv", "id,txt\na,one\n", "--id key"),
    imported("ids of a column and of numbers", "name one of both", "new.csv", "id,txt\na,one\n", "--id id --number-rows"),
    imported("a type that there is not", "film", "new.csv", "id,txt\na,one\n", "--types txt=film"),
    imported("a type of no column", "nope", "new.csv", "id,txt\na,one\n", "--types nope=text"),
    imported("a type that does not fit", "txt.*one", "new.csv", "id,txt\na,one\n", "--types txt=integer"),
    imported("a choice about repeated ids that there is not", "perhaps.*keep-first", "new.csv", "id,txt\na,one\n", "--on-duplicate perhaps"),
    *(
        Case(f"import: into {table[:20]!r}", f"import new.csv {shlex.quote(table)}", facts, {"new.csv": "id,txt\na,one\n"})
        for table, facts in {"my posts": "my_posts", "a.b": "a_b", "": "unnamed", "adaptml_x": "adaptml_", "a" * 64: "63", "'; DROP TABLE posts; --": "name it"}.items()
    ),
    typed("import nowhere.csv fresh", r"no file nowhere\.csv"),
    typed("import /nowhere/folder fresh", "no file /nowhere/folder"),
    typed("import . fresh", "no pictures"),
    typed("import labelled.parquet", "no table's name after 'labelled.parquet'"),
    typed("forget nope p0 --yes", "no table 'nope'"),
    typed("forget posts", "IDS"),
    typed("features nope", "no table 'nope'"),
    address("no folder for tasks can be made", "/proc/nowhere/new cannot be made", "task new new --classes a,b", ADAPTML_TASKS_DIR="/proc/nowhere"),
    typed("gold topic nowhere.csv", "nowhere.csv"),
    typed("gold topic --template 0 --data posts", "at least 1|0"),
    typed("lemmas", "missing argument"),
    typed("lemmas words --language klingon", "klingon"),
]  # fmt: skip

LONG = "a" * 300
TYPED = [
    typed(f"task check {LONG}", "task"),
    typed("task check ../topic", r"'\.\./topic'"),
    typed("task check ''", "''"),
    typed("task check Topic", "'Topic'"),
    typed("task check 'a b'", "'a b'"),
    typed("task check tópic", "'tópic'"),
    typed("task check topic --data ''", "table|data"),
    typed(f"task new {LONG} --classes a,b", "300 letters; expected 50"),
    typed("task new 5 --classes a,b", "'5'"),
    typed("task new new --classes a", "2 to 127"),
    typed("task new new --classes a,a", "a is duplicated"),
    typed("task new new --classes ,", "class"),
    typed("task new new --classes 'a,<b>'", "<b>"),
    typed("task new new --classes a,b --text ''", "text|column|name"),
    typed("task new topic --classes a,b", "there already"),
    *(typed(f"{step} nope --data posts", "no task 'nope'") for step in ("label", "lfs", "featurize", "predict")),
    *(typed(f"{step} topic --data nope", "no table 'nope'") for step in ("label", "lfs")),
    *(
        typed(f"label topic --data {shlex.quote(table)}", "table|file|data")
        for table in ('"posts"', "posts; DROP TABLE posts", "posts where", "'", "sqlite_master where", LONG, ".", "..", "/", "posts.", ".posts", "%", "posts where txt = 'a' or")
    ),
    *(
        typed(f"label topic --data posts --where {shlex.quote(where)}", "where|refused|point|condition")
        for where in ("(", "1; DROP TABLE posts", "nope = 1", "", "id IN (SELECT", "count(*) > 1", "'", "--", "1 = 0")
    ),
    typed("label topic --data posts --seed -1", "seed"),
    typed("label topic --data posts --seed 1.5", "seed"),
    typed(f"label topic --data posts --seed {'9' * 30}", "seed"),
    typed("label topic --data posts --workers -3", "workers"),
    typed("label topic --data posts --workers many", "workers"),
    typed("label topic --data posts --nope", "nope"),
    typed("label topic --data posts nope", "nope"),
    typed("sample-tasks topic --data posts --n -5", "-5|at least 1"),
    typed("sample-tasks topic --data posts --n 1e3", "1e3"),
    typed("sample-tasks topic --data posts --n 5 --seed -1", "seed"),
    typed("sample-tasks topic --data posts --n 5 --sampling ''", "sampling|''"),
    typed("sample-tasks topic --data posts --n 5 --to labelled.parquet/tasks.json", "labelled.parquet"),
    typed("sample-points topic --data posts --n 0", "0|at least 1"),
    typed("sample-points topic --data posts --n 5 --seed -1", "seed"),
    typed("sample-points topic --data posts --n 5 --to f.txt", "f.txt"),
    typed("featurize topic --data posts --text txt --vector new --encoder ''", "encoder"),
    typed("featurize topic --data posts --text txt --vector new --encoder hybrid:/nowhere", "/nowhere"),
    typed("featurize topic --data posts --text vec", "vec"),
    typed("lfs topic --data posts --n -1", "-1 .*at least 1"),
    typed("lfs topic --diff a b", "run"),
    typed("train topic --train nowhere.parquet", "nowhere.parquet"),
    typed("train topic --train labelled.parquet --seed -1", "seed"),
    typed("train topic --train labelled.parquet --test 2", "test"),
    typed("train topic --train labelled.parquet --test -0.5", "test"),
    typed("train topic --train labelled.parquet --test nan", "test"),
    typed("train topic --train labelled.parquet --features nope", "nope"),
    typed("train topic --train labelled.parquet --algorithm ''", "algorithm"),
    typed("train topic --train labelled.parquet --strategy nope", "nope"),
    typed("train topic --train ../etc", "etc"),
    typed("compare topic --train labelled.parquet --gold nowhere.parquet", "nowhere.parquet"),
    typed("process-annotations topic nowhere.json", "nowhere.json"),
    typed("process-annotations topic .", r"\."),
    typed("process-annotations topic labelled.parquet", "labelled.parquet"),
    typed("annotator-agreement topic", "process-annotations"),
    typed("deploy ''", "model"),
    typed("deploy ../model", "model"),
    typed(f"deploy {LONG}", "model"),
    typed("deploy multiclass_topic --version 7", "multiclass_topic"),
    typed("deploy multiclass_topic 7", "7"),
    typed("runs nope", "nope"),
    typed("settings nope", "nope"),
    typed("serve --port 99999", "port"),
    typed("serve --port x", "port"),
]  # fmt: skip
