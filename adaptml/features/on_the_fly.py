"""Features of rows that have none yet, computed when they are asked for; nothing is written."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from adaptml.features.catalogue import Spec
from adaptml.features.makers import Maker, Ready, can_make, maker


class OnTheFly:
    """Encoders that are made ready when they are first needed, and kept."""

    def __init__(self, media: Path) -> None:
        """Nothing is ready yet; relative paths of pictures start in `media`."""
        self._media = media
        self._makers: dict[Spec, Maker | None] = {}
        self._ready: Ready = {}
        self._lock = Lock()  # an encoder is nobody's promise to run in two threads

    def values(self, spec: Spec, texts: Sequence[str]) -> list[Any] | None:
        """The values of n texts; None where the encoder is another one than the spec says.

        Raises:
            FeatureError: the encoder cannot be made ready, or fails.
        """
        with self._lock:
            if spec not in self._makers:
                self._makers[spec] = maker(spec, self._media, self._ready) if can_make(spec) else None
            made = self._makers[spec]
            return None if made is None else made.make(texts)
