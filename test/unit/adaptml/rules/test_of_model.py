"""`rules.json` of a model: what it may hold, and what its rules do not know."""

import json

import pytest

from adaptml.errors import FeatureError, ModelError
from adaptml.rules import of_model
from adaptml.rules.of_model import ModelRules

KEYWORDS = {"kind": "keywords", "name": "win", "label": "spam", "column": "text", "keywords": ["win"]}
REGEX = {"kind": "regex", "name": "late", "label": "ham", "column": "text", "pattern": "late+"}
RULES = {
    "task": "t", "lfs": "abc", "classes": ["ham", "spam"], "columns": {"text": "text"},
    "rules": [{"name": "win", "vote": 1, "rule": KEYWORDS}, {"name": "late", "vote": 0, "rule": REGEX}],
}  # fmt: skip


def read(tmp_path, **changed):
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({**RULES, **changed}))
    return ModelRules.read(path)


def test_votes_by_hand(tmp_path):
    cast = read(tmp_path).cast({"text": ["win, late", "LATEE", None, "window"]})
    assert cast.votes.tolist() == [[1, 0], [-1, 0], [-1, -1], [-1, -1]]
    assert cast.votes.dtype == "int8"
    assert cast.told.all()


def test_a_vote_can_be_for_a_set_of_classes(tmp_path):
    rules = read(
        tmp_path, classes=["a", "b", "c"], sets=[[0, 2]], rules=[{"name": "win", "vote": 3, "rule": KEYWORDS}]
    )
    votes = rules.cast({"text": ["win", "lose"]}).votes
    assert votes.tolist() == [[3], [-1]]
    assert [rules.said(row) for row in votes] == [{"win": "a or c"}, {}]


def test_a_point_without_a_feature_has_no_votes_and_one_without_a_text_has(tmp_path):
    rules = read(tmp_path, columns={"text": "lemmas@2"}, rules=RULES["rules"][:1])
    assert rules.cast({"lemmas@2": [["win"], None, []]}).told.tolist() == [True, False, True]
    assert read(tmp_path).cast({"text": [None]}).told.tolist() == [True]


def test_a_text_that_would_take_long_is_not_searched(tmp_path, monkeypatch):
    monkeypatch.setattr(of_model, "MAX_STEPS", 100)
    cast = read(tmp_path).cast({"text": ["late", "late" * 10]})
    assert cast.told.tolist() == [True, False]
    assert cast.votes.tolist() == [[-1, 0], [-1, -1]]


def test_values_of_another_type_are_said(tmp_path):
    with pytest.raises(
        FeatureError, match="'late' looks at the column 'text', which holds int; expected text"
    ):
        read(tmp_path, rules=RULES["rules"][1:]).cast({"text": [5]})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rules": [{"name": "win", "vote": 2, "rule": KEYWORDS}]}, "votes 2; expected a number below 2"),
        ({"rules": [{"name": "win", "vote": 1}]}, "votes 1; expected"),
        ({"rules": [{"name": "win", "rule": KEYWORDS}]}, "votes None; expected"),
        ({"rules": [{"name": "win", "vote": 1, "rule": {**KEYWORDS, "kind": "code"}}]}, "kind"),
        ({"sets": [[0, 2]]}, "sets of other classes than its 2"),
        ({"columns": {}}, "looks at 'text', which is no column here"),
        ({"rules": [*RULES["rules"], RULES["rules"][0]]}, "two rules of one name"),
        ({"task": "t; drop"}, "task: String should match pattern"),
        ({"format": 2}, "format: Input should be 1"),
        ({"rules": []}, "rules"),
        ({"more": 1}, "more: unknown key"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, changed, said):
    with pytest.raises(ModelError, match="does not hold the rules of a model") as caught:
        read(tmp_path, **changed)
    assert said in str(caught.value)


def test_a_file_beyond_the_limits_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(of_model, "MAX_PATTERNS", 4)
    with pytest.raises(ModelError, match="regular expressions of more than 4 characters"):
        read(tmp_path)
    monkeypatch.setattr(of_model, "MAX_BYTES", 50)
    with pytest.raises(ModelError, match="larger than 50 bytes"):
        read(tmp_path)
    with pytest.raises(ModelError, match="No such file"):
        ModelRules.read(tmp_path / "nothing.json")
