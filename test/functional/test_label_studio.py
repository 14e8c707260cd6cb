"""Annotation with a real Label Studio: project, tasks, two people, gold labels."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from hostile import server_that_says
from label_studio_people import annotate, cells, choose, table, tasks_of
from portal_server import page_of

from adaptml.errors import AnnotationError, LabelStudioError
from adaptml.frames import write_frame
from adaptml.gold_labels.core import Origin
from adaptml.gold_labels.decisions import decide
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.annotating import label_config
from labelstudio.annotate import pull, push, setup, setup_people
from labelstudio.client import LabelStudio
from labelstudio.local_server import LocalServer
from labelstudio.process_annotations import process_annotations, summary
from labelstudio.project import find_project
from labelstudio.reach import reach
from labelstudio.standing import standing_kept, standing_now

# The first test of a fresh checkout installs the server.
pytestmark = pytest.mark.timeout(1800)
REPOSITORY = Path(__file__).resolve().parents[2]
CLASSES = ["cat", "dog", "bird"]
_tokens: dict[str, str] = {}
PIXEL = base64.b64decode(  # one pixel, PNG
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_from_a_table_to_gold_labels(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio], tmp_path: Path
) -> None:
    task = make_task()
    table(here, "posts", [f"text {i}" for i in range(200)])
    made = setup(here, task)
    assert made.created
    assert not setup(here, task).created
    assert setup(here, task).changes == []
    sample, sent = push(here, task, "posts", 60)
    assert (sent.asked, sent.sent, sent.there, sent.refused) == (60, 60, 0, {})
    assert push(here, task, "posts", 60)[1].there == 60

    ids = sorted(sample.frame["id"])
    numbers = tasks_of(owner, task)
    assert sorted(numbers) == ids
    first, second = people
    members = {email: number for number, email in owner.users().items()}
    names = [str(members[f"annotator{i}@example.com"]) for i in (1, 2)]
    # The first says cat to all but the last ten, which are left; the second disagrees once and skips once.
    for place, key in enumerate(ids[:50]):
        annotate(first, numbers[key], choose("cat"), lead_time=1.0)
        if place == 0:
            annotate(second, numbers[key], choose("dog", "bird"))
        elif place == 1:
            annotate(second, numbers[key], [], was_cancelled=True)
        elif place == 2:
            annotate(second, numbers[key], choose("NONE"), completed_by=int(names[0]))
        else:
            annotate(second, numbers[key], choose("cat"))

    said = reach(here, task)
    assert (said.why_not, [one.points for one in said.projects]) == ("", [60])
    assert "annotator1@example.com" in said.accounts
    now = standing_now(here, task)
    assert (now.points, now.several, now.nobody) == (60, 48, 10)
    far = {one.name: (one.given, one.skipped, one.left, one.none) for one in now.people}
    assert far == {"annotator1@example.com": (50, 0, 10, 0), "annotator2@example.com": (48, 1, 11, 0)}
    server = on_page(here, f"/tasks/{task.name}/annotation/server")
    assert said.projects[0].url in server
    assert "Fetch what people annotated" in server
    live = on_page(here, f"/tasks/{task.name}/annotation/standing?live=true")
    assert "As it is in Label Studio now." in live
    assert "annotator2@example.com: 49 of 60" in live
    assert not here.settings.gold(task.name).exists()  # looking makes no gold

    found = pull(here, task, write=True)
    kept = standing_kept(here, task.name)
    assert kept is not None
    assert replace(kept, read_at=None) == now
    frame = found.done.ann_df.set_index("id")
    assert frame.index.tolist() == ids
    assert cells(frame, names[0]) == [["cat"]] * 50 + [None] * 10
    assert cells(frame, names[1]) == [["dog", "bird"], None, None] + [["cat"]] * 47 + [None] * 10
    assert found.done.annotations.counts["changed_by_others"] == 1
    assert found.unlabelled == {"annotator1@example.com": 10, "annotator2@example.com": 12}
    assert len(found.done.gold.frame) == 49
    assert found.agreement is not None
    assert found.agreement.compared == 48
    assert found.done.sample_df["inclusion_prob"].tolist() == [60 / 200] * 60
    assert any(line.startswith("shares among gold points: cat 1.000") for line in summary(found.done))

    for key in ids[50:]:
        annotate(first, numbers[key], choose("bird"))
    again = pull(here, task, "dawid-skene")
    assert again.read == 10
    assert cells(again.done.ann_df, names[0])[50:] == [["bird"]] * 10
    assert pull(here, task).read == 0

    project = int(find_project(owner, task)["id"])
    export = tmp_path / "export.json"
    export.write_text(json.dumps(owner.export(project, list(numbers.values()))), encoding="utf-8")
    by_hand = process_annotations(here, task, export, "dawid-skene")
    pd.testing.assert_frame_equal(by_hand.ann_df, again.done.ann_df)
    pd.testing.assert_frame_equal(by_hand.gold.frame, again.done.gold.frame)
    pd.testing.assert_frame_equal(by_hand.sample_df, again.done.sample_df)


def on_page(project: Project, path: str) -> str:
    """What the page answers to somebody who has come in."""
    portal = page_of(project)
    with TestClient(portal.app, base_url=portal.url) as client:
        client.cookies.set(*portal.cookie())
        return client.get(path, headers={"sec-fetch-site": "same-origin"}).text


def test_what_annotators_differ_on_is_settled_by_a_third(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    task = make_task()
    table(here, "posts", [f"text {i}" for i in range(3)])
    number = setup(here, task).project
    push(here, task, "posts", 3)
    asked = tasks_of(owner, task)
    for place, task_number in enumerate(asked.values()):
        annotate(people[0], task_number, choose("cat"))
        annotate(people[1], task_number, choose("dog" if place == 0 else "cat"))
    disputed = next(iter(asked))
    assert disputed not in pull(here, task).done.gold_df["id"].tolist()  # a tie
    sample, sent = push(here, task, "posts", 5, sampling="disputed")
    assert (sample.frame["id"].tolist(), sent.sent, sent.duplicates_deleted) == ([disputed], 1, 0)
    again = push(here, task, "posts", 5, sampling="disputed")[1]
    assert (again.sent, again.there, again.duplicates_deleted) == (0, 1, 0)
    assert push(here, task, "posts", 3)[1].there == 3
    (settling,) = set(listed_tasks(owner, number)) - set(asked.values())
    annotate(owner, settling, choose("bird"))
    done = pull(here, task).done
    gold = dict(zip(done.gold_df["id"], map(list, done.gold_df["gold_label"]), strict=True))
    assert gold == {key: ["bird"] if key == disputed else ["cat"] for key in asked}
    assert len(done.annotations.annotators) == 2  # who settles is no annotator
    assert len(done.sample_df) == 3
    point = ("posts", disputed)
    decide(here, task, point, ["dog"], who="Ana", why="it barks", origin=Origin.ADJUDICATION)
    left = pull(here, task).done  # what was said here later than there stays
    gold = dict(zip(left.gold_df["id"], map(list, left.gold_df["gold_label"]), strict=True))
    assert (left.decided, gold[disputed]) == (1, ["dog"])
    # A gold label that looks wrong is settled in the same way; a point without gold is annotated as usual.
    agreed = next(key for key in asked if key != disputed)
    here.database.upsert("posts", pd.DataFrame({"id": ["new"], "txt": ["text 3"]}), ["id"])
    chosen = pd.DataFrame({"table_name": "posts", "id": [agreed, "new"]})
    path = write_frame(chosen, here.settings.home / "chosen.parquet")
    before = set(listed_tasks(owner, number))
    assert push(here, task, path, 2, sampling="suspicious")[1].sent == 2
    assert push(here, task, path, 2, sampling="suspicious")[1].there == 2
    added = [entry for entry in owner.list_tasks(number, 100)[0] if int(entry["id"]) not in before]
    purposes = {entry["data"]["ref_id"]: entry["data"]["meta_info"].get("purpose", "") for entry in added}
    assert purposes == {agreed: "adjudication", "new": ""}
    for entry in added:
        annotate(owner, int(entry["id"]), choose("bird"))
    gold_df = pull(here, task).done.gold_df.set_index("id")["gold_label"]
    assert list(gold_df[agreed]) == ["bird"]


def listed_tasks(owner: LabelStudio, project: int) -> list[int]:
    return [int(entry["id"]) for entry in owner.list_tasks(project, 100)[0]]


def test_what_changed_and_what_was_deleted_is_noticed(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    task = make_task()
    table(here, "posts", [f"text {i}" for i in range(5)])
    setup(here, task)
    push(here, task, "posts", 5)
    numbers = tasks_of(owner, task)
    first, _ = people
    made = [annotate(first, number, choose("cat")) for number in numbers.values()]
    assert pull(here, task).read == 5
    name = str(made[0]["completed_by"])
    first.call("PATCH", f"/api/annotations/{made[0]['id']}/", json={"result": choose("dog")})
    first.call("DELETE", f"/api/annotations/{made[1]['id']}/")
    keys = list(numbers)
    owner.delete_task(numbers[keys[2]])
    frame = pull(here, task).done.ann_df.set_index("id")
    assert cells(frame, name) == [
        ["dog"] if key == keys[0] else None if key == keys[1] else ["cat"]
        for key in sorted(set(keys) - {keys[2]})
    ]


def test_a_point_that_is_there_twice_loses_the_task_that_nobody_touched(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    task = make_task()
    table(here, "posts", ["one", "two"])
    project = setup(here, task).project
    push(here, task, "posts", 2)
    (first, second), numbers = tasks_of(owner, task), tasks_of(owner, task)
    duplicates = [
        {"data": entry["data"]} for key in (first, second) for entry in owner.export(project, [numbers[key]])
    ]
    made = owner.import_tasks(project, duplicates)  # as a killed push leaves them
    annotate(people[0], made[0], choose("cat"))
    _, done = push(here, task, "posts", 2)
    assert (done.sent, done.there, done.duplicates_deleted) == (0, 2, 2)
    assert tasks_of(owner, task) == {first: made[0], second: numbers[second]}
    assert len(pull(here, task).done.ann_df) == 2


def test_setup_keeps_annotations(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    task = make_task()
    table(here, "posts", ["one", "two"])
    number = setup(here, task).project
    owner.update_project(number, label_config=label_config(task).replace('name="label"', 'name="topic"'))
    with pytest.raises(
        LabelStudioError, match="has no Choices named 'label', so it was changed in Label Studio"
    ):
        push(here, task, "posts", 2)
    assert setup(here, task).changes == [
        *(f"class added: {name}" for name in ("NONE", "bird", "cat", "dog")),
        "control taken away, which had been added in Label Studio: topic",
    ]
    push(here, task, "posts", 2)
    annotate(people[0], next(iter(tasks_of(owner, task).values())), choose("cat"))
    assert setup(here, make_task([*CLASSES, "horse"])).changes == [
        "the annotators' instructions",
        "class added: horse",
    ]
    assert setup(here, make_task([*CLASSES, "horse"])).changes == []
    with pytest.raises(LabelStudioError) as error:
        setup(here, make_task(["dog", "bird"]))
    assert str(error.value) == (
        f"the labelling page of project {number} cannot be replaced: annotations hold 'cat' (1 times), which the "
        "task file does not have; nothing was changed: take the change back in the task file, and "
        "make it with `adaptml task classes`, which keeps annotations readable; or begin a new project"
    )
    with pytest.raises(
        LabelStudioError, match="its 1 annotations may hold several classes, and the task file is"
    ):
        setup(here, make_task(setting="multiclass"))
    with pytest.raises(LabelStudioError, match="its 2 tasks have no column picture"):
        setup(here, make_task(columns="txt picture"))
    assert setup(here, make_task(["cat", "dog"])).changes == [
        "the annotators' instructions", "class taken away: bird", "class taken away: horse",
    ]  # fmt: skip
    # Somebody changes the page in the browser.
    config = label_config(make_task(["cat", "dog"]))
    owner.update_project(number, label_config=config.replace('value="dog"', 'value="wolf"'))
    with pytest.raises(LabelStudioError, match="does not have dog and also has wolf, unlike the task file"):
        push(here, make_task(["cat", "dog"]), "posts", 2)


def test_odd_texts_and_ids_arrive_as_they_are(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    texts = [
        "<script>alert(1)</script><b>&amp;</b>",
        "\U0001f408 caffè\n\t“x”",
        "x" * 100_000,
        " ",
        "{'a': $1}",
    ]
    ids = ["quo\"te's", "a/b\\c", "%2F&?=#", "日本", " padded "]
    table(here, "posts", texts, ids)
    task = make_task()
    setup(here, task)
    assert push(here, task, "posts", 5)[1].sent == 5
    assert push(here, task, "posts", 5)[1].there == 5
    project = int(find_project(owner, task)["id"])
    numbers = tasks_of(owner, task)
    found = {
        entry["data"]["ref_id"]: entry["data"]["txt"]
        for entry in owner.export(project, list(numbers.values()))
    }
    assert found == dict(zip(ids, texts, strict=True))
    for number in numbers.values():
        annotate(people[0], number, choose("cat"))
    assert sorted(pull(here, task).done.gold.frame["id"]) == sorted(ids)


def test_pictures_sound_and_film_one_class_each(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    columns = ["picture", "sound", "film", "txt"]
    database = here.database
    database.create_table("media", dict.fromkeys(["id", *columns], sa.Text()))
    rows = pd.DataFrame(
        {"id": ["1", "2"]} | {c: [f"http://127.0.0.1:9/{c}/{i}" for i in "12"] for c in columns}
    )
    database.upsert("media", rows, ["id"])
    task = make_task(setting="multiclass", columns="picture:image sound:audio film:video txt:text")
    setup(here, task)
    assert push(here, task, "media", 2)[1].sent == 2
    page = find_project(owner, task)["label_config"]
    assert all(tag in page for tag in ("<Image ", "<Audio ", "<Video ", "<Text ", 'choice="single"'))
    for key, number in tasks_of(owner, task).items():
        annotate(people[0], number, [choose("cat" if key == "1" else "NONE")[0] | {"to_name": "picture"}])
    done = pull(here, task).done
    assert dict(zip(done.gold.frame["id"], map(list, done.gold.frame["gold_label"]), strict=True)) == {
        "1": ["cat"], "2": [],
    }  # fmt: skip


def test_feedback_is_kept_and_what_is_absent_is_no_change(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    here.database.create_table("pets", {"id": sa.Text(), "txt": sa.Text(), "photo": sa.Text()})
    rows = [("both", "It purrs", "https://pets/1.png"), ("text", "It barks", None), ("photo", None, "https://pets/2.png"), ("none", None, None)]  # fmt: skip
    here.database.upsert("pets", pd.DataFrame(rows, columns=["id", "txt", "photo"]), ["id"])
    setup(here, make_task(columns="txt photo:image"))
    task = make_task(columns="txt photo:image", feedback=True)
    with pytest.raises(LabelStudioError, match=r"does not ask what decided, and the task file of .*setup"):
        push(here, task, "pets", 4)
    assert setup(here, task).changes == ["it asks what decided"]
    sent = push(here, task, "pets", 4)[1]
    assert (sent.asked, sent.sent, sent.empty, sent.there) == (4, 3, 1, 0)
    assert push(here, task, "pets", 4)[1].there == 3
    mark = {
        "from_name": "words_in_txt", "to_name": "txt", "type": "labels",
        "value": {"start": 3, "end": 8, "text": "purrs", "labels": ["cat"]},
    }  # fmt: skip
    comment = {
        "from_name": "what_decided",
        "to_name": "txt",
        "type": "textarea",
        "value": {"text": ["the sound"]},
    }
    for key, number in tasks_of(owner, task).items():
        said = [mark, comment] if key == "both" else []
        annotate(people[0], number, [*choose("cat"), *said])
    found = pull(here, task).done
    (name,) = found.annotations.annotators
    row = found.ann_df.set_index("id").loc["both"]
    assert row[f"{name}_words"] == [{"class": "cat", "column": "txt", "text": "purrs"}]
    assert row[f"{name}_comment"] == "the sound"
    assert found.annotations.counts["other_results"] == 0
    assert here.gold(task).changed == 0  # the notes in place of what is absent count for nothing
    # The page can change while there are marks; what they are about cannot be taken away.
    more = make_task([*CLASSES, "horse"], columns="txt photo:image", feedback=True)
    assert setup(here, more).changes == ["the annotators' instructions", "class added: horse"]
    with pytest.raises(LabelStudioError, match="annotations hold 'cat' of 'words_in_txt' \\(1 times\\)"):
        setup(here, make_task(columns="txt photo:image"))
    change = {"date": "2026-11-26", "before": more.class_names, "becomes": {"cat": ["kitty"]}}
    new = {"classes": ["kitty", "dog", "bird", "horse"], "class_changes": [change], "name": more.name}
    renamed = Task.model_validate(more.model_dump() | new)
    setup(here, renamed)
    assert '<Label value="kitty" alias="cat" />' in find_project(owner, renamed)["label_config"]
    row = pull(here, renamed).done.ann_df.set_index("id").loc["both"]
    assert (row[name], row[f"{name}_words"][0]["class"]) == (["kitty"], "kitty")


def test_files_of_the_folder_are_shown_and_no_others(
    here: Project, make_task: Any, owner: LabelStudio, label_studio: LocalServer
) -> None:
    folder = here.settings.media
    (folder / "farm").mkdir(parents=True)
    (folder / "farm" / "a b.png").write_bytes(PIXEL)
    (folder.parent / "secret.png").write_bytes(b"kept apart")
    label_studio.share(folder)
    here.database.create_table("zoo", {"id": sa.Text(), "photo": sa.Text()})
    here.database.upsert("zoo", pd.DataFrame({"id": ["1"], "photo": ["farm/a b.png"]}), ["id"])
    task = make_task(columns="photo:image")
    made = setup(here, task)
    assert made.changes == [f"files of {folder} can be shown"]
    assert setup(here, task).changes == []
    assert push(here, task, "zoo", 1)[1].sent == 1
    (number,) = tasks_of(owner, task).values()
    (exported,) = owner.export(made.project, [number])
    address = exported["data"]["photo"]
    assert address == "/data/local-files/?d=media/farm/a%20b.png"

    token = {"Authorization": f"Token {label_studio.token}"}
    assert httpx.get(label_studio.url + address, headers=token).content == PIXEL
    for path in ("media/../secret.png", "../secret.png", "/etc/passwd", "media/farm/none.png"):
        answer = httpx.get(f"{label_studio.url}/data/local-files/", params={"d": path}, headers=token)
        assert answer.is_error
        assert b"kept apart" not in answer.content
    assert httpx.get(label_studio.url + address).status_code in {302, 401, 403}  # nobody without an account
    with pytest.raises(LabelStudioError, match="must be a subdirectory of LOCAL_FILES_DOCUMENT_ROOT"):
        owner.add_local_files(made.project, str(folder.parent), "everything")


INNER = ["http://127.0.0.1:{port}", "http://localhost:{port}", "http://[::1]:{port}", "http://169.254.169.254/latest",
         "http://172.17.0.1:{port}", "http://10.0.0.1", "http://0.0.0.0:{port}", "http://2130706433:{port}"]  # fmt: skip


def test_no_address_inside_a_network_is_asked_on_an_annotators_word(
    here: Project, make_task: Any, label_studio: LocalServer, owner: LabelStudio
) -> None:
    """Whoever has an account could else read by it what only this machine reaches, a cloud's keys among it."""
    project = setup(here, make_task()).project
    token = {"Authorization": f"Token {label_studio.token}"}
    with (
        server_that_says({"/tasks.json": [{"data": {"txt": "inner"}}]}) as inner,
        httpx.Client(base_url=label_studio.url, headers=token, timeout=30) as client,
    ):
        assert httpx.get(f"{inner}/tasks.json").json() == [{"data": {"txt": "inner"}}]
        for pattern in INNER:
            url = f"{pattern.format(port=inner.rpartition(':')[2])}/tasks.json"
            asked = {
                f"/api/projects/{project}/import": {"data": {"url": url}},
                "/api/ml/": {"json": {"project": project, "url": url, "title": "model"}},
                "/api/webhooks/": {"json": {"project": project, "url": url}},
                "/api/storages/s3/": {"json": {"project": project, "bucket": "b", "s3_endpoint": url}},
            }
            for path, options in asked.items():
                answer = client.post(path, **options)
                assert answer.is_error, (path, url)
                refused = ("reserved network address", "resolve hostname", "Enter a valid URL")
                assert any(reason in answer.text for reason in refused), (path, url, answer.text)
        assert client.get(f"/api/projects/{project}").json()["task_number"] == 0
    with pytest.raises(
        LabelStudioError, match="resolves to a reserved network address"
    ):  # as in the stack's test
        owner.call("POST", f"/api/projects/{project}/import", data={"url": "http://127.0.0.1/"})


