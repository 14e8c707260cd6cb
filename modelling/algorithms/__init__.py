"""Algorithms of end models. Adding one is adding one small module that declares its `ALGORITHM`."""

from modelling.algorithms.core import Algorithm, EndModel, Params, fit
from modelling.algorithms.files import load_end_model, save_end_model
from modelling.algorithms.registry import algorithms, get_algorithm

__all__ = [
    "Algorithm",
    "EndModel",
    "Params",
    "algorithms",
    "fit",
    "get_algorithm",
    "load_end_model",
    "save_end_model",
]
