import numpy as np

from adaptml.tasks import Setting
from modelling.decisions import decide


def test_multiclass_takes_the_most_probable_and_of_equals_the_first() -> None:
    assert decide(Setting.MULTICLASS, np.array([[0.5, 0.5], [0.1, 0.2]])).tolist() == [[1, 0], [0, 1]]


def test_multilabel_takes_every_class_from_one_half_up() -> None:
    assert decide(Setting.MULTILABEL, np.array([[0.5, 0.5], [0.1, 0.2]])).tolist() == [[1, 1], [0, 0]]
