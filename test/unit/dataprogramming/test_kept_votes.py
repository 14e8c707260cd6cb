"""Votes that are kept: the same matrix as from nothing, with only what is new or changed computed."""

import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adaptml.errors import LabellingError
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming import kept_votes
from dataprogramming.apply import apply_lfs
from dataprogramming.decorator import labeling_function
from dataprogramming.keyword_lfs import keyword_lf
from dataprogramming.lfs_report import look
from dataprogramming.vote_store import VoteStore
from dataprogramming.votes import Votes

BASE = """
from adaptml import keyword_lf, labeling_function
"""


def reused(votes: Votes) -> tuple[int, int]:
    """How many votes were kept, and how many computed."""
    assert votes.reuse is not None
    return votes.reuse.kept, votes.reuse.computed


def rewrite(project: Project, old: str, new: str) -> None:
    """Edit the rules of the task `pets`."""
    path = project.settings.tasks_dir / "pets" / "lfs.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def change(project: Project, *rows: tuple[str, str, list[str]]) -> None:
    """New or changed posts."""
    project.database.upsert("posts", pd.DataFrame(rows, columns=["id", "txt", "tokens"]), ["id"])


def test_only_what_is_new_or_changed_is_computed(pets: Project) -> None:
    """Six points and, as gold, four of them again; three labelling functions."""
    first = apply_lfs(pets, "pets", "posts")
    assert reused(first) == (12, 18)
    assert reused(apply_lfs(pets, "pets", "posts")) == (30, 0)
    rewrite(pets, "> 2", "> 1")  # one of three rules
    second = apply_lfs(pets, "pets", "posts")
    assert reused(second) == (24, 6)
    assert second.L[:, 2].tolist() == [1, 1, 1, -1, 1, -1]
    rewrite(pets, "> 1", "> 2")  # its votes of before are still there
    third = apply_lfs(pets, "pets", "posts")
    assert reused(third) == (30, 0)
    assert third.L.tolist() == first.L.tolist()
    change(pets, ("2", "He purred", ["he", "purr"]), ("7", "new", ["bark", "hiss", "a"]))
    fourth = apply_lfs(pets, "pets", "posts")
    assert reused(fourth) == (27, 6)  # of 7 points and 4 gold points, of which one has changed as well
    assert fourth.L[[1, 6]].tolist() == [[0, -1, -1], [0, 1, 1]]


def test_votes_are_not_taken_for_other_classes_when_the_classes_change(pets: Project) -> None:
    """A vote is kept as the place of its class in the list."""
    before = apply_lfs(pets, "pets", "posts", gold=None)
    path = pets.settings.tasks_dir / "pets" / "task.yaml"
    text = path.read_text()
    was = "class_changes: [{date: 2026-11-26, before: [cat, dog], becomes: {dog: [hound]}}]"
    path.write_text(text.replace("{name: cat}, {name: dog}", "{name: hound}, {name: cat}") + was)
    after = apply_lfs(pets, "pets", "posts", gold=None)  # rules that still say "dog"
    assert reused(after) == (0, 18)
    assert after.L.tolist() == [[{0: 1, 1: 0, -1: -1}[vote] for vote in row] for row in before.L.tolist()]
    merged = was.replace("dog: [hound]", "dog: [cat]")
    path.write_text(text.replace("{name: dog}", "{name: bird}") + merged)
    assert set(apply_lfs(pets, "pets", "posts", gold=None).L.ravel().tolist()) == {0, -1}
    path.write_text(text.replace("{name: dog}", "{name: bird}") + was.replace("[hound]", "[]"))
    with pytest.raises(LabellingError, match=r"voted 'dog' .* expected one of the classes cat, bird"):
        apply_lfs(pets, "pets", "posts", gold=None)


def test_fresh_looks_nothing_up_and_keeps_what_it_computes(pets: Project) -> None:
    apply_lfs(pets, "pets", "posts", gold=None)
    assert reused(apply_lfs(pets, "pets", "posts", gold=None, fresh=True)) == (0, 18)
    assert reused(apply_lfs(pets, "pets", "posts", gold=None)) == (18, 0)


