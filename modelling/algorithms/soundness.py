"""Whether an end model that was read from a file, which anybody can have written, is one that was fitted."""

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier

from adaptml.label_scoring import is_calibrator
from adaptml.tasks import MAX_CLASSES
from modelling.algorithms.core import CONSTANT, ENSEMBLE, LABEL_MODEL
from modelling.algorithms.registry import named_takes_texts

if TYPE_CHECKING:
    from modelling.algorithms.end_model import EndModel


def is_sound(model: "EndModel") -> bool:
    """Whether a model from a file is put together as one that was fitted."""
    scales = [model.scale, model.vote_scale]
    plain = [isinstance(model.algorithm, str), isinstance(model.k_, int)]
    if not all(plain) or not all(isinstance(scale, float) and math.isfinite(scale) for scale in scales):
        return False
    if not 1 <= model.k_ <= MAX_CLASSES or model.vote_scale < 0:
        return False
    if model.calibrator_ is not None and not is_calibrator(model.calibrator_, model.k_):
        return False
    if not model.problem.exclusive and model.calibrator_ is not None and len(model.calibrator_) > 2:
        return False
    if model.members_ or model.algorithm == ENSEMBLE:
        return _is_sound_ensemble(model)
    if model.algorithm in (CONSTANT, LABEL_MODEL):
        inside = all(isinstance(part, float) and 0 < part < 1 for part in model.parts_)
        return inside and len(model.parts_) == model.k_ and model.base_model is None
    constant = [part for part in model.parts_ if isinstance(part, float)]
    if not all(0 <= share <= 1 for share in constant):
        return False
    fitted = [part for part in model.parts_ if not isinstance(part, float)]
    if not all(is_classifier(part) and hasattr(part, "predict_proba") for part in fitted):
        return False
    if not model.problem.exclusive:
        return len(model.parts_) == model.k_ or len(model.parts_) == len(fitted) == 1
    return len(model.parts_) == len(fitted) == 1 and set(fitted[0].classes_) <= set(range(model.k_))


def _is_sound_ensemble(model: "EndModel") -> bool:
    """The same of an ensemble, whose members are sound."""
    alike = all((one.k_, one.problem.name) == (model.k_, model.problem.name) for one in model.members_)
    plain = all(not one.members_ and not named_takes_texts(one.algorithm) for one in model.members_)
    alone = model.algorithm == ENSEMBLE and not model.parts_ and model.base_model is None
    return (
        alone
        and alike
        and plain
        and len(model.members_) > 1
        and model.vote_scale == 0
        and _are_weights(model.member_weights_, len(model.members_))
    )


def _are_weights(weights: npt.NDArray[np.float64], m: int) -> bool:
    shared = weights.shape == (m,) and bool(np.all(weights >= 0))  # which no NaN is
    return shared and math.isclose(weights.sum(), 1, abs_tol=1e-9)
