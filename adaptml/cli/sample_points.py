"""`adaptml sample-points`: data points to label and to train on."""

from adaptml.cli import options
from adaptml.cli.support import output, project_here


def command(
    task: options.TaskName,
    data: options.DataArg,
    n: options.Number,
    sampling: options.Sampling = "random",
    run: options.Run = None,
    by: options.By = None,
    vector: options.VectorColumn = None,
    where: options.Where = None,
    seed: options.Seed = 0,
    to: options.To = None,
) -> None:
    """Choose points of a table to label and to train on: a frame of table_name, id, inclusion_prob.

    Example: `adaptml sample-points example --data example_data --n 100 --sampling diverse`
    """
    with project_here() as project:
        done = project.sample_points(
            task, data, n,
            sampling=sampling, run=run, by=by, vector=vector, seed=seed, where=where, to=to,
        )  # fmt: skip
    output().print(f"{len(done.frame)} points of {data}, drawn as {done.name}")
    output().print(f"written to {done.path}")
