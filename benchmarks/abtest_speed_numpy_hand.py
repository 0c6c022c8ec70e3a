"""Everything in memory, and sums by numpy."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet

from benchmarks.abtest_speed_cuped import cuped

__all__ = ["analysed"]


def analysed(path: Path, threads: int) -> list[dict[str, Any]]:
    """Everything in memory, sums by `bincount`."""
    table = pyarrow.parquet.read_table(path, use_threads=threads > 1, read_dictionary=["arm"])
    arms = table["arm"].combine_chunks()
    codes, names = arms.indices.to_numpy().astype(np.intp), arms.dictionary.to_pylist()
    n = np.bincount(codes)
    sums = np.empty((len(names), 3, 5))
    for i in range(3):
        y = table[f"y{i + 1}"].to_numpy().astype(np.float64)
        x = table[f"x{i + 1}"].to_numpy()
        for j, values in enumerate((y, x, y * y, x * x, x * y)):
            sums[:, i, j] = np.bincount(codes, values)
    return cuped({name: (int(n[k]), sums[k]) for k, name in enumerate(names)})
