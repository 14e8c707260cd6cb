"""Making, showing and editing a task, and changing its classes, without a browser."""

import re
from typing import Any

from fastapi.testclient import TestClient

from adaptml.project import Project
from adaptml.tasks.editing import digest_of
from portal.jobs import JobStore

NEW = {
    "name": "mood",
    "title": "Which mood?",
    "setting": "multilabel",
    "class_name": ["glad", "", "sad"],
    "class_description": ["It laughs.", "", ""],
    "class_examples": ["ha\r\n\r\nhaha", "", ""],
    "column_name": ["text"],
    "column_type": ["text"],
    "language": "en",
    "encoder": "hashing",
    "table": "comments",
}


def job_of(client: TestClient, project: Project, answer: Any) -> list[str]:
    assert answer.status_code == 303, answer.text
    number = int(re.fullmatch(r"/jobs/(\d+)", answer.headers["location"])[1])  # type: ignore[index]
    job = JobStore(project.settings.home).get(number)
    assert job.by == "Ana"
    return list(job.argv)


def test_the_form_shows_the_columns_of_a_table_with_its_first_rows(client: TestClient) -> None:
    page = client.get("/tasks/new?table=comments").text
    assert "I love this song so much" in page
    assert "<option selected>text</option>" in page
    assert "no table &#39;nothing&#39;" in client.get("/tasks/new/columns?table=nothing").text
    assert "Another class" in client.get("/tasks/new/class").text


def test_a_task_is_made_as_it_was_typed(client: TestClient, project: Project) -> None:
    answer = client.post("/tasks/new", data=NEW)
    assert (answer.status_code, answer.headers["location"]) == (303, "/tasks/mood?check=comments")
    made = project.task("mood")
    assert (made.title, made.setting, made.class_names) == ("Which mood?", "multilabel", ["glad", "sad"])
    assert (made.classes[0].description, made.classes[0].examples) == ("It laughs.", ("ha", "haha"))
    assert made.featurize[0].encoder == "hashing"
    page = client.get("/tasks/mood").text
    assert "It laughs." in page
    assert "Any number of them" in page
    assert page.count("nobody has said yet") == 1


def test_a_name_that_is_none_is_told_at_its_field_and_what_was_typed_stays(
    client: TestClient, project: Project
) -> None:
    before = sorted(project.settings.root.rglob("*.yaml"))
    for name in ("../evil", "..", "/etc", "Mood", "spam", "new", "a/b", "a\0b"):
        answer = client.post("/tasks/new", data=NEW | {"name": name})
        assert answer.status_code == 422
        assert re.search(
            r'id="problem-name" class="field-error">(task name|there is a task|this form)', answer.text
        )
        assert "It laughs." in answer.text
    assert sorted(project.settings.root.rglob("*.yaml")) == before


def test_what_is_wrong_is_told_while_it_is_typed_and_empty_fields_are_let_alone(client: TestClient) -> None:
    block = client.post(
        "/tasks/new/check", data=NEW | {"title": "", "language": "English", "name": "Mood"}
    ).text
    told = dict(re.findall(r'id="problem-(\w+)"[^>]*>([^<]+)</p>', block))
    assert told.keys() == {"name", "language"}
    twice = client.post("/tasks/new/check", data=NEW | {"class_name": ["glad", "", "glad"]}).text
    assert "glad is duplicated" in twice


def test_no_address_leads_out_of_the_folder_of_tasks(client: TestClient) -> None:
    for path in ("/tasks/..%2f..%2fetc", "/tasks/%2e%2e", "/tasks/nothing/edit", "/tasks/Spam/file"):
        assert client.get(path).status_code in (400, 404)


def form_of(project: Project, **changes: Any) -> dict[str, Any]:
    text = (project.settings.tasks_dir / "spam" / "task.yaml").read_text()
    return {
        "seen": digest_of(text),
        "title": "Is it spam?",
        "description": "Whether a comment under a music video advertises something.",
        "language": "en",
        "positive": "spam",
        "class_name": ["ham", "spam"],
        "class_description": ["", ""],
        "class_examples": ["", ""],
        "encoder_of": ["text"],
        "encoder": ["hashing"],
    } | changes


def test_a_guide_is_edited_and_the_rest_of_the_file_stays(client: TestClient, project: Project) -> None:
    file = project.settings.tasks_dir / "spam" / "task.yaml"
    before = file.read_text()
    assert client.post("/tasks/spam/edit", data=form_of(project)).status_code == 303
    assert file.read_text() == before
    answer = client.post("/tasks/spam/edit", data=form_of(project, class_description=["", "It sells."]))
    assert answer.headers["location"] == "/tasks/spam"
    changed = before.replace("{name: spam}", "{name: spam, description: It sells.}")
    assert file.read_text() == changed


