"""What a training's page says of the choice: all ways that were tried, the best first, and their weights."""

import re

import numpy as np
import pytest

from adaptml.reports.html import joined
from adaptml.tasks import MULTICLASS
from adaptml.tasks.metrics import Metric, Outcome
from modelling.algorithms import EndModel
from modelling.choice_section import choice_section
from modelling.choosing import Combined
from modelling.ways import HeldOut, Way, judged

Y = np.eye(2, dtype=np.int8)[[0, 0, 1, 1]]
GOLD, WEAK, UNION = Way("gold"), Way("weak", "snorkel", soft=True), Way("union", "snorkel")


def said(metric: Metric, *of_the_first: float) -> HeldOut:
    """What a model says of four points, by its probabilities of the first class."""
    probs = np.column_stack([of_the_first, 1 - np.array(of_the_first)])
    return judged(metric, Y, Outcome(probs, MULTICLASS.decide(probs)))


def lines(content: list[str | None]) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", joined(content), re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows if "<td" in row]


@pytest.mark.parametrize("name", ["accuracy", "log_loss"])
def test_the_best_is_first_and_members_have_their_weights(name: str) -> None:
    metric = Metric(name, MULTICLASS)
    ways = {
        GOLD: said(metric, 0.5 + 1e-9, 0.5 + 1e-9, 0.75, 0.5 - 1e-9),  # 3 of 4
        WEAK: said(metric, 0.75, 0.75, 0.25, 0.25),  # all right
        UNION: said(metric, 0.25, 0.5 + 1e-9, 0.75, 0.5 - 1e-9),  # 2 of 4
    }
    both = Way.together([GOLD, WEAK])
    parts = [EndModel.constant(MULTICLASS, np.array([0.5, 0.5])) for _ in range(2)]
    model = EndModel.ensemble(parts, np.array([0.25, 0.75]))
    done = Combined(model, both, "none can be told apart", ways={**ways, both: ways[WEAK]})
    found = lines(choice_section(done, metric, Y, 0))
    # Mean of -log p: log(4/3); (3 log 2 + log 4) / 4; (2 log 2 + 2 log 4) / 4.
    assert [(way, loss, weight) for way, _, loss, weight in found] == [
        ("weak of snorkel, soft labels", "0.288", "0.75"),
        ("gold", "0.866", "0.25"),
        ("union of snorkel", "1.040", "–"),
    ]
    figures = ["1.000 (0.510 to 1.000)", "0.750 (0.301 to 0.954)", "0.500 (0.150 to 0.850)"]  # Wilson's
    if name == "accuracy":
        assert [figure for _, figure, _, _ in found] == figures
    else:
        assert [figure[:5] for _, figure, _, _ in found] == ["0.288", "0.866", "1.040"]


def test_one_that_answers_alone_is_all_of_the_answer_and_nothing_tried_is_nothing_shown() -> None:
    metric = Metric("accuracy", MULTICLASS)
    ways = {GOLD: said(metric, 1.0, 0.0, 1.0, 0.0), WEAK: said(metric, 1.0, 1.0, 0.0, 0.0)}
    model = EndModel.constant(MULTICLASS, np.array([0.5, 0.5]))
    chosen = Combined(model, WEAK, "the best", ways=ways)
    assert [line[3] for line in lines(choice_section(chosen, metric, Y, 0))] == ["1.00", "–"]
    assert choice_section(Combined(model, GOLD, "it was asked for"), metric, Y, 0) == []
    assert choice_section(Combined(model, GOLD, "asked", ways={GOLD: ways[GOLD]}), metric, Y, 0) == []