def test_a_look_and_a_run_share_what_is_kept(pets: Project) -> None:
    sample = look(pets, "pets", "posts", n=4, gold=None)
    assert reused(sample.votes) == (0, 12)
    assert reused(apply_lfs(pets, "pets", "posts", gold=None)) == (12, 6)
    assert reused(look(pets, "pets", "posts", n=4, gold=None).votes) == (12, 0)


def test_many_rows_are_read_by_ranges_of_ids_and_some_by_their_ids(
    pets: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptml.database.rows.CHUNK_ROWS", 2)
    monkeypatch.setattr("adaptml.database.rows.PAGE_ROWS", 4)
    expected = apply_lfs(pets, "pets", "posts", gold=None).L.tolist()
    backwards = pd.DataFrame({"table_name": "posts", "id": list("654321")})
    votes = apply_lfs(pets, "pets", backwards, gold=None)
    assert votes.L.tolist() == expected[::-1]
    assert reused(votes) == (18, 0)
    some = apply_lfs(pets, "pets", pd.DataFrame({"table_name": "posts", "id": list("264")}), gold=None)
    assert some.L.tolist() == [expected[1], expected[5], expected[3]]


def test_a_rule_that_cannot_be_told_apart_is_computed_each_time_and_named(pets: Project) -> None:
    rewrite(pets, 'return "dog" if len(x.tokens) > 2', 'import random; return "dog" if random.random() < 2')
    for _ in range(2):
        votes = apply_lfs(pets, "pets", "posts", gold=None)
    assert reused(votes) == (12, 6)
    assert votes.reuse is not None
    assert list(votes.reuse.uncertain) == ["long"]
    assert re.search(r"^long is computed anew each time: .*random", votes.reuse.lines()[1])


def test_a_rule_that_remembers_rows_is_not_kept(pets: Project) -> None:
    seen: list[str] = []

    @labeling_function
    def first(x):  # type: ignore[no-untyped-def]
        seen.append(x.id)
        return "dog" if len(seen) == 1 else None

    task = Task(classes=["cat", "dog"], lfs=[first])
    for _ in range(2):
        votes = apply_lfs(pets, task, "posts")
        assert reused(votes) == (0, 6)
    assert votes.reuse is not None
    assert "first is computed anew each time: " in votes.reuse.lines()[1]


def test_rules_after_one_that_changes_the_data_point_are_not_kept(pets: Project) -> None:
    @labeling_function
    def before(x):  # type: ignore[no-untyped-def]
        return "cat" if "purr" in x.tokens else None

    @labeling_function
    def cuts(x):  # type: ignore[no-untyped-def]
        x.tokens.clear()

    @labeling_function
    def after(x):  # type: ignore[no-untyped-def]
        return "dog" if not x.tokens else None

    task = Task(
        classes=["cat", "dog"], lfs=[before, cuts, after, keyword_lf("bark", ["bark"], "dog", "tokens")]
    )
    for _ in range(2):
        votes = apply_lfs(pets, task, "posts")
        assert votes.L.tolist() == [
            [0, -1, 1, -1],
            [-1, -1, 1, 1],
            [0, -1, 1, 1],
            [-1, -1, 1, -1],
            [0, -1, 1, -1],
            [-1, -1, 1, 1],
        ]
    assert reused(votes) == (12, 12)
    assert votes.reuse is not None
    assert votes.reuse.uncertain == {
        "cuts": "it changes its argument `x.tokens` with .clear()",
        "after": "it is given the data point that cuts before it may have changed",
    }


def test_a_failure_that_is_allowed_is_tried_again(pets: Project) -> None:
    rewrite(pets, "> 2", "> 2 and 1 / (len(x.tokens) - 3)")
    for _ in range(2):
        votes = apply_lfs(pets, "pets", "posts", gold=None, fault_tolerant=True)
        assert votes.failures == {"long": 2}
    assert reused(votes) == (16, 2)
    with pytest.raises(LabellingError, match="'long' failed on data point posts/3"):
        apply_lfs(pets, "pets", "posts", gold=None)


def test_what_was_computed_before_a_failure_is_kept(pets: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptml.database.rows.CHUNK_ROWS", 2)
    monkeypatch.setattr("adaptml.database.rows.PAGE_ROWS", 2)
    rewrite(pets, 'return "dog"', 'assert x.id != "5"; return "dog"')
    with pytest.raises(LabellingError, match="posts/5"):
        apply_lfs(pets, "pets", "posts", gold=None)
    rewrite(pets, 'assert x.id != "5"; ', 'assert x.id != "9"; ')
    assert reused(apply_lfs(pets, "pets", "posts", gold=None)) == (8, 10)  # four rows of two rules


def test_workers_share_what_is_kept(pets: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptml.database.rows.CHUNK_ROWS", 2)
    votes = apply_lfs(pets, "pets", "posts", workers=2)
    assert reused(votes) == (12, 18)
    assert reused(apply_lfs(pets, "pets", "posts", workers=2)) == (30, 0)
    assert apply_lfs(pets, "pets", "posts", fresh=True).L.tolist() == votes.L.tolist()


@pytest.mark.parametrize("damage", ["another format", "a file in its place"])
def test_a_store_that_cannot_be_used_costs_time_and_is_named(pets: Project, damage: str) -> None:
    expected = apply_lfs(pets, "pets", "posts", gold=None).L.tolist()
    folder = pets.settings.votes("pets") / "posts"
    if damage == "another format":
        (folder / "format").write_text("0")
        said = f"the votes kept in {folder} are of another version: all are computed anew"
    else:
        kept_votes.remove_store(folder)
        folder.write_text("what is this?")
        said = f"votes cannot be kept in {folder}: Not a directory; these are computed again the next time"
    votes = apply_lfs(pets, "pets", "posts", gold=None)
    assert votes.L.tolist() == expected
    assert reused(votes) == (0, 18)
    assert votes.reuse is not None
    assert said in [line.replace("File exists", "Not a directory") for line in votes.reuse.lines()]


def test_a_full_disk_costs_only_what_is_kept(pets: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of this process may not grow beyond a few bytes while votes are written, as on a disk that is full."""
    import resource

    expected = apply_lfs(pets, "pets", "posts", gold=None).L.tolist()
    kept_votes.remove_store(pets.settings.votes("pets"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        votes = apply_lfs(pets, "pets", "posts", gold=None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert votes.L.tolist() == expected
    assert votes.reuse is not None
    (said,) = votes.reuse.problems
    assert re.fullmatch(
        r"votes cannot be kept in .*posts: File too large; these are computed again the next time", said
    )
    assert len(VoteStore(pets.settings.votes("pets") / "posts")) == 0


def test_rows_that_are_gone_are_dropped_and_the_size_is_bounded(
    pets: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_lfs(pets, "pets", "posts", gold=None)
    table = pets.database.data_table("posts")
    with pets.database.engine.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.id > "2"))
    apply_lfs(pets, "pets", "posts", gold=None)
    store = pets.settings.votes("pets") / "posts"
    assert len(VoteStore(store)) == 2
    monkeypatch.setattr(kept_votes, "MOST_BYTES", 0)
    apply_lfs(pets, "pets", "posts", gold=None)
    assert len(VoteStore(store)) == 0


Edit = Callable[[dict[str, str], dict[str, list[str]], random.Random], None]
WORDS = ["purr", "bark", "hiss", "sun"]


def _edit_rule(rules: dict[str, str], rows: dict[str, list[str]], draw: random.Random) -> None:
    words, limit, label = draw.sample(WORDS, 2), draw.randint(0, 3), draw.choice(["cat", "dog"])
    bodies = [
        f"keyword_lf({{name!r}}, {words!r}, {label!r}, 'tokens')",
        f"keyword_lf({{name!r}}, {[words[0] + 's', ' '.join(words)]!r}, {label!r}, 'tokens', exact={limit > 1})",
        f"regex_lf({{name!r}}, '[{limit}-9]', {label!r}, 'id')",
        f"rule({{name!r}}, lambda x: {label!r} if len(x.tokens) > {limit} else None)",
        f"rule({{name!r}}, lambda x: {label!r} if helpers.is_one_of(x.tokens, {words!r}) else None)",
        f"rule({{name!r}}, lambda x: {label!r} if x.id > '{limit}' and LIMIT < {limit} else None)",
    ]
    name = draw.choice(["a", "b", "c"])
    rules[name] = draw.choice(bodies).format(name=name)


def _edit_shared(rules: dict[str, str], rows: dict[str, list[str]], draw: random.Random) -> None:
    rules["LIMIT"] = str(draw.randint(0, 3))
    rules["helper"] = draw.choice(["any", "all"])


def _edit_row(rules: dict[str, str], rows: dict[str, list[str]], draw: random.Random) -> None:
    rows[str(draw.randint(0, 9))] = draw.choices(WORDS, k=draw.randint(0, 4))


def _delete_row(rules: dict[str, str], rows: dict[str, list[str]], draw: random.Random) -> None:
    if len(rows) > 1:
        del rows[draw.choice(sorted(rows))]


def _write(project: Project, rules: dict[str, str], rows: dict[str, list[str]]) -> None:
    folder = project.settings.tasks_dir / "pets"
    lfs = [text for name, text in rules.items() if name in ("a", "b", "c")]
    (folder / "helpers.py").write_text(
        f"def is_one_of(x, words):\n    return {rules['helper']}(w in x for w in words)\n"
    )
    (folder / "lfs.py").write_text(
        "import helpers\nfrom snorkel.labeling import LabelingFunction as rule\nfrom adaptml import keyword_lf, regex_lf\n"
        f"LIMIT = {rules['LIMIT']}\ndef get_lfs(params):\n    return [{', '.join(lfs)}]\n"
    )
    table = project.database.data_table("posts")
    with project.database.engine.begin() as connection:
        connection.execute(sa.delete(table))
        connection.execute(
            sa.insert(table), [{"id": key, "txt": "", "tokens": words} for key, words in rows.items()]
        )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    st.lists(st.sampled_from([_edit_rule, _edit_shared, _edit_row, _delete_row]), min_size=1, max_size=8),
    st.integers(),
)
def test_after_any_edits_the_matrix_is_that_from_nothing(pets: Project, edits: list[Edit], seed: int) -> None:
    draw, rows = random.Random(seed), {str(i): ["purr"] for i in range(3)}
    rules = {"LIMIT": "1", "helper": "any", "a": "keyword_lf('a', ['purr'], 'cat', 'tokens')"}
    for edit in edits:
        edit(rules, rows, draw)
        _write(pets, rules, rows)
        kept = apply_lfs(pets, "pets", "posts", gold=None)
        anew = apply_lfs(pets, "pets", "posts", gold=None, fresh=True)
        assert np.array_equal(kept.L, anew.L)
    again = apply_lfs(pets, "pets", "posts", gold=None)
    assert np.array_equal(again.L, anew.L)
    assert reused(again) == (anew.L.size, 0)


def test_two_processes_at_once_and_one_that_is_killed(pets: Project) -> None:
    """Whatever they leave, the next matrix is the one from nothing."""
    change(pets, *[(f"r{i}", "text", ["purr"] * (i % 5)) for i in range(3000)])
    code = (
        "from adaptml import Project; p = Project('.');\n"
        "for _ in range(1000): p.apply_lfs('pets', 'posts', gold=None, fresh=True); print('one', flush=True)"
    )
    expected = apply_lfs(pets, "pets", "posts", gold=None).L
    kept_votes.remove_store(pets.settings.votes("pets"))
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.kill()
        process.communicate()
    assert np.array_equal(apply_lfs(pets, "pets", "posts", gold=None).L, expected)