def test_pre_annotations(here: Project, make_task: Any, owner: LabelStudio) -> None:
    task = make_task()
    table(here, "posts", [f"text {i}" for i in range(4)])
    with here.runs.run(task.name, "label", {"setting": "multilabel"}) as recorder:
        frame = pd.DataFrame({"table_name": "posts", "id": ["00000", "00001", "00002"]})
        frame["label"] = [["cat", "bird"], [], ["dog"]]
        frame["label_probs"] = [[0.9, 0.2, 0.7], [0.1, 0.2, 0.4], [0.0, 1.0, 0.0]]
        write_frame(frame, recorder.folder / "training_data.parquet")
    setup(here, task)
    assert push(here, task, "posts", 2)[1].sent == 2
    _, sent = push(here, task, "posts", 4, predictions=recorder.run_id)
    assert (sent.sent, sent.there, sent.predicted, sent.unpredicted) == (2, 2, 3, 1)
    assert push(here, task, "posts", 4, predictions=recorder.run_id)[1].predicted == 0
    numbers = tasks_of(owner, task)
    said = {}
    for key, number in numbers.items():
        for made in owner.call("GET", f"/api/tasks/{number}/")["predictions"]:
            said[key] = (made["result"][0]["value"]["choices"], made["score"], made["model_version"])
    run = recorder.run_id
    assert said == {
        "00000": (["cat", "bird"], pytest.approx(0.7), run),
        "00001": (["NONE"], pytest.approx(0.6), run),
        "00002": (["dog"], pytest.approx(1.0), run),
    }
    assert find_project(owner, task)["model_version"] == run


