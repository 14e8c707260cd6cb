"""The steps as forms: each field shows what holds where nothing is said; only what differs is sent on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from adaptml.data import GOLD_IF_ANY, NO_GOLD, TASK_GOLD
from adaptml.project import Project

Kind = Literal["text", "number", "select", "check"]
Values = Mapping[str, str]
TASK_FILE = "from the task file"
SENT = "sent"  # hidden in each form: what is not typed in it was left empty
FLAG = "on"  # what a ticked box sends
LAST_DATA = ("", "as last time, else the only table")
GOLDS = ((TASK_GOLD, "the task's gold"), (NO_GOLD, "none"))


@dataclass(frozen=True)
class Field:
    """One field.

    Attributes:
        name: of the command's option, with `_` for `-`.
        title: for people.
        kind: what it looks like.
        usual: what holds where nothing is said; a ticked box is `on`.
        value: what it shows.
        choices: of a select: value and text; of a text those that it offers.
        hint: what it means.
        source: where the usual value comes from, if it is not built in.
        needed: whether it may not be empty.
        reloads: whether other fields depend on it.
        off: name of the option that takes a ticked box back.
    """

    name: str
    title: str
    kind: Kind = "text"
    usual: str = ""
    value: str = ""
    choices: Sequence[tuple[str, str]] = ()
    hint: str = ""
    source: str = ""
    needed: bool = False
    reloads: bool = False
    off: str = ""


@dataclass(frozen=True)
class Form:
    """A step as a form.

    Attributes:
        step: the command.
        title: for people.
        fields: those that are seen at once.
        more: those that are folded.
        errors: name of a field → what is wrong with what was typed.
    """

    step: str
    title: str
    fields: Sequence[Field]
    more: Sequence[Field] = ()
    errors: Values = field(default_factory=dict)

    def options(self, typed: Values) -> dict[str, str | bool]:
        """The options of the command: what was typed that differs from what holds anyway."""
        found: dict[str, str | bool] = {}
        for one in (*self.fields, *self.more):
            given = typed.get(one.name, "").strip()
            if given == one.usual:
                continue
            if one.kind != "check":
                found[one.name] = given
            elif given:
                found[one.name] = True
            elif one.off:
                found[one.off] = True
        return found

    def wrong(self, typed: Values) -> dict[str, str]:
        """Name of a field → what is wrong with what was typed."""
        found = {}
        for one in (*self.fields, *self.more):
            given = typed.get(one.name, "").strip()
            if one.needed and not given:
                found[one.name] = "this is needed"
            elif one.kind == "number" and given and not given.isdecimal():
                found[one.name] = f"{given!r} is no whole number"
        return found


def everything_form(project: Project, typed: Values) -> Form:
    """`adaptml run`."""
    tables = [(name, name) for name in data_tables(project)]
    golds = ((GOLD_IF_ANY, "the task's, if any"), *GOLDS)
    fields = [
        _field(typed, "data", "Data points", "select", choices=[LAST_DATA, *tables]),
        _field(typed, "gold", "Gold", "select", usual=GOLD_IF_ANY, choices=golds),
        _field(typed, "deploy_if_better", "Deploy the version if it is better than the champion", "check"),
        _field(typed, "fresh", "Do anew what was done before from the same", "check"),
    ]
    return Form("run", "Run everything", fields)


def label_form(project: Project, typed: Values, choices: Mapping[str, Any], has_gold: bool) -> Form:
    """`adaptml label`."""
    tables = data_tables(project)
    kept = choices["kept"]
    models = [(name, name) for name in choices["models"]]
    offered = [(name, name) for name in tables]
    fields = [
        _field(
            typed,
            "data",
            "Data points",
            choices=offered,
            needed=True,
            shown=tables[0] if len(tables) == 1 else "",
            hint="a table, `table where …`, or a file with table_name and id",
        ),
        _field(
            typed, "gold", "Gold", "select", usual=NO_GOLD, shown=TASK_GOLD if has_gold else "", choices=GOLDS
        ),
        _of_task(typed, "label_model", "Label model", "select", kept["label_model"], "auto", choices=models),
        _field(typed, "write", "Also write the labels into the database", "check"),
        _field(typed, "new", "Only points that have no label there yet", "check"),
        _field(typed, "keep", "Keep these settings in the task file", "check"),
    ]
    more = [
        *_parameters(typed, choices["parameters"], kept["config"]),
        _field(typed, "workers", "Processes that apply rules", "number", usual="1"),
        _field(typed, "fault_tolerant", "A rule that fails abstains", "check"),
        _field(typed, "fresh", "Compute every vote anew", "check"),
    ]
    return Form("label", "Label", fields, more)


def train_form(
    typed: Values, choices: Mapping[str, Any], label_runs: Sequence[tuple[str, str]], has_gold: bool
) -> Form:
    """`adaptml train`."""
    kept, built_in = choices["kept"], choices["built_in"]
    strategies = [(name, name) for name in choices["strategies"]]
    fields = [
        _label_run(typed, label_runs),
        _field(
            typed,
            "gold",
            "Gold to train on too",
            "select",
            usual=NO_GOLD,
            shown=TASK_GOLD if has_gold else "",
            choices=GOLDS,
            hint="figures on gold then come from cross-validation",
        ),
        _field(typed, "test", "Test on", hint="a share such as 0.2, a run or a file; not trained on"),
        *_algorithm(typed, choices),
        _of_task(
            typed,
            "strategy",
            "Strategy",
            "select",
            kept.get("strategy"),
            built_in["strategy"],
            choices=strategies,
        ),
        _field(
            typed, "search", "Settings to try", "number", hint="of the algorithm's parameters; empty: none"
        ),
        _field(typed, "keep", "Keep these settings in the task file", "check"),
    ]
    return Form("train", "Train an end model", fields, _of_training(typed, choices))


def compare_form(typed: Values, choices: Mapping[str, Any], label_runs: Sequence[tuple[str, str]]) -> Form:
    """`adaptml compare`."""
    gold = _field(typed, "gold", "Gold", usual=TASK_GOLD, hint="`task`, or a file with gold_label")
    fields = [_label_run(typed, label_runs), gold, *_algorithm(typed, choices)]
    return Form("compare", "Is weak supervision worth it here?", fields, _of_training(typed, choices))


def data_tables(project: Project) -> list[str]:
    """The tables that hold data points: those with a column id that no step wrote."""
    found = []
    for table in project.database.tables():
        columns = project.database.columns(table)
        if "id" in columns and "table_name" not in columns and not table.startswith("adaptml_"):
            found.append(table)
    return found


def _field(
    typed: Values,
    name: str,
    title: str,
    kind: Kind = "text",
    *,
    usual: str = "",
    shown: str = "",
    **more: Any,
) -> Field:
    """A field that shows what was typed, else what is proposed, else what holds anyway."""
    unticked = kind == "check" and SENT in typed  # a browser says nothing of an empty box
    value = typed.get(name, "" if unticked else shown or usual)
    return Field(name, title, kind, usual, value, **more)


def _of_task(
    typed: Values, name: str, title: str, kind: Kind, kept: str | None, built_in: str, **more: Any
) -> Field:
    """A field whose usual value the task file may say."""
    usual = built_in if kept is None else kept
    return _field(typed, name, title, kind, usual=usual, source="" if kept is None else TASK_FILE, **more)


def _label_run(typed: Values, runs: Sequence[tuple[str, str]]) -> Field:
    shown = runs[0][0] if runs else ""
    return _field(typed, "data", "Labels of the run", "select", shown=shown, choices=runs, needed=True)


def _algorithm(typed: Values, choices: Mapping[str, Any]) -> list[Field]:
    known = [(one["name"], one["name"]) for one in choices["algorithms"]]
    chosen, kept = _chosen(typed, choices), choices["kept"].get("algorithm")
    hint = next((one["summary"] for one in choices["algorithms"] if one["name"] == chosen), "")
    built_in = choices["built_in"]["algorithm"]
    return [
        _of_task(
            typed, "algorithm", "Algorithm", "select", kept, built_in, choices=known, hint=hint, reloads=True
        )
    ]


def _chosen(typed: Values, choices: Mapping[str, Any]) -> str:
    return typed.get("algorithm") or choices["kept"].get("algorithm") or choices["built_in"]["algorithm"]


def _of_training(typed: Values, choices: Mapping[str, Any]) -> list[Field]:
    """The algorithm's parameters, and what else is seldom changed."""
    chosen, kept = _chosen(typed, choices), choices["kept"]
    by_name = {one["name"]: one["parameters"] for one in choices["algorithms"]}
    of_algorithm: Sequence[Mapping[str, str]] = by_name.get(chosen, ())
    same = chosen == (kept.get("algorithm") or choices["built_in"]["algorithm"])
    soft = FLAG if kept.get("soft_labels") == "True" else ""
    source = TASK_FILE if soft else ""
    return [
        *_parameters(typed, of_algorithm, choices["params"] if same else {}),
        _field(
            typed,
            "soft_labels",
            "Train on probabilities",
            "check",
            usual=soft,
            off="hard_labels",
            source=source,
            shown=soft,
        ),
        _of_task(
            typed, "features", "Features", "text", kept.get("features"), "", hint="empty: those of the task"
        ),
        _of_task(typed, "seed", "Seed", "number", kept.get("seed"), choices["built_in"]["seed"]),
    ]


def _parameters(typed: Values, known: Sequence[Mapping[str, str]], kept: Values) -> list[Field]:
    return [
        _of_task(
            typed, one["name"], one["name"], "text", kept.get(one["name"]), one["value"], hint=one["hint"]
        )
        for one in known
    ]
