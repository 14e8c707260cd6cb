"""A model that takes votes answers from computed ones, stored ones or none, and says which."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from answer_bytes import answered, compare
from pool_here import PoolHere
from served import Registry, animals
from sklearn.linear_model import LogisticRegression

from adaptml.errors import ModelError
from adaptml.label_scoring import FittedModel, argmax, softmax
from adaptml.rules.core import KeywordRule, RegexRule
from adaptml.rules.of_model import ModelRules, VotingRule
from adaptml.rules.stored_votes import write_votes
from adaptml.tasks import MULTICLASS, Task
from modelling import explain, voting
from modelling.algorithms import EndModel
from modelling.app.model_cache import Served, ServedModel
from modelling.app.openapi import response_schema
from modelling.app.status import listing
from modelling.champion import Champion, load_champion
from modelling.export import export_model
from modelling.keyed import load_keyed_model
from modelling.model_folder import load_model_folder
from modelling.predict import predict
from modelling.reading_one import votes_on_texts
from modelling.registration import model_to_log
from modelling.word_weights import linear_score

TASK = Task(name="pets", classes=["cat", "dog"])
NAMES = ("meow", "bark")
MEOW = KeywordRule(name="meow", label="cat", column="text", keywords=frozenset(["meow"]))
BARK = RegexRule(name="bark", label="dog", column="text", pattern=r"\bbark")
AROUND = RegexRule(name="bark", label="dog", column="text", pattern=r"\b(?=bark)")
# The column x of the table holds the log-odds of cat; a vote of a rule adds 2 to it, or takes 2 from it.
ROWS = {
    "a": (1.0, "Meow!"), "b": (0.0, "it barks"), "c": (-1.0, "meow, bark"), "d": (0.5, None), "e": (0.25, "hello"),
}  # fmt: skip
COMPUTED, STORED, NO_VOTES = voting.WAYS


def label_model():
    table = np.zeros((2, 3, 2))
    table[0, 1], table[1, 2] = [1, -1], [-1, 1]
    return FittedModel("by hand", softmax, argmax, np.array([0.5, 0.5]), table, np.full(2, 0.5), np.ones(2))


def taking_votes():
    """log-odds of cat = x + log P(cat) - log P(dog) of the label model."""
    classifier = LogisticRegression()
    classifier.classes_, classifier.n_features_in_ = np.array([0, 1]), 3
    classifier.coef_, classifier.intercept_ = np.array([[-1.0, -1.0, 1.0]]), np.zeros(1)
    model = EndModel("logistic_regression", MULTICLASS, vote_scale=1.0)
    model.k_, model.parts_ = 2, (classifier,)
    return model


def rules(*, bark=BARK, column="text"):
    votes = (VotingRule(name="meow", vote=0, rule=MEOW), VotingRule(name="bark", vote=1, rule=bark))
    return ModelRules(task="pets", lfs="abc", classes=("cat", "dog"), columns={"text": column}, rules=votes)


@pytest.fixture
def pets(project):
    types = {"id": sa.Text(), "x": sa.Double(), "text": sa.Text()}
    project.database.create_table("pets", types)
    frame = pd.DataFrame([(key, *cells) for key, cells in ROWS.items()], columns=["id", "x", "text"])
    project.database.upsert("pets", frame, ["id"])
    return project


def keys(*ids):
    return pd.DataFrame({"table_name": "pets", "id": list(ids)})


FLIPPED = animals(flip=True)


def made(folder, rules, without=FLIPPED, model=None):
    return model_to_log(
        TASK, model or taking_votes(), ["x"], 1, keys("a"), folder,
        without_votes=without, label_model=(label_model(), NAMES), rules=rules,
    )  # fmt: skip


def loaded(project, *args, **options):
    folder = project.settings.home / "model"
    folder.mkdir(exist_ok=True, parents=True)
    files = made(folder, *args, **options).files
    model = load_keyed_model(files["classifier"], files["names"], project.points)
    return Champion("multiclass_pets", "1", None, model.class_names, {}, model, ways=model.ways)


def log_odds(answer):
    return [round(math.log(p / (1 - p)), 4) for p in answer["prob_cat"]]


def test_rules_that_are_data_are_applied(pets):
    champion = loaded(pets, rules())
    ids = ["a", "b", "c", "d", "e", "a"]
    answer = champion.predict(["pets"] * 6, ids)
    assert champion.ways == (COMPUTED, STORED, NO_VOTES)
    assert answer["answered_from"] == [COMPUTED] * 6
    assert log_odds(answer) == [3, -2, -1, 0.5, 0.25, 3]
    assert list(answer) == ["table_name", "id", "cat", "dog", "prob_cat", "prob_dog", "answered_from"]


def test_other_votes_are_stored_ones_and_a_point_without_any_is_answered_from_its_features(
    pets,
):
    """The model without votes is `animals` turned round: log-odds of cat = -x."""
    points, of_code = pets.points, rules(bark=AROUND)
    champion = loaded(pets, of_code)
    assert champion.ways == (STORED, NO_VOTES)
    answer = champion.predict(["pets"] * 2, ["a", "b"])
    assert (answer["answered_from"], log_odds(answer)) == ([NO_VOTES] * 2, [-1, 0])
    votes = np.array([[0, -1], [-1, 1], [0, 1]], np.int8)
    assert write_votes(points, of_code, keys("a", "b", "c"), votes, "run") == 3
    answer = champion.predict(["pets"] * 4, ["b", "d", "a", "b"])
    assert answer["answered_from"] == [STORED, NO_VOTES, STORED, STORED]
    assert log_odds(answer) == [-2, -0.5, 3, -2]


def test_votes_that_are_old_or_of_other_rules_are_not_used(pets):
    points, of_code = pets.points, rules(bark=AROUND)
    champion = loaded(pets, of_code)
    votes = np.array([[0, -1], [-1, 1]], np.int8)
    assert write_votes(points, of_code.model_copy(update={"lfs": "other"}), keys("a", "b"), votes, "run") == 2
    assert champion.predict(["pets"], ["a"])["answered_from"] == [NO_VOTES]
    write_votes(points, of_code, keys("a", "b"), votes, "run")
    changed = pd.DataFrame({"id": ["a"], "x": [1.0], "text": ["meow, meow"]})
    pets.database.upsert("pets", changed, ["id"])
    assert champion.predict(["pets"] * 2, ["a", "b"])["answered_from"] == [NO_VOTES, STORED]


def test_a_table_without_what_the_rules_look_at_is_answered_from_features(pets):
    champion = loaded(pets, rules(column="caption"))
    assert champion.predict(["pets"], ["a"])["answered_from"] == [NO_VOTES]
    champion = loaded(pets, None, without=None)
    answer = champion.predict(["pets"], ["a"])
    assert (champion.ways, answer["answered_from"], log_odds(answer)) == ((STORED, NO_VOTES), [NO_VOTES], [0])


def test_a_model_without_votes_answers_as_before(pets):
    folder = pets.settings.home
    files = model_to_log(TASK, animals(), ["x"], 1, keys("a"), folder).files
    assert {*files} == {"classifier", "names"}
    model = load_keyed_model(files["classifier"], files["names"], pets.points)
    champion = Champion("multiclass_pets", "1", None, model.class_names, {}, model, ways=model.ways)
    assert list(champion.predict(["pets"], ["a"])) == [
        "table_name",
        "id",
        "cat",
        "dog",
        "prob_cat",
        "prob_dog",
    ]


def test_the_label_model_itself_can_be_served(pets):
    model = EndModel.of_votes(MULTICLASS, np.full(2, 0.5))
    champion = loaded(pets, rules(), without=None, model=model)
    assert log_odds(champion.predict(["pets"] * 3, ["a", "b", "e"])) == [2, -2, 0]


def test_the_description_and_the_list_of_models_name_the_ways(pets):
    champion = loaded(pets, rules(bark=AROUND))
    schema = response_schema(champion).model_json_schema()
    assert schema["properties"]["answered_from"]["items"]["enum"] == [STORED, NO_VOTES]
    served = Served({champion.name: ServedModel(champion.name, "1", 0, champion, None, 0.0)})
    assert listing(served).models[0].answered_from == [STORED, NO_VOTES]
    plain = replace(champion, ways=())
    assert "answered_from" not in response_schema(plain).model_json_schema()["properties"]


WITHOUT_RULES = """
import sys
sys.modules |= dict.fromkeys(["snorkel", "dataprogramming", "labelstudio"])  # their import fails
from pathlib import Path
from adaptml.project import Project
from modelling.model_folder import load_model_folder
from modelling.predict import predict
project = Project(sys.argv[1])
print(load_model_folder(Path(sys.argv[2]), project.points).predict(["pets"] * 2, ["a", "b"])["answered_from"])
"""


def test_a_batch_says_where_votes_came_from_and_stores_those_that_it_computed(pets, monkeypatch):
    registry = Registry(pets)
    registry.promote(
        "multiclass_pets", registry.register("multiclass_pets", lambda folder: made(folder, rules()))
    )
    done = predict(pets, TASK, "pets", write=True)
    assert (done.answered_from, done.new_rows) == ({COMPUTED: 5, STORED: 0, NO_VOTES: 0}, 5)
    frame = done.predictions.set_index("id")
    assert frame["answered_from"].tolist() == [COMPUTED] * 5
    assert frame.loc["b", "label"] == ["dog"]
    votes, there = voting.read_votes(pets.points, rules(), "pets", ["a", "b", "c", "d"])
    assert (votes.tolist(), there.all()) == ([[0, -1], [-1, 1], [0, 1], [-1, -1]], True)
    with pets.results.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM pets_votes")
    monkeypatch.setattr("modelling.predict.open_pool", lambda *_: PoolHere(pets))
    shared = predict(pets, TASK, "pets", write=True, workers=2)  # workers store them likewise
    assert (shared.answered_from, shared.new_rows) == (done.answered_from, 0)
    stored = voting.read_votes(pets.points, rules(), "pets", ["a", "b", "c", "d"])
    assert (stored[0].tolist(), stored[1].all()) == (votes.tolist(), True)


def test_an_exported_model_takes_its_votes_along(pets, tmp_path):
    """And is served where neither the rules' room nor the tasks are."""
    version = Registry(pets).register("multiclass_pets", lambda folder: made(folder, rules()))
    before = load_champion(pets.runs.client, pets.points, "multiclass_pets", version)
    folder = export_model(pets, "multiclass_pets", tmp_path / "pets", version=version).folder
    card = json.loads((folder / "model.json").read_text())
    assert (card["format"], card["answered_from"]) == (2, [COMPUTED, STORED, NO_VOTES])
    assert {*card["files"]} == {"classifier.skops", "names.json", *voting.FILES}
    readme = (folder / "README.md").read_text()
    assert (
        "| answers from | votes of its rules, which the service computes of text; else votes that" in readme
    )
    ids = ["a", "b", "c"]
    after = load_model_folder(folder, pets.points).predict(["pets"] * 3, ids)
    assert after == before.predict(["pets"] * 3, ids)
    command = [sys.executable, "-c", WITHOUT_RULES, str(pets.settings.root), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"{[COMPUTED] * 2}\n", done.stderr
    (folder / "rules.json").write_text(rules().model_dump_json().replace('["meow"]', '["mew"]'))
    with pytest.raises(ModelError, match=r"rules\.json was changed"):
        load_model_folder(folder, pets.points)
    card["files"] = {name: card["files"][name] for name in ("classifier.skops", "names.json")}
    (folder / "model.json").write_text(json.dumps(card))
    with pytest.raises(
        ModelError, match=r"does not name label_model\.npz, rules\.json, without_votes\.skops, of which"
    ):
        load_model_folder(folder, pets.points)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "rules.json").unlink(), r"rules\.json does not hold the rules of a model"),
        (
            lambda folder: (folder / "label_model.npz").write_bytes(b"PK"),
            "is no label model that can be read",
        ),
        (lambda folder: zeros(folder / "label_model.npz"), "would unpack to"),
        (lambda folder: other(folder, balance=np.array([2.0, -1.0])), "is no label model that can be read"),
        (lambda folder: other(folder, table=np.zeros((3, 3, 2))), "do not fit together"),
        (lambda folder: other(folder, names=["meow", "moo"]), "are not of the end model beside them"),
        (lambda folder: taking_votes().save(folder / "without_votes.skops"), "takes votes too"),
        (lambda folder: (folder / "without_votes.skops").unlink(), "without_votes.skops"),
    ],
)
def test_files_of_something_else_are_refused(pets, tmp_path, damage, said):
    voting.write_voting(label_model(), rules(), animals(), tmp_path)
    damage(tmp_path)
    with pytest.raises(ModelError, match=said):
        voting.Voting.load(tmp_path, taking_votes(), pets.points)


