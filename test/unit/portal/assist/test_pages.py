"""Help for the next rule, asked without a browser."""

import re

import sqlalchemy as sa
from fastapi.testclient import TestClient

from adaptml.gold_labels.decisions import decide, decisions
from adaptml.project import Project
from adaptml.tasks.rule_file import read_rules, saves

WORDS = "/tasks/spam/assist/words/list"
COMMON = {"table": "comments", "label": "spam", "column": "text"}


def test_words_lead_to_a_form_that_shows_their_effect(client: TestClient) -> None:
    found = client.get(WORDS, params=COMMON | {"among": "wrong", "against": "classes"})
    assert found.status_code == 200
    assert "12 rows of spam (6 by gold), compared with 11 rows of other classes" in found.text
    address = re.findall(r'href="(/tasks/spam/assist/form\?[^"]+words=channel)"', found.text)[0]
    form = client.get(address.replace("&amp;", "&"))
    assert form.status_code == 200
    assert ">channel</textarea>" in form.text
    draft = client.get(address.replace("&amp;", "&").replace("/form?", "/draft?"))
    assert (
        "keyword_lf(&#34;spam_channel&#34;, [&#34;channel&#34;], &#34;spam&#34;, &#34;text&#34;)"
        in draft.text
    )
    assert "2 of 24 rows" in draft.text


FORMS = [
    ({"kind": "keywords", "words": "channel\nwin a"}, 'keyword_lf("spam_channel_win_a", ["channel", "win a"], "spam", "text")'),
    ({"kind": "phrase", "words": "win  a", "exact": "true"}, 'keyword_lf("spam_win_a", ["win a"], "spam", "text", exact=True)'),
    ({"kind": "regex", "pattern": r"\bgifts?\b"}, r'regex_lf("spam_gifts", r"\bgifts?\b", "spam", "text")'),
    ({"kind": "lookup", "words": "coins\ngift", "file": "coins.txt"}, 'keyword_lf("spam_coins_gift", lookup("coins.txt"), "spam", "text")'),
    (
        {"kind": "like", "column": "vector", "like": ["s0", "s9"], "unlike": "h1", "above": "0.9", "name": "like s0"},
        'like_lf("like s0", "like_s0.json", "spam", "vector", above=0.9)',
    ),
    ({"kind": "number", "column": "likes", "above": "5"}, 'number_lf("spam_likes", "spam", "likes", above=5)'),
]  # fmt: skip


def test_each_kind_of_rule_is_written_and_votes(client: TestClient, project: Project) -> None:
    task = project.task("spam")
    file = task.folder / "task.yaml"  # type: ignore[operator]
    with project.database.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE comments ADD COLUMN likes INTEGER DEFAULT 7"))
    file.write_text(file.read_text().replace("[text, tokens]", "[text, tokens, likes]"))
    project.close()
    for fields, code in FORMS:
        done = client.post("/tasks/spam/assist/form", data=COMMON | fields)
        assert done.status_code == 303, done.text
        assert done.headers["location"].startswith("/tasks/spam/rules?table=comments&rule=")
        assert code in read_rules(task)
    votes = project.apply_lfs("spam", "comments")
    assert votes.lf_names[:5] == ("subscribe", "check_out", "link", "praise", "song")
    assert (votes.L[:, 5:] == 1).sum(axis=0).tolist() == [3, 1, 1, 2, 2, 24]
    assert [save.who for save in saves(project, task)] == ["Ana"] * 6 + [""]


WRONG = [
    ({"words": " "}, "no word to look for"),
    ({"label": "ads", "words": "a"}, "no class is chosen"),
    ({"kind": "regex", "pattern": "("}, "no regular expression"),
    ({"kind": "number", "above": "many"}, "&#39;many&#39; is no number"),
    ({"kind": "like", "column": "vector", "above": "0.5"}, "no row is chosen"),
]


def test_what_is_typed_wrong_is_said_and_kept(client: TestClient, project: Project) -> None:
    before = read_rules(project.task("spam"))
    for fields, fact in WRONG:
        shown = client.get("/tasks/spam/assist/draft", params=COMMON | fields).text
        assert ("as soon as it has something to look for" if fields == {"words": " "} else fact) in shown
        done = client.post("/tasks/spam/assist/form", data=COMMON | fields)
        assert done.status_code == 400
        assert fact in done.text
        assert 'value="comments"' in done.text
    taken = client.get("/tasks/spam/assist/draft", params=COMMON | {"words": "a", "name": "link"})
    assert "&#39;link&#39; already" in taken.text
    assert read_rules(project.task("spam")) == before


def test_rows_like_this_one(client: TestClient) -> None:
    page = client.get("/tasks/spam/assist/near", params={"table": "comments", "id": "s0"})
    assert "Subscribe to my channel" in page.text
    rows = client.get("/tasks/spam/assist/near/rows", params={"table": "comments", "id": "s0"})
    assert "among 24 of 24 rows" in rows.text
    assert 'name="like" value="s0"' in rows.text  # it is an example itself
    assert len(re.findall(r'type="checkbox" name="unlike"', rows.text)) == 20
    form = {"kind": "like", "table": "comments", "column": "vector", "like": ["s2", "s8"]}
    chosen = client.get("/tasks/spam/assist/form", params=form)
    assert 'step="0.01" value="0.39"' in chosen.text  # as the two are to each other
    uncovered = client.get("/tasks/spam/assist/near/rows", params={"table": "comments", "rule": "song"})
    assert "among the uncovered rows of the sample" in uncovered.text
    assert len(re.findall(r'type="checkbox" name="unlike"', uncovered.text)) == 1


