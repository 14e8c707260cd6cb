"""How often `watch` calls something moved where nothing moved, and where something did; on made-up posts.

    python -m benchmarks.watch --seeds 200

Posts are of three classes, each with words and a place among the vectors of its own. An end model is trained
on labels of the rules with a fifth of the rows held out, as `train --test 0.2` does. Shifts: a class doubles;
the word that a rule looks for falls out of use; a twelfth of the posts is about something new.
"""

import argparse
import os
import platform
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

from adaptml.tasks import Task
from adaptml.tasks.vote_codes import VoteCodes
from dataprogramming.votes import Votes
from dataprogramming.watching.served import Served, compare_served
from dataprogramming.watching.statistics import Quantity, judged
from dataprogramming.watching.told_apart import told_apart
from dataprogramming.watching.voted import VoteCounts, compare_votes
from dataprogramming.watching.words import new_words

CLASSES = ("sport", "food", "travel")
PRIOR = (0.5, 0.35, 0.15)
RULES = ("goal", "match", "bread", "taste", "hotel", "beach")  # two of each class, in its order
TOPIC = ("flood", "river", "dyke")
SHARE_OF_TOPIC = 1 / 12
SHIFTS = ("nothing", "a class doubles", "a rule dies", "a new topic")
N_COMMON, DIMENSIONS, WORDS_A_POST = 300, 16, 8
N_OLD, N_NEW = 2_000, 500


@dataclass(frozen=True)
class Posts:
    """n posts.

    Attributes:
        classes: int64 (n,), in {0, 1, 2}.
        texts: n texts.
        vectors: float32 (n, 16).
    """

    classes: npt.NDArray[np.int64]
    texts: list[str]
    vectors: npt.NDArray[np.float32]

    @property
    def votes(self) -> npt.NDArray[np.int8]:
        """What each of six rules says: a rule looks for one word and votes for its class; int8 (n, 6)."""
        words = [set(text.split()) for text in self.texts]
        has = np.array([[rule in found for rule in RULES] for found in words])
        return np.where(has, np.arange(len(RULES)) // 2, -1).astype(np.int8)


def posts(n: int, seed: int, shift: str = "nothing") -> Posts:
    """Draw posts.

    Args:
        n: how many.
        seed: the same seed draws the same posts.
        shift: one of `SHIFTS`.
    """
    rng = np.random.default_rng(seed)
    prior = np.array(PRIOR)
    if shift == "a class doubles":
        prior = np.array([*(prior[:2] * (1 - 2 * prior[2]) / prior[:2].sum()), 2 * prior[2]])
    classes = rng.choice(len(CLASSES), n, p=prior)
    # Like words of a language: the k-th is used 1/k as often as the first.
    rank = 1 / np.arange(1, N_COMMON + 1)
    common = rng.choice(N_COMMON, (n, WORDS_A_POST), p=rank / rank.sum())
    says = rng.random((n, 2)) < (0.5, 0.3)  # each rule's word of the class
    strays = rng.random(n) < 0.1  # a word of another class
    stray = rng.integers(0, len(RULES), n)
    is_new = (rng.random(n) < SHARE_OF_TOPIC) & (shift == "a new topic")
    texts = []
    for i in range(n):
        words = [f"w{k}" for k in common[i]]
        words += [RULES[2 * classes[i] + r] for r in range(2) if says[i, r]] + [RULES[stray[i]]] * int(
            strays[i]
        )
        words += list(TOPIC) if is_new[i] else []
        texts.append(" ".join(w for w in words if not (shift == "a rule dies" and w == RULES[3])))
    places = np.random.default_rng(0).normal(
        size=(len(CLASSES) + 1, DIMENSIONS)
    )  # of classes, and of the topic
    vectors = places[classes] + 2 * places[-1] * is_new[:, None] + rng.normal(size=(n, DIMENSIONS)) * 1.5
    return Posts(classes, texts, vectors.astype(np.float32))


def compared(old: Posts, new: Posts, seed: int) -> list[Quantity]:
    """Everything that one watch compares, judged together."""
    task = Task.model_validate({"classes": list(CLASSES)})
    codes, m = VoteCodes(len(CLASSES)), len(RULES)
    L_old, L_new = old.votes, new.votes
    found = compare_votes(RULES, CLASSES, VoteCounts(m, codes).add(L_old), VoteCounts(m, codes).add(L_new))
    found += compare_served(task, *_predicted(task, old, new, seed))
    words, apart = new_words(old.texts, new.texts, seed), told_apart(old.vectors, new.vectors, seed)
    return judged([*found, *(one.quantity for one in (words, apart) if one is not None)])


def _predicted(task: Task, old: Posts, new: Posts, seed: int) -> tuple[Served, Served]:
    """A model learns majority votes on four fifths of the rows with votes; the others are held out."""
    counts = np.stack([(old.votes == c).sum(axis=1) for c in range(len(CLASSES))], axis=1)
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(counts.any(axis=1)))
    held_out, trained = np.split(rows, [len(rows) // 5])
    model = LogisticRegression(max_iter=500).fit(old.vectors[trained], counts[trained].argmax(axis=1))

    def said(some: Posts, chosen: npt.NDArray[np.int64]) -> Served:
        probs = model.predict_proba(some.vectors[chosen])
        labels = [[CLASSES[c]] for c in probs.argmax(axis=1)]
        frame = pd.DataFrame({"row": chosen, "label": labels, "label_probs": probs.tolist()})
        L = some.votes[chosen]
        votes = Votes(frame, L, tuple(RULES), tuple(CLASSES), task.name, task.setting)
        return Served.of(task, frame, lambda _: votes)

    return said(old, held_out), said(new, np.arange(len(new.texts)))


def main() -> None:
    """Print a line a shift."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    seeds = parser.parse_args().seeds
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{seeds} seeds, {N_OLD} old rows and {N_NEW} new; {platform.machine()}, load {load}")
    for number, shift in enumerate(SHIFTS):
        began, alarms, kinds, n = time.process_time(), 0, Counter[str](), 0
        for seed in range(seeds):
            first = 2 * (number * seeds + seed)
            found = compared(posts(N_OLD, first), posts(N_NEW, first + 1, shift), seed)
            n = len(found)
            alarms += any(q.moved for q in found)
            kinds.update({q.kind.value for q in found if q.moved})
        told = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
        seconds = (time.process_time() - began) / seeds
        print(
            f"{shift:16} moved {alarms:4} of {seeds} ({n} comparisons, {seconds:.2f} CPU-s each)  {told}",
            flush=True,
        )


if __name__ == "__main__":
    main()
