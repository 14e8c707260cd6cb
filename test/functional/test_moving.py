"""usage.md's tables of what the original names and what it is today: every row is tried."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from mlflow.cli import cli as mlflow_cli
from mlflow.tracking import MlflowClient
from original_guide import LBFGS, Guide

import adaptml
from adaptml.cli.app import STEPS
from adaptml.errors import ModelError, TrackingError
from adaptml.runs.tracking import RunStore
from adaptml.settings_names import unread_names
from dataprogramming.label_models.registry import label_models
from modelling.algorithms import get_algorithm

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning"),
    pytest.mark.timeout(600),
]
CACHE: list[str] = []  # runs that several rows look at
DEPLOYED: list[str] = []
Row = Callable[[Guide, str, str, Path], None]
CHECKS: dict[str, Row] = {}


def table() -> dict[str, str]:
    """What was before → what is today, as usage.md's chapter has it."""
    chapter = (REPOSITORY / "usage.md").read_text(encoding="utf-8").split("\n## Moving from earlier")[1]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", chapter.split("\n## ")[0], re.MULTILINE)
    return {before: today for before, today in rows if not before.endswith(" of before")}


ROWS = table()


def code(cell: str) -> list[str]:
    """What a cell has in code."""
    return re.findall(r"`([^`]+)`", cell)


def row(*begins: str) -> Callable[[Row], Row]:
    """Says which rows a check tries: those whose first cell begins so."""

    def add(check: Row) -> Row:
        for begin in begins:
            named = [before for before in ROWS if before.startswith(begin)]
            assert len(named) == 1, f"{begin}: {named}"
            CHECKS[named[0]] = check
        return check

    return add


def test_every_row_has_a_check() -> None:
    assert set(ROWS) == set(CHECKS)
    assert len(ROWS) > 60


@pytest.mark.parametrize("before", ROWS)
def test_a_row(guide: Guide, tmp_path: Path, before: str) -> None:
    CHECKS[before](guide, before, ROWS[before], tmp_path)


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    return services


@row("`docker-compose --env-file", "`docker-compose ps`")
def _stack_commands(guide: Guide, before: str, today: str, folder: Path) -> None:
    """The stack's own tests run them; the containers are called as they were."""
    assert {word.removeprefix("adaptml ") for word in code(today)} <= set(STEPS)
    assert {"crate-db", "label-studio-dev", "dp-mlflow", "dp-mlflow-db", "dp-mlflow-server", "modelling-mlflow",
            "modelling-mlflow-deploy", "label-studio-web"} <= {one.get("container_name") for one in compose().values()}  # fmt: skip


@row("`wait-for-it")
def _waiting(guide: Guide, before: str, today: str, folder: Path) -> None:
    waits = compose()["dp-mlflow"]["depends_on"]["dp-mlflow-server"]["condition"]
    assert waits == "service_healthy"


@row(
    "`python ./ls/sample_tasks.py",
    "`python ./ls/process_annotations.py",
    "`python ./ls/annotator_agreement.py",
)
def _label_studio_commands(guide: Guide, before: str, today: str, folder: Path) -> None:
    """The guide's step 2 types them so; the module, the command, and no other word is new."""
    module = code(today)[0].split()[2]
    assert module == "labelstudio." + before.partition("./ls/")[2].partition(".py")[0]
    done = guide.annotated[
        ["sample_tasks", "process_annotations", "annotator_agreement"].index(
            module.removeprefix("labelstudio.")
        )
    ]
    assert done.exit_code == 0, done.output
    assert code(today)[-1].split()[1] in STEPS


@row("`mlflow run --no-conda`")
def _no_conda(guide: Guide, before: str, today: str, folder: Path) -> None:
    """It is MLflow that says so, before anything of ours is asked; the other option is one of its own."""
    done = CliRunner().invoke(mlflow_cli, ["run", "--no-conda", "."])
    assert done.exit_code == 2
    assert "No such option '--no-conda'" in done.output
    assert "--env-manager" in CliRunner().invoke(mlflow_cli, ["run", "--help"]).output