def zeros(path):
    np.savez_compressed(path, table=np.zeros((100, 100, 100)))


def other(folder, names=NAMES, **changes):
    from adaptml.label_scoring import save_model

    save_model(replace(label_model(), **changes), ["cat", "dog"], list(names), folder / "label_model.npz")


def test_what_rules_say_is_a_part_of_the_sum_that_is_shown(pets):
    """log-odds of cat = x + log P(cat) - log P(dog): 1 and 2 where only `meow` votes."""
    model = loaded(pets, rules()).model
    point, voted = explain._point(pets, model, ("pets", "a"))
    asked, read = explain._asked(model, point, voted)
    probs = explain._probabilities(model, point, voted)
    assert [(str(block.feature), block.numbers.shape) for block in read.blocks] == [
        ("x", (1,)),
        ("what the rules say", (2,)),
    ]
    score = linear_score(asked, 0, probs, np.concatenate([block.numbers for block in read.blocks]))
    parts = [score.weights[:1] @ read.blocks[0].numbers, score.weights[1:] @ read.blocks[1].numbers]
    assert parts == [pytest.approx(1), pytest.approx(2, abs=1e-5)]
    assert math.log(probs[0] / probs[1]) == pytest.approx(3, abs=1e-5)
    assert model.voting.rules.said(voted.votes[0]) == {"meow": "cat"}
    point, voted = explain._point(pets, loaded(pets, rules(bark=AROUND)).model, ("pets", "a"))
    assert voted.ways.tolist() == [NO_VOTES]


