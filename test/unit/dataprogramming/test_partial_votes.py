"""Rules that know only a part: votes for one of some classes, from the rule to the tables."""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import LabellingError
from adaptml.frames import write_frame
from adaptml.label_scoring import load_model
from adaptml.project import Project
from adaptml.tasks import Labels, Task
from adaptml.tasks.class_sets import AllBut, not_
from dataprogramming.analysis import find_problems
from dataprogramming.applier import apply_to_frame
from dataprogramming.apply import apply_lfs
from dataprogramming.buckets import Bucket, bucket
from dataprogramming.check import check_lfs
from dataprogramming.class_table import class_table
from dataprogramming.declared_sets import declared_sets
from dataprogramming.decorator import labeling_function
from dataprogramming.keyword_lfs import keyword_lf
from dataprogramming.label import LabelResult
from dataprogramming.label_models.core import Gold
from dataprogramming.lf_json import lf_from_json
from dataprogramming.lf_sources import source_of
from dataprogramming.lf_table import count_pairs, count_votes
from dataprogramming.lfs import load_lfs
from dataprogramming.next_rule.draft import with_draft
from dataprogramming.next_rule.effect import rule_effect
from dataprogramming.next_rule.words import class_words
from dataprogramming.one_row import votes_on_point
from dataprogramming.rule_lfs import number_lf, regex_lf
from dataprogramming.votes import Votes

NAMES = ["cat", "dog", "bird", "fish"]
LABELS = Labels(NAMES)
TASK = """
title: Which animal?
setting: multiclass
classes: [{name: cat}, {name: dog}, {name: bird}, {name: fish}]
columns: [{name: txt}]
lf_features: [txt, tokens]
features: [vec]
"""
LFS = """
from adaptml import keyword_lf, labeling_function, not_
def get_lfs(params):
    labels = params.labels
    @labeling_function(sets=[not_("fish")])
    def on_land(x):
        return not_(labels.fish) if len(x.tokens) > 2 else None
    return [
        keyword_lf("furry", ["purr", "bark"], {"cat", "dog"}, "tokens"),
        keyword_lf("purrs", ["purr"], "cat", "tokens"),
        on_land,
        keyword_lf("naked", ["sun", "again"], not_(labels.cat, "dog"), "tokens"),
    ]
"""
# The posts of `pets`; 4 is "cat or dog", 5 "not fish", 6 "bird or fish".
VOTES = [
    [4, 0, -1, -1],
    [4, -1, -1, -1],
    [4, 0, 5, -1],
    [-1, -1, -1, 6],
    [4, 0, 5, 6],
    [4, -1, -1, -1],
]
GOLD = {"2": ["dog"], "3": ["cat"], "5": ["cat"], "6": ["fish"]}


@pytest.fixture
def zoo(pets: Project) -> Project:
    """The posts of `pets` and a task with four classes, of whose rules three know only a part."""
    folder = pets.settings.tasks_dir / "zoo"
    folder.mkdir()
    (folder / "task.yaml").write_text(TASK)
    (folder / "lfs.py").write_text(LFS)
    gold = pd.DataFrame({"table_name": "posts", "id": list(GOLD), "gold_label": list(GOLD.values())})
    write_frame(gold, pets.settings.gold("zoo"))
    return pets


def rewrite(project: Project, old: str, new: str) -> None:
    path = project.settings.tasks_dir / "zoo" / "lfs.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def reused(votes: Votes) -> tuple[int, int]:
    assert votes.reuse is not None
    return votes.reuse.kept, votes.reuse.computed


def test_votes_by_hand(zoo: Project) -> None:
    votes = apply_lfs(zoo, "zoo", "posts")
    assert votes.sets == ((0, 1), (0, 1, 2), (2, 3))
    assert votes.L.tolist() == VOTES
    assert votes_on_point(zoo, "zoo", "posts", "5") == {
        "furry": "cat or dog",
        "purrs": "cat",
        "on_land": "not fish",
        "naked": "bird or fish",
    }


