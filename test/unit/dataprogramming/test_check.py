import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.check import Finding
from adaptml.tasks.scaffold import new_task
from dataprogramming.check import check_lfs
from dataprogramming.keyword_lfs import keyword_lf

ROWS = 25  # more than labelling functions are tried on
POINTS = pd.DataFrame({"table_name": "posts", "id": [f"p{i:02}" for i in range(ROWS)]})
LFS = """
from snorkel.labeling import labeling_function
from dataprogramming.lfs import LFParams, keyword_lf


class Params(LFParams):
    {parameter}: int = 2


def get_lfs(params: Params):
    @labeling_function()
    def first(x): return "left" if x.id == "p00" else "right" if x.id == "p01" else None

    @labeling_function()
    def fails(x): return 1 // 0

    @labeling_function()
    def strange(x): return "middle"

    return [first, fails, strange]
"""


@pytest.fixture
def project_with_posts(project: Project) -> Project:
    """A table `posts` of 25 rows; the word `late` is in the last one."""
    project.database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    texts = ["late" if i == ROWS - 1 else "early" for i in range(ROWS)]
    project.database.upsert("posts", POINTS[["id"]].assign(txt=texts), ["id"])
    return project


def written(project: Project, lfs: str) -> Task:
    task = new_task(project.settings.tasks_dir, "topic", ["left", "right"], "multiclass")
    assert task.folder is not None
    path = task.folder / "task.yaml"
    path.write_text(
        path.read_text().replace('lf_features: ["txt", "txt_lemmas"]', 'lf_features: ["id", "txt"]')
    )
    (task.folder / "lfs.py").write_text(lfs)
    return project.task("topic")


def by_name(findings: list[Finding]) -> dict[str, tuple[str, str]]:
    return {finding.what: (finding.level, finding.text) for finding in findings}


def test_each_function_is_tried_and_its_fault_has_a_place(project_with_posts: Project) -> None:
    task = written(project_with_posts, LFS.format(parameter="words"))
    found = by_name(check_lfs(project_with_posts, task, POINTS))
    assert found["labelling functions"] == ("ok", "3, tried on 20 rows")
    assert found["first"] == ("ok", "left 1, right 1, of 20 rows")
    level, text = found["fails"]
    assert level == "error"
    for fact in ("posts/p00", "ZeroDivisionError", "lfs.py", "line 15"):
        assert fact in text
    level, text = found["strange"]
    assert level == "error"
    assert "middle" in text
    assert "left, right" in text
    assert "parameters" not in found


@pytest.mark.parametrize("name", ["seed", "data", "write", "lr", "workers", "parallel", "setting"])
def test_a_parameter_that_label_takes_itself(project_with_posts: Project, name: str) -> None:
    task = written(project_with_posts, LFS.format(parameter=name))
    level, text = by_name(check_lfs(project_with_posts, task))["labelling functions"]
    assert level == "error"
    assert f"declares {name}, which" in text


def test_a_file_that_cannot_be_run_is_one_finding(project_with_posts: Project) -> None:
    task = written(project_with_posts, "import nowhere\n")
    (finding,) = check_lfs(project_with_posts, task, POINTS)
    assert finding.level == "error"
    for fact in ("lfs.py", "line 1", "nowhere"):
        assert fact in finding.text


def test_keywords_are_looked_for_in_all_points(project: Project) -> None:
    """`late` is beyond the 20 rows that functions are tried on."""
    from adaptml.database import TextList

    project.database.create_table("posts", {"id": sa.Text(), "words": TextList()})
    words = [["late"] if i == ROWS - 1 else ["early"] for i in range(ROWS)]
    project.database.upsert("posts", POINTS[["id"]].assign(words=words), ["id"])
    lfs = [
        keyword_lf("when", ["late", "never"], "left", "words"),
        keyword_lf("soon", ["Earlier"], "right", "words", exact=True),
    ]
    task = Task(classes=["left", "right"], lf_features=["words"], lfs=lfs)
    level, text = by_name(check_lfs(project, task, POINTS))["keywords"]
    assert level == "warning"
    assert text.startswith("2 keywords are in none of 25 rows: never (when), Earlier (soon); ")