@row("`mlflow run … .`")
def _folders(guide: Guide, before: str, today: str, folder: Path) -> None:
    assert all((REPOSITORY / name / "MLproject").is_file() for name in ("dataprogramming", "modelling"))
    done = guide.typed("adaptml settings --export")
    assert f"MLFLOW_TRACKING_URI={guide.project.runs.uri}" in done.stdout.replace("'", "")


@row("`mlflow run … -e example`", "`mlflow run … --experiment-name eg`", "`-P task=multiclass`", "`-P seed=8`",
     "`-P train_data=/unlabeled_data/multiclass_df.pkl`")  # fmt: skip
def _labelling(guide: Guide, before: str, today: str, folder: Path) -> None:
    for setting in ("multiclass", "multilabel"):
        run = guide.project.runs.get(guide.labelled(setting))
        params = run.data.params
        assert (params["setting"], params["seed"], run.info.run_name) == (setting, "8", f"label {setting}")
        assert params["train_data"].endswith(f"{setting}_df.pkl")
    said = guide.typed(
        "mlflow run dataprogramming -e label -P train_data=example_data -P task=multiclass"
    ).stderr
    assert "give the task's name as task, and multiclass as setting" in said


@row("`mlflow run … -e [ENTRYPOINT]`", "`-P dev_data=0`", "`-P parallel=0`", "`-P n_epochs`", "Snorkel's label model",
     "labels above a knee")  # fmt: skip
def _label_parameters(guide: Guide, before: str, today: str, folder: Path) -> None:
    """Everything at once, on few points, without gold; `0` and `1` of gold are in the guide."""
    assert {"snorkel", "knee", "union", "em"} <= set(label_models())
    if not CACHE:
        frame = pd.read_pickle(guide.home / "unlabeled_data" / "multiclass_df.pkl")
        frame.head(60).to_pickle(guide.home / "few.pkl")
        for setting, model in (("multiclass", "snorkel"), ("multilabel", "knee")):
            done = guide.typed(
                f"mlflow run dataprogramming -e label -P train_data={guide.home}/few.pkl -P task=example "
                f"-P setting={setting} -P label_model={model} -P dev_data=0 -P parallel=0 -P n_epochs=20 "
                "-P optimizer=adam -P prec_init=0.6 -P device=cpu -P verbose=1 -P seed=0"
            )
            assert done.exit_code == 0, done.output
            CACHE.append(re.search(r"^run\s+(\w{32})$", done.stdout, re.MULTILINE)[1])  # type: ignore[index]
    first, second = (guide.project.runs.get(run).data.params for run in CACHE)
    assert (first["label_model"], first["n_epochs"], first["optimizer"]) == ("snorkel", "20", "adam")
    assert (second["label_model"], first["seed"], first["dev_data"]) == ("knee", "0", "0")


@row("`mlflow run … -e mlp`", "`-P random_state=8`", "end model `txt_use_MLP`")
def _training(guide: Guide, before: str, today: str, folder: Path) -> None:
    run = guide.project.runs.get(guide.trained("multiclass", "mlp", LBFGS))
    assert (run.data.params["random_state"], run.data.params["seed"]) == ("8", "0")
    assert guide.project.runs.client.search_model_versions("name = 'multiclass_example'")


@row("`-P activation`")
def _algorithm_parameters(guide: Guide, before: str, today: str, folder: Path) -> None:
    values = {
        "activation": "tanh", "solver": "sgd", "alpha": "0.001", "learning_rate": "adaptive", "power_t": "0.4",
        "learning_rate_init": "0.01", "max_iter": "300", "tol": "0.001", "momentum": "0.8", "beta_1": "0.8",
        "beta_2": "0.99", "epsilon": "1e-7", "n_iter_no_change": "5", "max_fun": "1000",
    }  # fmt: skip
    assert {word.removeprefix("-P ") for word in code(before)} == set(values)
    found = get_algorithm("mlp", values).get_params()
    assert {name: found[name] for name in ("solver", "max_fun", "beta_1")} == {
        "solver": "sgd", "max_fun": 1000, "beta_1": 0.8,
    }  # fmt: skip
    with pytest.raises(ModelError, match="solver"):
        get_algorithm("mlp", {"solver": "newton"})