def test_imported_annotations_are_claims(here: Project, make_task: Any, owner: LabelStudio) -> None:
    task = make_task()
    table(here, "posts", ["one"])
    number = setup(here, task).project
    data = {"ref_id": "9", "meta_info": {"table_name": "posts", "task": task.name}, "txt": "x"}
    who = {"email": "annotator1@example.com"}
    owner.import_tasks(
        number, [{"data": data, "annotations": [{"completed_by": who, "result": choose("cat")}]}]
    )
    with pytest.raises(
        AnnotationError,
        match=r"holds 1 points and no annotation that counts \(1 annotations without the server's",
    ):
        pull(here, task)
    taken = pull(here, task, accept_claims=True).done
    members = {email: str(number) for number, email in owner.users().items()}
    assert cells(taken.ann_df, members["annotator1@example.com"]) == [["cat"]]
    assert taken.annotations.counts["accepted_claims"] == 1


def test_labels_that_the_task_does_not_know(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    task = make_task()
    table(here, "posts", ["one"])
    number = setup(here, task).project
    push(here, task, "posts", 1)
    annotate(people[0], next(iter(tasks_of(owner, task).values())), choose("zebra"))
    with pytest.raises(AnnotationError) as error:
        pull(here, task)
    assert str(error.value) == (
        f"project {number} of Label Studio holds 1 names in control 'label' that are not classes of task {task.name!r}: 'zebra' (1 times); "
        "its classes are cat, dog, bird: fix the labelling page or the task file. A name that once was a class "
        f"is told what it is now by `adaptml task classes {task.name} --add NAME`, and then --merge, --split or --drop"
    )
    owner.import_tasks(number, [{"data": {"txt": "made by hand"}}])
    with pytest.raises(AnnotationError, match=r"\[1\]\.data\.ref_id: missing"):
        pull(here, task)


def test_two_people_with_projects_of_their_own(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    task = make_task()
    table(here, "posts", [f"text {i}" for i in range(50)])
    emails = ["annotator1@example.com", "annotator2@example.com"]
    with pytest.raises(
        LabelStudioError, match=r"no account of nobody@example.com; its accounts are .*annotator1"
    ):
        setup_people(here, task, [emails[0], "nobody@example.com"])
    made = setup_people(here, task, emails, 0.25)
    assert [done.created for done in made.values()] == [True, True]
    assert all(
        not done.created and not done.changes for done in setup_people(here, task, emails, 0.25).values()
    )
    sample, sent = push(here, task, "posts", 20)
    # 5 of 20 points go to both, 15 are split: 8 and 7.
    assert (sent.asked, sent.sent, sent.there) == (20, 25, 0)
    assert sorted(part.sent for part in sent.people.values()) == [12, 13]
    again = push(here, task, "posts", 20)[1]
    assert (again.sent, again.there) == (0, 25)

    numbers = {email: int(done.project) for email, done in made.items()}
    keys: dict[str, dict[str, int]] = {}
    for email, person in zip(emails, people, strict=True):
        listed, _ = owner.list_tasks(numbers[email], 100)
        keys[email] = {str(entry["data"]["ref_id"]): int(entry["id"]) for entry in listed}
        for key, number in list(keys[email].items())[1:]:  # each leaves one
            annotate(person, number, choose("cat" if key < "00025" else "dog"))
    both = set(keys[emails[0]]) & set(keys[emails[1]])
    assert len(both) == 5
    assert set(keys[emails[0]]) | set(keys[emails[1]]) == set(sample.frame["id"])
    stray = next(iter(keys[emails[0]].values()))
    annotate(people[1], stray, choose("cat"))

    found = pull(here, task)
    assert found.asked == {email: len(keys[email]) for email in emails}
    assert found.unlabelled[emails[0]] == 1
    assert found.strayed == {emails[0]: 1}
    assert len(found.done.ann_df) == 20
    assert found.agreement is not None
    assert found.agreement.alpha.value == 1.0
    # A point that both labelled is edited: both are asked again, once, and what they say now counts.
    edited = sorted(
        key for key in both if key != next(iter(keys[emails[0]])) and key != next(iter(keys[emails[1]]))
    )[0]
    here.database.upsert("posts", pd.DataFrame({"id": [edited], "txt": ["another text"]}), ["id"])
    sent = push(here, task, "posts", 9, sampling="changed")[1]
    assert (sent.asked, sent.sent) == (1, 2)
    assert push(here, task, "posts", 9, sampling="changed")[1].sent == 0
    for email, person in zip(emails, people, strict=True):
        listed, _ = owner.list_tasks(numbers[email], 100)
        number = max(int(entry["id"]) for entry in listed if entry["data"]["ref_id"] == edited)
        annotate(person, number, choose("bird"))
    done = pull(here, task).done
    assert done.annotations.counts["earlier"] == 2
    assert done.gold_df.set_index("id").loc[edited, "gold_label"] == ["bird"]
    assert here.gold(task).changed == 0
    # The second person leaves: the project stays, and new points go to the two who take part now.
    admin = next(email for email in owner.users().values() if email not in emails)
    setup_people(here, task, [emails[0], admin], 0.0)
    sent = push(here, task, "posts", 30)[1]
    assert set(sent.people) <= {emails[0], admin}
    assert pull(here, task).asked.keys() == {*emails, admin}
