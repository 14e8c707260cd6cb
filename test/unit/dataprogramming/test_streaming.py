"""`label` reads, votes and writes some rows at a time: the same as all at once, and in bounded memory."""

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adaptml.data import read_gold
from adaptml.errors import FileError
from adaptml.fold_probs import read_fold_probs
from adaptml.frames import KEYS, read_frame, rows_of_keys
from adaptml.project import Project
from dataprogramming.defaults import label_settings
from dataprogramming.label import _labelled
from dataprogramming.label_models.overlaps import overlaps
from dataprogramming.labelling import Labelling
from dataprogramming.recording import write_all
from dataprogramming.voter import Voter
from dataprogramming.votes import Votes

ROWS = 300
WORDS = ["purr", "hiss", "bark", "the", "a"]
SMALL = {
    "adaptml.database.chunks.FIRST_ROWS": 23,
    "adaptml.database.chunks.GROWTH": 1,
    "adaptml.fold_probs.CHUNK_ROWS": 31,
    "adaptml.frames.LOOKED_UP_ROWS": 37,
    "adaptml.frames.WRITTEN_ROWS": 5,
    "dataprogramming.artifacts.CHUNK_ROWS": 41,
    "dataprogramming.kept_votes.SEGMENT_ROWS": 43,
    "dataprogramming.label_models.overlaps.BATCH_ROWS": 3,
    "dataprogramming.lf_table.BATCH_ROWS": 2,
    "dataprogramming.patterns.BATCH_ROWS": 11,
    "dataprogramming.vote_store.SEGMENT_ROWS": 43,
    "dataprogramming.votes.CHUNK_ROWS": 47,
}


@pytest.fixture
def many(pets: Project) -> Project:
    """The project `pets` with 300 posts of words drawn at random; the first words of 60 of them are gold."""
    rng = np.random.default_rng(0)
    tokens = [[WORDS[i] for i in rng.integers(0, len(WORDS), rng.integers(0, 4))] for _ in range(ROWS)]
    ids = [f"r{i:03d}" for i in range(ROWS)]
    frame = pd.DataFrame({"id": ids, "txt": "text", "tokens": tokens})
    pets.database.upsert("posts", frame, ["id"])
    return pets


def found(project: Project, folder: Path) -> Labelling:
    """What `label` finds, and its files, without a run."""
    task = project.task("pets")
    keys = pd.DataFrame({"table_name": "posts", "id": [f"r{i:03d}" for i in range(0, ROWS, 4)]})
    gold = keys.assign(gold_label=[["cat"] if i % 3 else ["dog"] for i in range(len(keys))])
    settings = label_settings(task, None, None, None)
    voter = Voter(project, task, settings.lfs.given, fresh=True)
    made = _labelled(voter, "posts", read_gold(project, gold, task), settings)
    folder.mkdir()
    write_all(made, folder, texts=True, seed=0)
    return made


def test_in_many_small_pieces_as_in_one(many: Project, tmp_path: Path) -> None:
    once = found(many, tmp_path / "once")
    with pytest.MonkeyPatch.context() as patched:
        for name, rows in SMALL.items():
            patched.setattr(name, rows)
        piecewise = found(many, tmp_path / "piecewise")
    assert piecewise.votes.L.tolist() == once.votes.L.tolist()
    pd.testing.assert_frame_equal(piecewise.votes.keys, once.votes.keys)
    pd.testing.assert_frame_equal(piecewise.training_data(), once.training_data())
    left, right = overlaps(piecewise.votes.L, 2), overlaps(once.votes.patterns, 2)
    assert (left.O.toarray() == right.O.toarray()).all()
    compared = {
        path.relative_to(tmp_path / "once") for path in (tmp_path / "once").rglob("*") if path.is_file()
    }
    assert len(compared) > 10
    for name in compared:
        _same(tmp_path / "once" / name, tmp_path / "piecewise" / name)


def _same(left: Path, right: Path) -> None:
    """Row groups may differ, and nothing else."""
    if left.suffix == ".parquet":
        one, other = pq.read_table(left), pq.read_table(right)
        assert one.equals(other, check_metadata=True), left.name
    else:
        assert left.read_bytes() == right.read_bytes(), left.name


