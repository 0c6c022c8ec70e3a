"""The one place where statistical inputs are checked.

Every function of the package calls these and then computes without looking back. A
refusal is a `ValueError` that says what was wrong, what was found and what is expected.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "as_groups",
    "as_labels",
    "as_probabilities",
    "as_values",
    "as_weights",
    "check_confidence_level",
    "check_count",
    "check_same_length",
]

_MAX_INT32 = int(np.iinfo(np.int32).max)


def as_values(values: ArrayLike, name: str = "values") -> NDArray[np.float64]:
    """Return finite numbers as a one-dimensional float array.

    Parameters
    ----------
    values
        Numbers, shape (n,), n ≥ 1.
    name
        How the argument is called in the message of an error.

    Returns
    -------
    NDArray[np.float64]
        The numbers, shape (n,).

    Raises
    ------
    ValueError
        If `values` is empty, not one-dimensional, not numeric, or holds NaN or infinity.

    Examples
    --------
    >>> as_values([1, 2]).tolist()
    [1.0, 2.0]
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is not numeric ({error}); expected numbers") from error
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}; expected one dimension, (n,)")
    if array.size == 0:
        raise ValueError(f"{name} is empty; expected at least one value")
    finite = np.isfinite(array)
    if not finite.all():
        at = int(np.argmin(finite))
        count = int(array.size - finite.sum())
        raise ValueError(
            f"{name} holds {count} value(s) that are NaN or infinite, the first at position"
            f" {at} ({array[at]}); expected finite numbers"
        )
    return array


def as_labels(y: ArrayLike, name: str = "y") -> NDArray[np.bool_]:
    """Return binary labels as booleans, true for 1.

    Parameters
    ----------
    y
        Labels 0 and 1 (or False and True), shape (n,), n ≥ 1.
    name
        How the argument is called in the message of an error.

    Returns
    -------
    NDArray[np.bool_]
        Shape (n,).

    Raises
    ------
    ValueError
        If `y` is empty, not one-dimensional, or holds anything but 0 and 1.

    Examples
    --------
    >>> as_labels([0, 1]).tolist()
    [False, True]
    """
    array = as_values(y, name)
    positive: NDArray[np.bool_] = array == 1.0
    known = positive | (array == 0.0)
    if not known.all():
        at = int(np.argmin(known))
        raise ValueError(f"{name} is {array[at]} at position {at}; expected labels 0 and 1")
    return positive


def as_probabilities(probability: ArrayLike, name: str = "probability") -> NDArray[np.float64]:
    """Return probabilities as a one-dimensional float array.

    Parameters
    ----------
    probability
        Numbers in [0, 1], shape (n,), n ≥ 1.
    name
        How the argument is called in the message of an error.

    Returns
    -------
    NDArray[np.float64]
        Shape (n,).

    Raises
    ------
    ValueError
        As `as_values`, and if a number lies outside [0, 1].

    Examples
    --------
    >>> as_probabilities([0, 0.5]).tolist()
    [0.0, 0.5]
    """
    array = as_values(probability, name)
    inside = (array >= 0.0) & (array <= 1.0)
    if not inside.all():
        at = int(np.argmin(inside))
        raise ValueError(f"{name} is {array[at]} at position {at}; expected values in [0, 1]")
    return array


def as_groups(groups: ArrayLike, n: int) -> tuple[NDArray[np.intp], int]:
    """Return group codes and the number of groups.

    Codes count up in order of first appearance, so what is computed from them does not
    depend on how the groups are named.

    Parameters
    ----------
    groups
        One group per row, of any hashable kind, shape (n,).
    n
        Number of rows expected.

    Returns
    -------
    tuple[NDArray[np.intp], int]
        Codes in 0 … n_groups - 1, shape (n,), and n_groups.

    Raises
    ------
    ValueError
        If `groups` has another shape than (n,) or a missing value (None, NaN, NaT).

    Examples
    --------
    >>> codes, n_groups = as_groups(["b", "a", "b"], 3)
    >>> codes.tolist(), n_groups
    ([0, 1, 0], 2)
    """
    array: NDArray[Any] = np.asarray(groups)
    if array.shape != (n,):
        raise ValueError(f"groups has shape {array.shape}; expected one group per row, ({n},)")
    if array.dtype.kind == "O":
        return _code_objects(array)
    if array.dtype.kind in "fcmM":
        missing = np.isnat(array) if array.dtype.kind in "mM" else np.isnan(array)
        if missing.any():
            raise ValueError(
                f"groups is missing at position {int(np.argmax(missing))}; expected a group per row"
            )
    _, first, codes = np.unique(array, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.intp)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[codes], first.size


