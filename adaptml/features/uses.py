"""Which versions of features the champions were trained on: they are filled and not dropped."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database import Database, TextList
from adaptml.features.catalogue import Reference

USES = "adaptml_feature_uses"
_TYPES: dict[str, TypeEngine[Any]] = {"used_by": sa.Text(), "features": TextList()}


def note_uses(results: Database, used_by: str, features: Sequence[Reference]) -> None:
    """Note what a champion reads, in place of what the champion before it read.

    Args:
        results: where feature tables lie.
        used_by: name of the registered model.
        features: what it was trained on.
    """
    if not any(reference.version for reference in features) and USES not in results.tables():
        return
    results.create_table(USES, _TYPES, ["used_by"])
    frame = pd.DataFrame({"used_by": [used_by], "features": [[str(reference) for reference in features]]})
    results.upsert(USES, frame, ["used_by"])


def read_uses(results: Database) -> dict[Reference, list[str]]:
    """Version of a feature → the registered models whose champions read it, sorted."""
    if USES not in results.tables():
        return {}
    source = sa.table(USES, *(sa.column(name, kind) for name, kind in _TYPES.items()))
    query = sa.select(source.c.used_by, source.c.features).order_by(source.c.used_by)
    found: dict[Reference, list[str]] = {}
    with results.translated(), results.engine.connect() as connection:
        for used_by, features in connection.execute(query):
            for text in features:
                found.setdefault(Reference.recorded(text), []).append(used_by)
    return found
