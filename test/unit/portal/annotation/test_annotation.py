"""Page 5 asked without a browser: what it says, what it writes and in whose name, what it starts."""

import html
import json
import re
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from portal_server import PERSON, Portal, page_of

from adaptml import example_project
from adaptml.frames import read_frame, write_frame
from adaptml.gold_labels.decisions import decisions
from adaptml.gold_labels.home import GoldHome, counting
from adaptml.project import Project
from portal.jobs import JobStore

BASE = "/tasks/spam/annotation"
DISPUTED = {"table": "comments", "key": "s8"}


@pytest.fixture(scope="module")
def project() -> Any:
    """The example, made once: each test leaves gold as it was, or says what it adds."""
    with example_project() as made:
        made.annotator_agreement("spam")
        yield made


@pytest.fixture(scope="module")
def portal(project: Project) -> Portal:
    return page_of(project)


@pytest.fixture(scope="module")
def client(portal: Portal) -> Any:
    with TestClient(portal.app, base_url=portal.url, follow_redirects=False) as made:
        made.headers |= {"sec-fetch-site": "same-origin", "accept": "text/html"}
        made.cookies.set(*portal.cookie())
        yield made


def text(client: TestClient, path: str, status: int = 200) -> str:
    """A page's or a block's words."""
    answer = client.get(f"{BASE}{path}")
    assert answer.status_code == status, answer.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def gold(project: Project, key: str) -> tuple[list[str], str, str] | None:
    rows = counting(GoldHome(project, "spam").rows())
    mine = rows[rows["id"] == key].to_dict("records")
    return ([*mine[0]["label"]], mine[0]["origin"], mine[0]["who"]) if mine else None


def argv(client: TestClient, path: str, **form: Any) -> list[str]:
    """Post a form that starts a job, and give the job's words."""
    answer = client.post(f"{BASE}{path}", data=form)
    assert answer.status_code == 303, answer.text
    store: JobStore = client.app.app.state.jobs  # type: ignore[attr-defined]
    job = store.get(int(answer.headers["location"].removeprefix("/jobs/")))
    assert (job.task, job.by) == ("spam", PERSON)
    return [*job.argv]


def test_who_has_got_how_far(client: TestClient) -> None:
    assert "annotators 12" in text(client, "")
    said = text(client, "/standing")
    assert "12 points; 12 have labels of two or more people, 0 of nobody." in said
    assert "annotator 1 12 0 0 ham 6 spam 6" in said
    assert "annotator 2 12 0 0 ham 7 spam 5" in said


def test_without_label_studio_the_rest_goes_on(client: TestClient) -> None:
    said = text(client, "/server")
    assert "no token for Label Studio at http://127.0.0.1:8080" in said
    assert "python -m labelstudio.local_server" in said
    assert "label here or fill in a spreadsheet" in said
    with pytest.raises(AssertionError, match="no token for Label Studio"):
        text(client, "/standing?live=true")


def test_a_form_shows_what_it_would_draw(client: TestClient, project: Project) -> None:
    form = text(client, "/sample")
    assert "Rows for which no labelling function voted: they show what the rules miss." in form
    query = "?table=comments&n=5&way=mixture&share_random=40&share_diverse=60&seed=1"
    said = text(client, f"/sample/preview{query}")
    assert "5 points , drawn as random:0.4,diverse:0.6." in said.replace("</b>", "")
    assert "diverse 3 random 2" in said
    drawn = dict(re.findall(r"(\w+)=([^&]+)", query))
    assert argv(client, "/sample", **drawn, to="studio") == [
        *("annotate", "push", "--data=comments", "--n=5", "--sampling=random:0.4,diverse:0.6", "--seed=1"),
        *("--", "spam"),
    ]
    assert argv(client, "/sample", table="comments", n="3", to="file")[:2] == [
        "sample-tasks",
        "--data=comments",
    ]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("n=0", "'0' was given; expected a number from 1 to 100,000"),
        ("n=5&way=mixture&share_random=40", "the shares add up to 40 %; expected 100 %"),
        ("n=5&way=uncertain", "this way of choosing needs it"),
        ("n=5&way=nearest", "'nearest' is no way to choose points"),
        ("n=5&way=changed", "no gold point of task 'spam' has changed since it was labelled"),
        ("n=5&table=nowhere", "nowhere"),
    ],
)
def test_what_cannot_be_drawn_is_said(client: TestClient, query: str, said: str) -> None:
    assert said in text(client, f"/sample/preview?table=comments&{query}".replace("comments&n=5&table=", ""))


