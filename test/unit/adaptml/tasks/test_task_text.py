import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptml.errors import TaskError
from adaptml.tasks import Task, parse_task
from adaptml.tasks.class_edits import ClassEdits, plan_classes
from adaptml.tasks.edit import without_positive
from adaptml.tasks.task_text import with_classes

DAY = datetime.date(2026, 11, 26)
FILE = """\
# Comments: "spam", 'ham' and  spacing   stay.
title: "Is it spam?"   # spam
description: >-
  Is a comment spam, or ham?

positive: spam     # what we look for
setting:   multiclass
classes:
  # those that are wanted
  - name: ham
    description: "No spam."
    examples: []
  # those that are not
  - name: 'spam' # advertises
    description: |
      Not ham.

# Columns.
columns: [{name: spam, type: text}]
lf_features: [ham]
features: [vec]
"""


def task_of(text: str) -> Task:
    return parse_task(text, Path("t"), "the text")


def edit(text: str, edits: ClassEdits) -> str:
    task = task_of(text)
    plan = plan_classes(task, edits, DAY)
    return with_classes(text, plan.classes, plan.positive, (*task.class_changes, plan.change))


def test_what_is_not_about_classes_stays_byte_for_byte() -> None:
    changed = edit(FILE, ClassEdits(rename={"spam": "junk mail"}, split={"ham": ["fan", "talk"]}))
    assert changed == (
        FILE.replace("positive: spam     # what we look for\n", "")
        .replace("name: ham\n", "name: fan\n")
        .replace("    examples: []\n", "    examples: []\n  - name: talk\n    description: When an annotator should choose it.\n")
        .replace("name: 'spam'", "name: 'junk mail'")
        + "class_changes:\n"
        "  - {date: 2026-11-26, before: [ham, spam], becomes: {ham: [fan, talk], spam: [junk mail]}}\n"
    )  # fmt: skip
    assert task_of(changed).class_names == ["fan", "talk", "junk mail"]


def test_the_positive_class_follows_a_rename() -> None:
    changed = edit(FILE, ClassEdits(rename={"spam": "yes"}))
    assert "positive: 'yes'     # what we look for\n" in changed
    assert task_of(changed).positive == "yes"


@pytest.mark.parametrize(
    ("classes", "edits", "expected"),
    [
        ("[a, b,c ]", ClassEdits(rename={"b": "d e"}), "[a, d e,c ]"),
        ("[a, b,c ]", ClassEdits(drop=["a"]), "[b,c ]"),
        ("[a,  # one\n b, # two\n c # three\n]", ClassEdits(drop=["b"], add=["d"]), "[a,  # one\n c, d # three\n]"),
        ("[a, b,c ]", ClassEdits(drop=["c"], add=["x: y", "1"]), "[a, b, 'x: y', '1' ]"),
        ("[{name: a, description: 'b'}, {name: b}]", ClassEdits(add=["c"], rename={"b": "é"}), "[{name: a, description: 'b'}, {name: é}, {name: c, description: When an annotator should choose it.}]"),
        ("\n- a  # one\n-   b\n- c", ClassEdits(merge={"c": ["a", "b"]}, add=["d", "e"]), "\n- c\n- d\n- e"),
        ("\n- a  # one\n# two\n-\n   b\n- c", ClassEdits(merge={"b": ["a", "b"]}), "\n# two\n-\n   b\n- c"),
        ("\n  - {name: a, examples: [a]}\n  - {name: b}\n  - {name: c}", ClassEdits(split={"a": ["x", "y"]}, drop=["c"]), "\n  - {name: x, examples: [a]}\n  - {name: y}\n  - {name: b}"),
        ("\n  - description: >\n      a\n      b\n\n    name: a\n  - name: >-\n      b\n  - &c c", ClassEdits(rename={"b": "x", "c": "z"}), '\n  - description: >\n      a\n      b\n\n    name: a\n  - name: x\n  - z'),
        ("\n  -   name: a\n      description: >\n        Some\n\n\n  -   name: b", ClassEdits(split={"a": ["x", "y"]}), '\n  -   name: x\n      description: >\n        Some\n  - name: y\n    description: When an annotator should choose it.\n\n\n  -   name: b'),
    ],
)  # fmt: skip
def test_classes_in_every_style(classes: str, edits: ClassEdits, expected: str) -> None:
    head, tail = (
        "title: abc\nsetting: multilabel\nclasses: ",
        "\ncolumns: [{name: a}]\nlf_features: [b]\nfeatures: [c]",
    )
    before = f"{head}{classes}{tail}"
    changed = edit(before, edits)
    assert changed.startswith(f"{head}{expected}{tail}\nclass_changes:")
    assert task_of(changed).class_names == plan_classes(task_of(before), edits, DAY).names
    crlf = edit(before.replace("\n", "\r\n"), edits)
    assert crlf == changed.replace("\n", "\r\n")


def test_a_file_in_braces() -> None:
    text = '{"title": "abc", "setting": "multilabel", "classes": ["a", "b"], "columns": [{"name": "a"}], "lf_features": ["b"], "features": ["c"]}\n'
    changed = edit(edit(text, ClassEdits(rename={"b": "d"})), ClassEdits(add=["e"]))
    assert '"classes": ["a", "d", e]' in changed
    assert task_of(changed).class_names == ["a", "d", "e"]
    assert [change.before for change in task_of(changed).class_changes] == [("a", "b"), ("a", "d")]
    one = text.replace('multilabel", ', 'multiclass", "positive": "a", ')
    assert '"multiclass", "classes": ["a", "b", c]' in edit(one, ClassEdits(add=["c"]))