def test_training_data_are_the_labels_of_each_point(many: Project, tmp_path: Path) -> None:
    made = found(many, tmp_path / "files")
    L = made.votes.L
    rows = np.flatnonzero((L >= 0).any(axis=1))
    probs = made.selection.model.predict_proba(L[rows])
    frame = read_frame(tmp_path / "files" / "training_data.parquet")
    assert frame["id"].tolist() == made.votes.keys["id"].iloc[rows].tolist()
    assert np.array_equal(np.stack(frame["label_probs"].tolist()), probs)
    names = np.array(["cat", "dog"])[made.selection.model.decide(probs).argmax(axis=1)]
    assert [*map(list, frame["label"])] == [[name] for name in names]
    kept = Votes.load(tmp_path / "files" / "votes.parquet")
    assert kept.L.tolist() == L.tolist()
    probs_of = read_fold_probs(tmp_path / "files" / "fold_probs.parquet")
    model = made.selection.models[made.selection.chosen]
    said = probs_of.says(made.selection.chosen, np.arange(len(L)))
    assert np.array_equal(said.probs, model.predict_proba(L).astype(np.float32).astype(np.float64))


def test_ids_have_no_dictionary_and_what_repeats_has_one(many: Project, tmp_path: Path) -> None:
    found(many, tmp_path / "files")
    for name in ("votes", "training_data", "fold_probs"):
        group = pq.ParquetFile(tmp_path / "files" / f"{name}.parquet").metadata.row_group(0)
        columns = [group.column(i) for i in range(group.num_columns)]
        plain = [c.path_in_schema for c in columns if not c.has_dictionary_page]
        assert set(plain) <= {"id", "voted"}, name  # true and false are bits already
        assert "id" in plain


def test_probabilities_by_folds_of_before_had_them_in_every_row(many: Project, tmp_path: Path) -> None:
    found(many, tmp_path / "files")
    path = tmp_path / "files" / "fold_probs.parquet"
    now, table = read_fold_probs(path), pq.read_table(path)
    first = table["first"].to_numpy()
    every = [c if c in (*KEYS, "fold", "voted") else None for c in table.column_names]
    columns = {
        name: table[name] if kept else table[name].take(pa.array(first))
        for name, kept in zip(table.column_names, every, strict=True)
        if name != "first"
    }
    old = tmp_path / "old.parquet"
    pq.write_table(pa.table(columns).replace_schema_metadata(table.schema.metadata), old)
    before, rows = read_fold_probs(old), np.arange(len(first))
    for name in now.label_models:
        for fold in (None, 0, 4):
            assert np.array_equal(before.says(name, rows, fold).probs, now.says(name, rows, fold).probs)


def test_rows_of_keys_of_several_tables() -> None:
    among = pd.DataFrame({"table_name": ["a", "b", "a", "b"], "id": ["1", "1", "2", "3"]})
    keys = pd.DataFrame({"table_name": ["b", "a", "b", "c", "a", "b"], "id": ["3", "1", "2", "1", "2", "1"]})
    assert rows_of_keys(among, keys).tolist() == [3, 0, -1, -1, 2, 1]


@pytest.mark.parametrize("n_bytes", [100, 3000])
def test_a_full_disk_is_told_in_one_line_and_leaves_no_half_file(
    many: Project, tmp_path: Path, n_bytes: int
) -> None:
    made = found(many, tmp_path / "files")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        with pytest.raises(FileError, match=r"votes\.parquet cannot be written: .*File too large") as refused:
            made.votes.save(tmp_path / "full" / "votes.parquet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "\n" not in str(refused.value)
    assert list((tmp_path / "full").iterdir()) == []


MEASURED = """
import re, sqlite3, sys
from pathlib import Path
from adaptml import Project
from dataprogramming.voter import Voter

def peak_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1000

with Project(".") as project:
    task, path = project.task("pets"), project.database.engine.url.database
    Voter(project, task, {}).votes("posts")
    connection = sqlite3.connect(path)
    cells = '["' + '", "'.join(["word"] * 60 + ["purr"]) + '"]'
    lines = ((f"{i:07d}", "text " * 60, cells) for i in range(100_000))
    connection.executemany("INSERT INTO posts (id, txt, tokens) VALUES (?, ?, ?)", lines)
    connection.commit()
    connection.close()
    before = peak_mb()
    votes = Voter(project, task, {}).votes("posts")
    print(len(votes), peak_mb() - before)
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="the most memory that a process had is read as Linux says it"
)
def test_rows_are_forgotten_once_they_are_voted_on(pets: Project) -> None:
    """100,000 rows of 900 bytes: those of a chunk take 100 MB of memory in all their forms, all 400 MB."""
    (pets.settings.tasks_dir / "pets" / "lfs.py").write_text(
        "from dataprogramming.lfs import keyword_lf\n"
        "def get_lfs(params):\n"
        "    return [keyword_lf('cats', ['purr', 'hiss'], 'cat', 'tokens')]\n"
    )
    done: Any = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=False)
    assert not done.stderr
    n, grown_mb = done.stdout.split()
    assert int(n) == 100_006
    assert float(grown_mb) < 200
