"""From rules to an answer that hears them: label, train, deploy and predict, with a rule that is code."""

import numpy as np
import pandas as pd

from adaptml.rules.stored_votes import votes_table
from adaptml.tasks.scaffold import new_task
from modelling.voting import COMPUTED, NO_VOTES, STORED

LFS = """
from adaptml import LFParams, keyword_lf, labeling_function
def get_lfs(params: LFParams):
    @labeling_function
    def loud(x):
        return "bad" if x.txt.endswith("!") else None
    return [keyword_lf("praise", ["fine", "good"], "good", "txt"), keyword_lf("moan", ["late", "lost"], "bad", "txt"), loud]
"""
N = 48
TEXTS = [
    ["a fine day {}", "late again {}", "a good trip {}", "lost it, {}!"][i % 4].format(i) for i in range(N)
]


def frame(texts, first=0):
    return pd.DataFrame({"id": [f"p{first + i:02}" for i in range(len(texts))], "txt": texts})


def test_votes_of_code_reach_the_answer_through_the_table(tracking, project):
    new_task(tracking.tasks_dir, "days", ["good", "bad"], "multiclass")
    (tracking.tasks_dir / "days" / "lfs.py").write_text(LFS)
    project.import_table(frame(TEXTS), "posts")
    project.featurize("days", "posts", encoder="hashing")
    gold = project.database.keys("posts").head(32)
    gold["gold_label"] = [["bad" if i % 2 else "good"] for i in range(32)]
    labelled = project.label("days", "posts", gold, label_model="majority_vote", write=True)
    assert votes_table("days") in project.results.tables()
    trained = project.train("days", labelled, gold=gold, strategy="stacked_votes")
    assert trained.model.takes_votes
    project.deploy(trained.model_name)
    project.import_table(frame(["a fine one", "late!"], first=N), "posts")
    project.featurize("days", "posts", encoder="hashing")
    done = project.predict("days", "posts")
    assert done.answered_from == {STORED: N, NO_VOTES: 2}
    said = done.predictions["label"].map(tuple).tolist()
    assert np.mean([one == (("bad",) if i % 2 else ("good",)) for i, one in enumerate(said[:N])]) > 0.9
    project.label("days", "posts", gold, label_model="majority_vote", write=True)
    assert project.predict("days", "posts").answered_from == {STORED: N + 2, NO_VOTES: 0}
    assert COMPUTED not in done.answered_from