def test_the_table_counts_what_contradicts_and_what_is_right(zoo: Project) -> None:
    """Only point 5 has a contradiction: cat and "bird or fish", and so "cat or dog"."""
    votes = apply_lfs(zoo, "zoo", "posts")
    table = votes.summary().set_index("lf")
    assert table["polarity"].tolist() == ["cat or dog", "cat", "not fish", "bird or fish"]
    assert table["votes"].tolist() == [5, 3, 2, 2]
    assert table["n_conflicts"].tolist() == [1, 1, 1, 1]
    assert table["correct"].tolist() == [3, 2, 2, 0]
    assert table["incorrect"].tolist() == [1, 0, 0, 1]
    counts = count_votes(votes.L, votes.codes)
    _, apart = count_pairs(votes.L, counts.by_code, votes.codes)
    assert apart.tolist() == [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert (counts.disagreements, counts.uncovered) == (1, 0)


def test_the_rows_behind_a_number(zoo: Project) -> None:
    votes = apply_lfs(zoo, "zoo", "posts")
    wrong = votes.rows("furry", wrong=True)
    assert wrong[["id", "furry", "on_land", "gold_label"]].values.tolist() == [
        ["6", "cat or dog", None, ["fish"]]
    ]
    assert votes.disagreements()["id"].tolist() == ["5"]
    assert votes.rows("on_land", conflicts=True)["id"].tolist() == ["5"]

    def ids(which: str, *asked: str | None) -> list[str]:
        source, mask = bucket(votes, Bucket(which), *asked)
        return source.keys.loc[mask, "id"].tolist()

    assert ids("conflicts", "naked", "purrs") == ["5"]
    assert ids("conflicts", "naked", "on_land") == []  # it may be a bird
    assert ids("hits", "furry", None, "dog") == ["1", "2", "3", "5", "6"]
    assert ids("hits", "purrs", None, "dog") == []
    assert (ids("right", "furry"), ids("missed")) == (["2", "3", "5"], ["6"])


def test_the_table_of_classes_shares_a_vote_among_the_classes_of_a_set(zoo: Project) -> None:
    """Most votes: 1, 3 and 5 cat, 2 and 6 cat or dog equally, 4 bird or fish equally."""
    table = class_table(apply_lfs(zoo, "zoo", "posts")).set_index("class")
    assert table["covered"].tolist() == [5, 5, 3, 2]
    assert table["voted"].tolist() == [4.0, 1.0, 0.5, 0.5]
    assert table[["gold", "found"]].values.tolist() == [[2, 2], [1, 1], [0, 0], [1, 0]]


def test_what_looks_wrong_knows_that_coarse_rules_are_right_by_chance() -> None:
    """Half of gold is cat: "not cat" would be right on half of points drawn at random, and is on none of 3."""
    sets = ((1, 2, 3),)
    L = np.array([[4], [4], [4], [-1]], np.int8)
    Y = np.eye(4, dtype=np.int8)[[0, 0, 0, 1]]
    found = find_problems(L, Gold(L, Y), ["a"], NAMES, sets=sets)
    assert (
        "labelling function a is worse than chance on gold: 0 of 3 votes are right (0%); on gold points"
        in (" ".join(found))
    )
    assert "25% would be" in " ".join(found)
    assert "no labelling function votes for cat on any point: write one" in found


def test_kept_votes_stay_right_whatever_other_rules_declare(zoo: Project) -> None:
    """A rule that comes first shifts the codes of the others; their kept votes are still known by their sets."""
    assert reused(apply_lfs(zoo, "zoo", "posts", gold=None)) == (0, 24)
    rewrite(zoo, "return [", 'return [keyword_lf("loud", ["bark"], ["dog", "bird"], "tokens"),')
    votes = apply_lfs(zoo, "zoo", "posts", gold=None)
    assert reused(votes) == (24, 6)
    assert votes.sets == ((1, 2), (0, 1), (0, 1, 2), (2, 3))
    assert votes.L[:, 1:].tolist() == [[c + 1 if c >= 4 else c for c in row] for row in VOTES]
    rewrite(zoo, '{"cat", "dog"}', '{"cat", "bird"}')  # another set is another rule
    changed = apply_lfs(zoo, "zoo", "posts", gold=None)
    assert reused(changed) == (24, 6)
    assert changed.rows("furry")["furry"].unique().tolist() == ["cat or bird"]


def test_votes_are_saved_with_what_their_numbers_stand_for(zoo: Project, tmp_path: Path) -> None:
    votes = apply_lfs(zoo, "zoo", "posts")
    again = Votes.load(votes.save(tmp_path / "votes.parquet"))
    assert (again.sets, again.L.tolist()) == (votes.sets, VOTES)
    assert again.rows("naked")["naked"].tolist() == ["bird or fish"] * 2


def test_a_rehearsal_says_what_was_voted(zoo: Project) -> None:
    points = pd.DataFrame({"table_name": "posts", "id": list("123456")})
    said = {finding.what: finding.text for finding in check_lfs(zoo, "zoo", points)}
    assert said["furry"] == "cat or dog 5, of 6 rows"
    assert said["on_land"] == "not fish 2, of 6 rows"


def test_a_draft_brings_its_own_set(zoo: Project) -> None:
    votes = apply_lfs(zoo, "zoo", "posts")
    longer = with_draft(zoo, "zoo", votes, keyword_lf("it", ["it"], not_("cat"), "tokens"))
    assert longer.sets == (*votes.sets, (1, 2, 3))
    assert longer.L[:, 4].tolist() == [7, -1, -1, -1, -1, -1]
    effect = rule_effect(longer, "it")
    assert (effect.votes, effect.conflicts, effect.new) == (1, 1, 0)  # "It purrs" is a cat by `purrs`


def test_words_of_a_class_are_of_rows_that_are_surely_of_it(zoo: Project) -> None:
    """By votes row 1 alone is a cat beside gold; rows with "cat or dog" alone are of no class yet."""
    votes = apply_lfs(zoo, "zoo", "posts")
    found = class_words(zoo, "zoo", votes, "cat", "tokens", among="all", against="rest")
    assert (found.one, found.gold) == (3, 2)


def test_a_rule_is_the_same_after_json() -> None:
    rules = [
        keyword_lf("a", ["x"], {LABELS.dog, LABELS.cat}, "t"),
        regex_lf("b", "x", not_("cat"), "t"),
        number_lf("c", ("bird", "fish"), "t", above=1),
    ]
    again = [lf_from_json(lf.to_json()) for lf in rules]
    assert [lf.rule for lf in again] == [lf.rule for lf in rules]
    assert declared_sets(again, LABELS).own == (((0, 1),), ((1, 2, 3),), ((2, 3),))
    assert again[1](SimpleNamespace(t="ax")) == not_("cat")
    assert str(source_of(rules[0])).startswith("label: cat or dog\n")
    assert str(source_of(rules[1])).startswith("label: not cat\n")


def apply_one(rule: object, sets: Sequence[object] = ()) -> list[int]:
    """The votes of one function on one row."""
    lf = labeling_function("rule", sets=list(sets))(lambda _x: rule)  # type: ignore[arg-type]
    return apply_to_frame([lf], pd.DataFrame({"t": ["x"]}), LABELS)[:, 0].tolist()


def test_sets_of_one_class_and_of_all_need_no_declaration() -> None:
    assert apply_one({"dog"}) == [1]
    assert apply_one(not_("cat", "dog", "bird")) == [3]
    assert apply_one(NAMES) == [-1]  # it says nothing


@pytest.mark.parametrize(
    ("vote", "sets", "said"),
    [
        ({"cat", "dog"}, [], "write @adaptml.labeling_function(sets=[{'cat', 'dog'}]) above it"),
        (["cat", "dog"], [not_("cat")], "(sets=[not_('cat'), {'cat', 'dog'}])"),
        ({"cat", "wolf"}, [], "'wolf' is no class; expected some of cat, dog, bird, fish"),
        (set(), [], "an empty set leaves no class open"),
    ],
)
def test_a_set_that_is_not_declared_or_none_is_told(vote: object, sets: list[object], said: str) -> None:
    with pytest.raises(LabellingError, match=r"'rule' voted .* on row 0; ") as error:
        apply_one(vote, sets)
    assert said in str(error.value)


def test_a_set_beside_a_wrong_vote_hides_nothing() -> None:
    lf = labeling_function(sets=[{"cat", "dog"}])(lambda x: {"cat", "dog"} if x.t else True)
    with pytest.raises(LabellingError, match="voted True on row 1; expected one of the classes"):
        apply_to_frame([lf], pd.DataFrame({"t": [1, 0]}), LABELS)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ({"cat", "wolf"}, "'furry' votes for {'cat', 'wolf'}: 'wolf' is no class"),
        (NAMES, "are all classes, so that its votes say nothing; leave one out"),
        ([], "an empty set leaves no class open"),
    ],
)
def test_what_no_rule_can_vote_for_is_told_when_rules_are_loaded(label: object, said: str) -> None:
    task = Task(classes=NAMES, lfs=[keyword_lf("furry", ["fur"], label, "t")])  # type: ignore[arg-type, list-item]
    with pytest.raises(LabellingError, match=re.escape(said)):
        load_lfs(task)


