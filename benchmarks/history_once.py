"""One way to build history features, in a process of its own.

    python -m benchmarks.history_once ENGINE FOLDER OUTPUT

`ENGINE` is workbench, duckdb, pandas, spark or data; `data:N` makes N leads and 20 events each
under `FOLDER` instead. Prints wall seconds, CPU seconds and peak resident memory as JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from workbench.features.history import Feature

__all__ = ["NAMES", "main"]

_DAY_US = 86_400_000_000
_START = np.datetime64("2024-01-01T00:00:00", "us")
_KINDS = ("visit", "listing_view", "email_opened", "email_replied", "email_sent", "call_made")
_CHANNELS = ("web", "email", "sms", "call", "form")
_COUNTED = {"visits": "visit", "views": "listing_view", "emails_opened": "email_opened",
            "email_replies": "email_replied"}  # fmt: skip
NAMES = (
    "recency_days", "tenure_days", "n_events", "value_sum_usd", "value_mean_usd", "value_max_usd",
    "n_channels", "mean_gap_days",
    *(f"{n}_{days}d" for days in (7, 30, 90)
      for n in ("n_events", "value", *(f"n_{k}" for k in _COUNTED))),
)  # fmt: skip
_CHUNK = 100_000


def make(folder: Path, n_leads: int) -> None:
    """Leads with a cut-off each, 20 events a lead on average, as Parquet."""
    (folder / "events").mkdir(parents=True)
    snapshots = []
    for number, first in enumerate(range(0, n_leads, _CHUNK)):
        rng = np.random.default_rng([7, number])
        n = min(_CHUNK, n_leads - first)
        ids = np.array([f"L{i:08d}" for i in range(first, first + n)])
        cut = rng.integers(60 * _DAY_US, 180 * _DAY_US, n)
        snapshots.append(pd.DataFrame({
            "snapshot_id": ids, "lead_id": ids, "as_of": _START + cut.astype("timedelta64[us]"),
        }))  # fmt: skip
        # Heavy-tailed: a few leads have hundreds of events.
        per_lead = rng.negative_binomial(0.8, 0.8 / (0.8 + 20.0), n)
        lead = np.repeat(np.arange(n), per_lead)
        at = rng.integers(0, 200 * _DAY_US, len(lead))
        late = np.where(rng.random(len(lead)) < 0.1, rng.integers(0, 3 * _DAY_US, len(lead)), 0)
        events = pd.DataFrame({
            "event_id": np.char.add(f"E{number:03d}_", np.arange(len(lead)).astype(str)),
            "lead_id": ids[lead],
            "occurred_at": _START + at.astype("timedelta64[us]"),
            "recorded_at": _START + (at + late).astype("timedelta64[us]"),
            "kind": np.array(_KINDS)[rng.integers(0, len(_KINDS), len(lead))],
            "channel": np.array(_CHANNELS)[rng.integers(0, len(_CHANNELS), len(lead))],
            "value_usd": rng.integers(100_000, 2_000_000, len(lead)),
        })  # fmt: skip
        table = pa.Table.from_pandas(events, preserve_index=False)
        pq.write_table(table, folder / "events" / f"part-{number:05d}.parquet", compression="zstd")
    table = pa.Table.from_pandas(pd.concat(snapshots), preserve_index=False)
    pq.write_table(table, folder / "snapshots.parquet", compression="zstd")


def by_workbench(folder: Path, output: Path, *, spark: bool = False) -> None:
    """The product's own way."""
    from workbench.features import FeatureSet, read_tables, spark_session, write_table

    session = spark_session(settings={"spark.driver.memory": "4g"}) if spark else None
    tables = read_tables(folder, session=session)
    features = FeatureSet(tuple(_features()))
    write_table(features.build(tables, tables["snapshots"]), output)


def _features() -> "list[Feature]":
    from workbench.features import FEATURES, Aggregate

    made: list[Feature] = list(FEATURES.only(*NAMES[:8]))
    for days in (7, 30, 90):
        made += [
            Aggregate(name=f"n_events_{days}d", meaning="Events", source="events",
                      measure="count", window_days=days),
            Aggregate(name=f"value_{days}d", meaning="Value", source="events", measure="sum",
                      column="value_usd", window_days=days),
            *(Aggregate(name=f"n_{name}_{days}d", meaning="Events of a kind", source="events",
                        measure="count", where={"kind": (kind,)}, window_days=days)
              for name, kind in _COUNTED.items()),
        ]  # fmt: skip
    return made


