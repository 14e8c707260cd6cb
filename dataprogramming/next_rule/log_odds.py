"""Which words set one group of rows apart from another.

The log-odds ratio with an informative Dirichlet prior of Monroe, Colaresi and Quinn (2008), "Fightin' Words:
Lexical Feature Selection and Evaluation for Identifying the Content of Political Conflict", Political
Analysis 16, 372-403, https://doi.org/10.1093/pan/mpn018. What is counted here is rows that hold a word, once
each, for that is what a rule votes on.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
PRIOR_SHARE = 0.1  # the prior counts as so many rows of those that it is taken from


def log_odds(
    one: npt.ArrayLike, n_one: int, other: npt.ArrayLike, n_other: int, every: npt.ArrayLike, n_every: int
) -> tuple[Floats, Floats]:
    """How much rather words are in rows of one group than in those of another, and how sure that is.

    Args:
        one, other: in how many rows of each group w words are, int (w,).
        n_one, n_other: how many rows each group has.
        every: in how many of all rows they are, int (w,), at least 1 and at least what either group has; the
            prior expects the words of both groups to be as frequent as there.
        n_every: how many rows there are.

    Returns:
        The difference of the log-odds, natural logarithm, float64 (w,), above 0 for the first group; and its
        z, the same in standard errors. A word that is in every row gets 0 and 0.

    >>> delta, z = log_odds([4, 1], 10, [1, 1], 10, [5, 2], 20)
    >>> delta.round(2).tolist(), z.round(2).tolist()
    ([1.44, 0.0], [1.52, 0.0])
    """
    y, x, background = (np.asarray(counts, np.float64) for counts in (one, other, every))
    prior_rows = PRIOR_SHARE * n_every
    prior = prior_rows * background / n_every
    told = background < n_every  # else its odds are infinite
    rest_y, rest_x = (np.where(told, n + prior_rows - c - prior, 1.0) for n, c in ((n_one, y), (n_other, x)))
    delta = np.where(told, np.log((y + prior) / rest_y) - np.log((x + prior) / rest_x), 0.0)
    return delta, np.asarray(delta / np.sqrt(1 / (y + prior) + 1 / (x + prior)))
