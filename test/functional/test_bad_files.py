"""Bad files, addresses and names, by the hundred: each one line on stderr, exit code 1 or 2, and nothing written.

They run in one process and share a project, which no case may change. A few run as processes of their own, too.
"""

import gzip
import hashlib
import json
import os
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.database import TextList, Vector
from adaptml.project import Project
from adaptml.tasks.scaffold import new_task

Content = str | bytes | Callable[[Path], None] | None
ROWS = 12
GOOD = """title: Left or right?
setting: multiclass
classes: [{name: left}, {name: right}]
columns: [{name: txt}]
lf_features: [txt]
features: [vec]
"""
LFS = "from adaptml import labeling_function\n"


class Case(NamedTuple):
    """Files to write beside a good project, a command, and facts of the line that it must end in."""

    name: str
    command: str
    facts: str
    files: dict[str, Content] = {}  # noqa: RUF012 - nobody changes it
    env: dict[str, str] = {}  # noqa: RUF012


def task(name: str, facts: str, text: str | bytes) -> Case:
    """A task file that `task check` refuses."""
    return Case(f"task file: {name}", "task check bad", facts, {"tasks/bad/task.yaml": text})


def with_key(name: str, facts: str, line: str) -> Case:
    """A good task file in which one key says something else, or one more is there."""
    key = line.partition(":")[0]
    kept = [each for each in GOOD.splitlines() if not each.startswith(f"{key}:")]
    return task(name, facts, "\n".join([*kept, line, ""]))


def lfs(name: str, facts: str, code: str | bytes, command: str = "label bad --data posts") -> Case:
    """Labelling functions that end `label`."""
    return Case(f"lfs.py: {name}", command, facts, {"tasks/bad/task.yaml": GOOD, "tasks/bad/lfs.py": code})


def body(name: str, facts: str, line: str) -> Case:
    """A labelling function whose body is one line."""
    code = f"{LFS}\ndef get_lfs(params):\n    @labeling_function()\n    def rule(x):\n        {line}\n    return [rule]\n"
    return lfs(name, facts, code)


def frame(name: str, facts: str, file: str, content: Content, command: str = "label topic --data") -> Case:
    """A file of data points that a step refuses."""
    return Case(f"frame: {name}", f"{command} {file}", facts, {file: content})


def export(name: str, facts: str, content: object) -> Case:
    """A file of annotations that is refused."""
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    return Case(f"export: {name}", "process-annotations topic export.json", facts, {"export.json": text})


def address(name: str, facts: str, command: str, **env: str) -> Case:
    """An address or another setting that cannot be used."""
    return Case(f"setting: {name}", command, facts, {}, env)


def typed(command: str, facts: str) -> Case:
    """Names and values that somebody typed."""
    return Case(f"typed: {command[:80]}", command, facts)


def parquet(**columns: object) -> Callable[[Path], None]:
    """Writes a frame of posts, with these columns."""
    keys = {"table_name": "posts", "id": ["p0", "p1"]}
    return lambda path: pd.DataFrame(keys | columns).to_parquet(path)


