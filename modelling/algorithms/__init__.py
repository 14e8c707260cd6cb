"""Algorithms of end models. Adding one is adding one small module that defines an `Algorithm`."""

from modelling.algorithms.classifiers import (
    Classifier,
    algorithm_name,
    check_savable,
    classifier,
    takes_missing,
    takes_texts,
    takes_weights,
)
from modelling.algorithms.core import Algorithm, WeighingAlgorithm
from modelling.algorithms.end_model import EndModel
from modelling.algorithms.registry import algorithms, get_algorithm

__all__ = [
    "Algorithm",
    "Classifier",
    "EndModel",
    "WeighingAlgorithm",
    "algorithm_name",
    "algorithms",
    "check_savable",
    "classifier",
    "get_algorithm",
    "takes_missing",
    "takes_texts",
    "takes_weights",
]
