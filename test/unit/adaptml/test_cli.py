import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adaptml.cli import STEPS, app
from adaptml.cli.support import command_app, extra_options
from adaptml.errors import SettingsError

runner = CliRunner()


def run(*args: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `adaptml …`."""
    result = runner.invoke(app, list(args))
    return result.exit_code, result.stdout, result.stderr


def test_the_list_of_steps_imports_none_of_them() -> None:
    code = "import sys\nfrom adaptml.cli import app\ntry: app(['--help'])\nexcept SystemExit: pass\nprint(sorted({'torch', 'mlflow', 'snorkel', 'sklearn'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for name, (_, line) in STEPS.items():
        assert name in done.stdout
        assert line[:20] in done.stdout


@pytest.mark.parametrize("name", list(STEPS))
def test_every_step_explains_itself(name: str) -> None:
    code, out, _ = run(name, "--help")
    assert code == 0
    assert "Usage:" in out


def test_an_error_of_ours_is_one_line_and_exit_code_1() -> None:
    code, out, err = run("task", "check", "nope")
    assert (code, out) == (1, "")
    assert err.startswith("error: no task 'nope' in ")
    assert err.count("\n") == 1


def test_an_unknown_step() -> None:
    code, _, err = run("sampl")
    assert code == 2
    assert "No such command" in err


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
    assert err.startswith("error: no setting 'hom'; expected one of root, home, tasks_dir, database_url")


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


def test_options_that_are_left_over_are_parameters_of_somebody_else() -> None:
    assert extra_options(["--max-words", "5", "--name=a=b"], "get_lfs") == {"max_words": "5", "name": "a=b"}
    for words in (["x"], ["--x"]):
        with pytest.raises(
            SettingsError,
            match=rf"^cannot make sense of '{words[0]}'; expected --name value for a parameter of get_lfs$",
        ):
            extra_options(words, "get_lfs")
