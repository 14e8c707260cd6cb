"""Frames and exports that are refused."""

import gzip
import json
import os
import pickle
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from bad_case import ROWS, export, frame


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
    frame("a pickle of a class that is gone", "f.pkl.*Nobody", "f.pkl", b"cpandas\nNobody\n."),
    frame("a device that never ends", "no file|no table", "f.csv", lambda path: path.symlink_to("/dev/zero")),
    frame("a pipe that nobody writes to", "no file|no table", "f.csv", os.mkfifo),
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
    export("a device that never ends", r"export\.json is a device", lambda path: path.symlink_to("/dev/zero")),
    export("a pipe that nobody writes to", r"export\.json is a device or a pipe", os.mkfifo),
    export("a folder", r"export\.json", lambda path: path.mkdir()),
    export("two tasks, one of them broken", r"\[1\].data", [point(), {"annotations": []}]),
]  # fmt: skip