def test_a_set_settles_nothing_where_a_point_may_have_several_classes() -> None:
    lfs = [keyword_lf("a", ["x"], "cat", "t"), keyword_lf("furry", ["fur"], not_("cat"), "t")]
    with pytest.raises(LabellingError, match="'furry' votes for a set of classes, and a point of the task"):
        load_lfs(Task(classes=NAMES, setting="multilabel", lfs=lfs))  # type: ignore[arg-type, list-item]


def test_more_sets_than_numbers_are_told() -> None:
    names = [f"c{i}" for i in range(20)]
    pairs = list(combinations(names, 2))
    lfs = [labeling_function("a", sets=pairs[:107])(str), keyword_lf("b", ["x"], pairs[0], "t")]
    assert len(declared_sets(lfs, Labels(names)).codes.sets) == 107  # the pair of both has one number
    lfs[1] = keyword_lf("b", ["x"], pairs[107], "t")
    with pytest.raises(
        LabellingError, match="for 108 different sets of classes, and with 20 classes at most 107"
    ):
        declared_sets(lfs, Labels(names))


def test_the_decorator_takes_a_list_of_sets() -> None:
    for wrong in ({"cat", "dog"}, not_("cat"), ["cat", "dog"]):
        with pytest.raises(TypeError, match="expected a list of sets of classes, such as"):
            labeling_function(sets=wrong)  # type: ignore[arg-type]


