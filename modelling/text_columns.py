"""Which columns an algorithm of texts learns from: those that the features it is given are made of."""

from collections.abc import Sequence

from adaptml.errors import ModelError, listed
from adaptml.features.catalogue import COLUMN, Reference, split_reference
from adaptml.features.encoders import encoder_takes
from adaptml.features.points import Points
from adaptml.tasks import Task
from modelling.columns import Columns, Text


def text_columns(points: Points, task: Task, tables: Sequence[str], names: Sequence[str]) -> list[Reference]:
    """The columns, in the order of the features.

    Args:
        points: knows features; they need not be computed.
        task: says what `featurize` makes features of.
        tables: data tables, at least one.
        names: of columns and features; of vectors and lemmas the text is taken that they are made of.

    Raises:
        ModelError: features that are made of no text.
    """
    made_of = {made: (part.text, part.encoder) for part in task.featurize for made in part.makes}
    made_of |= {
        feature.name: (feature.source, "" if feature.kind == "lemmas" else feature.encoder)
        for table in tables
        for feature in points.catalogue.of_table(table)
    }
    found: list[Reference] = []
    for name in names:
        source, encoder = made_of.get(split_reference(name)[0], (name, ""))
        if encoder and encoder_takes(encoder) != "text":
            raise ModelError(
                f"{name} is made of {source} by {encoder}, which reads no text, and this algorithm "
                "learns from texts; name a column of texts with --features, or choose another algorithm"
            )
        reference = Reference(source, COLUMN)
        found += [] if reference in found else [reference]
    if not found:
        raise ModelError(f"task {task.name!r} names no features; name a column of texts with --features")
    return found


def as_they_stand(columns: Sequence[Reference]) -> Columns:
    """Columns that are read as texts."""
    named = [str(column) for column in columns]
    return Columns({name: Text() for name in named}, (f"{listed(named)}: read as text, as it stands",))