@row("`-P train_data=/dp_mlruns/", "`-P test_data=/dp_mlruns/", "`-P features=txt_use`")
def _labelled_data(guide: Guide, before: str, today: str, folder: Path) -> None:
    run = guide.labelled("multiclass")
    at = guide.artifacts(run)
    by_id = f"mlflow run modelling -e mlp -P train_data={run} -P test_data={run} -P max_iter=300"
    said = guide.typed(f"{by_id} -P features=txt_use").stderr
    assert "no column txt_use" in said
    assert said.splitlines()[-1].startswith("error: ")
    for option, name in (("train_data", "training_data"), ("test_data", "development_data")):
        said = guide.typed(by_id.replace(f"{option}={run}", f"{option}={at}/{name}.pkl")).stderr
        assert f"{name}.parquet is there: frames are no pickles any more" in said


@row("`curl", "30 posts", "status 418")
def _service(guide: Guide, before: str, today: str, folder: Path) -> None:
    if "multiclass" not in DEPLOYED:
        guide.trained("multiclass", "mlp", LBFGS)
        DEPLOYED.append("multiclass")
        assert guide.typed("adaptml deploy multiclass_example").exit_code == 0
    answer = guide.ask("multiclass", {"table_name": ["example_data"], "id": ["004"]})
    assert (answer.status_code, answer.json()["dog"]) == (200, [1])
    unknown = guide.ask("multiclass", {"table_name": ["example_data"], "id": ["20"]})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_data_points")
    assert len(guide.project.database.keys("example_data")) == 440


@row("`CLASSIFICATION_TASKS`", "`label/lfs/example.py`", "suffix `_pos`")
def _task_folder(guide: Guide, before: str, today: str, folder: Path) -> None:
    assert all((REPOSITORY / name).is_file() for name in code(today) if name.startswith("tasks/"))
    task = adaptml.Task(classes=["ham", "spam"], positive="spam")
    assert (task.positive, guide.project.task("example").class_names[0]) == ("spam", "cat")


@row(
    "`config/example_config.xml`",
    "`$LS_TASKS_PATH/",
    "`$LS_ANNOTATIONS_PATH/",
    "`ann_df.pkl`",
    "`task_df.pkl`",
)
def _annotation_files(guide: Guide, before: str, today: str, folder: Path) -> None:
    sampled = guide.annotated[0]
    at = guide.home / "annotations" / "example"
    assert f"{at}/example_config.xml" in sampled.stdout
    assert (at / "example_tasks.json").is_file()
    assert (at.parent / "example_annotations.json").is_file()
    annotations, used = (pd.read_parquet(at / f"{name}_df.parquet") for name in ("ann", "task"))
    assert {"1", "2"} <= set(annotations.columns)
    assert (len(annotations), len(used)) == (90, 88)


@row("`gold_df.pkl`")
def _old_gold(guide: Guide, before: str, today: str, folder: Path) -> None:
    """The frame as the original wrote it: id, table_name, task, a column per worker, sets of class names."""
    gold = _original_frames(guide, folder)["multiclass_gold_df.pkl"]
    done = guide.typed(
        f"mlflow run dataprogramming -e label -P task=example -P setting=multiclass -P dev_data={gold} "
        f"-P train_data={guide.home}/unlabeled_data/multiclass_df.pkl -P label_model=majority_vote"
    )
    assert done.exit_code == 0, done.output
    assert re.search(r"^gold +48 points$", done.stdout, re.MULTILINE), done.stdout