def labelled(**columns: object) -> Callable[[Path], None]:
    """Writes training data of all posts, with these columns."""
    keys = {"table_name": "posts", "id": [f"p{i}" for i in range(ROWS)]}
    return lambda path: pd.DataFrame(
        keys | {"label": [["left"], ["right"]] * (ROWS // 2)} | columns
    ).to_parquet(path)


def point(**changes: object) -> dict[str, object]:
    """One exported task as it should be, but for these keys."""
    good: dict[str, object] = {
        "id": 1,
        "data": {"ref_id": "p0", "meta_info": {"table_name": "posts", "task": "topic"}},
        "annotations": [
            {
                "id": 1, "completed_by": 1, "updated_by": 1, "was_cancelled": False,
                "result": [{"from_name": "class", "type": "choices", "value": {"choices": ["left"]}}],
            }
        ],
    }  # fmt: skip
    return good | changes


def annotated(**changes: object) -> dict[str, object]:
    """One exported task whose annotation has other values."""
    found = point()
    (annotation,) = found["annotations"]  # type: ignore[misc]
    return found | {"annotations": [annotation | changes]}


YAML = [
    task("empty", "task.yaml", ""),
    task("only a remark", "task.yaml", "# to do\n"),
    task("a list", "holds list", "[1, 2]"),
    task("a text", "holds str", "title"),
    task("a number", "holds int", "5"),
    task("a tab", "not YAML.*line 2", "title: x\n\tsetting: y\n"),
    task("never closed", "not YAML", "classes: [{name: a}, {name: b}"),
    task("20,000 brackets", "task.yaml.*nested", "classes: " + "[" * 20_000),
    task("20,000 indented keys", "task.yaml.*nested", "".join(f"{' ' * i}a:\n" for i in range(2_000))),
    task("two documents", "not YAML", GOOD + "---\n" + GOOD),
    task("an object of Python", "not YAML", GOOD + "description: !!python/object:os.system {}\n"),
    task("an alias without an anchor", "not YAML", GOOD + "description: *a\n"),
    task("an alias of itself", "task.yaml", GOOD.replace("[txt]", "&a [*a]")),
    task(
        "aliases that grow",
        "task.yaml.*alias",
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
        + GOOD.replace("title: Left or right?", "title: *i"),
    ),
    task("Latin-1", "UTF-8", GOOD.replace("Left", "Gauche, à").encode("latin-1")),
    task("UTF-16", "UTF-8|YAML", GOOD.encode("utf-16")),
    task("NUL", "not YAML", GOOD + "description: a\0b\n"),
    task("binary", "UTF-8|YAML", bytes(range(256))),
    task("a key twice", "'classes' is duplicated.*line 7", GOOD + "classes: [{name: up}, {name: down}]\n"),
    task("an inner key twice", "'name' is duplicated.*line 3", GOOD.replace("{name: left}", "{name: left, name: up}")),
    task("a number of 5,000 digits", "task.yaml", GOOD.replace("Left or right?", "9" * 5_000)),
    task("an unknown key", "colour: unknown key", GOOD + "colour: red\n"),
    task("a key that is a number", "task.yaml.*5", GOOD + "5: red\n"),
    task("a key that is a list", "task.yaml", GOOD + "? [a, b]\n: red\n"),
    task("a key that is nothing", "task.yaml", GOOD + "~: red\n"),
    task("its own folder", "folder: unknown key", GOOD + "folder: /tmp\n"),
    task("its own name", "name: unknown key", GOOD + "name: other\n"),
    task("rules", "lfs: unknown key", GOOD + "lfs: [a]\n"),
    with_key("no title", "title", "title:"),
    with_key("a short title", "title.*3", "title: ab"),
    with_key("a long title", "title.*50", f"title: {'a' * 51}"),
    with_key("a title of lists", "title", "title: [a, b]"),
    with_key("no setting", "setting", "setting:"),
    with_key("another setting", "setting.*'both'", "setting: both"),
    with_key("a setting that is true", "setting.*True", "setting: yes"),
    with_key("no classes", "classes", "classes: []"),
    with_key("one class", "classes.*2 to 127.*1", "classes: [{name: a}]"),
    with_key("128 classes", "2 to 127 classes; given 128", f"classes: [{', '.join(f'c{i}' for i in range(128))}]"),
    with_key("a class twice", "class names must differ; a", "classes: [a, a]"),
    with_key("a class that is no", r"classes\[0\].*quot", "classes: [{name: no}, {name: b}]"),
    with_key("a class that is yes, bare", r"classes\[1\].*quot", "classes: [a, yes]"),
    with_key("a class that is a number", r"classes\[0\].*quot", "classes: [{name: 1}, {name: 2}]"),
    with_key("a class that is a fraction", r"classes\[0\].*quot", "classes: [{name: 1.5}, {name: b}]"),
    with_key("a class that is nothing", r"classes\[0\]", "classes: [{name: ~}, {name: b}]"),
    with_key("a class without a name", r"classes\[0\].name: missing", "classes: [{description: a}, {name: b}]"),
    with_key("a class of 81 characters", "1 to 80 characters", f"classes: [{'a' * 81}, b]"),
    with_key("a class with a bracket", "<b>", "classes: ['<b>', b]"),
    with_key("a class with a line break", "control", 'classes: ["a\\nb", b]'),
    with_key("a reserved class", "ABSTAIN is reserved", "classes: [ABSTAIN, b]"),
    with_key("a class like a column of ours", "prob_a is reserved", "classes: [prob_a, b]"),
    with_key("classes by name", "classes", "classes: {a: x, b: y}"),
    with_key("classes as text", "classes", "classes: a, b"),
    with_key("a class with an unknown key", r"classes\[0\].*colour: unknown key", "classes: [{name: a, colour: b}, b]"),
    with_key("no columns", "columns", "columns: []"),
    with_key("a column of another type", "columns.*'film'", "columns: [{name: txt, type: film}]"),
    with_key("a column without a name", "columns.*name", "columns: [{type: text}]"),
    with_key("columns as text", "columns", "columns: txt"),
    with_key("LF features as text", "lf_features", "lf_features: txt"),
    with_key("LF features that are numbers", r"lf_features\[0\].*1", "lf_features: [1]"),
    with_key("no features", "features", "features: []"),
    with_key("features by name", "features", "features: {a: b}"),
    with_key("a positive class that is none", "positive.*'up'.*left, right", "positive: up"),
    with_key("a positive class that is true", "positive", "positive: yes"),
    with_key("featurize without a text", "featurize.*text", "featurize: {vector: vec}"),
    with_key("featurize as a list", "featurize", "featurize: [txt]"),
    with_key("featurize with an unknown key", "featurize.*colour", "featurize: {text: txt, colour: red}"),
]  # fmt: skip

ONE = f"{LFS}\ndef get_lfs(params):\n"
RULES = [
    lfs("no file", "lfs.py", "", "task check bad")._replace(files={"tasks/bad/task.yaml": GOOD}),
    lfs("empty", "get_lfs", ""),
    lfs("a mistake of syntax", "lfs.py, line 1.*SyntaxError", "def get_lfs(:\n"),
    lfs("a mistake of indentation", "lfs.py, line 2.*IndentationError", "if True:\npass\n"),
    lfs("Latin-1", "lfs.py", "# à\n".encode("latin-1")),
    lfs("NUL", "lfs.py", b"a = 1\0\n"),
    lfs("a module that is not there", "lfs.py, line 1.*ModuleNotFoundError.*nowhere", "import nowhere\n"),
    lfs("a name that is not there", "lfs.py, line 1.*ImportError", "from adaptml import nowhere\n"),
    lfs("a wrong regular expression", "lfs.py, line 2", "import re\nre.compile('(')\n"),
    lfs("a class of error of its own", "lfs.py, line 2.*Own.*hello", "class Own(Exception): pass\nraise Own('hello')\n"),
    lfs("an error that cannot be shown", "lfs.py, line 3.*Own", "class Own(Exception):\n    def __str__(self): raise ValueError\nraise Own\n"),
    lfs("an error of YAML", "lfs.py, line 2", "import yaml\nyaml.safe_load('[')\n"),
    lfs("it leaves at import", "lfs.py, line 2.*SystemExit", "import sys\nsys.exit(0)\n"),
    lfs("it leaves with a text", "lfs.py, line 1.*SystemExit.*bye", "raise SystemExit('bye')\n"),
    lfs("it recurses", "lfs.py.*RecursionError", "def f(): f()\nf()\n"),
    lfs("an error of several lines", "lfs.py, line 1.*a b", "raise ValueError('a\\nb')\n"),
    lfs("an unknown sign", "lfs.py, line 1", "raise ValueError('\\ud800')\n"),
    lfs("a base exception", "lfs.py, line 2.*Own", "class Own(BaseException): pass\nraise Own\n"),
    lfs("a generator's end", "lfs.py, line 1.*GeneratorExit", "raise GeneratorExit\n"),
    lfs("no get_lfs", "get_lfs", "LFS = []\n"),
    lfs("get_lfs is a list", "get_lfs", "get_lfs = []\n"),
    lfs("get_lfs takes nothing", "get_lfs", "def get_lfs(): return []\n"),
    lfs("get_lfs gives nothing", "get_lfs", "def get_lfs(params): pass\n"),
    lfs("get_lfs gives an empty list", "get_lfs returned", "def get_lfs(params): return []\n"),
    lfs("get_lfs gives a text", "get_lfs", "def get_lfs(params): return 'rule'\n"),
    lfs("get_lfs gives functions", "get_lfs|labeling_function", "def get_lfs(params): return [len]\n"),
    lfs("get_lfs gives a dictionary", "get_lfs|labeling_function", "def get_lfs(params): return {'a': 1}\n"),
    lfs("get_lfs leaves", "lfs.py, line 2.*SystemExit", "def get_lfs(params):\n    raise SystemExit\n"),
    lfs("get_lfs fails", "lfs.py, line 2.*KeyError.*'a'", "def get_lfs(params):\n    return {}['a']\n"),
    lfs("the same name twice", "named rule", f"{ONE}    rule = labeling_function('rule')(len)\n    return [rule, rule]\n"),
    lfs("a generator", "get_lfs returned <generator", "def get_lfs(params):\n    raise ValueError\n    yield\n"),
    body("it raises", "rule.*posts/p0.*lfs.py, line 6.*ZeroDivisionError", "1 // 0"),
    body("it leaves", "rule.*posts/p0.*lfs.py, line 6.*SystemExit", "raise SystemExit(0)"),
    body("it recurses without end", "rule.*posts/p0.*RecursionError", "return rule(x)"),
    body("a column that is not there", "rule.*posts/p0.*nope.*lf_features", "return x.nope"),
    body("a key that is not there", "rule.*posts/p0.*nope.*lf_features", "return x['nope']"),
    body("a text that is no class", "rule.*'up'.*left, right", "return 'up'"),
    body("a float", "rule.*1.5.*left, right", "return 1.5"),
    body("a truth", "rule.*True.*left, right", "return True"),
    body("a list", r"rule.*\['left'\].*left, right", "return ['left']"),
    body("a number that is no class", "rule.*7.*left, right", "return 7"),
    body("a negative number", "rule.*-5.*left, right", "return -5"),
    body("an array", "rule.*array.*left, right", "import numpy; return numpy.zeros(2)"),
    body("not a number", "rule.*nan.*left, right", "return float('nan')"),
    body("an awkward object", "rule.*left, right", "return type('Odd', (), {'__hash__': None})()"),
]  # fmt: skip

LABELS = "train topic --train"
FRAMES = [
    *(
        frame(f"{kind} of nothing", f"f.{kind}", f"f.{kind}", b"") for kind in ("parquet", "csv", "jsonl", "pkl")
    ),
    *(
        frame(f"{kind} of noise", f"f.{kind}", f"f.{kind}", bytes(range(256)) * 8)
        for kind in ("parquet", "csv", "jsonl", "pkl")
    ),
    *(
        frame(f"{kind} that is a folder", f"f.{kind}", f"f.{kind}", lambda path: path.mkdir())
        for kind in ("parquet", "csv", "jsonl", "pkl")
    ),
    frame("another ending", "f.xml", "f.xml", "<a/>"),
    frame("no ending", "no table|nothing", "./f", "table_name,id\n"),
    frame("Parquet cut short", "f.parquet", "f.parquet", lambda path: cut(parquet(), path)),
    frame("Parquet of a number", "f.parquet.*table_name", "f.parquet", lambda path: pd.DataFrame({"a": [1]}).to_parquet(path)),
    frame("no head", "table_name", "f.csv", "posts,p0\nposts,p1\n"),
    frame("an empty id", "without a", "f.csv", "table_name,id\nposts,\n"),
    frame("an empty table", "without a", "f.csv", "table_name,id\n,p0\n"),
    frame("a row too long", "f.csv.*line 3|f.csv", "f.csv", "table_name,id\nposts,p0\nposts,p1,x,y\n"),
    frame("an open quote", "f.csv", "f.csv", 'table_name,id\nposts,"p0\n'),
    frame("UTF-16", "f.csv", "f.csv", "table_name,id\nposts,p0\n".encode("utf-16")),
    frame("no rows", "no rows", "f.csv", "table_name,id\n"),
    frame("a row twice", "duplicated.*posts/p0", "f.csv", "table_name,id\nposts,p0\nposts,p0\n"),
    frame("one line that is no JSON", "f.jsonl", "f.jsonl", '{"table_name": "posts", "id": "p0"}\n{\n'),
    frame("JSON that is no object", "f.jsonl", "f.jsonl", "[1, 2]\n"),
    frame("JSON of deep lists", "f.jsonl", "f.jsonl", "[" * 100_000),
    frame("an id that is a list", "f.jsonl|posts", "f.jsonl", '{"table_name": "posts", "id": ["p0"]}\n'),
    frame("an id that no text has", "f.jsonl|posts", "f.jsonl", '{"table_name": "posts", "id": "\\ud800"}\n'),
    frame("a pickle of a number", "f.pkl.*int", "f.pkl", pickle.dumps(5)),
    frame("a pickle whose module is gone", "f.pkl.*gone_module", "f.pkl", lambda path: path.write_bytes(of_gone_module())),
    frame("a pickle that leaves", "f.pkl", "f.pkl", b"cbuiltins\nexit\n(tR."),
    frame("a pickle cut short", "f.pkl", "f.pkl", pickle.dumps(pd.DataFrame({"a": [1] * 50}))[:-20]),
    frame("points of another table", "no table 'nope'", "f.csv", "table_name,id\nnope,p0\n"),
    frame("labels missing", "label", "f.parquet", parquet(), LABELS),
    frame("labels as numbers", "label", "f.parquet", labelled(label=[0, 1] * 6), LABELS),
    frame("labels of another task", "middle.*left, right", "f.parquet", labelled(label=[["middle"]] * ROWS), LABELS),
    frame("two labels of one point", "multiclass|one class", "f.parquet", labelled(label=[["left", "right"]] * ROWS), LABELS),
    frame("labels that are nothing", "label", "f.parquet", labelled(label=[None] * ROWS), LABELS),
    frame("probabilities as text", "label_probs", "f.parquet", labelled(label_probs=["even, even"] * ROWS), LABELS),
    frame("probabilities that are words", "label_probs", "f.parquet", labelled(label_probs=[["a", "b"]] * ROWS), LABELS),
    frame("three probabilities", "label_probs", "f.parquet", labelled(label_probs=[[0.2, 0.3, 0.5]] * ROWS), LABELS),
    frame("probabilities below nothing", "label_probs", "f.parquet", labelled(label_probs=[[-1.0, 2.0]] * ROWS), LABELS),
    frame("probabilities that are no numbers", "label_probs", "f.parquet", labelled(label_probs=[[np.nan, 1.0]] * ROWS), LABELS),
    frame("probabilities that are missing", "label_probs", "f.parquet", labelled(label_probs=[None, [0.5, 0.5]] * 6), LABELS),
    frame("probabilities that are one number", "label_probs", "f.parquet", labelled(label_probs=[0.5] * ROWS), LABELS),
    frame("gold of other classes", "middle", "g.parquet", parquet(gold_label=[["middle"], ["left"]]), "label topic --data posts --gold"),
    frame("gold without labels", "gold_label", "g.parquet", parquet(), "label topic --data posts --gold"),
    frame("gold of a missing file", "nowhere.csv", "unused", "", "label topic --data posts --gold nowhere.csv --seed 1 --to")._replace(command="label topic --data posts --gold nowhere.csv"),
    frame("a test set of noise", "t.parquet", "t.parquet", b"PAR1noise", "train topic --train labelled.parquet --test"),
    frame("points to predict of noise", "champion|f.parquet", "f.parquet", b"PAR1", "predict topic --data"),
    frame("a gzip of noise", "f.csv.gz|ends in", "f.csv.gz", gzip.compress(b"\xff\xfe\x00")),
]  # fmt: skip

META = {"table_name": "posts", "task": "topic"}
EXPORTS = [
    export("nothing", "empty", ""),
    export("blanks", "empty", " \n\n"),
    export("null", "list of tasks", "null"),
    export("a number", "list of tasks", "5"),
    export("a text", "list of tasks", '"a"'),
    export("an object", "list of tasks", "{}"),
    export("a list of numbers", "list of tasks", "[1, 2]"),
    export("no tasks", "holds no tasks", "[]"),
    export("no JSON", "not JSON.*line 1", "[{]"),
    export("100,000 brackets", "export.json.*nested", "[" * 100_000),
    export("100,000 objects", "export.json.*nested", '{"a":' * 100_000),
    export("a number of 5,000 digits", "export.json", '[{"id": ' + "9" * 5_000 + "}]"),
    export("Latin-1", "not text", '["à"]'.encode("latin-1")),
    export("noise", "export.json", bytes(range(128, 256))),
    export("UTF-16", "export.json", json.dumps([point()]).encode("utf-16")),
    export("a file to import", "no annotations", [{"data": {"ref_id": "p0", "meta_info": META}}]),
    export("no data", r"\[0\].data: missing", [{"id": 1, "annotations": []}]),
    export("data that are a list", r"\[0\].data", [point(data=[])]),
    export("no id of the point", "ref_id: missing", [point(data={"meta_info": META})]),
    export("an id that is a list", "ref_id", [point(data={"ref_id": [1], "meta_info": META})]),
    export("an id that is nothing", "ref_id", [point(data={"ref_id": None, "meta_info": META})]),
    export("an id that no text has", "ref_id|p", json.dumps([point(data={"ref_id": "\ud800", "meta_info": META})])),
    export("no meta_info", "meta_info: missing", [point(data={"ref_id": "p0"})]),
    export("meta_info without a table", "table_name: missing", [point(data={"ref_id": "p0", "meta_info": {"task": "topic"}})]),
    export("meta_info that is a text", "meta_info", [point(data={"ref_id": "p0", "meta_info": "posts"})]),
    export("another task", "'other' .*expected only those of 'topic'", [point(data={"ref_id": "p0", "meta_info": META | {"task": "other"}})]),
    export("annotations that are an object", "annotations", [point(annotations={})]),
    export("annotations that are null", "no annotation", [point(annotations=None)]),
    export("an annotation that is a number", r"annotations\[0\]", [point(annotations=[5])]),
    export("no annotation", "annotat", [point(annotations=[])]),
    export("a result that is a text", "result", [annotated(result="left")]),
    export("a result of numbers", "result", [annotated(result=[5])]),
    export("a value that is a list", "value", [annotated(result=[{"type": "choices", "value": []}])]),
    export("an annotator with a name only", "completed_by|annotat", [annotated(completed_by="ada", updated_by="ada")]),
    export("a date that is none", "created_at", [annotated(created_at="yesterday")]),
    export("cancelled as a word", "was_cancelled", [annotated(was_cancelled="perhaps")]),
    export("all cancelled", "cancelled", [annotated(was_cancelled=True)]),
    export("a class that does not exist", "middle", [annotated(result=[{"from_name": "class", "type": "choices", "value": {"choices": ["middle"]}}])]),
    export("a probability of 7", "inclusion_prob|annotat", [point(data={"ref_id": "p0", "meta_info": META | {"inclusion_prob": "seven"}})]),
    export("two tasks, one of them broken", r"\[1\].data", [point(), {"annotations": []}]),
]  # fmt: skip

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

CASES = [*YAML, *RULES, *FRAMES, *EXPORTS, *ADDRESSES, *IMPORTS, *TYPED]


def cut(write: Callable[[Path], None], path: Path) -> None:
    """Write a file and take its end away."""
    write(path)
    path.write_bytes(path.read_bytes()[:-10])


def of_gone_module() -> bytes:
    """A pickle of a module that is not there any more."""
    module = types.ModuleType("gone_module")
    module.Gone = type("Gone", (), {"__module__": "gone_module"})  # type: ignore[attr-defined]
    sys.modules["gone_module"] = module
    try:
        return pickle.dumps(module.Gone())  # type: ignore[attr-defined]
    finally:
        del sys.modules["gone_module"]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A small project in which everything is right: a task `topic`, a table `posts`, training data."""
    room = tmp_path_factory.mktemp("bad") / "room"
    (room / "tasks").mkdir(parents=True)
    (room / "workspace").mkdir()
    shutil.copy(empty_store, room / "workspace" / "mlflow.db")
    new_task(room / "tasks", "topic", ["left", "right"], "multiclass", "txt")
    (room / "tasks/topic/task.yaml").write_text(GOOD)
    ids = [f"p{i}" for i in range(ROWS)]
    rows = {"id": ids, "txt": "left", "txt_lemmas": [["left"]] * ROWS, "vec": [[i, 1.0] for i in range(ROWS)]}
    with Project(room) as project:
        columns = {"id": sa.Text(), "txt": sa.Text(), "txt_lemmas": TextList(), "vec": Vector()}
        project.database.create_table("posts", columns, ["id"])
        project.database.upsert("posts", pd.DataFrame(rows), ["id"])
    labelled()(room / "labelled.parquet")
    return room


def contents(room: Path) -> dict[str, str]:
    """Every file's hash; votes that were computed before a step failed are kept, and right."""
    left_out = {"votes", "__pycache__", "mlruns"}
    return {
        str(path.relative_to(room)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(room.rglob("*"))
        if path.is_file() and not left_out & set(path.parts) and path.name != "mlflow.db"
    }


@pytest.fixture
def prepared(request: pytest.FixtureRequest, room: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """A case whose files lie in the room while it runs."""
    case: Case = request.param
    monkeypatch.chdir(room)
    for name, value in case.env.items():
        monkeypatch.setenv(name, value)
    made = []
    for name, content in case.files.items():
        path = room / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made.append(path)
        if callable(content):
            content(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            path.write_text(content)
    yield case
    for path in made:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    shutil.rmtree(room / "tasks" / "bad", ignore_errors=True)


def one_line(stderr: str) -> str:
    """The only error among what was said, its last line."""
    lines = stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1, stderr
    assert lines[-1] == errors[0], stderr
    assert "Traceback" not in stderr
    return errors[0]


@pytest.mark.parametrize("prepared", CASES, ids=[case.name for case in CASES], indirect=True)
def test_one_line_and_nothing_written(prepared: Case, room: Path) -> None:
    before = contents(room)
    result = CliRunner().invoke(app, shlex.split(prepared.command), prog_name="adaptml")
    assert result.exit_code in (1, 2), f"{result.output}\n{result.exception!r}"
    line = one_line(result.stderr)
    assert re.search(prepared.facts, line), line
    assert len(line) < 1_500, line
    assert contents(room) == before


def test_there_are_many() -> None:
    assert len(CASES) >= 250
    assert len({case.name for case in CASES}) == len(CASES)


def test_a_working_folder_that_was_removed(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); from adaptml.cli.app import main; sys.argv = ['adaptml', 'tables']; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path / "gone", check=False
    )
    assert done.returncode == 1, done.stderr
    assert "the working folder was removed; change into the project's folder" in one_line(done.stderr)


PROCESSES = [*YAML[7:40:4], *RULES[1:40:5], *FRAMES[:20:4], *EXPORTS[9:13], *ADDRESSES[:3]]


@pytest.mark.parametrize("prepared", PROCESSES, ids=[case.name for case in PROCESSES], indirect=True)
def test_the_same_as_a_process(prepared: Case, room: Path) -> None:
    before = contents(room)
    command = [sys.executable, "-m", "adaptml.cli", *shlex.split(prepared.command)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=room, env=dict(os.environ), check=False
    )
    assert done.returncode in (1, 2), done.stderr
    assert re.search(prepared.facts, one_line(done.stderr))
    assert contents(room) == before
