"""`adaptml task classes` on the host: gold is in a container, which may only read the task file."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from adaptml import Project
from adaptml.cli.app import app
from adaptml.frames import read_frame
from adaptml.stack.change_classes import StackTask, words_of
from adaptml.stack.compose import DockerError, Stack
from adaptml.stack.host import step

TASK = """\
title: Pets
setting: multiclass
classes: [cat, dog, 'c, d']\r
columns: [{name: txt}]
lf_features: [txt]
features: [vec]
"""


class InThisProcess(Stack):
    """A stack whose container is this process, with a home of its own."""

    typed: list[list[str]]

    def compose(self, *words: str, capture: bool = True, **_: Any) -> str:
        """What `docker compose exec` would run in the container."""
        if words[0] == "ps":
            return "label-studio-dev"
        order = list(words[words.index("adaptml") + 1 :])
        self.typed.append(order)
        home = {"STACK_SERVICE": "label-studio-dev", "ADAPTML_HOME": str(self.root / "container")}
        done = CliRunner().invoke(app, order, env=home)
        if done.exit_code:
            raise DockerError("failed", done.exit_code, done.stderr.splitlines())
        return done.stdout if capture else ""


@pytest.fixture
def stack(clean_room: Path) -> InThisProcess:
    """A stack with two gold points of a task."""
    (clean_room / "docker-compose.yml").write_text("services: {}\n")
    (clean_room / "tasks" / "pets").mkdir()
    (clean_room / "tasks" / "pets" / "task.yaml").write_bytes(TASK.encode())
    with Project(clean_room, database_url=f"sqlite:///{clean_room / 'container' / 'data.db'}") as project:
        (clean_room / "container").mkdir()
        project.database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()}, ["id"])
    posts = clean_room / "posts.csv"
    posts.write_text("id,txt\n1,a\n2,b\n")
    (clean_room / "gold.csv").write_text("table_name,id,label\nposts,1,cat\nposts,2,dog\n")
    found = InThisProcess(clean_room, {})
    found.typed = []
    found.compose("exec", "label-studio-dev", "adaptml", "import", str(posts), "posts")
    found.compose("exec", "label-studio-dev", "adaptml", "gold", "pets", str(clean_room / "gold.csv"))
    found.typed.clear()
    return found


def gold(stack: Stack) -> list[list[str]]:
    """Gold as the container exported it."""
    return (
        read_frame(stack.root / "container" / "annotations" / "pets" / "gold_df.parquet")["gold_label"]
        .map(list)
        .tolist()
    )


def test_the_host_writes_the_file_and_the_container_the_rest(stack: InThisProcess) -> None:
    path = stack.root / "tasks" / "pets" / "task.yaml"
    with Project(stack.root) as project:
        task = StackTask(partial(step, stack), project, "pets")
        edits = {"rename": {"cat": "feline", "c, d": "e, f"}, "add": ["bird", "x, y"]}
        task.show(edits, undo=False)
        assert path.read_bytes() == TASK.encode()
        task.change(edits, undo=False)
        assert project.task("pets").class_names == ["feline", "dog", "e, f", "bird", "x, y"]
        assert b"'e, f', bird, 'x, y']\r\n" in path.read_bytes()
        assert gold(stack) == [["feline"], ["dog"]]
        task.change({}, undo=True)
        assert path.read_bytes() == TASK.encode()
        assert gold(stack) == [["cat"], ["dog"]]
    assert [order[3:] for order in stack.typed] == [
        ["--rename=cat=feline", '--rename="c, d"="e, f"', '--add=bird,"x, y"', "--preview"],
        ["--rename=cat=feline", '--rename="c, d"="e, f"', '--add=bird,"x, y"', "--for-host"],
        [],
        ["--undo", "--for-host"],
        [],
    ]
    assert not (stack.root / "workspace").exists()


def test_words_for_the_container() -> None:
    edits = {"merge": {"x": ["a", "b, c"]}, "split": {"d": ["e", "f"]}, "drop": ["g"]}
    assert words_of(edits, undo=False) == ['--merge=a,"b, c"=x', "--split=d=e,f", "--drop=g"]


def test_in_a_container_it_is_sent_to_the_host(stack: InThisProcess) -> None:
    with pytest.raises(DockerError) as caught:
        stack.compose(
            "exec", "label-studio-dev", "adaptml", "task", "classes", "pets", "--drop", "dog", "--yes"
        )
    (line,) = caught.value.said
    assert (
        "`adaptml task classes pets` was typed in the container label-studio-dev; expected on the host"
        in line
    )
    assert TASK.encode() == (stack.root / "tasks" / "pets" / "task.yaml").read_bytes()