@row("`training_data.pkl`", "`development_data.pkl`")
def _old_frames(guide: Guide, before: str, today: str, folder: Path) -> None:
    """The six frames of the original's example, made anew: points, gold and labels of both settings."""
    paths = _original_frames(guide, folder)
    assert len(paths) == 6
    done = guide.typed(
        f"adaptml train example --setting multilabel --data {paths['multilabel_training_data.pkl']} "
        f"--gold {paths['multilabel_gold_df.pkl']} --strategy union"
    )
    assert done.exit_code == 0, done.output
    there = {path.name for path in guide.artifacts(guide.labelled("multilabel")).iterdir()}
    assert set(code(today)) <= there
    points = guide.typed(
        f"adaptml label example --data {paths['multilabel_df.pkl']} --dry-run --label-model union"
    )
    assert points.exit_code == 0, points.output


def _original_frames(guide: Guide, folder: Path) -> dict[str, Path]:
    """As the original's pickles: sets as gold, lists as labels, an index that means nothing."""
    found = {}
    for setting in ("multiclass", "multilabel"):
        at = guide.artifacts(guide.labelled(setting))
        labels = pd.read_parquet(at / "training_data.parquet")
        gold = pd.read_parquet(at / "development_data.parquet")[["id", "table_name", "gold_label"]]
        sets = gold["gold_label"].map(set)
        gold = gold.drop(columns="gold_label").assign(
            task="example", worker_1=sets, worker_2=sets, gold_label=sets
        )
        frames = {
            "df": labels[["id", "table_name"]],
            "gold_df": gold[gold["gold_label"].map(len) > 0],
            "training_data": labels.assign(
                label=labels["label"].map(list), label_probs=labels["label_probs"].map(list)
            ),
        }
        for name, frame in frames.items():
            found[f"{setting}_{name}.pkl"] = folder / f"{setting}_{name}.pkl"
            frame.set_index(np.arange(5, 5 + len(frame))).to_pickle(found[f"{setting}_{name}.pkl"])
    return found


@row("`process_log.txt`", "`$DP_DATA_PATH/unlabeled_data`")
def _folders_of_people(guide: Guide, before: str, today: str, folder: Path) -> None:
    assert "90 points, 178 labels of 2 annotators" in guide.annotated[1].stdout
    assert guide.project.settings.unlabeled_data == guide.home / "unlabeled_data"
    assert any(volume.endswith(":/unlabeled_data") for volume in compose()["dp-mlflow"]["volumes"])


@row("`mlruns` as a tracking store")
def _folder_of_runs(guide: Guide, before: str, today: str, folder: Path) -> None:
    """The command of the message, on a store as the original's: its run is there in the copy."""
    source, target = folder / "mlruns", f"sqlite:///{folder / 'mlflow.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        old = MlflowClient(source.as_uri())
        run = old.create_run(old.create_experiment("eg")).info.run_id
        old.log_metric(run, "F1 macro", 0.5)
        old.set_terminated(run)
    with pytest.raises(TrackingError) as refused:
        RunStore(
            (folder / "another").as_uri()
        ).client.search_experiments()  # MLflow keeps each that it opened
    command = next(part for part in code(str(refused.value)) if part.startswith("mlflow "))
    assert command == next(part for part in code(today) if part.startswith("mlflow "))
    words = command.replace("FOLDER", str(source)).replace("sqlite:////FULL/PATH/mlflow.db", target)
    done = CliRunner().invoke(mlflow_cli, shlex.split(words)[1:])
    assert done.exit_code == 0, done.output
    assert RunStore(target).get(run).data.metrics == {"F1 macro": 0.5}


@row("`train_label_matrix.npy`", "`lf_summary_train.html`", "`label_model.pkl`", "`confusion_matrix.jpg`",
     "`train.pkl`", "`test.pkl`", "`log.txt`")  # fmt: skip
def _artifacts(guide: Guide, before: str, today: str, folder: Path) -> None:
    runs = (guide.labelled("multiclass"), guide.trained("multiclass", "mlp", LBFGS))
    there = [{path.name for path in guide.artifacts(run).iterdir()} for run in runs]
    named = {name.rstrip("/") for name in (code(today) or code(before))}
    assert named <= there[0] | there[1], named - there[0] - there[1]
    assert not any(name.endswith(".pkl") for name in there[0] | there[1])


