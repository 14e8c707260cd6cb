"""What to do next, in a table of situations; each begins where the one before it is done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adaptml.browsing.counts import Count
from adaptml.standing.core import (
    DataStands,
    GoldStands,
    LabellingStands,
    LastRun,
    LastWatch,
    ModellingStands,
    Standing,
    VotesStand,
)

DAY = datetime(2026, 11, 26, tzinfo=UTC)
RUN = LastRun(
    run_id="a" * 32, experiment_id="1", started=DAY, data="posts", points=100, coverage=0.8,
    measure="accuracy", on_gold=0.9, gold_points=60,
)  # fmt: skip
VOTES = VotesStand(rules=3, rows=100)
WATCH = LastWatch(run_id="b" * 32, experiment_id="1", started=DAY + timedelta(1), new_rows=80, moved=2)
DATA: dict[str, Any] = {"table": "posts", "points": Count(100, True)}
GOLD = DATA | {"gold": GoldStands(points=60, judging=30)}


def standing(data: dict[str, Any], labelling: dict[str, Any], **modelling: Any) -> Standing:
    return Standing(
        task="topic",
        data=DataStands(**data),
        labelling=LabellingStands(**labelling),
        modelling=ModellingStands(model="multiclass_topic", **modelling),
    )


TRIED = {"votes": VOTES}
LABELLED = TRIED | {"label": RUN}
SERVED = {"newest": "2", "champion": "2"}


@pytest.mark.parametrize(
    ("stands", "place", "command", "said"),
    [
        (standing({"problem": "it is away"}, {}), "overview", "adaptml task check topic", "it is away"),
        (standing({}, {}), "import", "adaptml import FILE TABLE", "No table has the columns"),
        (standing(DATA | {"points": Count(0, True)}, {}), "import", "adaptml import FILE posts", "posts is empty"),
        (
            standing(DATA | {"unmade": ("lemmas", "vec")}, {}),
            "overview", "adaptml featurize topic --data posts", "lemmas, vec",
        ),
        (standing(DATA, {}), "rules", "adaptml lfs topic --data posts", "Write rules"),
        (
            standing(DATA | {"unguided": ("cat",)}, TRIED),
            "overview", "adaptml task check topic", "Say when to choose cat",
        ),
        (
            standing(DATA, TRIED),
            "annotation", "adaptml annotate push topic --data posts --n 50", "Label 50 points by hand",
        ),
        (
            standing(DATA | {"gold": GoldStands(points=60, again=1)}, TRIED),
            "annotation", "adaptml gold topic --changed", "1 point changed",
        ),
        (standing(GOLD, {"problem": "MLflow is away"}), "runs", "adaptml runs topic", "MLflow is away"),
        (standing(GOLD, TRIED), "runs", "adaptml run topic", "Run everything"),
        (standing(GOLD, LABELLED), "runs", "adaptml run topic", "Train an end model"),
        (standing(GOLD, LABELLED, newest="2"), "models", "adaptml deploy multiclass_topic --version 2", "Deploy version 2"),
        (
            standing(GOLD, LABELLED, **SERVED, other_classes=True),
            "runs", "adaptml run topic --deploy-if-better", "classes of before",
        ),
        (standing(GOLD, LABELLED | {"watch": WATCH}, **SERVED), "runs", "adaptml watch topic", "2 comparisons moved in 80 new rows"),
        (
            standing(GOLD | {"points": Count(110, True)}, LABELLED, **SERVED),
            "runs", "adaptml run topic", "10 rows came since",
        ),
        (
            standing(DATA | {"gold": GoldStands(points=12)}, LABELLED, **SERVED),
            "annotation", "adaptml annotate push topic --data posts --n 38", "Label 38 more points",
        ),
        (standing(GOLD, LABELLED, **SERVED), "runs", "adaptml watch topic", "All is done"),
    ],
)  # fmt: skip
def test_what_to_do_next(stands: Standing, place: str, command: str, said: str) -> None:
    found = stands.next_step
    assert (found.place, found.command) == (place, command)
    assert said in found.text


def test_what_a_later_run_has_seen_already_is_not_asked_for_again() -> None:
    old_watch = WATCH.model_copy(update={"started": DAY - timedelta(1)})
    few_more = GOLD | {"points": Count(109, True)}
    of_some_rows = RUN.model_copy(update={"data": "posts where lang = 'en'", "points": 20})
    for labelling in (LABELLED | {"watch": old_watch}, TRIED | {"label": of_some_rows}):
        assert "All is done" in standing(few_more, labelling, **SERVED).next_step.text


def test_it_travels_as_json() -> None:
    stands = standing(GOLD, LABELLED | {"watch": WATCH}, **SERVED)
    assert Standing.model_validate_json(stands.model_dump_json()) == stands
