"""Finding the run that did the same before: runs carry a hash of all that they were made from, as a tag."""

from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow.entities import Run

from adaptml.errors import TrackingError, one_line
from adaptml.project import Project
from adaptml.runs.opening import store_errors

INPUTS_TAG = "adaptml.inputs"

Part = str | pd.DataFrame | npt.NDArray[Any]


def fingerprint(*parts: Part) -> str:
    """One hash of texts, frames and arrays of any shape: other parts, other names or another order change it.

    Cells may be numbers, texts, None, lists of these or arrays.

    >>> fingerprint("a", "b") == fingerprint("a", "b"), fingerprint("ab") == fingerprint("a", "b")
    (True, False)
    """
    made = sha256()
    for part in parts:
        made.update(_digest(part))
    return made.hexdigest()


def _digest(part: Part) -> bytes:
    if isinstance(part, str):
        return sha256(b"text" + part.encode("utf-8", "surrogatepass")).digest()
    if isinstance(part, np.ndarray) and part.dtype != object:
        said = f"array {part.dtype.str} {part.shape}".encode()
        return sha256(said + np.ascontiguousarray(part).tobytes()).digest()
    made = sha256(b"cells")
    columns = [part] if isinstance(part, np.ndarray) else [part[name].to_numpy() for name in part]
    made.update(repr([] if isinstance(part, np.ndarray) else list(part.columns)).encode())
    for column in columns:
        for cell in column:
            made.update(_cell(cell))
    return made.digest()


def _cell(cell: object) -> bytes:
    """A cell with its length before it, so that the ends of cells cannot be confused."""
    if isinstance(cell, np.ndarray) and cell.dtype != object:
        content = f"{cell.dtype.str} {cell.shape} ".encode() + cell.tobytes()
    else:
        content = repr(cell).encode("utf-8", "surrogatepass")
    return len(content).to_bytes(8, "big") + content


def run_with(project: Project, experiment: str, inputs: str) -> Run | None:
    """The newest complete run of an experiment that was made from these inputs.

    Args:
        project: whose runs.
        experiment: its name, which is the task's.
        inputs: what `fingerprint` says of them.

    Raises:
        TrackingError: the tracking server or store cannot be used.
    """
    client = project.runs.client
    try:
        found = client.get_experiment_by_name(experiment)
        if found is None or found.lifecycle_stage != "active":
            return None
        condition = f"tags.`{INPUTS_TAG}` = '{inputs}' and attributes.status = 'FINISHED'"
        runs = client.search_runs(
            [found.experiment_id], condition, max_results=1, order_by=["attributes.start_time DESC"]
        )
    except store_errors() as error:
        raise TrackingError(
            f"the runs cannot be read from {project.runs.uri}: {one_line(error)}; see that MLflow runs"
        ) from error
    return runs[0] if runs else None


def mark(project: Project, run_id: str, inputs: str) -> None:
    """Note on a complete run what it was made from.

    Raises:
        TrackingError: the tracking server or store cannot be used.
    """
    try:
        project.runs.client.set_tag(run_id, INPUTS_TAG, inputs)
    except store_errors() as error:
        raise TrackingError(
            f"run {run_id} is complete, and what it was made from cannot be noted: {one_line(error)}; "
            "see that MLflow runs, then run this again"
        ) from error
