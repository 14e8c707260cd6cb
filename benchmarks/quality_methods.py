"""The methods that are compared: what each says of the rows that judge, and how long it took.

All but the two that are no part of ADaPT-ML are steps of it, as a user would call them.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import AdaptmlError, ModelError, one_line
from adaptml.frames import KEYS
from adaptml.label_scoring import load_model
from adaptml.labelled import GOLD_LABEL, LABEL
from adaptml.tasks import Task, indicator
from adaptml.tasks.metrics import Outcome, constant
from benchmarks.quality_sets import DataSet

CONSTANT = "most frequent class"
MAJORITY = "majority vote"
SNORKEL = "Snorkel's LabelModel"
LABEL_MODEL = "label model"
TFIDF = "majority vote → logistic regression on tf-idf"
GOLD_ALONE, WEAK, BOTH = "gold alone", "weak", "both"
STRATEGIES = {GOLD_ALONE: "gold", WEAK: "weak", BOTH: "auto"}
METHODS = (CONSTANT, MAJORITY, SNORKEL, LABEL_MODEL, TFIDF, *STRATEGIES)
SNORKEL_EPOCHS = 1000


@dataclass(frozen=True)
class Line:
    """What one method said.

    Attributes:
        method: one of METHODS.
        said: of the rows that judge.
        seconds: wall time of its steps; the end models' is without `label`.
        remark: what was chosen.
    """

    method: str
    said: Outcome
    seconds: float
    remark: str = ""


@dataclass
class Methods:
    """All methods on one data set, one after the other; what one made, the next ones use.

    Attributes:
        data: the data set.
        seed: of all random choices.
        skipped: methods that do not apply here, and why.
        majority_run: the run of `label` by majority vote, once it is there.
        run_id: the last run of `label`; end models learn from it.
        stored: whether the votes on the rows that judge are in the database.
    """

    data: DataSet
    seed: int
    skipped: dict[str, str] = field(default_factory=dict)
    majority_run: str = ""
    run_id: str = ""
    stored: bool = False

    def lines(self) -> Iterator[Line]:
        """The methods that apply here and do not fail, in the order of METHODS."""
        majority = "majority_vote" if self._task.problem.exclusive else "union"
        yield from self.line(CONSTANT, self.constant)
        yield from self.line(MAJORITY, lambda: self.label_model(majority))
        self.majority_run = self.run_id
        if not self._task.problem.exclusive:
            self.skipped[SNORKEL] = "it gives a point exactly one class"
        elif find_spec("torch") is None:
            self.skipped[SNORKEL] = "it needs PyTorch, which is not installed"
        else:
            yield from self.line(SNORKEL, self.snorkel)
        yield from self.line(LABEL_MODEL, lambda: self.label_model(None))
        yield from self.line(TFIDF, self.tfidf)
        for method, strategy in STRATEGIES.items():
            yield from self.line(method, partial(self.end_model, strategy))

    def line(self, method: str, answer: Callable[[], tuple[Outcome, str]]) -> list[Line]:
        """What one method says; nothing where it cannot be used here, which `skipped` then explains."""
        start = time.perf_counter()
        try:
            said, remark = answer()
        except AdaptmlError as error:
            self.skipped[method] = one_line(error)
            return []
        return [Line(method, said, time.perf_counter() - start, remark)]

    @property
    def _task(self) -> Task:
        return self.data.task

    def _flags(self, labels: pd.Series) -> npt.NDArray[np.int8]:
        return indicator([*labels], self._task.class_names)

    def constant(self) -> tuple[Outcome, str]:
        """Each class with its share of gold, whatever the point."""
        Y = self._flags(self.data.gold[GOLD_LABEL])
        said = constant(self._task.problem, Y, len(self.data.judged))
        return said, self._task.class_names[int(said.probs[0].argmax())]

    def label_model(self, name: str | None) -> tuple[Outcome, str]:
        """A label model of that name, the one that `label` chooses for None, as it scores votes."""
        data = self.data
        labelled = data.project.label(
            self._task, data.train, data.gold, label_model=name, config={"seed": self.seed}, texts=False
        )
        self.run_id = labelled.run_id
        with tempfile.TemporaryDirectory() as folder:
            path = data.project.runs.artifact(labelled.run_id, "label_model.npz", Path(folder))
            model, _, _ = load_model(path)
        probs = model.predict_proba(self._votes(data.judged))
        return Outcome(probs, model.decide(probs)), labelled.chosen

    def _votes(self, points: str | pd.DataFrame) -> npt.NDArray[np.int8]:
        keys = points if isinstance(points, str) else points[KEYS]
        return self.data.project.apply_lfs(self._task, keys, gold=None).L

    def snorkel(self) -> tuple[Outcome, str]:
        """Snorkel's own class, told the class balance of gold; it is no part of ADaPT-ML's steps."""
        import torch
        from snorkel.labeling.model import LabelModel

        torch.set_num_threads(
            1
        )  # its matrices are small: on a busy machine, more threads wait for each other
        Y = self._flags(self.data.gold[GOLD_LABEL])
        model = LabelModel(cardinality=Y.shape[1], verbose=False)
        model.fit(
            self._votes(self.data.train).astype(int),
            class_balance=self._task.problem.class_prior(Y, Y.shape[1]).tolist(),
            n_epochs=SNORKEL_EPOCHS,
            seed=self.seed,
            progress_bar=False,
        )
        probs = model.predict_proba(self._votes(self.data.judged).astype(int))
        return Outcome(probs, self._task.problem.decide(probs)), f"{SNORKEL_EPOCHS} epochs"

    def tfidf(self) -> tuple[Outcome, str]:
        """What a person without ADaPT-ML would try first: scikit-learn on what most rules say."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.pipeline import make_pipeline

        if not self.data.texts:
            raise ModelError("the rows hold numbers and no text")
        frame = self._training_data(self.majority_run)
        Y, one = self._flags(frame[LABEL]), LogisticRegression(max_iter=1000)
        if not (np.ptp(Y, axis=0) > 0).any():
            raise ModelError("the votes name the same for every row, and a classifier needs two classes")
        targets = Y.argmax(axis=1) if self._task.problem.exclusive else Y
        classifier = one if self._task.problem.exclusive else OneVsRestClassifier(one)
        made = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), classifier)
        made.fit(self._texts(frame), targets)
        probs = np.zeros((len(self.data.judged), Y.shape[1]))
        known = made.classes_ if self._task.problem.exclusive else np.arange(Y.shape[1])
        probs[:, known] = made.predict_proba(self._texts(self.data.judged))
        return Outcome(probs, self._task.problem.decide(probs)), f"{len(frame)} rows"

    def _training_data(self, run_id: str) -> pd.DataFrame:
        from adaptml.data import read_labels
        from adaptml.runs.artifacts import TRAINING_DATA

        return read_labels(self.data.project, run_id, TRAINING_DATA)

    def _texts(self, points: pd.DataFrame) -> list[str]:
        read = self.data.project.database.read(points[KEYS].reset_index(drop=True), [*self.data.texts])
        return ["\n".join(map(str, cells)) for cells in read[[*self.data.texts]].itertuples(index=False)]

    def end_model(self, strategy: str) -> tuple[Outcome, str]:
        """An end model as `train` makes it and `predict` asks it."""
        data = self.data
        trained = data.project.train(
            self._task, self.run_id, gold=data.gold, strategy=strategy, seed=self.seed, texts=False
        )
        data.project.deploy(trained.model_name, trained.version)
        self.store_votes()
        said = data.project.predict(self._task, data.judged[KEYS])
        probs = np.array(said.predictions["label_probs"].tolist())
        heard = ", ".join(f"{way} {n}" for way, n in said.answered_from.items() if n)
        remark = trained.strategy.partition(":")[0] + (f" ({heard})" if heard else "")
        return Outcome(probs, self._flags(said.predictions[LABEL])), remark

    def store_votes(self) -> None:
        """What rules say of the rows that judge, where a model that takes votes looks: in `<task>_votes`."""
        if not self.stored:
            simplest = "majority_vote" if self._task.problem.exclusive else "union"
            self.data.project.label(
                self._task, self.data.judged[KEYS], label_model=simplest, write=True, texts=False
            )
            self.stored = True
