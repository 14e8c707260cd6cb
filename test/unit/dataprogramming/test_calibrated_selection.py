"""Label models whose probabilities are calibrated on gold that they have not seen."""

import numpy as np
import numpy.typing as npt
import pytest

from adaptml.calibrating import MIN_POINTS
from adaptml.calibration import reliability
from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType
from dataprogramming.label_models.core import Gold, covered
from dataprogramming.selection import select_label_model

Votes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.int8]


def copies(problem: ProblemType, n: int, seed: int) -> tuple[Votes, Flags]:
    """Votes of four copies of a rule for the first class, right in 6 of 10 cases, and of one for the second."""
    rng = np.random.default_rng(seed)
    Y = np.eye(2, dtype=np.int8)[(rng.random(n) < 0.5).astype(int)]
    if not problem.exclusive:
        Y[:, 1] = rng.random(n) < 0.5
    copied = np.where(rng.random(n) < np.where(Y[:, 0] == 1, 0.6, 0.4), 0, -1)
    other = np.where(rng.random(n) < np.where(Y[:, 1] == 1, 0.7, 0.1), 1, -1)
    return np.stack([copied] * 4 + [other], axis=1).astype(np.int8), Y


@pytest.mark.parametrize(("problem", "choice"), [(MULTICLASS, "majority_vote"), (MULTILABEL, "union")])
def test_what_copies_of_a_rule_say_too_loudly_is_calibrated(problem: ProblemType, choice: str) -> None:
    (L, _), (gold_L, gold_Y) = copies(problem, 300, 0), copies(problem, 400, 1)
    found = select_label_model(problem, L, Gold(gold_L, gold_Y), 2, choice=choice)
    assert found.calibration[choice].startswith("calibrated: log loss ")
    plain = select_label_model(problem, L, None, 2, choice=choice)
    assert plain.calibration == {}
    fresh, truth = copies(problem, 4_000, 2)
    voted = covered(fresh)
    before, after = (one.model.predict_proba(fresh) for one in (plain, found))
    assert problem.log_loss(truth[voted], after[voted]) < problem.log_loss(truth[voted], before[voted]) - 0.02
    errors = [
        reliability(problem, ["copied", "other"], truth[voted], said[voted]).by_class["copied"].error
        for said in (before, after)
    ]
    assert errors[1] < errors[0] / 2
    uncovered = found.model.predict_proba(fresh[~voted])
    np.testing.assert_allclose(uncovered, np.tile(found.model.fitted_.balance, (len(uncovered), 1)))


def test_what_is_said_of_gold_comes_from_models_that_are_calibrated_without_its_fold() -> None:
    (L, _), (gold_L, gold_Y), fold = (
        copies(MULTICLASS, 300, 0),
        copies(MULTICLASS, 400, 1),
        np.arange(400) % 5,
    )
    found = select_label_model(MULTICLASS, L, Gold(gold_L, gold_Y), 2, fold=fold, choice="majority_vote")
    said = found.held_out["majority_vote"]
    scales = []
    for part, model in enumerate(found.without["majority_vote"]):
        inside = fold == part
        np.testing.assert_array_equal(said.probs[inside], model.predict_proba(gold_L[inside]))
        scales.append(float(model.fitted_.calibrator[0, 0]))
    assert len({*scales, float(found.model.fitted_.calibrator[0, 0])}) == 6


def test_too_little_gold_calibrates_nothing_and_it_is_said() -> None:
    (L, _), (gold_L, gold_Y) = copies(MULTICLASS, 300, 0), copies(MULTICLASS, MIN_POINTS, 1)
    found = select_label_model(MULTICLASS, L, Gold(gold_L, gold_Y), 2, choice="majority_vote")
    n = int(covered(gold_L).sum())
    assert found.calibration == {
        "majority_vote": f"not calibrated: {n} gold points with votes are too few; 100 are needed"
    }
    assert not found.model.fitted_.calibrator.size
