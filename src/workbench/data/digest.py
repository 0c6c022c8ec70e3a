"""A checksum of what a table says, the same in every process and on every platform."""

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["content_digest"]


def content_digest(header: dict[str, str], parts: dict[str, pd.Series | None]) -> str:
    """Sum up named columns: names, dtypes, values and their order.

    Two floats that compare equal count as equal (so 0.0 is -0.0), and so do all NaN.

    Parameters
    ----------
    header
        What identifies the table beside its values.
    parts
        Columns by name; `None` says that a column is absent.

    Returns
    -------
    str
        64 hexadecimal digits (SHA-256).

    Raises
    ------
    TypeError
        When a column holds a dtype data sets do not use.

    Examples
    --------
    >>> content_digest({"name": "a"}, {"x": pd.Series([1.0, 2.0])})[:12]
    '0161f0890629'
    """
    total = hashlib.sha256()
    _add_json(total, header)
    for name, values in parts.items():
        if values is None:
            _add_json(total, [name, None])
        else:
            _add_json(total, [name, _kind(values), len(values)])
            _add_values(total, values)
    return total.hexdigest()


def _kind(values: pd.Series) -> str:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind == "M":
        return "datetime"
    return str(dtype)


def _add_values(total: "_Hash", values: pd.Series) -> None:
    kind = _kind(values)
    if kind == "category":
        _add_json(total, [str(level) for level in values.cat.categories])
        total.update(values.cat.codes.to_numpy().astype("<i4").tobytes())
    elif kind == "datetime":
        moments = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz else values
        total.update(moments.to_numpy().astype("datetime64[us]").astype("<i8").tobytes())
    elif values.dtype.kind in "biu":
        total.update(values.to_numpy().astype("<i8").tobytes())
    elif values.dtype.kind == "f":
        numbers = values.to_numpy().astype("<f8") + 0.0
        numbers[np.isnan(numbers)] = np.nan
        total.update(numbers.tobytes())
    elif isinstance(values.dtype, pd.StringDtype):
        # One JSON list cannot be confused by what the texts hold: lengths and quotes are escaped.
        _add_json(total, [None if missing else text for text, missing in
                          zip(values, values.isna(), strict=True)])  # fmt: skip
    else:
        raise TypeError(f"no digest for a column of dtype {values.dtype}")


def _add_json(total: "_Hash", value: object) -> None:
    total.update(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii"))
    total.update(b"\n")