def test_files_for_label_studio_are_downloaded(client: TestClient, project: Project) -> None:
    done = project.sample_tasks("spam", "comments", 2)
    assert f"{done.path.name} spam_config.xml spam_guide.md" in text(client, "/sample")
    answer = client.get(f"{BASE}/files/{done.path.name}")
    assert answer.content == done.path.read_bytes()
    assert "attachment" in answer.headers["content-disposition"]
    for other in ("gold_df.parquet", "..%2Fspam%2Fann_df.parquet", "%2Fetc%2Fpasswd"):
        assert client.get(f"{BASE}/files/{other}").status_code == 404


def test_label_runs_are_offered(client: TestClient, project: Project) -> None:
    assert text(client, "/sample/runs").count("none") == 2
    run = project.label("spam", "comments", label_model="majority_vote").run_id
    assert run[:8] in text(client, "/sample/runs")
    said = text(client, f"/sample/preview?table=comments&n=4&way=uncovered&run={run}")
    assert "uncovered" in said
    assert "error" not in said


def test_agreement_and_who_disagrees(client: TestClient) -> None:
    said = text(client, "/agreement/report")
    assert "0.839" in said
    assert "Settle the 1 disputed points" in said
    assert "annotator 2 12 91.7 %" in said
    card = text(client, "/disputed/cards")
    assert "1 point, the most disputed first; 1 of 1 are not settled." in card
    assert "Free coins here: www.coins.example" in card
    assert "1 spam 1 2 ham 2" in card  # a key, a label, and who gave it
    assert "0 points" in text(client, "/disputed/cards?show=settled")
    assert "1 point," in text(client, "/disputed/cards?named=ham")


def test_what_annotators_wrote_stands_beside_their_labels(client: TestClient, project: Project) -> None:
    path = project.settings.annotations("spam") / "ann_df.parquet"
    before = path.read_bytes()
    frame = read_frame(path)
    disputed = frame["id"] == "s8"
    marks = [{"class": "spam", "column": "text", "text": "coins"}]
    told = {"1_words": [marks if one else None for one in disputed], "1_comment": None, "2_words": None}
    told["2_comment"] = ["<i>sounds</i> fair" if one else None for one in disputed]
    write_frame(frame.assign(**told), path)
    card = text(client, "/disputed/cards")
    assert "1: marked coins (spam)" in card
    assert "2: <i>sounds</i> fair" in card
    assert "People annotated since this was measured." in text(client, "/agreement/report")
    path.write_bytes(before)


def test_a_disputed_point_is_settled_and_taken_back(client: TestClient, project: Project) -> None:
    form = DISPUTED | {"side": json.dumps(["ham"]), "why": "<b>a coin</b> collector"}
    answer = client.post(f"{BASE}/settle", data=form, headers={"hx-request": "true"})
    assert "&lt;b&gt;a coin&lt;/b&gt; collector" in answer.text
    assert "<b>a coin" not in answer.text
    assert gold(project, "s8") == (["ham"], "adjudication", PERSON)
    settled = text(client, "/disputed/cards?show=settled")
    assert f"Settled ham by {PERSON}" in settled
    assert "All are settled." in text(client, "/disputed/cards")
    (one,) = [found for found in decisions(project, "spam") if found.undone_by is None]
    done = client.post(f"{BASE}/settle/undo", data=DISPUTED | {"number": one.number})
    assert done.headers["location"] == f"{BASE}/disputed?show=all"
    assert gold(project, "s8") == (["spam"], "annotators", "1, 2")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "no label was chosen"),
        ({"side": "ham"}, "'ham' is no label"),
        ({"side": '["cat"]'}, "cat is no class of task 'spam'"),
        ({"label": ["ham", "spam"]}, "is multiclass; give one class"),
        ({"label": ["ham"], "key": "x"}, "comments/x is not in its table any longer"),
    ],
)
def test_what_settles_nothing(client: TestClient, project: Project, form: dict[str, Any], said: str) -> None:
    before = len(decisions(project, "spam"))
    answer = client.post(f"{BASE}/settle", data=DISPUTED | form)
    assert answer.status_code == 400
    assert said in html.unescape(answer.text)
    assert len(decisions(project, "spam")) == before