one_set = st.sets(st.sampled_from(NAMES), min_size=1, max_size=3).flatmap(
    lambda found: st.sampled_from([found, frozenset(found), sorted(found), AllBut(tuple(found))])
)


@given(st.lists(one_set, min_size=1, max_size=6), st.data())
def test_a_vote_means_what_was_returned(sets: list[object], data: st.DataObject) -> None:
    """Encoded and decoded again, every vote is for the classes that the rule returned."""
    returned = data.draw(st.lists(st.sampled_from([*sets, None, *NAMES]), min_size=1, max_size=8))
    lf = labeling_function("rule", sets=sets)(lambda x: returned[x.i])  # type: ignore[arg-type]
    other = keyword_lf("other", ["x"], {"bird", "fish"}, "t")  # whose set comes first
    frame = pd.DataFrame({"i": range(len(returned)), "t": ""})
    L = apply_to_frame([other, lf], frame, LABELS)
    members = declared_sets([other, lf], LABELS).codes.members
    for vote, code in zip(returned, L[:, 1].tolist(), strict=True):
        if vote is None or isinstance(vote, str):
            expected = {vote} - {None}
        else:
            expected = set(NAMES) - set(vote.all_but) if isinstance(vote, AllBut) else set(vote)
        assert {NAMES[c] for c in np.flatnonzero(members[code])} == expected


