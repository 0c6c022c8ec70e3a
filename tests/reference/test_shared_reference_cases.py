"""Reference cases whose data may not be copied here: they run where the data lie beside us."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from workbench.stats import (
    Moments,
    bradley_terry,
    cluster_robust,
    compare_means,
    compare_ratios,
    compare_roc_auc,
    mcnemar,
    mean_standard_error,
    means_power,
    off_policy_value,
    paired_difference,
    ratio_variance,
    roc_auc,
    roc_auc_interval,
    roc_auc_statistic,
)

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference"

Rows = list[dict[str, str]]
Inputs = dict[str, Any]


def columns(rows: Rows, *names: str) -> list[Any]:
    return [np.array([float(row[name]) for row in rows]) for name in names]


def arms(rows: Rows, inputs: Inputs, *names: str) -> list[Moments]:
    """Moments of the columns named by the inputs, of control and treatment."""
    (variant, *values) = columns(rows, inputs["variant"], *(inputs[name] for name in names))
    return [
        Moments.of(*(v[variant == inputs[arm]] for v in values)) for arm in ("control", "treatment")
    ]


def effect(found: Any) -> dict[str, Any]:
    return {
        "control": found.control,
        "treatment": found.treatment,
        "diff": found.difference,
        "ci": [found.ci_lower, found.ci_upper],
        "p": found.pvalue,
    }


def plain(rows: Rows, inputs: Inputs) -> dict[str, Any]:
    return effect(compare_means(*arms(rows, inputs, "metric")))


def cuped(rows: Rows, inputs: Inputs) -> dict[str, Any]:
    return effect(compare_means(*arms(rows, inputs, "metric", "covariate"), covariates=1))


def ratio(rows: Rows, inputs: Inputs) -> dict[str, Any]:
    return effect(compare_ratios(*arms(rows, inputs, "numer", "denom")))


def ratio_cuped(rows: Rows, inputs: Inputs) -> dict[str, Any]:
    names = ("numer", "denom", "numer_covariate", "denom_covariate")
    return effect(compare_ratios(*arms(rows, inputs, *names), covariates=1))


def ratio_power(rows: Rows, inputs: Inputs) -> dict[str, Any]:
    moments = Moments.of(*columns(rows, inputs["numer"], inputs["denom"]))
    size = inputs["rel_effect"] * float(moments.mean[0] / moments.mean[1])
    sd = math.sqrt(ratio_variance(moments))
    power = means_power(inputs["n_obs"] / 2, size, sd, alpha=inputs["alpha"])
    return {"power": power, "effect_size": size}


def welch_sleep(rows: Rows, inputs: Inputs) -> dict[str, Any]:
    """The source subtracts the second group from the first."""
    first, second = (
        Moments.of([float(r["extra"]) for r in rows if r["group"] == group]) for group in "12"
    )
    found = compare_means(second, first)
    ci = [found.ci_lower, found.ci_upper]
    return {"t": found.statistic, "df": found.df, "p": found.pvalue, "ci": ci}


def petersen(rows: Rows, inputs: Inputs) -> dict[str, Any]:
    x, y, firm, year = columns(rows, "x", "y", "firm", "year")
    X = np.column_stack([np.ones(x.size), x])

    def error(groups: Any, kind: Any, **options: Any) -> float:
        return float(cluster_robust(y, X, groups, kind=kind, **options).standard_error[1])

    fit = cluster_robust(y, X, firm)
    residual = y - X @ fit.estimate
    iid = np.linalg.inv(X.T @ X)[1, 1] * (residual @ residual) / (x.size - 2)
    return {
        "slope": fit.estimate[1],
        "se_iid": math.sqrt(iid),
        "se_hc1": error(np.arange(x.size), "CR1S"),
        "se_firm": error(firm, "CR1S"),
        "se_year": error(year, "CR1S"),
        "se_firm_year": error(firm, "CR1S", second_groups=year),
        "se_firm_cr0": error(firm, "CR0"),
        "se_year_cr3": error(year, "CR3"),
    }


def baseball(rows: Rows, inputs: Inputs) -> dict[str, Any]:
    names = sorted({row["home.team"] for row in rows})
    at = {name: i for i, name in enumerate(names)}
    wins = np.zeros((len(names),) * 2)
    for row in rows:
        home, away = at[row["home.team"]], at[row["away.team"]]
        wins[home, away] += int(row["home.wins"])
        wins[away, home] += int(row["away.wins"])
    strength = bradley_terry(wins).strength
    strength = strength - strength[at["Baltimore"]]
    return {n.replace(" ", ""): strength[at[n]] for n in names if n != "Baltimore"}


def open_bandit(rows: Rows, inputs: Inputs) -> dict[str, Any]:
    reward, logged, wanted = columns(rows, *inputs["columns"])
    found = off_policy_value(reward, logged, wanted, estimator="ips")
    return {
        "ips": found.estimate,
        "relative": found.estimate / reward.mean(),
        "snips": off_policy_value(reward, logged, wanted).estimate,
        "ess": found.effective_n,
    }


def delong(rows: Rows, inputs: Inputs) -> dict[str, Any]:
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


def paired_eval(rows: Rows, inputs: Inputs) -> dict[str, Any]:
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


def paired_sleep(rows: Rows, inputs: Inputs) -> dict[str, Any]:
    first, second = ([float(r["extra"]) for r in rows if r["group"] == g] for g in "12")
    result = paired_difference(first, second)
    ci = [result.ci_lower, result.ci_upper]
    return {"t": result.statistic, "df": result.n - 1, "p": result.pvalue, "ci": ci}


def auc_bootstrap(rows: Rows, inputs: Inputs) -> dict[str, Any]:
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


COMPUTE: dict[str, Callable[[Rows, Inputs], dict[str, Any]]] = {
    "auc-bootstrap-asah": auc_bootstrap,
    "bt-baseball": baseball,
    "cluster-petersen": petersen,
    "cuped-users": cuped,
    "cuped-users-orders": cuped,
    "delong-asah": delong,
    "n-ratio-users": ratio_power,
    "nocuped-users": plain,
    "ope-obd": open_bandit,
    "paired-eval-diff": paired_eval,
    "paired-sleep": paired_sleep,
    "ratio-delta-users": ratio,
    "ratio-delta-users-cuped": ratio_cuped,
    "welch-sleep": welch_sleep,
}

# How experiments assign their units is tested where they do.
ELSEWHERE = {"hash-bucket-ranges", "hash-choose-variation", "hash-fnv1a", "hash-namespace"}

# The note of the case gives p a narrower tolerance than D.
TOLERANCE_ABS = {("auc-bootstrap-asah", "p"): 0.005}


def published() -> list[dict[str, Any]]:
    path = REFERENCE / "reference_cases.json"
    cases: list[dict[str, Any]] = (
        json.loads(path.read_text(encoding="utf-8"))["cases"] if path.is_file() else []
    )
    return cases


def present() -> list[dict[str, Any]]:
    return [case for case in published() if case["id"] in COMPUTE]


def test_all_cases_or_none_are_present() -> None:
    assert len(present()) in (0, len(COMPUTE))


def test_every_published_case_is_run_somewhere() -> None:
    inline = {path.stem for path in Path(__file__).parent.glob("*.json")}
    assert {case["id"] for case in published()} <= inline | set(COMPUTE) | ELSEWHERE


def test_inline_cases_are_what_was_published() -> None:
    for case in published():
        copy = Path(__file__).parent / f"{case['id']}.json"
        if copy.is_file() and case["id"] not in ELSEWHERE:
            mine = json.loads(copy.read_text(encoding="utf-8"))
            assert mine["expected"] == case["expected"], case["id"]
            assert mine["tolerance"] == case["tolerance"], case["id"]


def check(case: dict[str, Any]) -> None:
    with (REFERENCE / case["inputs"]["csv"]).open(encoding="utf-8", newline="") as file:
        got = COMPUTE[case["id"]](list(csv.DictReader(file)), case["inputs"])
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