def test_rules_that_look_at_text_are_applied_to_any_text(pets):
    model = loaded(pets, rules()).model
    voted = votes_on_texts(model.voting, {"text": "Bark! Meow"}, None)
    assert (voted.votes.tolist(), voted.ways.tolist()) == ([[0, 1]], [COMPUTED])
    assert votes_on_texts(model.voting, {"caption": "Bark!"}, None).ways.tolist() == [NO_VOTES]


def test_the_bytes_of_an_answer_from_computed_votes(pets):
    compare(
        answered(loaded(pets, rules()), "pets", ["b", "a", "b"]),
        '{"table_name":["pets","pets","pets"],"id":["b","a","b"],"cat":[0,1,0],"dog":[1,0,1],'
        '"prob_cat":[],"prob_dog":[],"answered_from":["computed votes","computed votes","computed votes"]}',
        [[0.1192029, 0.9525741, 0.1192029], [0.8807971, 0.0474259, 0.8807971]],  # 1 / (1 + e^-z), z = -2, 3
    )


def test_the_bytes_of_an_answer_without_votes(pets):
    compare(
        answered(loaded(pets, None, without=animals()), "pets", ["b", "a"]),
        '{"table_name":["pets","pets"],"id":["b","a"],"cat":[1,1],"dog":[0,0],'
        '"prob_cat":[],"prob_dog":[],"answered_from":["no votes","no votes"]}',
        [[0.5, 0.7310586], [0.5, 0.2689414]],
    )
