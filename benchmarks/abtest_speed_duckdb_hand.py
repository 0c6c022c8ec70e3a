"""The query one writes by hand, and the formulas of CUPED: no checks, no intervals."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks.abtest_speed_cuped import cuped

__all__ = ["analysed"]

_SQL = "select arm, count(*), $sums from '$path' group by arm"


def analysed(path: Path, threads: int) -> list[dict[str, Any]]:
    """The query one writes by hand, and the textbook formulas of CUPED."""
    con = duckdb.connect()
    con.execute(f"set threads = {threads}; set memory_limit = '200MB'")
    con.execute("set preserve_insertion_order = false")
    sums = ", ".join(
        f"sum(y{i}), sum(x{i}), sum(y{i} * y{i}::double), sum(x{i} * x{i}), sum(x{i} * y{i})"
        for i in (1, 2, 3)
    )
    rows = con.sql(_SQL.replace("$sums", sums).replace("$path", str(path))).fetchall()
    con.close()
    return cuped({row[0]: (int(row[1]), np.array(row[2:], float).reshape(3, 5)) for row in rows})
