import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner

from adaptml.cli import options
from adaptml.cli.app import STEPS, app
from adaptml.cli.orders import order_of_now
from adaptml.cli.support import command_app, extra_options
from adaptml.errors import SettingsError
from adaptml.project import Project
from adaptml.settings import Settings

runner = CliRunner()
WIDE = {"COLUMNS": "160", "PATH": ""}


def run(*args: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `adaptml …`."""
    result = runner.invoke(app, list(args), prog_name="adaptml")
    return result.exit_code, result.stdout, result.stderr


HEAVY = "torch mlflow snorkel sklearn sqlalchemy pandas"


def test_the_list_of_steps_imports_none_of_them() -> None:
    code = f"import atexit, sys; atexit.register(lambda: print(sorted(set({HEAVY.split()}) & set(sys.modules)), file=sys.stderr)); from adaptml.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True, env=WIDE
    )
    assert done.stderr.strip() == "[]"
    for name, (_, line) in STEPS.items():
        assert name in done.stdout
        assert line in done.stdout


def test_the_command_line_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "adaptml.cli", "task", "list"], capture_output=True, text=True, check=True
    )
    assert "adaptml task new" in done.stdout


@pytest.mark.parametrize("name", list(STEPS))
def test_every_step_explains_itself(name: str) -> None:
    code, out, _ = run(name, "--help")
    assert code == 0
    assert "Usage:" in out


def test_a_new_task_says_that_nobody_chose_the_positive_class(clean_room: Path) -> None:
    said = "No class is the positive one: if you look for one of ham, spam, say so in task.yaml"
    assert said in run("task", "new", "mails", "--classes", "ham,spam")[1].replace("\n", " ")
    assert "positive" not in run("task", "new", "topics", "--classes", "a,b,c")[1]
    assert "positive" not in run("task", "new", "tags", "--classes", "a,b", "--setting", "multilabel")[1]


def test_an_error_of_ours_is_one_line_and_exit_code_1() -> None:
    code, out, err = run("task", "check", "nope")
    assert (code, out) == (1, "")
    assert err.startswith("error: no task 'nope' in ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        ("sampl", ["'sampl'", "sample-tasks", "sample-points", "adaptml --help"]),
        ("featurise", ["'featurise'", "did you mean featurize"]),
        ("task chek topic", ["'chek'", "check"]),
        ("task new", ["TASK", "adaptml task new --help"]),
        ("task list --color", ["--color", "adaptml task list --help"]),
        ("task list topic", ["topic", "adaptml task list --help"]),
        ("deploy m --version", ["--version", "adaptml deploy --help"]),
        ("--color", ["--color", "adaptml --help"]),
    ],
)
def test_what_the_parser_refuses_is_one_line_with_the_next_step(words: str, facts: list[str]) -> None:
    code, out, err = run(*words.split())
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert [fact for fact in facts if fact not in err] == [], err


@pytest.mark.parametrize("words", [[], ["task"]])
def test_a_command_that_lacks_its_command_explains_itself(words: list[str]) -> None:
    code, out, err = run(*words)
    assert (code, err) == (2, "")
    assert "Usage:" in out


ORDERS = {
    "sample-tasks example_data txt 30 example": "sample-tasks example --data example_data --n 30",
    "sample-tasks posts txt photo 5 topic --filename a.json --seed=3": "sample-tasks topic --data posts --n 5 --to a.json --seed 3",
    "sample-points posts 100 topic --sampling diverse": "sample-points topic --data posts --n 100 --sampling diverse",
    "sample-points posts 100 topic --filename f.parquet": "sample-points topic --data posts --n 100 --to f.parquet",
    "featurize posts topic --all": "featurize topic --data posts --all",
    "process-annotations export.json topic majority --per-class": "process-annotations topic export.json --choice majority --per-class",
    "process-annotations 'my export.json' topic 3 --write": "process-annotations topic 'my export.json' --choice 3 --write",
    "annotate push topic posts --n 60 --sampling random": "annotate push topic --data posts --n 60 --sampling random",
    "annotate pull topic --gold drop": "annotate pull topic --choice drop",
    "label topic --data f.parquet --gold": "label topic --data f.parquet --gold task",
    "label topic --gold --data f.parquet --write": "label topic --gold task --data f.parquet --write",
    "label topic --train-data f.parquet --dev-data 1": "label topic --data f.parquet --gold task",
    "label topic --data f.parquet --dev-data=0 --max-words 5": "label topic --data f.parquet --gold none --max-words 5",
    "label topic --data f.parquet --dev-data gold.csv --multilabel em": "label topic --data f.parquet --gold gold.csv --label-model em",
}  # fmt: skip


@pytest.mark.parametrize(("before", "now"), ORDERS.items(), ids=list(ORDERS))
def test_an_order_of_before_has_one_of_now(before: str, now: str) -> None:
    step, *words = shlex.split(before)
    assert order_of_now(step, words) == f"adaptml {now}"


@pytest.mark.parametrize("now", [*ORDERS.values(), "label topic --data posts", "train topic --train RUN", "sample-tasks --help a b c d"])  # fmt: skip
def test_an_order_of_now_is_none_of_before(now: str) -> None:
    step, *words = shlex.split(now)
    assert order_of_now(step, words) is None


def test_an_order_of_before_that_is_typed_is_answered_with_the_one_of_now() -> None:
    code, out, err = run("sample-tasks", "example_data", "txt", "30", "example")
    assert (code, out) == (2, "")
    assert "`adaptml sample-tasks example --data example_data --n 30`" in err
    assert err.count("\n") == 1


def shared(
    data: options.DataArg,
    gold: options.Gold = "none",
    workers: options.Workers = 1,
    new: options.New = False,
    no_texts: options.NoTexts = False,
    features: options.Features = None,
    verbose: options.Verbose = "false",
) -> None:
    typer.echo([data, gold, workers, new, no_texts, options.names_in(features), verbose])


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        ("--data posts", ["posts", "none", 1, False, False, [], "false"]),
        ("--train posts --parallel 0", ["posts", "none", 1, False, False, [], "false"]),
        ("--table=posts --workers=3 --new", ["posts", "none", 3, True, False, [], "false"]),
        ("--data posts --gold 1 --no-texts --verbose true", ["posts", "1", 1, False, True, [], "true"]),
        ("--data posts --features a,b --features c", ["posts", "none", 1, False, False, ["a", "b", "c"], "false"]),
    ],
)  # fmt: skip
def test_the_shared_options_take_their_names_of_before(words: str, taken: list[Any]) -> None:
    result = runner.invoke(command_app(shared), words.split())
    assert result.stdout == f"{taken}\n", result.output


def test_names_of_before_are_not_listed() -> None:
    shown = runner.invoke(command_app(shared), ["--help"], env={"COLUMNS": "200"}).stdout
    assert "--workers" in shown
    assert [name for name in (*options.ALIASES, "--verbose") if name in shown] == []


def test_a_name_of_before_is_left_to_others_where_the_command_has_no_new_one() -> None:
    def command(ctx: typer.Context) -> None:
        typer.echo(ctx.args)

    result = runner.invoke(command_app(command, **options.TAKES_MORE), ["--parallel", "2"])
    assert result.stdout == "['--parallel', '2']\n"


def test_a_bug_is_not_hidden() -> None:
    def command() -> None:
        raise ZeroDivisionError("a bug")

    result = runner.invoke(command_app(command), [])
    assert isinstance(result.exception, ZeroDivisionError)


def test_an_interruption_says_so() -> None:
    def command() -> None:
        raise KeyboardInterrupt

    result = runner.invoke(command_app(command), [])
    assert result.exit_code == 130
    assert result.stderr == "interrupted; nothing of this step was kept\n"


def test_settings_are_shown_with_their_variables(clean_room: Path) -> None:
    code, out, _ = run("settings")
    assert code == 0
    assert "ADAPTML_DATABASE_URL" in out
    assert run("settings", "home")[1] == f"{clean_room / 'workspace'}\n"
    code, _, err = run("settings", "hom")
    assert code == 1
    assert err.startswith("error: no setting 'hom'; expected one of root, home")


def test_tasks_are_made_checked_and_listed() -> None:
    assert run("task", "list")[1] == "no tasks yet; make one: `adaptml task new NAME`\n"
    code, out, err = run("task", "new", "topic", "--classes", "sports, politics", "--text", "body")
    assert (code, err) == (0, "")
    assert "adaptml task check topic" in out
    code, out, err = run("task", "check", "topic")
    assert (code, err) == (0, "")
    assert "multiclass, 2 classes: sports, politics" in out
    assert "labelling functions  2" in out
    assert "topic" in run("task", "list")[1]
    code, _, err = run("task", "check", "topic", "--table", "posts")
    assert code == 1
    assert "no table 'posts'" in err


def test_a_task_about_pictures_runs_as_it_is(settings: Settings, project: Project) -> None:
    code, _, err = run("task", "new", "birds", "--classes", "heron, crane, other", "--image", "photo")
    assert (code, err) == (0, "")
    project.database.create_table("birds", dict.fromkeys(["id", "photo"], sa.Text()))
    rows = pd.DataFrame({"id": ["1", "2", "3"], "photo": ["Heron/1.jpg", "b/crane.jpg", None]})
    project.database.upsert("birds", rows, ["id"])
    task = project.task("birds")
    assert [(column.name, column.type) for column in task.columns] == [("photo", "image")]
    assert task.features == ("photo_vec",)
    (made,) = task.featurize
    assert (made.lemmas, made.encoder) == (None, "pictures")
    votes = project.apply_lfs(task, "birds").frame.set_index("id")
    assert votes.loc[["1", "2", "3"], ["photo_heron", "photo_crane"]].to_numpy().tolist() == [
        [0, -1],
        [-1, 1],
        [-1, -1],
    ]
    code, _, err = run("task", "new", "both", "--text", "body,body", "--image", "")
    assert (code, "columns[2].name: " in err, "body (text), body (text), none (image)" in err) == (
        1,
        True,
        True,
    )
    assert not (settings.tasks_dir / "both").exists()


def test_a_task_of_every_kind_of_column_runs_as_it_is(project: Project) -> None:
    given = [
        "--text",
        "title, body",
        "--image",
        "photo",
        "--audio",
        "sound",
        "--video",
        "film",
        "--number",
        "price",
    ]
    assert run("task", "new", "shop", "--classes", "dear,cheap", *given, "--number", "stars")[0] == 0
    task = project.task("shop")
    names = ["title", "body", "photo", "sound", "film", "price", "stars"]
    assert [column.name for column in task.columns] == names
    vectors = ["title_vec", "body_vec", "photo_vec", "sound_vec", "film_vec"]
    assert task.features == (*vectors, "price", "stars")
    assert [made.vector for made in task.featurize] == vectors
    types = dict.fromkeys(["id", "title", "body", "photo", "sound", "film"], sa.Text())
    project.database.create_table("wares", types | dict.fromkeys(["price", "stars"], sa.Float()))
    rows = [("1", "A cheap one", "Dear all", None, "dear/1.wav", None, 200.0, None), ("2", *[None] * 7)]
    project.database.upsert("wares", pd.DataFrame(rows, columns=["id", *names]), ["id"])
    done = project.featurize("shop", "wares", encoder="hashing", text="body")
    assert done.features == ("body_lemmas@1", "body_vec@1")
    assert run("featurize", "shop", "--data", "wares", "--vector", "v")[2].startswith(
        "error: task 'shop' featurises title, body, photo, sound, film, and vector was given for none of them; name the column"
    )
    project.featurize("shop", "wares", encoder="hashing", text="title")
    assert project.featurize("shop", "wares", text="photo").features == ("photo_vec@1",)
    assert project.featurize("shop", "wares", text="film").features == ("film_vec@1",)
    code, out, err = run("task", "check", "shop", "--data", "wares")
    assert (code, err) == (0, "")
    assert "14, tried on 2 rows" in out
    first, second = project.apply_lfs(task, "wares").frame.to_dict("records")
    assert {name: vote for name, vote in first.items() if vote not in ("wares", "1", -1)} == {
        "cheap_cheap": 1, "body_dear_dear": 0, "sound_dear": 0, "price_high": 0,
    }  # fmt: skip
    assert {vote for name, vote in second.items() if name not in ("table_name", "id")} == {-1}
    code, out, _ = run("task", "new", "noise", "--audio", "sound")
    assert (code, project.task("noise").features) == (0, ("sound_vec",))
    (encoder,) = [made.encoder for made in project.task("noise").featurize]
    assert encoder == "sounds"


def test_options_that_are_left_over_are_parameters_of_somebody_else() -> None:
    assert extra_options(["--max-words", "5", "--name=a=b"], "get_lfs") == {"max_words": "5", "name": "a=b"}
    for words in (["x"], ["--x"]):
        with pytest.raises(
            SettingsError,
            match=rf"^cannot make sense of '{words[0]}'; expected --name value for a parameter of get_lfs$",
        ):
            extra_options(words, "get_lfs")
