"""A champion's answer as the service sends it."""

import json

import numpy as np
from tolerances import FLOAT32_ATOL

from adaptml.database import Database
from modelling.app.main import _answer
from modelling.app.metrics import Metrics
from modelling.app.model_cache import Served
from modelling.champion import Champion


def answered(champion: Champion, table: str, ids: list[str]) -> bytes:
    body = json.dumps({"table_name": [table] * len(ids), "id": ids}).encode()
    return _answer(champion, body, Database("sqlite://"), None, Metrics(Served({})))


def compare(answer: bytes, shape: str, probs: list[list[float]]) -> None:
    """Compare an answer: all of it but the probabilities byte for byte, and these as FLOAT32_ATOL says.

    `shape` is the answer with `[]` in place of each list of probabilities.
    """
    said = json.loads(answer)
    found = [said[name] for name in said if name.startswith("prob_")]
    for values in found:  # the shortest text of each float64, as JSON has always had it
        text = "[" + ",".join(map(repr, values)) + "]"
        assert text.encode() in answer
        answer = answer.replace(text.encode(), b"[]", 1)
    assert answer.decode() == shape
    np.testing.assert_allclose(found, probs, atol=FLOAT32_ATOL, rtol=0)