WORDS = {
    "fur": ["cat", "dog"],
    "eggs": ["bird", "fish"],
    "indoors": ["cat", "fish"],
    "leash": ["dog", "bird"],
}
FORCED = {"fur": "cat", "eggs": "bird", "indoors": "fish", "leash": "dog"}


def made_up(project: Project, n: int) -> pd.Series:
    """A table `made_up`: of each point's coarse words 6 of 10 are there, of others 6 of 100; gives the truth."""
    rng = np.random.default_rng(0)
    truth = rng.choice(NAMES, n)
    words = {"purr": rng.random(n) < np.where(truth == "cat", 0.15, 0.01)}
    words |= {
        word: rng.random(n) < np.where(np.isin(truth, classes), 0.6, 0.06) for word, classes in WORDS.items()
    }
    texts = [" ".join(["it", *(word for word in words if words[word][i])]) for i in range(n)]
    ids = [str(i) for i in range(n)]
    project.database.create_table("made_up", {"id": sa.Text(), "txt": sa.Text()}, ["id"])
    project.database.upsert("made_up", pd.DataFrame({"id": ids, "txt": texts}), ["id"])
    return pd.Series(truth, index=ids)


def with_rules(votes: Mapping[str, object]) -> Task:
    """A task with a rule for cats, and a rule for each word."""
    lfs = [keyword_lf("purr", ["purr"], "cat", "txt")]
    lfs += [keyword_lf(word, [word], vote, "txt") for word, vote in votes.items()]  # type: ignore[arg-type]
    return Task(name="made_up", classes=NAMES, columns=[{"name": "txt"}], lf_features=["txt"], lfs=lfs)  # type: ignore[list-item]


@pytest.mark.usefixtures("tracking")
@pytest.mark.filterwarnings("ignore:.*Any type hint:UserWarning")
def test_coarse_rules_label_better_than_rules_forced_to_choose_or_silent(pets: Project) -> None:
    """Right of all points: 0.57 with sets, 0.34 forced, 0.04 silent."""
    truth = made_up(pets, 400)

    def right(labelled: LabelResult) -> float:
        said = labelled.training_data.set_index("id")["label"].map(lambda names: names[0])
        return float((said.reindex(truth.index) == truth).mean())

    coarse, forced, silent = (
        right(pets.label(with_rules(votes), "made_up", dry_run=True)) for votes in (WORDS, FORCED, {})
    )
    assert coarse > forced + 0.15
    assert coarse > silent + 0.4
    gold = pd.DataFrame({"table_name": "made_up", "id": truth.index[:60]})
    labelled = pets.label(
        with_rules(WORDS), "made_up", gold=gold.assign(gold_label=[[name] for name in truth[:60]])
    )
    assert right(labelled) > coarse - 0.03
    assert any("the label model snorkel was left out" in warning for warning in labelled.warnings)
    folder = Path(labelled.artifact_uri.removeprefix("file://"))
    assert '"cat or dog"' in (folder / "report.html").read_text()
    votes = Votes.load(folder / "votes.parquet")
    fitted, classes, names = load_model(next((folder / "label_models").glob(f"{labelled.chosen}.npz")))
    assert (fitted.sets, classes, names) == (votes.sets, NAMES, list(votes.lf_names))
    assert {("fur", "cat or dog"), ("purr", "cat")} < set(
        labelled.lf_summary[["lf", "polarity"]].itertuples(index=False, name=None)
    )