@row("`mlp/python_model.pkl`")
def _model_file(guide: Guide, before: str, today: str, folder: Path) -> None:
    guide.trained("multiclass", "mlp", LBFGS)
    assert guide.typed("adaptml deploy multiclass_example").exit_code == 0
    done = guide.typed(f"adaptml export multiclass_example {folder / 'model'}")
    assert done.exit_code == 0, done.output
    assert {path.suffix for path in (folder / "model").rglob("*") if path.is_file()}.isdisjoint({".pkl"})


@row("`DATABASE_IP`", "`DATABASE_USERNAME`", "`DATA_PATH`", "`DB_DATA_PATH`", "`LS_PATH`", "`LS_TASKS_PATH`",
     "`DP_DATA_PATH`", "`DP_MYSQL_DATABASE`", "`MODELLING_MYSQL_DATABASE`", "`DP_HOST_NAME`",
     "`DP_MLFLOW_TRACKING_URI`", "`MULTICLASS_EXAMPLE_MODEL_PATH`")  # fmt: skip
def _environment(guide: Guide, before: str, today: str, folder: Path) -> None:
    """What the warning says of the old names is what the row says."""
    (folder / "docker-compose.yml").write_text((REPOSITORY / "docker-compose.yml").read_text())
    names = code(before)
    (folder / ".env.dev").write_text("".join(f"{name}=x\n" for name in names))
    said = " ".join(unread_names(folder, {}))
    if names == ["DATA_PATH"]:
        assert said == ""
        return
    assert all(name in said for name in names)
    assert all(part in said for part in code(today) if part not in ("annotations", "adaptml deploy"))
    assert ("nothing to set" in said) == ("nothing" in today)


@row("label model `ExampleLabelModel`")
def _registered(guide: Guide, before: str, today: str, folder: Path) -> None:
    for setting in ("multiclass", "multilabel"):
        guide.labelled(setting)
        name = f"{setting}_example_label_model"
        assert guide.project.runs.client.search_model_versions(f"name = '{name}'")
        assert name in code(today)


@row("`GOLD F1 macro`", "`accuracy` in multilabel", "`F1 micro` in multiclass")
def _metrics(guide: Guide, before: str, today: str, folder: Path) -> None:
    runs = guide.project.runs
    trained = [runs.get(guide.trained(s, "mlp", LBFGS)).data.metrics for s in ("multiclass", "multilabel")]
    labelled = runs.get(guide.labelled("multiclass")).data.metrics
    assert set(code(today)) <= {*trained[0], *trained[1], *labelled}
    assert not any("jaccard" in name for metrics in trained for name in metrics)
    assert "gold_f1_micro" not in trained[0]


@row("alpha 0.438")
def _agreement(guide: Guide, before: str, today: str, folder: Path) -> None:
    """The original's way, by hand: how often each class was named for a point, as if those were its ratings."""
    assert guide.annotated[2].exit_code == 0
    used = pd.read_parquet(guide.home / "annotations" / "example" / "task_df.parquet")[["1", "2"]]
    both = used[(used["1"].map(len) > 0) & (used["2"].map(len) > 0)]
    classes = guide.project.task("example").class_names
    counts = np.array([[[*a, *b].count(name) for name in classes] for a, b in both.itertuples(index=False)])
    by_its_way = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    rightly = guide.project.annotator_agreement("example").alpha.value
    assert rightly is not None
    assert f"by its way {by_its_way:.3f}, rightly {rightly:.3f}" in today
    agreed = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 2], [2, 0, 0]]) * [2, 2, 1]
    assert krippendorff.alpha(value_counts=agreed, level_of_measurement="nominal") < 0.5
    sets = [[["cat", "dog"]] * 2, [["cat", "dog"]] * 2, [["bird"]] * 2, [["cat"]] * 2]
    assert adaptml.krippendorff_alpha(sets).value == 1