def test_the_gold_set_and_its_filters(client: TestClient) -> None:
    said = text(client, "/gold")
    assert "12 points: 12 by annotators . 6 are in the tuning part" in said.replace(
        "annotators.", "annotators ."
    )
    assert "6 of 12 gold points" in text(client, "/gold?named=ham")
    assert "6 of 12 gold points" in text(client, "/gold?part=judge")
    assert "12 of 12 gold points" in text(client, "/gold?who=2&origin=annotators")
    assert "0 of 12 gold points" in text(client, "/gold?origin=page")


def test_a_label_is_changed_removed_and_taken_back(client: TestClient, project: Project) -> None:
    point = {"table": "comments", "key": "h7", "origin": "annotators", "back": "named=ham"}
    assert 'value="ham" checked' in client.get(f"{BASE}/gold/edit?table=comments&key=h7").text
    assert client.get(f"{BASE}/gold/edit?table=comments&key=h0").status_code == 400
    changed = client.post(f"{BASE}/gold/change", data=point | {"label": "spam", "why": "an advert"})
    assert changed.headers["location"] == f"{BASE}/gold?named=ham"
    assert gold(project, "h7") == (["spam"], "page", PERSON)
    client.post(f"{BASE}/gold/remove", data=point | {"origin": "page"})
    assert gold(project, "h7") == (["ham"], "annotators", "1, 2")
    client.post(f"{BASE}/gold/remove", data=point)
    assert gold(project, "h7") is None
    said = text(client, "/gold/history")
    assert f"{PERSON} comments/h7 ham removed annotators" in said
    assert "an advert" in said
    for one in [found for found in decisions(project, "spam") if found.undone_by is None]:
        client.post(f"{BASE}/gold/undo", data={"number": one.number})
    assert gold(project, "h7") == (["ham"], "annotators", "1, 2")
    assert text(client, "/gold/history").count("taken back by") >= 3


def test_a_changed_point_is_marked_and_asked_again(client: TestClient, project: Project) -> None:
    project.database.upsert("comments", pd.DataFrame({"id": ["s9"], "text": ["مرحبا 😾 <i>new</i>"]}), ["id"])
    said = text(client, "/gold?only=changed")
    assert "1 point reads otherwise than when it was labelled." in said
    assert "1 of 12 gold points" in said
    assert "مرحبا 😾 <i>new</i>" in said
    assert "comments/s9" in text(client, "/label/next?table=comments&of=changed")
    done = client.post(
        f"{BASE}/label", data={"table": "comments", "key": "s9", "label": "ham", "of": "changed"}
    )
    assert "of=changed" in done.headers["location"]
    assert gold(project, "s9") == (["ham"], "page", PERSON)
    assert "No gold point of this table has changed." in text(client, "/label/next?table=comments&of=changed")


def test_labels_of_the_page_go_through_the_table(client: TestClient, project: Project) -> None:
    there = len(GoldHome(project, "spam").rows())
    seen = re.search(r"comments/(\w+)", text(client, "/label/next?table=comments&seed=3"))
    assert seen
    key = seen[1]
    skipped = re.search(r"comments/(\w+)", text(client, f"/label/next?table=comments&seed=3&after={key}"))
    assert skipped
    assert skipped[1] != key
    form = {"table": "comments", "key": key, "label": "", "seed": "3"}
    block = client.post(f"{BASE}/label", data=form, headers={"hx-request": "true"}).text
    assert f"comments/{skipped[1]}" in block
    assert "Take back" in block
    assert gold(project, key) == ([], "page", PERSON)
    assert len(GoldHome(project, "spam").rows()) == there + 1
    last = decisions(project, "spam")[0]
    client.post(f"{BASE}/label/undo", data={"number": last.number, "table": "comments", "seed": "3"})
    assert gold(project, key) is None
    refused = client.post(f"{BASE}/label", data={"table": "comments", "key": key})
    assert "no class was chosen" in refused.text