def label(client: TestClient, key: str, name: str) -> str:
    done = client.post(
        "/tasks/spam/assist/label",
        data={"table": "comments", "id": key, "name": name},
        headers={"hx-request": "true"},
    )
    assert done.status_code == 200
    return done.text


def test_a_row_is_labelled_with_who_and_part_and_taken_back(client: TestClient, project: Project) -> None:
    from adaptml.gold_labels.core import part_of

    said = {key: label(client, key, "spam") for key in ("s0", "h0", "h1", "s3")}
    for key, text in said.items():
        assert ("set aside for judging: once" in text) == (part_of("comments", key) == "judge")
        assert 'value="spam" class="label-key" data-key="2" aria-pressed="true"' in text
    assert {part_of("comments", key) for key in said} == {"tune", "judge"}
    last = decisions(project, "spam")[0]
    assert (last.point, last.label, last.who) == (("comments", "s3"), ["spam"], "Ana")
    undone = client.post(
        "/tasks/spam/assist/undo?row=1", data={"number": last.number}, headers={"hx-request": "true"}
    )
    assert 'aria-pressed="true"' not in undone.text
    assert decisions(project, "spam")[0].undone_by == "Ana"
    assert "Undo" in client.get("/tasks/spam/assist?table=comments").text


def test_a_label_without_scripts_leads_to_the_row(client: TestClient) -> None:
    done = client.post("/tasks/spam/assist/label", data={"table": "comments", "id": "s0", "name": "spam"})
    assert (done.status_code, done.headers["location"]) == (
        303,
        "/tasks/spam/assist/label?table=comments&id=s0",
    )
    row = client.get(done.headers["location"]).text
    assert 'value="spam" class="label-key" data-key="2" aria-pressed="true"' in row


def test_what_another_person_said_before_is_told(client: TestClient, project: Project) -> None:
    decide(project, "spam", ("comments", "s0"), ["ham"], who="Bo")
    assert "Labelled spam, before ham by Bo." in label(client, "s0", "spam")


def test_an_adjudicated_label_counts_more(client: TestClient, project: Project) -> None:
    from adaptml.gold_labels.core import Origin

    decide(project, "spam", ("comments", "s0"), ["ham"], who="Bo", origin=Origin.ADJUDICATION)
    assert "The label by adjudication counts more" in label(client, "s0", "spam")


def test_in_a_multilabel_task_keys_toggle(client: TestClient, project: Project) -> None:
    task = project.task("spam").folder / "task.yaml"  # type: ignore[operator]
    task.write_text(task.read_text().replace("multiclass", "multilabel").replace("positive: spam\n", ""))
    label(client, "s0", "spam")
    label(client, "s0", "ham")
    assert decisions(project, "spam")[0].label == ["ham", "spam"]
    label(client, "s0", "spam")
    assert decisions(project, "spam")[0].label == ["ham"]
    label(client, "s0", "")
    assert decisions(project, "spam")[0].label == []


def test_a_rule_that_knows_only_a_part_is_written_and_shown(client: TestClient, project: Project) -> None:
    """With three classes: "spam or news" by words, "any class but spam" by an expression."""
    assert "It knows only a part" not in client.get("/tasks/spam/assist/form", params=COMMON).text
    file = project.task("spam").folder / "task.yaml"  # type: ignore[operator]
    more = file.read_text().replace("{name: spam}]", "{name: spam}, {name: news}]")
    file.write_text(more.replace("positive: spam\n", ""))
    project.close()
    assert "or news</label>" in client.get("/tasks/spam/assist/form", params=COMMON).text
    for fields in (
        {"kind": "keywords", "words": "channel", "also": ["news"]},
        {"kind": "regex", "pattern": "song", "ruled_out": "true"},
    ):
        draft = client.get("/tasks/spam/assist/draft", params=COMMON | fields)
        assert "of 24 rows" in draft.text
        assert client.post("/tasks/spam/assist/form", data=COMMON | fields).status_code == 303
    rules = read_rules(project.task("spam"))
    assert 'keyword_lf("spam_or_news_channel", ["channel"], {"spam", "news"}, "text")' in rules
    assert 'regex_lf("not_spam_song", "song", not_("spam"), "text")' in rules
    table = client.get("/tasks/spam/rules/table", params={"votes_for": "news"}).text
    assert re.findall(r'class="rules-name">\s*<button[^>]*>([^<]+)<', table) == [
        "spam_or_news_channel",
        "not_spam_song",
    ]
    assert '<span class="badge">spam or news</span>' in table
    bench = client.get("/tasks/spam/rules/rows", params={"bucket": "right", "rule": "not_spam_song"}).text
    assert "not_spam_song → ham or news ✓" in bench
    every = client.post("/tasks/spam/assist/form", data=COMMON | {"words": "x", "also": ["ham", "news"]})
    assert "all classes are chosen" in every.text
