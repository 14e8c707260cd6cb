"""Where a step's labels come from: a run of the label step, or a frame that the user named."""

import logging
import re
import tempfile
from pathlib import Path

import pandas as pd

from adaptml.errors import FrameError
from adaptml.frames import read_frame
from adaptml.labelled import Labelled, project_path
from adaptml.settings import get_settings
from adaptml.tracking import artifact

TRAINING_DATA, DEVELOPMENT_DATA = "training_data.parquet", "development_data.parquet"
_RUN_ID = re.compile(r"[0-9a-f]{32}")


def read_labelled(source: str, name: str) -> pd.DataFrame:
    """A frame of labelled data points.

    Args:
        source: the id of a run of the label step (32 hexadecimal digits), or a path that the user typed.
        name: which artifact of the run.

    Raises:
        TrackingError: no such run, or a run without that artifact.
        FrameError: no such file, or as `read_frame` raises it.
    """
    if _RUN_ID.fullmatch(source):
        # In the Docker stack, labelling has a tracking server of its own, whose artifacts are mounted here.
        for mounted in get_settings().home.glob(f"dp_mlruns/*/{source}/artifacts/{name}"):
            return read_frame(mounted)
        with tempfile.TemporaryDirectory() as folder:
            return read_frame(artifact(source, name, Path(folder)))
    path = project_path(source)
    if not path.exists():
        raise FrameError(
            f"no run and no file {source!r}; expected the id of a run of `adaptml label` (32 hexadecimal "
            "digits) or the path of a frame"
        )
    return read_frame(path, typed_by_user=True)


def warn_left_out(log: logging.Logger, data: Labelled, source: str) -> None:
    """Say how many points a multiclass run cannot use."""
    if data.left_out:
        log.warning(
            "%d points of %s are left out: a multiclass run needs exactly one class", data.left_out, source
        )
