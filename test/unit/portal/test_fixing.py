"""What to fix next, without a browser: the lists, and what is sent to people."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from kept_to_fix import keep_to_fix

from adaptml.frames import read_frame
from adaptml.project import Project
from portal.jobs import JobStore

HERE = "/tasks/spam/fix"


@pytest.fixture
def run(project: Project) -> str:
    return keep_to_fix(project)


def test_the_newest_run_that_was_compared_with_gold_is_shown(client: TestClient, run: str) -> None:
    assert client.get(HERE).status_code == 200
    page = client.get(f"{HERE}/found").text
    assert f'<option value="{run}" selected>' in page
    assert "gives ham 0.98, spam 0.02" in page
    assert "gives spam 0.90, ham 0.10" not in page  # of the label model: another list
    assert "/data/comments/points/s6?task=spam" in page
    assert page.count("may be chance") == 1
    assert "<b>1</b> gold label looks wrong" in page
    assert "<b>1</b> near-duplicate of gold points" in page
    assert "1 gold point has one with another label" in page
    assert "0.240 to 0.760, accuracy" in page  # of one class only; the others by the task's metric
    assert "0.500 to 0.900</span>" in page
    assert "/data/comments?task=spam&amp;c=%40vote%3Abuy&amp;o=is-filled&amp;v=" in page


def test_each_list_has_its_address(client: TestClient, run: str) -> None:
    there = {
        "show=suspects&source=training": "gives spam 0.90, ham 0.10",
        "show=duplicates": "/data/comments/points/h0?task=spam",
        "show=slice&place=1": "Predicted wrongly: the rule buy votes",
        "show=slice&place=9": "No point.",
        "show=suspects&start=50": "No label looks wrong.",
    }
    pages = {asked: client.get(f"{HERE}/found?run={run}&{asked}").text for asked in there}
    assert [asked for asked, text in there.items() if text not in pages[asked]] == []


def test_ticked_points_become_a_job_with_a_file(client: TestClient, project: Project) -> None:
    answer = client.post(f"{HERE}/send", data={"point": ['["comments", "s6"]', '["comments", "h1"]']})
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/1")
    job = JobStore(project.settings.home).get(1)
    file = Path(job.argv[2].removeprefix("--data="))
    assert job.argv == ("annotate", "push", f"--data={file}", "--n=2", "--sampling=suspicious", "--", "spam")
    assert file.parent == project.settings.annotations("spam")
    assert read_frame(file)["id"].tolist() == ["s6", "h1"]
    assert job.by == "Ana"
    several = client.post(f"{HERE}/send", data={"point": ['["comments", "s6"]', '["others", "1"]']})
    assert several.headers["location"] == "/jobs"  # a table each


def test_before_any_run_the_page_says_what_to_do(client: TestClient) -> None:
    assert "No run was compared with gold yet" in client.get(f"{HERE}/found").text
    nothing = client.post(f"{HERE}/send")
    assert nothing.status_code == 400
    assert "no point was ticked; tick those that people should look at" in nothing.text
    assert "is no point; load the page again" in client.post(f"{HERE}/send", data={"point": "s6"}).text
