"""One data point, or one text that is no data point, as a model reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import FeatureError, ModelError, listed
from adaptml.features.catalogue import COLUMN, Feature, Reference
from adaptml.features.encoders import encoder_takes
from adaptml.features.on_the_fly import OnTheFly
from adaptml.features.reading import Matrix
from adaptml.frames import KEYS
from modelling.columns import Text
from modelling.keyed import KeyedModel
from modelling.voting import Voted, Voting

TEXT = "text"
_NO_KEY: dict[str, object] = {"table_name": "", "id": "this text"}


@dataclass(frozen=True)
class Block:
    """One feature of one point: where it lies among the numbers that the model reads, and what it is of.

    Attributes:
        feature: the version, or the column.
        numbers: float32 (d,); of a text that is read as it stands this, object (1,).
        encoder: what makes it; empty for a column.
        column: what it was computed from; empty for a column itself.
        text: what stands there, where that is a text; else None.
    """

    feature: Reference
    numbers: npt.NDArray[np.float32]
    encoder: str = ""
    column: str = ""
    text: str | None = None


@dataclass(frozen=True)
class OnePoint:
    """What a model reads of one point: the blocks in its order."""

    blocks: tuple[Block, ...]

    @property
    def matrix(self) -> Matrix:
        """All numbers as a row, float32 (1, d); of a model that reads texts as they stand these."""
        return np.concatenate([block.numbers for block in self.blocks])[None, :]


def text_columns(model: KeyedModel) -> list[str]:
    """The columns whose texts are all that a model needs; with these, it can be asked about any text.

    Raises:
        ModelError: it reads something else too: a column as it stands, or pictures, sounds and films.
    """
    found, others = [], []
    for reference in model.features:
        column = _text_source(model, reference)
        if column is None:
            others.append(str(reference))
        elif column not in found:
            found.append(column)
    if others:
        raise ModelError(
            f"the model reads {listed(others)}, which a text alone does not give; ask it about a data point "
            "by its table and id"
        )
    return found


def read_texts(model: KeyedModel, texts: Mapping[str, str], encoders: OnTheFly) -> OnePoint:
    """Texts featurised as the model was trained, without being stored.

    Args:
        model: the model.
        texts: column → text, for each of `text_columns`.
        encoders: makes features; those that are ready are used again.

    Raises:
        ModelError: a text is missing, or texts are not all that the model needs.
        FeatureError: the encoder that the model was trained with is not installed here.
    """
    columns = text_columns(model)
    missing = [name for name in columns if not texts.get(name, "").strip()]
    if missing:
        raise ModelError(f"no text for {listed(missing)}; the model reads {listed(columns)}: give each one")
    features = [_feature(model, reference) for reference in model.features]
    cells: dict[str, object] = {}
    for reference, feature in zip(model.features, features, strict=True):
        if _is_text(model, reference):
            cells[str(reference)] = texts[reference.name]
            continue
        assert feature is not None  # noqa: S101 - text_columns has refused those
        made = encoders.values(feature.spec, [texts[feature.source]])
        if made is None:
            raise FeatureError(
                f"feature {feature.reference} is of the encoder {feature.encoder!r} as it was then, and here "
                "is another; ask about a data point that has it, or featurise, train and deploy again"
            )
        cells[str(feature.reference)] = made[0]
    frame = pd.DataFrame({name: pd.Series([cell], dtype=object) for name, cell in (_NO_KEY | cells).items()})
    return _one(model, frame, {feature.source: texts[feature.source] for feature in features if feature})


def votes_on_texts(voting: Voting, texts: Mapping[str, str], encoders: OnTheFly) -> Voted:
    """The votes of rules that are data on texts, which are no data point; none where they look at more.

    Args:
        voting: whose votes.
        texts: column → text.
        encoders: makes lemmas, where rules look at these.
    """
    known = {feature.reference: feature for feature in voting.points.catalogue.all(dropped=True)}
    values: dict[str, list[Any]] = {}
    for reference in voting.rules.looked_at:
        feature = known.get(reference)
        if reference.version == COLUMN and reference.name in texts:
            values[str(reference)] = [texts[reference.name]]
        elif feature is not None and feature.source in texts:
            made = encoders.values(feature.spec, [texts[feature.source]])
            values |= {} if made is None else {str(reference): made}
    return voting.of_values(values)


def read_point(model: KeyedModel, table: str, key: str) -> OnePoint:
    """A data point as the model reads it.

    Raises:
        MissingDataPointsError: it is not in its table.
        AdaptmlError: features that cannot be read.
    """
    keys = pd.DataFrame([[table, key]], columns=KEYS)
    frame = model.points.read(keys, model.features)
    features = [_feature(model, reference) for reference in model.features]
    sources = {feature.source for feature in features if feature is not None and _of_text(feature)}
    there = sorted(sources & set(model.points.database.columns(table)))
    row = model.points.database.read(keys, there).iloc[0]
    return _one(model, frame, {name: _text(row[name]) for name in there})


def _one(model: KeyedModel, frame: pd.DataFrame, texts: Mapping[str, str]) -> OnePoint:
    blocks = []
    for reference in model.features:
        feature, values = _feature(model, reference), model.columns.matrix(frame, reference)[0]
        if _is_text(model, reference):
            blocks.append(Block(reference, values, column=reference.name, text=values[0]))
        elif feature is None:
            blocks.append(Block(reference, values))
        else:
            text = texts.get(feature.source) if _of_text(feature) else None
            blocks.append(Block(reference, values, feature.encoder, feature.source, text))
    found = OnePoint(tuple(blocks))
    if found.matrix.shape[1] != model.dimensions:
        raise FeatureError(
            f"the features {listed(model.features)} have {found.matrix.shape[1]} numbers and the model "
            f"learned from {model.dimensions}; featurise with the encoder of the training, or train again"
        )
    return found


def _is_text(model: KeyedModel, reference: Reference) -> bool:
    """Whether the model reads a column as the text that stands there."""
    return isinstance(model.columns.learned.get(str(reference)), Text)


def _text_source(model: KeyedModel, reference: Reference) -> str | None:
    """The column whose text is all that one of the model's features is made of; None for another."""
    if _is_text(model, reference):
        return reference.name
    feature = _feature(model, reference)
    return None if feature is None or not _of_text(feature) else feature.source


def _feature(model: KeyedModel, reference: Reference) -> Feature | None:
    """The feature of any table; of a column, the one that was found to hold the same."""
    known = model.points.catalogue.all(dropped=True)
    if reference.version == COLUMN:
        return next((f for f in known if f.name == reference.name and f.replaces_column), None)
    return next((f for f in known if f.reference == reference), None)


def _of_text(feature: Feature) -> bool:
    return feature.kind != "lemmas" and encoder_takes(feature.encoder) == TEXT


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell)