def test_a_file_that_was_changed_elsewhere_is_shown_and_not_overwritten(
    client: TestClient, project: Project
) -> None:
    file = project.settings.tasks_dir / "spam" / "task.yaml"
    form = form_of(project, title="Mine")
    file.write_text(file.read_text().replace("Is it spam?", "Theirs"))
    answer = client.post("/tasks/spam/edit", data=form)
    assert answer.status_code == 409
    assert 'value="Mine"' in answer.text
    assert "Theirs" in answer.text
    assert "title: Theirs" in file.read_text()
    seen = re.search(r'name="seen" value="(\w+)"', answer.text)
    assert seen is not None
    assert client.post("/tasks/spam/edit", data=form | {"seen": seen[1]}).status_code == 303
    assert "title: Mine" in file.read_text()


def test_the_whole_file_is_checked_before_it_is_written(client: TestClient, project: Project) -> None:
    file = project.settings.tasks_dir / "spam" / "task.yaml"
    text = file.read_text()
    seen = digest_of(text)
    bad = client.post("/tasks/spam/file", data={"seen": seen, "text": text + "colour: red\r\n"})
    assert bad.status_code == 422
    assert "colour: unknown key" in bad.text
    assert "colour: red" in bad.text
    typed = text.replace("Is it spam?", "Spam?").replace("\n", "\r\n")  # as a browser sends it
    assert client.post("/tasks/spam/file", data={"seen": seen, "text": typed}).status_code == 303
    assert file.read_bytes() == text.replace("Is it spam?", "Spam?").encode()
    old = client.post("/tasks/spam/file", data={"seen": seen, "text": text})
    assert old.status_code == 409
    assert "+title: Spam?" in old.text


CHANGE = {"name": ["ham", "spam"], "what": ["keep", "rename"], "into": ["", "advert"]}


def test_what_a_change_of_classes_would_do_is_shown_before_it_becomes_a_job(
    client: TestClient, project: Project
) -> None:
    page = client.get("/tasks/spam/classes", params=CHANGE).text
    assert "spam becomes advert" in page
    assert "gold: 12 points, of them 6 renamed" in page
    assert project.task("spam").class_names == ["ham", "spam"]
    argv = job_of(client, project, client.post("/tasks/spam/classes", data=CHANGE))
    assert argv == ["task", "classes", "--rename=spam=advert", "--yes", "--", "spam"]


def test_each_change_as_the_command_takes_it(client: TestClient, project: Project) -> None:
    for what, into, add, words in [
        (["merge", "merge"], ["both", "both"], "", ["--merge=ham,spam=both"]),
        (["split", "drop"], ["a, b", ""], "c, d", ["--split=ham=a,b", "--add=c,d", "--drop=spam"]),
        (["keep", "keep"], ["", ""], '"x, y"', ['--add="x, y"']),
        (["rename", "keep"], ["--yes", ""], "", ["--rename=ham=--yes"]),
    ]:
        data = {"name": ["ham", "spam"], "what": what, "into": into, "add": add}
        argv = job_of(client, project, client.post("/tasks/spam/classes", data=data))
        assert argv == ["task", "classes", *words, "--yes", "--", "spam"]


def test_changes_that_cannot_be_made_are_said_and_the_history_can_be_taken_back(
    client: TestClient, project: Project
) -> None:
    page = client.get("/tasks/spam/classes", params=CHANGE | {"into": ["", "ham"]}).text
    assert "cannot be renamed to &#39;ham&#39;" in page
    assert (
        "write beside it what" in client.get("/tasks/spam/classes", params=CHANGE | {"into": ["", ""]}).text
    )
    assert client.post("/tasks/spam/classes", data={}).status_code == 400
    project.change_classes("spam", rename={"spam": "advert"})
    page = client.get("/tasks/spam/classes?undo=true").text
    assert "spam → advert" in page
    assert "is taken back" in page
    argv = job_of(client, project, client.post("/tasks/spam/classes", data={"undo": "true"}))
    assert argv == ["task", "classes", "--undo", "--yes", "--", "spam"]


def test_features_and_a_check_are_jobs(client: TestClient, project: Project) -> None:
    assert "Compute features" in client.get("/tasks/spam/tables").text
    argv = job_of(client, project, client.post("/tasks/spam/featurize/comments"))
    assert argv == ["featurize", "--data=comments", "--", "spam"]


def test_a_check_is_shown_on_the_page_of_the_task(client: TestClient, project: Project) -> None:
    assert 'hx-get="/tasks/spam/findings?table=comments"' in client.get("/tasks/spam?check=comments").text
    assert "findings" not in client.get("/tasks/spam").text
    (project.settings.tasks_dir / "spam" / "lfs.py").write_text("def get_lfs(params):\n    return [<b>]\n")
    block = client.get("/tasks/spam/findings?table=comments").text
    assert "text, unique" in block
    assert re.search(r'<span class="badge wrong">error</span></td><td class="found">[^<]*lfs.py', block)
    assert "no table &#39;nothing&#39;" in client.get("/tasks/spam/findings?table=nothing").text
