"""What the page of rules asks beside looks, and what runs none of a person's code."""

from dataclasses import asdict
from typing import Any

from adaptml.project import Project
from dataprogramming.kept_sample import draw_kept_sample


def draw(project: Project, *, task: str, table: str, seed: int) -> dict[str, Any]:
    """Draw the sample that is looked at anew."""
    sample = draw_kept_sample(project, task, table, seed=seed)
    return {"n": len(sample.keys), "n_points": sample.n_points}


def last_run(project: Project, *, task: str) -> dict[str, Any]:
    """What the last label run said of each rule; no `run_id` where there is none."""
    from dataprogramming.last_label_run import last_label_run  # MLflow takes a second

    found = last_label_run(project, task)
    return {} if found is None else asdict(found)
