"""The site of the library: every public name has its page, and what is shown there and in the README runs."""

import ast
import doctest
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import adaptml

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))


def cells(notebook: Path, kind: str) -> list[str]:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


def test_every_public_name_is_on_a_page_of_the_site_once() -> None:
    pages = "".join(
        (REPOSITORY / "docs" / name).read_text(encoding="utf-8") for name in ("api.md", "errors.md")
    )
    shown = re.findall(r"^(?:   |\.\. autoexception:: )(\w+)$", pages, re.MULTILINE)
    assert sorted(shown) == sorted(set(adaptml.__all__) - {"__version__"})


def test_there_is_a_notebook() -> None:
    assert [path.name for path in NOTEBOOKS] == ["from-rules-to-predictions.ipynb"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(notebook: Path) -> None:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert code
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    """Its cells one after the other, as a notebook runs them; a cell's last value is shown, so it is made."""
    script = tmp_path / "notebook.py"
    script.write_text("\n\n".join(map(showing_its_value, cells(notebook, "code"))), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ADAPTML_", "MLFLOW_"))}
    path = os.pathsep.join([str(REPOSITORY), os.environ["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, str(script)], cwd=notebook.parent, capture_output=True, text=True, check=False,
        env=kept | {"MPLBACKEND": "Agg", "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Downloading artifacts" not in done.stderr  # MLflow's bars, one for each small file


def showing_its_value(cell: str) -> str:
    """The cell with its last line printed, as rich HTML where there is such, if that line is an expression."""
    tree = ast.parse(cell)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        return cell
    lines = cell.splitlines()
    value = "\n".join(lines[last.lineno - 1 : last.end_lineno])
    return "\n".join(
        [
            *lines[: last.lineno - 1],
            f"_shown = (\n{value}\n)",
            "print(getattr(_shown, '_repr_html_', lambda: repr(_shown))())",
        ]
    )


def test_the_python_that_the_readme_shows_gives_what_it_shows(tmp_path: Path) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```pycon\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    test = doctest.DocTestParser().get_doctest(blocks[0], {}, "README", None, 0)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=said.append)
    assert test.examples
    assert not runner.summarize(verbose=False).failed, "".join(said)


def test_the_python_on_the_front_page_of_the_site_runs() -> None:
    front = (REPOSITORY / "docs" / "index.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", front, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    known: dict[str, Any] = {}
    exec(compile(blocks[0], "index.md", "exec"), known)
    assert known["votes"].L.shape == (24, 5)
    known["project"].close()


def test_the_citation_is_whole_and_of_this_version() -> None:
    """What CFF 1.2.0 asks for, and no more authors than the licence names."""
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == adaptml.__version__
    assert citation["license"] == "MIT"
    licence = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert all(author["name"] in licence for author in citation["authors"])


def test_the_original_work_is_cited_alike_in_the_citation_and_on_the_page_of_related_work() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    page = (REPOSITORY / "docs" / "related-work.md").read_text(encoding="utf-8")
    assert {reference["type"] for reference in citation["references"]} == {"article", "software"}
    for reference in citation["references"]:
        assert reference["authors"][0]["family-names"] == "Whittaker"
        assert f"https://doi.org/{reference['doi']}" in page
        assert " ".join(reference["title"].split()) in " ".join(page.split())
