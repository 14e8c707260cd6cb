"""Tables of labels and predictions on every kind of database."""

import pandas as pd
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adaptml.changing_classes.gold import gold_before
from adaptml.changing_classes.tables import count_labels, follow, read_classes, relabel, take_back
from adaptml.database import Database, WritebackKind, write_back
from adaptml.database.class_slugs import keep_slugs
from adaptml.labelled import renamed
from adaptml.tasks import Task
from adaptml.tasks.class_edits import ClassEdits, plan_classes

DAY = pd.Timestamp("2026-11-26").date()
GREEK = [chr(code) for code in range(ord("α"), ord("ω") + 1)]


def after(task: Task, edits: ClassEdits) -> Task:
    plan = plan_classes(task, edits, DAY)
    return Task(
        name=task.name,
        setting=task.setting,
        classes=plan.names,
        class_changes=(*task.class_changes, plan.change),
    )


def test_columns_and_names_follow_a_change_and_come_back(database: Database) -> None:
    """Classes that no column can be named after, some of them merged, one renamed, one split, one dropped."""
    task = Task(name="letters", setting="multilabel", classes=[*GREEK, "a.b", "Cat", "cat", "gone"])
    k = len(task.classes)
    labels = [["α", "a.b"], ["Cat"], ["cat", "gone"], ["ω"], []]
    probs = [[0.5 if name in label else 0.25 for name in task.class_names] for label in labels]
    rows = pd.DataFrame({"table_name": "t", "id": list("12345"), "label": labels, "label_probs": probs})
    write_back(database, task, WritebackKind.LABELS, rows, "run")
    before = read_classes(database, "letters")
    edits = ClassEdits(
        merge={"cat": ["Cat", "cat"]}, rename={"α": "a.b.c"}, split={"ω": ["x", "y"]}, drop=["gone"]
    )
    task = after(task, edits)
    (change,) = task.class_changes
    for _ in range(2):  # the second time changes nothing
        follow(database, "letters", change)
        keep_slugs(database, task)
        relabel(database, "letters_labels", lambda label: tuple(renamed([label], task)[0]))
    now = read_classes(database, "letters")
    assert now["a.b.c"] == (before["α"][0], 0)
    assert now["cat (until 2026-11-26)"] == (before["cat"][0], None)
    assert [now[name][1] for name in ("ω", "gone", "Cat")] == [None] * 3
    assert count_labels(database, "letters_labels") == {("a.b.c", "a.b"): 1, ("cat",): 2, ("ω",): 1, (): 1}
    table = database.found_table("letters_labels", ["id"])
    flag, prob = (table.c[prefix + now["cat"][0]] for prefix in ("is_", "prob_"))
    with database.engine.connect() as connection:
        found = connection.execute(sa.select(table.c.id, flag, prob).order_by(table.c.id)).all()
    assert [tuple(row) for row in found] == [
        ("1", 0, 0.5),
        ("2", 1, 0.75),
        ("3", 1, 0.75),
        ("4", 0, 0.5),
        ("5", 0, 0.5),
    ]
    take_back(database, "letters", change, before)
    assert count_labels(database, "letters_labels") == {tuple(label): 1 for label in labels}
    back = read_classes(database, "letters")
    assert {name: back[name] for name in before} == before
    assert len(before) == k


NAMES = ["a", "b", "c", "d"]
EDITS = [
    ClassEdits(rename={"a": "x"}),
    ClassEdits(merge={"a": ["a", "b"]}),
    ClassEdits(merge={"x": ["a", "b", "d"]}, rename={"c": "y"}),
    ClassEdits(split={"a": ["x", "y"]}, drop=["b"]),
    ClassEdits(split={"a": ["b", "y"]}, add=["z"]),
    ClassEdits(drop=["a", "b"], add=["x"]),
]


@given(
    st.sampled_from(EDITS),
    st.sampled_from(["multiclass", "multilabel"]),
    st.lists(st.lists(st.sampled_from(NAMES), unique=True).map(sorted), max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_gold_of_before_comes_back_whatever_the_change(
    edits: ClassEdits, setting: str, labels: list[list[str]], made_again: list[bool]
) -> None:
    """Rows that nobody made anew are as they were; of the others none names what is no class."""
    task = after(Task(name="t", setting=setting, classes=NAMES), edits)
    kept = pd.DataFrame({"table_name": "t", "id": [str(i) for i in range(len(labels))], "origin": "page"})
    moment = pd.Timestamp("2026-11-26T05:00", tz="UTC")
    kept = kept.assign(label=pd.Series(labels, dtype=object), made_at=moment)
    now = kept.assign(label=pd.Series(renamed(labels, task), dtype=object))
    anew = pd.Series(made_again[: len(now)], dtype=bool)
    now.loc[anew, "made_at"] = moment + pd.Timedelta(seconds=1)
    back = gold_before(now, kept, task, task.class_changes[-1])
    result = now.set_index("id")["label"].to_dict() | back.changed.set_index("id")["label"].to_dict()
    for key, label, again in zip(kept["id"], labels, anew, strict=True):
        if not again:
            assert result[key] == label
            assert key not in set(back.lost["id"])
        elif key not in set(back.lost["id"]):
            assert set(result[key]) <= set(NAMES)
    assert back.mapped <= anew.sum()


def test_a_class_that_stayed_keeps_its_gold_of_since() -> None:
    task = after(Task(name="t", classes=NAMES), ClassEdits(merge={"a": ["a", "b"]}, add=["z"]))
    rows = pd.DataFrame(
        {
            "table_name": "t",
            "id": list("123"),
            "origin": "page",
            "label": [["c"], ["a"], ["z"]],
            "made_at": None,
        }
    )
    back = gold_before(rows, rows.iloc[:0], task, task.class_changes[-1])
    assert (len(back.changed), back.mapped, back.lost["id"].tolist()) == (0, 0, ["2", "3"])
