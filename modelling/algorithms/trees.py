"""Decision trees from a file: scikit-learn's compiled code follows their numbers without checking them.

A node that names a child or a column that is not there makes it read beyond its memory, and a child that
comes before its parent makes it go round for ever. In a tree that scikit-learn grew, it comes after.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.errors import ModelError

Ints = npt.NDArray[np.int64]
# Their trees take the rows that they hand on as they are.
_FORESTS = ("sklearn.ensemble._forest", "sklearn.ensemble._gb")


def check_trees(content: Any, path: Path) -> None:
    """Refuse trees that cannot be followed.

    Args:
        content: what a file holds: dictionaries, lists, tuples, arrays and objects with attributes.
        path: the file, for messages.

    Raises:
        ModelError: a node whose children or whose column are not there.
    """
    for found in _objects(content):
        has = vars(found) if hasattr(found, "__dict__") else {}
        if not {"tree_", "_predictors", "estimators_"} & has.keys():
            continue
        try:
            sound = _is_sound(found, has)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):  # not what its class has there
            sound = False
        if not sound:
            raise ModelError(
                f"{path} holds a {type(found).__name__} that names columns or nodes which are not there: "
                "it is damaged, or made to do harm; train the model again"
            )


def _objects(content: Any) -> Iterator[Any]:
    """Each object in what a file holds, once."""
    seen: set[int] = set()
    left = [content]
    while left:
        found = left.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        if isinstance(found, dict):
            left += found.values()
        elif isinstance(found, list | tuple | set):
            left += found
        elif isinstance(found, np.ndarray):
            left += found.ravel().tolist() if found.dtype == object else []
        else:
            left += getattr(found, "__dict__", {}).values()


def _is_sound(found: Any, has: dict[str, Any]) -> bool:
    """Whether the trees of one estimator can be followed on rows as wide as it takes."""
    if "tree_" in has:
        return _is_tree(has["tree_"], has["n_features_in_"])
    if "_predictors" in has:
        wide, of_columns = has["n_features_in_"], len(has["_bin_mapper"].is_categorical_)
        trees = [tree for trees in has["_predictors"] for tree in trees]
        return of_columns == wide and all(_is_predictor(tree, wide) for tree in trees)
    if not type(found).__module__.startswith(_FORESTS):
        return True  # its parts look at the rows themselves
    trees = np.ravel(np.array(has["estimators_"], dtype=object)).tolist()
    boosted = has.get("n_trees_per_iteration_")
    if boosted is not None and np.shape(has["estimators_"])[1:] != (boosted,):
        return False
    return all(tree.n_features_in_ == has["n_features_in_"] for tree in trees)


def _is_tree(tree: Any, wide: int) -> bool:
    """A tree of forests and of gradient boosting: -1 for both children of a leaf."""
    nodes = tree.__getstate__()["nodes"]
    leaf = nodes["left_child"] == -1
    inner = nodes[~leaf]
    children = np.stack([inner["left_child"], inner["right_child"]])
    return bool(
        tree.n_features == wide
        and tree.node_count == len(nodes)
        and _are_after(children, np.flatnonzero(~leaf), len(nodes))
        and _are_within(inner["feature"], wide)
    )


def _is_predictor(tree: Any, wide: int) -> bool:
    """A tree of histogram gradient boosting, whose leaves say so."""
    nodes, sets = tree.nodes, tree.raw_left_cat_bitsets
    inner = nodes[nodes["is_leaf"] == 0]
    children = np.stack([inner["left"], inner["right"]]).astype(np.int64)
    by_category = inner[inner["is_categorical"] != 0]
    return bool(
        _are_after(children, np.flatnonzero(nodes["is_leaf"] == 0), len(nodes))
        and _are_within(inner["feature_idx"], wide)
        and sets.shape[1:] == (8,)
        and _are_within(by_category["bitset_idx"], len(sets))
    )


def _are_after(children: Ints, parents: Ints, n: int) -> bool:
    """Whether the children (2, p) of p nodes come after them and are among n nodes, of which there is one."""
    return n > 0 and bool(((children > parents) & (children < n)).all())


def _are_within(numbers: npt.NDArray[np.integer[Any]], n: int) -> bool:
    return bool(((numbers >= 0) & (numbers < n)).all())
