"""What a training says should be fixed: labels and duplicates that were planted."""

from pathlib import Path

import numpy as np
import pandas as pd
from side_task import side, write

from adaptml.frames import KEYS, write_frame
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.metrics import Outcome
from modelling.algorithms import get_algorithm
from modelling.fixing import to_fix_of_training
from modelling.learner import Learner, Weak
from modelling.sources import Reader, split
from modelling.train import train

OTHER = {"left": "right", "right": "left"}


def test_planted_labels_and_duplicates_are_found_and_reported(
    project: Project, task: Task, tmp_path: Path
) -> None:
    """t0 … t29 are gold, of which t4 is wrong; t30 … t59 are weakly labelled, of which t33 is; t50 is t5 again."""
    points = project.points.read(project.database.keys("points"), ["vec"]).set_index("id")["vec"]
    moved = pd.DataFrame({"id": ["t33", "t50"], "vec": [np.array([3.0, 0, 0]), points["t5"]]})
    project.database.upsert("points", moved, ["id"])  # nobody would take t33 for a left one
    data = write(tmp_path / "weak.parquet", list(range(30, 60)), label=lambda i: said(i, 33))
    gold = pd.DataFrame({"table_name": "points", "id": [f"t{i}" for i in range(30)]})
    gold = gold.assign(gold_label=[said(i, 4) for i in range(30)])
    done = train(project, task, data, gold=gold, strategy="union")
    found = project.what_to_fix("side", done.run_id)
    first = {one.source: one for one in reversed(found.suspects)}
    assert (first["gold"].id, first["gold"].label, first["gold"].suggested) == ("t4", ("right",), ("left",))
    assert first["gold"].why.startswith("a model that had not seen this label gives left ")
    weak = [one.id for one in found.suspects if one.source == "training"]
    assert weak[0] == "t33"
    assert found.duplicates is not None
    pair = found.duplicates.pairs[0]
    assert (pair.id, pair.label, pair.other_id, pair.other_label) == ("t5", ("right",), "t50", ("left",))
    assert pair.differs
    assert (found.duplicates.n_leaks >= 1, found.duplicates.n_compared) == (True, 30)
    page = project.runs.artifact(done.run_id, "report.html", tmp_path).read_text()
    assert "What to fix next" in page
    assert "Near-duplicates of gold points (cosine of at least" in page
    assert "text number 33" in page
    told = dict(done.lines)["to fix next"]
    n = (found.n_suspects or {})["gold"]
    assert told.startswith(f"{n} of 30 gold labels look{'s' if n == 1 else ''} wrong; ")


def test_without_gold_there_is_nothing_to_say(project: Project, task: Task, data: str) -> None:
    done = train(project, task, data)
    assert "to fix next" not in dict(done.lines)
    assert "what_to_fix.json" not in project.runs.artifacts(done.run_id)


def test_slices_by_the_votes_of_the_run(project: Project, task: Task, tmp_path: Path) -> None:
    """The rule `twelve` votes on the first twelve gold points, six of which are labelled as the other class."""
    with project.runs.run("side", "label multiclass", {"label_model": "x"}) as recorder:
        Path(write(recorder.folder / "training_data.parquet", list(range(40, 60))))
        keys = pd.DataFrame({"table_name": "points", "id": [f"t{i}" for i in range(40)]})
        votes = keys.assign(twelve=[0 if i < 12 else -1 for i in range(40)], odd=[i % 2 for i in range(40)])
        write_frame(votes.astype({"twelve": "int8", "odd": "int8"}), recorder.folder / "gold_votes.parquet")
    gold = keys[KEYS].assign(gold_label=[said(i, *range(0, 12, 2)) for i in range(40)])
    done = train(project, task, recorder.run_id, gold=gold, strategy="weak")
    weakest = project.what_to_fix("side", done.run_id).slices[0]
    assert (weakest.name, weakest.n, weakest.value) == ("the rule twelve votes", 12, 0.5)
    assert weakest.clear
    assert weakest.rest == 1.0
    assert {key for _, key in weakest.wrong} == {f"t{i}" for i in range(0, 12, 2)}


def said(i: int, *wrong: int) -> list[str]:
    return [OTHER[side(i)[0]]] if i in wrong else side(i)


def test_an_algorithm_that_reads_texts_learns_no_second_time(
    project: Project, task: Task, tmp_path: Path
) -> None:
    """The task's vectors tell instead; 20 gold points are enough to learn from, 19 are not."""
    data = write(tmp_path / "weak.parquet", list(range(30, 60)), label=lambda i: said(i, 33))
    project.database.upsert("points", pd.DataFrame({"id": ["t33"], "vec": [np.array([3.0, 0, 0])]}), ["id"])
    learner = Learner(get_algorithm("transformer"), task.problem)
    for n, suspects in ((20, ["t33"]), (19, [])):
        labels = split(
            project, "side", data, gold=write(tmp_path / "gold.parquet", list(range(n)), gold_label=side)
        )
        assert labels.gold is not None
        weak = Weak(np.full((30, 1), "text", dtype=object), Outcome(labels.training.P, labels.training.Y))  # type: ignore[arg-type]
        held_out = Outcome(labels.gold.Y.astype(np.float64), labels.gold.Y)
        reader = Reader(project.points, [], show_progress=False)
        compared = (labels.gold, held_out)
        found = to_fix_of_training(project, data, labels, reader, learner, weak, None, compared)
        assert found is not None
        assert [one.id for one in found.suspects] == suspects
        assert found.duplicates is not None
