"""Editing a task file: one place changes, every other byte stays."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import TaskError
from adaptml.tasks.edit import drop, put, read_file, write_file
from adaptml.tasks.plain_yaml import read_yaml

FILE = """\
# the task
title: 'x'   # quoted
label:
  # why
  config: {n_epochs: 100, # tried
     seed: 3}   # tail
  lf_parameters:
    a: 1   # one

    # below
# before train

train: {algorithm:  mlp}
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (["train", "algorithm"], "knn", "algorithm:  mlp", "algorithm:  knn"),
        (["train"], {"algorithm": "mlp", "seed": 1}, "mlp}", "mlp, seed: 1}"),
        (["label", "config", "seed"], 4, "seed: 3}", "seed: 4}"),
        (["label", "config", "l2"], 1e-5, "seed: 3}", "seed: 3, l2: 1.0e-05}"),
        (["label", "config"], {"seed": 3}, "n_epochs: 100, # tried\n     seed", "seed"),
        (["label", "config"], {"n_epochs": 100}, ", # tried\n     seed: 3", ""),
        (["label", "lf_parameters", "b"], ["no", None], "# below\n", "# below\n    b: ['no', null]\n"),
        (["label", "lf_parameters"], {"a": "1"}, "a: 1", "a: '1'"),
        (["label", "lf_parameters"], {}, "  lf_parameters:\n    a: 1   # one\n\n    # below\n", ""),
        (["label", "label_model"], "é", "# below\n", "# below\n  label_model: é\n"),
        (["label"], {}, FILE[FILE.index("label:") : FILE.index("# before")], ""),
        (["features"], ["v", "w x"], "mlp}\n", "mlp}\nfeatures: [v, w x]\n"),
        (["more"], {"a": {"b": "1\n2"}, "c": 1}, "mlp}\n", 'mlp}\nmore:\n  a: {b: "1\\n2"}\n  c: 1\n'),
        (["label", "config", "seed"], 3, "", ""),
    ],
)
def test_one_place_changes(path: list[str], value: Any, old: str, new: str) -> None:
    assert old in FILE
    assert put(FILE, path, value) == FILE.replace(old, new, 1)
    windows = FILE.replace("\n", "\r\n")
    expected = windows.replace(old.replace("\n", "\r\n"), new.replace("\n", "\r\n"), 1)
    assert put(windows, path, value) == expected


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("label:\ntrain:\n", "label:\n  label_model: em\ntrain:\n"),
        ("label:  # later\n\ntrain: 1\n", "label:  # later\n  label_model: em\n\ntrain: 1\n"),
        ("a: 1\nlabel: null # c", "a: 1\nlabel: {label_model: em} # c"),
        ("a: 1", "a: 1\nlabel:\n  label_model: em"),
        ("{a: 1}", "{a: 1, label: {label_model: em}}"),
        ("label: {}\n", "label: {label_model: em}\n"),
        ("a: |\n  b\n\n# end\n", "a: |\n  b\nlabel:\n  label_model: em\n\n# end\n"),
    ],
)
def test_a_section_that_is_empty_or_absent_is_filled(text: str, after: str) -> None:
    assert put(text, ["label", "label_model"], "em") == after


def test_an_item_of_a_list_is_replaced() -> None:
    text = "classes:\n- name: a # first\n  examples: []\n- {name: b}\n"
    assert put(text, ["classes", 0, "name"], "c") == text.replace("name: a", "name: c")
    assert put(text, ["classes", 1, "name"], "c: d") == text.replace("name: b", "name: 'c: d'")


def test_a_key_that_is_not_there_needs_no_dropping() -> None:
    assert drop(FILE, ["train", "seed"]) == FILE
    assert drop("a: 1\nlabel:\ntrain: 1\n", ["label"]) == "a: 1\ntrain: 1\n"


def test_what_cannot_be_edited_is_said() -> None:
    with pytest.raises(
        TaskError, match=r"^train\.seed of the task file .*; expected plain keys and values: write .* 2$"
    ):
        put("a: |+\n  every line counts\n\n", ["train", "seed"], 2)


def test_a_file_is_replaced_with_its_own_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_bytes(b"\xef\xbb\xbftitle: x\r\ntrain: {seed: 1}\r\n")
    write_file(path, put(read_file(path), ["train", "seed"], 2))
    assert path.read_bytes() == b"\xef\xbb\xbftitle: x\r\ntrain: {seed: 2}\r\n"
    path.write_bytes(b"\xff")
    with pytest.raises(TaskError, match=r"task\.yaml cannot be read as UTF-8"):
        read_file(path)


KEYS = st.sampled_from(["label_model", "config", "params", "seed", "n o", "yes", "ä"])
SCALARS = st.none() | st.booleans() | st.integers(-9, 99) | st.floats(allow_nan=False) | st.text(max_size=5)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(KEYS, SCALARS, min_size=1, max_size=3)
SECTIONS = st.dictionaries(KEYS, VALUES, max_size=4)
NOISE = st.sampled_from(["", "\n", "# note\n", "\n# two: words\n\n"])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, str]:
    """What stands before a section, the section's lines, and what follows."""
    before, after = (
        f"{draw(NOISE)}{name}: {draw(st.sampled_from(VALUE_TEXTS))}\n{draw(NOISE)}" for name in "ab"
    )
    section = draw(SECTIONS)
    if draw(st.booleans()):
        return before, f"s: {flow(section)}{draw(st.sampled_from(['', '   # c']))}\n", after
    lines = [
        f"  {flow(key)}: {flow(value)}{draw(st.sampled_from(['', ' # c']))}\n"
        for key, value in section.items()
    ]
    return (
        before,
        "".join(["s:\n", *(line + draw(st.sampled_from(["", "  # own line\n"])) for line in lines)]),
        after,
    )


VALUE_TEXTS = [
    "1",
    "'q'  # c",
    "{x:   1}",
    "[1,\n   2]",
    ">-\n  folded\n  text",
    "\n  - i: 1\n    j: 2 # c\n  - k",
    "",
]


def flow(value: Any) -> str:
    """A value as a person may write it, which is also JSON."""
    return json.dumps(value, ensure_ascii=True).replace("NaN", ".nan").replace("Infinity", ".inf")


@given(files(), SECTIONS)
def test_a_section_says_what_was_put_and_the_rest_is_byte_for_byte(
    file: tuple[str, str, str], new: dict[str, Any]
) -> None:
    before, section, after = file
    text = before + section + after
    old = read_yaml(text)
    changed = put(text, ["s"], new)
    expected = old | {"s": new} if new else {key: value for key, value in old.items() if key != "s"}
    assert read_yaml(changed) == expected
    assert changed.startswith(before)
    assert changed.endswith(after)
    assert put(changed, ["s"], new) == changed
