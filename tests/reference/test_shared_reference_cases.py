"""Reference cases whose data may not be copied here: they run where the data lie beside us."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from workbench.stats import (
    compare_roc_auc,
    mcnemar,
    mean_standard_error,
    paired_difference,
    roc_auc,
    roc_auc_interval,
    roc_auc_statistic,
)

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference"

Rows = list[dict[str, str]]


def delong(rows: Rows) -> dict[str, Any]:
    y = np.array([row["outcome"] == "Poor" for row in rows])
    s100b, wfns, ndka = (np.array([float(r[k]) for r in rows]) for k in ("s100b", "wfns", "ndka"))
    on_wfns, on_ndka = compare_roc_auc(y, s100b, wfns), compare_roc_auc(y, s100b, ndka)
    first, second = roc_auc_interval(y, s100b), roc_auc_interval(y, wfns)
    variance = first.standard_error**2
    return {
        "auc": [roc_auc(y, s100b), roc_auc(y, wfns), roc_auc(y, ndka)],
        "z_s100b_wfns": on_wfns.statistic,
        "p_s100b_wfns": on_wfns.pvalue,
        "diff_ci_s100b_wfns": [on_wfns.ci_lower, on_wfns.ci_upper],
        "z_s100b_ndka": on_ndka.statistic,
        "p_s100b_ndka": on_ndka.pvalue,
        "ci_s100b": [first.ci_lower, first.ci_upper],
        "ci_wfns": [second.ci_lower, second.ci_upper],
        "var_s100b": variance,
        "cov_s100b_wfns": (variance + second.standard_error**2 - on_wfns.standard_error**2) / 2,
    }


def paired_eval(rows: Rows) -> dict[str, Any]:
    a, b, cluster = (np.array([int(row[k]) for row in rows]) for k in ("a", "b", "cluster"))
    clustered = paired_difference(a, b, groups=cluster)
    only_a, only_b = int(((a == 1) & (b == 0)).sum()), int(((a == 0) & (b == 1)).sum())
    return {
        "n": clustered.n,
        "clusters": clustered.n_groups,
        "mean_diff": clustered.difference,
        "se_unpaired": np.hypot(mean_standard_error(a), mean_standard_error(b)),
        "se_paired": paired_difference(a, b).standard_error,
        "se_cluster_cr1": clustered.standard_error,
        "se_cluster_cr0": mean_standard_error(a - b, groups=cluster, small_sample=False),
        "p_cluster_t": clustered.pvalue,
        "b": only_a,
        "c": only_b,
        "mcnemar_exact": mcnemar(only_a, only_b).pvalue,
    }


def paired_sleep(rows: Rows) -> dict[str, Any]:
    first, second = ([float(r["extra"]) for r in rows if r["group"] == g] for g in "12")
    result = paired_difference(first, second)
    ci = [result.ci_lower, result.ci_upper]
    return {"t": result.statistic, "df": result.n - 1, "p": result.pvalue, "ci": ci}


def auc_bootstrap(rows: Rows) -> dict[str, Any]:
    """Resample each class on its own and take p from the normal, as the source does.

    `bootstrap_difference` does neither, so only its statistic under weights is on trial.
    """
    y = np.array([row["outcome"] == "Poor" for row in rows])
    a, b = (roc_auc_statistic(y, np.array([float(r[k]) for r in rows])) for k in ("s100b", "wfns"))
    rng = np.random.default_rng(0)
    weights = np.zeros((10_000, len(rows)), dtype=np.int32)
    for label in (True, False):
        of_class = np.flatnonzero(y == label)
        shares = np.full(of_class.size, 1 / of_class.size)
        weights[:, of_class] = rng.multinomial(of_class.size, shares, len(weights))
    observed = (a(np.ones(len(rows))) - b(np.ones(len(rows))))[0]
    standardised = observed / (a(weights) - b(weights)).std(ddof=1)
    return {"D": standardised, "p": 2 * special.ndtr(-abs(standardised))}


COMPUTE: dict[str, Callable[[Rows], dict[str, Any]]] = {
    "auc-bootstrap-asah": auc_bootstrap,
    "delong-asah": delong,
    "paired-eval-diff": paired_eval,
    "paired-sleep": paired_sleep,
}

# The note of the case gives p a narrower tolerance than D.
TOLERANCE_ABS = {("auc-bootstrap-asah", "p"): 0.005}


def present() -> list[dict[str, Any]]:
    path = REFERENCE / "reference_cases.json"
    cases = json.loads(path.read_text(encoding="utf-8"))["cases"] if path.is_file() else []
    return [case for case in cases if case["id"] in COMPUTE]


def test_all_cases_or_none_are_present() -> None:
    assert len(present()) in (0, len(COMPUTE))


def check(case: dict[str, Any]) -> None:
    with (REFERENCE / case["inputs"]["csv"]).open(encoding="utf-8", newline="") as file:
        got = COMPUTE[case["id"]](list(csv.DictReader(file)))
    tolerance = case["tolerance"]
    assert got.keys() == case["expected"].keys()
    for key, expected in case["expected"].items():
        absolute = TOLERANCE_ABS.get((case["id"], key), tolerance["abs"])
        allowed = np.maximum(absolute, tolerance["rel"] * np.abs(expected))
        error = np.abs(np.asarray(got[key], dtype=float) - expected)
        where = f"{case['id']}, {key}"
        assert (error <= allowed).all(), f"{where}: got {got[key]}, expected {expected}"


def test_shared_reference_cases() -> None:
    # One test over what is present: an empty parameter set would count as skipped.
    for case in present():
        check(case)
