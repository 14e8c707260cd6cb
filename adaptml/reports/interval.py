"""How sure a share is that was counted on few points."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Z_95 = 1.959963984540054  # the normal distribution has 2.5 % above it


def wilson(right: npt.ArrayLike, of: npt.ArrayLike, z: float = Z_95) -> tuple[Floats, Floats]:
    """The Wilson score interval of shares: Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953.

    Unlike the plain normal interval it stays within 0 to 1 and says something at 0 or all right.

    Args:
        right: counts, any shape, 0 … of.
        of: counts of the same shape.
        z: how wide: 1.96 is 95 %.

    Returns:
        low, high: float64 of that shape, in [0, 1]; NaN where `of` is 0.

    >>> low, high = wilson(8, 10)
    >>> f"{low:.3f} to {high:.3f}"
    '0.490 to 0.943'
    """
    counted, n = np.asarray(right, np.float64), np.asarray(of, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = counted / n
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
