"""What encoders read in pictures: the name of a class, or words, and how sure they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adaptml.features.encoders import Answer, AnswerBatch, Modality, answers_of, encoder_code, encoder_takes
from adaptml.features.values_to_encode import batches


class Answers:
    """An encoder that is ready to answer.

    Args:
        name: what it was asked for by.
        takes: what it reads, such as `image`.
        answer_batch: some values, as `Encoder` gets them → an answer each.
        folder: where relative paths of files start; None: nowhere.
    """

    def __init__(self, name: str, takes: Modality, answer_batch: AnswerBatch, folder: Path | None) -> None:
        self._name, self._takes, self._answer_batch, self._folder = name, takes, answer_batch, folder
        self._last: tuple[Sequence[Any], list[Answer | None]] = ((), [])

    def of(self, cells: Sequence[Any]) -> list[Answer | None]:
        """The answers for n cells; None where a cell holds nothing.

        Asked for the same cells twice in a row, as for two features of one column, it reads them once.

        Raises:
            FeatureError: files that cannot be read, or the encoder fails.
        """
        if list(cells) != self._last[0]:
            found: list[Answer | None] = [None] * len(cells)
            with encoder_code(self._name):
                for rows, values in batches(self._takes, cells, self._folder):
                    for row, answer in zip(rows, self._answer_batch(values), strict=True):
                        found[row] = answer
            self._last = (list(cells), found)
        return self._last[1]


def get_answers(name: str, media: Path | None = None) -> Answers:
    """What answers by its name, or by `name:source`.

    Args:
        name: as that of an encoder.
        media: where relative paths of pictures start.

    Raises:
        FeatureError: no encoder of that name, one that gives no answers, a library that is not installed, or
            a model that cannot be read.
    """
    answer_batch = answers_of(name)
    return Answers(name, encoder_takes(name), answer_batch, media)