def test_what_is_written_such_that_it_cannot_be_changed_is_said() -> None:
    asked = "description: >-\n  Is a comment spam, or ham?\n"
    text = FILE.replace(asked, "") + "description: |+\n  Every line counts.\n\n"
    with pytest.raises(
        TaskError, match=r"^class_changes of the task file is written such .*: write there \["
    ):
        edit(text, ClassEdits(add=["other"]))


NAMES = [
    "ham",
    "spam",
    "check out",
    "é",
    "1",
    "yes",
    "a: b",
    "it's",
    'a "b"',
    "- x",
    "#x",
    "[z]",
    "ham;x",
    "x.y",
]
NEW = ["neu", "new one", "2", "no", "c: d", "that's", "null", "~", "@x", "😾", "%", "a, b", "{q}"]


def quoted(draw: st.DrawFn, name: str) -> str:
    """A name in one of YAML's ways to write it."""
    plain = name in ("ham", "spam", "check out", "é", "x.y")
    ways = [
        json.dumps(name, ensure_ascii=False),
        "'" + name.replace("'", "''") + "'",
        *([name] if plain else []),
    ]
    return draw(st.sampled_from(ways))


@st.composite
def files(draw: st.DrawFn) -> tuple[list[str], list[str], str]:
    """The parts of a task file before, about and after the classes, and its last line's end."""
    names = draw(
        st.lists(st.sampled_from([n for n in NAMES if '"' not in n]), min_size=2, max_size=5, unique=True)
    )
    comment = st.sampled_from(["", "# ham, spam - it's a list", "# -"])
    other = ["title: 'ham'", "setting: multilabel", "columns: [ {name: spam} ] # é", "lf_features: [x]", "features:\n- ham", "description: |\n  spam\n\n  - name: ham\n", 'language: "en"']  # fmt: skip
    other = draw(st.permutations(other))
    indent = " " * draw(st.integers(0, 3))
    lines = ["classes:"]
    style = draw(st.sampled_from(["plain", "mapping", "flow mapping"]))
    for name in names:
        word = quoted(draw, name)
        tail = draw(st.sampled_from(["", "  # a comment - of ham"]))
        if style == "plain":
            lines += [f"{indent}- {word}{tail}"]
        elif style == "flow mapping":
            lines += [f"{indent}- {{examples: [ham, spam], name: {word} }}{tail}"]
        else:
            lines += [f"{indent}- name: {word}{tail}", f"{indent}  description: >", f"{indent}    ham", ""]
    cut = draw(st.integers(0, len(other)))
    before = [line for part in other[:cut] for line in [draw(comment), part]]
    after = [line for part in other[cut:] for line in [draw(comment), part]]
    return before, lines, "\n".join(["", *after]) + draw(st.sampled_from(["", "\n", "\n\n# ham\n"]))


@st.composite
def edits_of(draw: st.DrawFn, names: list[str]) -> ClassEdits:
    """Something that can be done with some classes."""
    new = iter(draw(st.permutations(NEW)))
    of: dict[str, list[str]] = {kind: [] for kind in ("rename", "split", "drop", "merge", "stay")}
    for name in names:
        of[draw(st.sampled_from([*of]))].append(name)
    if len(of["drop"]) == len(names):
        of["drop"].pop()
    merge = {draw(st.sampled_from([of["merge"][0], next(new)])): of["merge"]} if len(of["merge"]) > 1 else {}
    return ClassEdits(
        rename={name: next(new) for name in of["rename"][:2]},
        split={name: [next(new), next(new)] for name in of["split"][:2]},
        drop=of["drop"][:2],
        merge=merge,
        add=[next(new) for _ in range(draw(st.integers(1, 2)))],
    )


@settings(max_examples=30)
@given(st.data(), files(), st.booleans())
def test_only_the_classes_are_written_anew(data: Any, file: Any, crlf: bool) -> None:
    before, classes, after = file
    newline = "\r\n" if crlf else "\n"
    head = "".join(line + "\n" for line in before).replace("\n", newline)
    tail = after.replace("\n", newline)
    text = head + "\n".join(classes).replace("\n", newline) + tail
    task = task_of(text)
    edits = data.draw(edits_of(task.class_names))
    plan = plan_classes(task, edits, DAY)
    changed = edit(text, edits)
    made = task_of(changed)
    assert made.class_names == plan.names
    assert made.class_changes == (plan.change,)
    same = {"classes", "class_changes"}
    assert made.model_dump(exclude=same) == task.model_dump(exclude=same)
    assert changed.startswith(head)
    assert changed.count("\n") == changed.count(newline)
    new = re.compile(r"\r?\nclass_changes:\r?\n  - \{[^\r\n]*\}")
    assert new.sub("", changed).endswith(tail)
    # a second change, and the first one again taken back
    again = edit(changed, ClassEdits(add=["one more"]))
    assert again.startswith(head)
    assert task_of(again).class_names == [*plan.names, "one more"]
    stay = [*plan.classes]
    names_only = [type(one)(one.name, one.name) for one in stay]
    back = with_classes(again, names_only, None, made.class_changes)
    assert back == changed


def test_a_metric_about_the_positive_class_goes_with_it() -> None:
    text = "positive: a  # of two\nmetric: f1_of_positive\nclasses: [a, b]\n"
    assert without_positive(text) == "classes: [a, b]\n"
    assert (
        without_positive("positive: a\nmetric: macro_f1\nclasses: [a, b]\n")
        == "metric: macro_f1\nclasses: [a, b]\n"
    )
