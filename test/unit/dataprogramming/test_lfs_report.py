"""The quick look at labelling functions, as a function and as `adaptml lfs`."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from adaptml.cli.lfs import COMMAND_OPTIONS, command
from adaptml.cli.support import command_app
from adaptml.errors import LabellingError
from adaptml.project import Project
from dataprogramming.keyword_lfs import keyword_lf
from dataprogramming.lfs_report import look, looks_file
from dataprogramming.marking import matches


def run(*words: str) -> str:
    done = CliRunner().invoke(command_app(command, **COMMAND_OPTIONS), ["pets", *words])
    assert done.exit_code == 0, done.output
    return done.output


def edit(pets: Project, old: str, new: str) -> None:
    path = pets.settings.tasks_dir / "pets" / "lfs.py"
    path.write_text(path.read_text().replace(old, new))


def test_the_table_and_the_hits_of_each_keyword(pets: Project) -> None:
    found = look(pets, "pets", "posts")
    assert found.table[["lf", "polarity", "votes", "correct", "incorrect"]].to_numpy().tolist() == [
        ["cats", "cat", 3, 2, 0], ["dogs", "dog", 3, 1, 2], ["long", "dog", 2, 0, 2],
    ]  # fmt: skip
    assert found.keyword_hits == {"cats": {"purr": 3, "hiss": 0}, "dogs": {"bark": 3}}
    assert (found.n_points, found.n_uncovered, found.n_disagreements) == (6, 1, 2)
    assert "change" not in found.table
    assert not (pets.settings.home / "mlflow.db").exists()


def test_what_changed_since_the_last_look_at_the_same_data(pets: Project) -> None:
    look(pets, "pets", "posts")
    look(pets, "pets", "posts", where="id < '4'")
    edit(pets, '["bark"]', '["bark", "sun"]')
    edit(pets, ", long]", "]")
    found = look(pets, "pets", "posts")
    assert found.table["change"].tolist() == ["conflicts 33.3% → 16.7%", "coverage 50.0% → 66.7%"]
    assert found.removed == ["long"]
    assert look(pets, "pets", "posts").table["change"].tolist() == ["", ""]
    look(pets, "pets", "posts where id < '4'")
    assert looks_file(pets, pets.task("pets")).is_file()


def test_the_data_need_not_be_named_where_one_table_will_do(pets: Project) -> None:
    assert look(pets, "pets").n_points == 6
    pets.database.create_table("more", dict(pets.database.columns("posts")), ["id"])
    with pytest.raises(
        LabellingError, match="2 tables have id, tokens, txt: more, posts; name one with --data"
    ):
        look(pets, "pets")


def test_the_command_prints_the_table(pets: Project) -> None:
    printed = run("--data", "posts")
    assert "6 of 6 points; 1 without a vote, 2 with votes for different classes; 4 gold points" in printed
    assert "cats: purr 3\n1 keyword is in none of 6 rows: hiss (cats); `adaptml lemmas` shows" in printed
    assert "dogs: " not in printed
    edit(pets, '["bark"]', '["bark", "sun"]')
    assert "→" in run()


def test_the_command_shows_rows_with_the_words_marked(pets: Project) -> None:
    assert run("--show", "dogs", "--wrong").splitlines() == [
        "posts/3", "  txt: Purring and »barking«!", "  gold: cat",
        "  votes: cats → cat, dogs → dog, long → dog",
        "posts/6", "  txt: <b>»bark«</b>", "  gold: cat", "  votes: dogs → dog", "2 of 2 rows",
    ]  # fmt: skip
    assert "posts/5" in run("--show", "cats", "--conflicts")
    assert "posts/1" not in run("--show", "cats", "--conflicts")
    assert run("--uncovered").splitlines() == ["posts/4", "  txt: Sun", "  votes: none", "1 of 1 rows"]
    assert run("--disagreement").splitlines()[-1] == "2 of 2 rows"
    assert not looks_file(pets, pets.task("pets")).exists()


def test_orders_that_cannot_be(pets: Project) -> None:
    app = command_app(command, **COMMAND_OPTIONS)
    for words in (["--wrong"], ["--show", "nothing"], ["--many", "3"]):
        done = CliRunner().invoke(app, ["pets", *words])
        assert done.exit_code == 1, words
        assert len(done.stderr.splitlines()) == 1


def test_words_are_found_by_their_lemma() -> None:
    def spans(text: str, *keywords: str, exact: bool = False) -> list[tuple[int, int]]:
        return matches(text, keyword_lf("a", keywords, "cat", "txt", exact=exact).rule)

    assert spans("Two kittens purred; purr.", "kitten", "purr") == [(4, 11), (12, 18), (20, 24)]
    assert spans("Song SONG songs", "song") == [(0, 4), (5, 9), (10, 15)]
    assert spans("Song SONG songs", "SONG", exact=True) == [(5, 9)]
    assert spans("My customer  service, #CustomerService", "customer service", "service") == [
        (3, 20),
        (22, 38),
    ]
    assert spans("I don’t 😾", "don't", "😾", "mind") == [(2, 7), (8, 9)]
    assert spans("", "a") == []


def test_a_look_loads_no_mlflow() -> None:
    code = "import sys, dataprogramming.lfs_report; print([m for m in ('mlflow', 'sklearn', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert "mlflow" not in done.stdout