def _code_objects(array: NDArray[np.object_]) -> tuple[NDArray[np.intp], int]:
    """Code Python objects through a dict, which needs no order among them."""
    seen: dict[object, int] = {}
    codes = np.empty(array.size, dtype=np.intp)
    for i, group in enumerate(array.tolist()):
        if _is_missing(group):
            raise ValueError(f"groups is missing at position {i}; expected a group per row")
        codes[i] = seen.setdefault(group, len(seen))
    return codes, len(seen)


def _is_missing(group: object) -> bool:
    """Say whether a value is None, or NaN or NaT, which differ from themselves."""
    if group is None:
        return True
    try:
        return bool(group != group)
    except TypeError:  # pandas' NA refuses to be a truth value
        return True


def as_weights(weights: ArrayLike, n: int) -> NDArray[np.int32] | NDArray[np.float64]:
    """Return weights as rows of a two-dimensional array.

    Parameters
    ----------
    weights
        Non-negative weights, shape (n,) or (b, n).
    n
        Number of examples expected.

    Returns
    -------
    NDArray[np.int32] | NDArray[np.float64]
        Shape (1, n) or (b, n): int32 when the weights are integers whose sums surely fit,
        float64 otherwise.

    Raises
    ------
    ValueError
        If the last dimension is not n, there are more than two dimensions or no rows, or
        a weight is negative, NaN or infinite.

    Examples
    --------
    >>> as_weights([1, 2, 0], 3)
    array([[1, 2, 0]], dtype=int32)
    """
    array: NDArray[Any] = np.atleast_2d(np.asarray(weights))
    if array.ndim != 2 or array.shape[1] != n or array.size == 0:
        raise ValueError(
            f"weights has shape {np.shape(weights)}; expected ({n},) or (b, {n}) with b ≥ 1"
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(f"weights has dtype {array.dtype}; expected numbers")
    if not np.min(array) >= 0 or not np.isfinite(np.max(array)):
        raise ValueError(
            f"weights reach from {np.min(array)} to {np.max(array)}; expected finite weights ≥ 0"
        )
    # Integer sums are exact and half the memory; they must not overflow.
    if array.dtype.kind in "biu" and int(np.max(array)) * n <= _MAX_INT32:
        return array.astype(np.int32, copy=False)
    return array.astype(np.float64, copy=False)


def check_same_length(**arrays: NDArray[Any]) -> int:
    """Return the common length of named arrays.

    Parameters
    ----------
    **arrays
        Arrays by the name of their argument.

    Returns
    -------
    int
        The length.

    Raises
    ------
    ValueError
        If the lengths differ.

    Examples
    --------
    >>> check_same_length(a=np.zeros(3), b=np.ones(3))
    3
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"lengths differ: {found}; expected one value per example in each")
    return next(iter(lengths.values()))


def check_confidence_level(confidence_level: float, name: str = "confidence_level") -> float:
    """Return a level strictly between 0 and 1.

    Parameters
    ----------
    confidence_level
        A probability, 0.95 for 95 %.
    name
        How the argument is called in the message of an error.

    Returns
    -------
    float
        The level.

    Raises
    ------
    ValueError
        If it does not lie strictly between 0 and 1.

    Examples
    --------
    >>> check_confidence_level(0.95)
    0.95
    """
    if not 0.0 < confidence_level < 1.0:
        raise ValueError(f"{name} is {confidence_level!r}; expected a number in (0, 1)")
    return float(confidence_level)


def check_count(value: float, name: str, minimum: int = 1) -> int:
    """Return a whole number that is large enough.

    Parameters
    ----------
    value
        The number.
    name
        How the argument is called in the message of an error.
    minimum
        The smallest number accepted.

    Returns
    -------
    int
        The number.

    Raises
    ------
    ValueError
        If it is not whole or is below `minimum`.

    Examples
    --------
    >>> check_count(3, "n_bins")
    3
    """
    if isinstance(value, bool) or value != int(value) or value < minimum:
        raise ValueError(f"{name} is {value!r}; expected a whole number ≥ {minimum}")
    return int(value)