def test_sheets_go_out_and_come_in(client: TestClient, project: Project) -> None:
    sheet = client.get(f"{BASE}/gold/template?table=comments&n=2&seed=5")
    assert "attachment" in sheet.headers["content-disposition"]
    rows = "table_name,id,label\ncomments,h0,ham\ncomments,h1,\n"
    done = client.post(f"{BASE}/gold/sheet", files={"file": ("done.csv", rows.encode())})
    assert "1 labels read: 1 new, 0 changed, 0 as before" in done.text
    assert gold(project, "h0") == (["ham"], "spreadsheet", PERSON)
    for name, content, said in (
        ("..", b"", "the file is named '..'"),
        ("../../\u0000\u202e" + "x" * 300 + ".csv", b"", "No columns to parse from file"),
        ("done.pkl", b"", "expected a spreadsheet that ends in .csv"),
        ("done.csv", b"table_name,id,label\ncomments,h0,cat\n", "names that are not classes of task"),
    ):
        refused = client.post(f"{BASE}/gold/sheet", files={"file": (name, content)})
        assert refused.status_code == 422
        assert said in html.unescape(refused.text)
        assert "adaptml-" not in refused.text  # no folder of this machine
    exported = client.get(f"{BASE}/gold/export?kind=csv").text
    assert exported.lstrip("\ufeff").startswith("table_name,id,gold_label,origin,part,who")
    assert f"comments,h0,ham,spreadsheet,tune,{PERSON}" in exported.replace("judge", "tune")
    assert "gold is not written as 'pkl'" in html.unescape(client.get(f"{BASE}/gold/export?kind=pkl").text)


def test_jobs_of_label_studio(client: TestClient, project: Project) -> None:
    assert argv(client, "/setup", per_point="3") == ["annotate", "setup", "--annotators=3", "--", "spam"]
    people = argv(client, "/setup", people="a@x.org; b@x.org", overlap="25")
    assert people == ["annotate", "setup", "--annotators=a@x.org,b@x.org", "--overlap=0.25", "--", "spam"]
    pulled = argv(client, "/pull", choice="--write", accept_claims="true")
    assert pulled == ["annotate", "pull", "--choice=--write", "--accept-claims", "--", "spam"]
    assert argv(client, "/measure") == ["annotator-agreement", "--", "spam"]
    export = (project.settings.root / "annotations.json").read_bytes()
    done = client.post(f"{BASE}/export", data={"choice": "1"}, files={"file": ("x.json", export)})
    job = client.app.app.state.jobs.get(int(done.headers["location"].removeprefix("/jobs/")))  # type: ignore[attr-defined]
    assert [*job.argv] == ["process-annotations", "--choice=1", "--", "spam", "uploaded_export.json"]
    refused = client.post(f"{BASE}/export", files={"file": ("x.csv", b"")})
    assert "expected Label Studio" in html.unescape(refused.text)


def test_a_task_without_anything(client: TestClient, project: Project) -> None:
    folder = project.settings.tasks_dir / "empty"
    folder.mkdir()
    (folder / "task.yaml").write_text(
        "title: What?\nsetting: multilabel\nclasses: [{name: a}, {name: b}]\ncolumns: [{name: text}]\n"
        "lf_features: [text]\nfeatures: [vector]\n"
    )
    (folder / "lfs.py").write_text("def get_lfs(params):\n    return []\n")
    base = "/tasks/empty/annotation"
    for path, said in {
        "": "There are no gold labels yet.",
        "/standing": "Nothing was fetched yet.",
        "/agreement/report": "Nothing was fetched yet, so nothing can be compared.",
        "/disputed/cards": "Nothing was fetched yet.",
        "/gold": "There are no gold labels yet",
        "/gold/history": "Nothing yet.",
        "/label/next?table=comments": "24 to go",
    }.items():
        answer = client.get(base + path)
        assert answer.status_code == 200, path
        assert said in answer.text, path
    assert client.get("/tasks/nothing/annotation").status_code == 400
