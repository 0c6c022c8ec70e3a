"""Building Arrow columns from codes without a Python object a row."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from workbench.data.brokerage.seasons import moments

__all__ = ["coded", "identifiers", "moment_column", "nullable", "picked"]


def identifiers(prefix: str, numbers: np.ndarray, width: int) -> pa.Array:
    """Give `prefix` and the zero-padded number, one string a row.

    Examples
    --------
    >>> identifiers("L", np.array([7, 123]), 5).to_pylist()
    ['L00007', 'L00123']
    """
    head = np.frombuffer(prefix.encode("ascii"), dtype=np.uint8)
    size = len(head) + width
    letters = np.empty((len(numbers), size), dtype=np.uint8)
    letters[:, : len(head)] = head
    rest = numbers.astype(np.int64)
    for column in range(size - 1, len(head) - 1, -1):
        rest, digit = np.divmod(rest, 10)
        letters[:, column] = digit + ord("0")
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * size
    return pa.StringArray.from_buffers(
        len(numbers), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters))
    )


def coded(names: Sequence[str], codes: np.ndarray) -> pa.Array:
    """Give the name of each code; -1 is missing."""
    return picked(pa.array(names, pa.string()), codes)


def picked(values: pa.Array, rows: np.ndarray) -> pa.Array:
    """Give some of the values, as references to them; -1 is missing."""
    missing = rows < 0
    index = pa.array(rows.astype(np.int32), mask=missing if missing.any() else None)
    return pa.DictionaryArray.from_arrays(index, values)


def nullable(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Give whole numbers or true and false; negative is missing unless said otherwise."""
    gone = values < 0 if missing is None else missing
    return pa.array(values, mask=gone if gone.any() else None)


def moment_column(seconds: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Give moments from seconds since the first day."""
    return pa.array(moments(seconds), pa.timestamp("us"), mask=missing)