def by_hand(folder: Path, output: Path) -> None:
    """The same by hand-written DuckDB SQL."""
    import duckdb

    windows = []
    for days in (7, 30, 90):
        inside = f"e.occurred_at > s.as_of - INTERVAL {days} DAY"
        windows += [
            f"count(*) FILTER ({inside}) AS n_events_{days}d",
            f"coalesce(sum(e.value_usd) FILTER ({inside}), 0) AS value_{days}d",
            *(f"count(*) FILTER ({inside} AND e.kind = '{kind}') AS n_{name}_{days}d"
              for name, kind in _COUNTED.items()),
        ]  # fmt: skip
    columns = ",\n".join(windows)
    output.mkdir()
    duckdb.sql(f"""
    COPY (
      WITH f AS (
        SELECT s.snapshot_id,
          max(e.occurred_at) AS last_at, min(e.occurred_at) AS first_at, count(*) AS n_events,
          sum(e.value_usd) AS value_sum_usd, avg(e.value_usd) AS value_mean_usd,
          max(e.value_usd) AS value_max_usd, count(DISTINCT e.channel) AS n_channels,
          {columns}
        FROM read_parquet('{folder}/snapshots.parquet') s
        JOIN read_parquet('{folder}/events/*.parquet') e ON e.lead_id = s.lead_id
        WHERE e.occurred_at <= s.as_of AND e.recorded_at <= s.as_of
        GROUP BY s.snapshot_id
      )
      SELECT s.snapshot_id, s.lead_id, s.as_of,
        (epoch_us(s.as_of) - epoch_us(f.last_at)) / {_DAY_US} AS recency_days,
        (epoch_us(s.as_of) - epoch_us(f.first_at)) / {_DAY_US} AS tenure_days,
        coalesce(f.n_events, 0) AS n_events, coalesce(f.value_sum_usd, 0) AS value_sum_usd,
        f.value_mean_usd, f.value_max_usd, coalesce(f.n_channels, 0) AS n_channels,
        (epoch_us(f.last_at) - epoch_us(f.first_at))
          / (nullif(f.n_events - 1, 0) * {_DAY_US}) AS mean_gap_days,
        {", ".join(f"coalesce(f.{name}, 0) AS {name}" for name in NAMES[8:])}
      FROM read_parquet('{folder}/snapshots.parquet') s LEFT JOIN f USING (snapshot_id)
    ) TO '{output}/part-00000.parquet' (FORMAT parquet)
    """)  # noqa: S608 - the names are this module's own


def by_pandas(folder: Path, output: Path) -> None:
    """The same with pandas."""
    snapshots = pd.read_parquet(folder / "snapshots.parquet")
    events = pd.read_parquet(folder / "events", columns=[
        "lead_id", "occurred_at", "recorded_at", "kind", "channel", "value_usd"])  # fmt: skip
    rows = events.merge(snapshots, on="lead_id")
    rows = rows[(rows["occurred_at"] <= rows["as_of"]) & (rows["recorded_at"] <= rows["as_of"])]
    by = rows.groupby("snapshot_id")
    found = by.agg(
        last=("occurred_at", "max"), first=("occurred_at", "min"),
        n_events=("lead_id", "size"), value_sum_usd=("value_usd", "sum"),
        value_mean_usd=("value_usd", "mean"), value_max_usd=("value_usd", "max"),
        n_channels=("channel", "nunique"),
    )  # fmt: skip
    for days in (7, 30, 90):
        part = rows[rows["occurred_at"] > rows["as_of"] - pd.Timedelta(days=days)]
        inside = part.groupby("snapshot_id")
        found[f"n_events_{days}d"] = inside.size()
        found[f"value_{days}d"] = inside["value_usd"].sum()
        for name, kind in _COUNTED.items():
            found[f"n_{name}_{days}d"] = part[part["kind"] == kind].groupby("snapshot_id").size()
    table = snapshots.merge(found, left_on="snapshot_id", right_index=True, how="left")
    table["recency_days"] = (table["as_of"] - table["last"]) / pd.Timedelta(days=1)
    table["tenure_days"] = (table["as_of"] - table["first"]) / pd.Timedelta(days=1)
    gaps = (table["n_events"] - 1).where(table["n_events"] > 1)
    table["mean_gap_days"] = (table["last"] - table["first"]) / pd.Timedelta(days=1) / gaps
    counted = ["n_events", "value_sum_usd", "n_channels", *NAMES[8:]]
    table[counted] = table[counted].fillna(0)
    output.mkdir()
    table[["snapshot_id", "lead_id", "as_of", *NAMES]].to_parquet(output / "part-00000.parquet")


def main(engine: str, folder: Path, output: Path) -> dict[str, float]:
    """Run one engine and say what it took, children included."""
    started = time.perf_counter()
    if engine.startswith("data:"):
        make(folder, int(engine.removeprefix("data:")))
    elif engine == "duckdb":
        by_hand(folder, output)
    elif engine == "pandas":
        by_pandas(folder, output)
    else:
        by_workbench(folder, output, spark=engine == "spark")
    wall_s = time.perf_counter() - started
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return {
        "wall_s": wall_s,
        "cpu_s": sum(u.ru_utime + u.ru_stime for u in used),
        "peak_mib": max(u.ru_maxrss for u in used) / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
