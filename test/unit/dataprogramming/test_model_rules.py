"""Rules as data: what goes with a model votes as the labelling functions that it was made from."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snorkel.labeling import labeling_function

from adaptml.features.catalogue import COLUMN, Reference
from adaptml.rules.of_model import ModelRules
from adaptml.tasks import Task
from adaptml.tasks.class_sets import not_
from dataprogramming.applier import apply_to_frame
from dataprogramming.lf_versions import LFVersion
from dataprogramming.lfs import keyword_lf, number_lf, regex_lf
from dataprogramming.like_lfs import like_lf, write_examples
from dataprogramming.model_rules import model_rules

WORDS = ["Win", "won't", "winning", "C++", "#CatLife", "cats", "café", "cafe\u0301", "😾", "5", "m²", "Hindi",
         "हिन्दी", "\u0130", "ſ", ",", "www.cats.org", "US", "us", "\x1c", "…"]  # fmt: skip
TEXTS = st.one_of(st.none(), st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), st.text(max_size=8))
LEMMAS = st.lists(st.sampled_from(["win", "cat", ":pouting_cat:", "cafe", "café", "us", "a b"]), max_size=5)


class Columns:
    """Stands for the data table: every name is a column but `lemmas`, which is a feature."""

    def exact(self, tables, names):
        return [Reference(name, 2 if name == "lemmas" else COLUMN) for name in names]


@pytest.fixture(scope="module")
def lfs(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "like.json"
    write_examples(path, {("t", "1"): [1.0, 0.2]}, {("t", "2"): [0.0, 1.0]})
    return [
        keyword_lf("win", ["win", "C++", "😾", "हिन्दी"], "spam", "text"),
        keyword_lf("exact", ["US", "#CatLife"], "ham", "text", exact=True),
        keyword_lf("lemmas", ["cats", "a b", "café"], 0, "lemmas"),
        keyword_lf("more_lemmas", ["us"], "other", "lemmas"),
        regex_lf("late", r"\b\d+\w?\b|caf\xe9|^us$|[^\W\d_]{6}", "ham", "text"),
        regex_lf("cased", r"(?-i:US)|i\b|\s\S+\s", "spam", "text"),
        number_lf("long", "spam", "length", above=3, below=9.5),
        like_lf("like", path, not_("ham"), "vector", above=0.8),
        keyword_lf("two", ["win"], {"other", 0}, "text"),
        regex_lf("one_of_one", "w", not_("ham", "spam"), "text"),
    ]


def rules_of(lfs, **task):
    task = Task(
        name="t", classes=["ham", "spam", "other"], lf_features=["text", "lemmas", "length", "vector"], **task
    )
    versions = [LFVersion(lf.name, f"print of {lf.name}", "", "", "") for lf in lfs]
    check = "dataprogramming.model_rules.lf_features"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check, lambda points, task, tables: task.lf_features)
        return task, model_rules(lfs, versions, task, Columns(), ["t"])


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            TEXTS, LEMMAS, st.one_of(st.none(), st.floats(0, 12), st.integers(0, 12)),
            st.tuples(st.floats(-1, 1, width=32), st.floats(0.125, 1, width=32)),
        ),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_both_ways_give_the_same_votes(lfs, tmp_path_factory, rows):
    task, rules = rules_of(lfs)
    rules = ModelRules.read(rules.write(tmp_path_factory.getbasetemp() / "rules.json"))
    assert rules.not_data == ()
    columns = dict(
        zip(["text", "lemmas", "length", "vector"], map(list, zip(*rows, strict=True)), strict=True)
    )
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    there = {str(reference): columns[reference.name] for reference in rules.looked_at}
    assert set(there) == {"text", "lemmas@2", "length", "vector"}
    cast = rules.cast(there)
    assert cast.told.all()
    assert cast.votes.tolist() == apply_to_frame(lfs, frame, task.labels).tolist()


def test_code_and_expressions_that_look_around_are_named_and_not_applied(lfs):
    @labeling_function()
    def short(x):
        return 0

    _, rules = rules_of([short, *lfs[:1], regex_lf("around", "a(?=b)", "ham", "text")])
    assert rules.not_data == ("short", "around")
    assert rules.names == ("short", "win", "around")
    assert rules.rules[0].model_dump(exclude_none=True) == {"name": "short"}


def test_a_label_by_number_or_former_name_becomes_the_number_of_its_class(lfs):
    _, rules = rules_of(lfs)
    assert [one.vote for one in rules.rules] == [1, 0, 0, 2, 0, 1, 1, 3, 4, 2]
    assert rules.sets == ((1, 2), (0, 2))
    assert rules.said(np.array([-1, 0, -1, -1, -1, -1, -1, 3, 4, -1], np.int8)) == {
        "exact": "ham", "like": "spam or other", "two": "ham or other",
    }  # fmt: skip


def test_other_code_is_told_by_the_digest(lfs):
    _, rules = rules_of(lfs)
    _, fewer = rules_of(lfs[1:])
    assert len(rules.lfs) == 32
    assert rules.lfs != fewer.lfs
    assert rules.of_run("run").lfs == rules.lfs
    uncertain = [LFVersion("win", None, "", "", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dataprogramming.model_rules.lf_features", lambda *_: ["text"])
        found = model_rules(lfs[:1], uncertain, Task(name="t", classes=["ham", "spam"]), Columns(), ["t"])
    assert (found.lfs, found.of_run("run").lfs) == ("", "run")


def test_what_a_model_may_not_have_stays_code(monkeypatch):
    patterns = [regex_lf(f"r{i}", "a" * 20_000, "ham", "text") for i in range(3)]
    _, rules = rules_of(patterns)
    assert [one.rule is not None for one in rules.rules] == [True, True, False]
    odd = [
        number_lf("all", "ham", "length", above=-float("inf")),
        keyword_lf("half", ["\ud83d"], "ham", "text"),
        keyword_lf("words", [f"word{i}" for i in range(99)], "ham", "text"),
        keyword_lf("word", ["word"], "ham", "text"),
    ]
    monkeypatch.setattr("dataprogramming.model_rules.MAX_BYTES", 1_000)
    assert [one.name for one in rules_of(odd)[1].rules if one.rule is not None] == ["word"]
    assert rules_of([keyword_lf("w" * 1_001, ["word"], "ham", "text")])[1] is None
