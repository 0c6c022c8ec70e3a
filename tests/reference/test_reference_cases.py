"""Published and independently computed numbers, one JSON file per case.

A value passes when |got - expected| <= max(abs, rel * |expected|), element by element.
"""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.stats import (
    adjust_pvalues,
    mcnemar,
    mean_standard_error,
    paired_sample_size,
    proportion_interval,
)

Inputs = Mapping[str, Any]


def mean_clustered(i: Inputs) -> dict[str, Any]:
    values, groups = i["values"], i["groups"]
    return {
        "se_cr1": mean_standard_error(values, groups=groups),
        "se_cr0": mean_standard_error(values, groups=groups, small_sample=False),
        "se_iid": mean_standard_error(values),
    }


def paired_size(i: Inputs) -> dict[str, Any]:
    options = {"alpha": i["alpha"], "power": i["power"]}
    noisy = math.sqrt(i["omega2"] + 2 * i["sigma2"])
    return {
        "n": paired_sample_size(math.sqrt(i["omega2"]), i["delta"], **options),
        "n_with_sigma2_each": paired_sample_size(noisy, i["delta"], **options),
    }


def mcnemar_small(i: Inputs) -> dict[str, Any]:
    return {
        "p_exact": mcnemar(i["b"], i["c"]).pvalue,
        "p_mid": mcnemar(i["b"], i["c"], exact=False).pvalue,
    }


def pvalues_bh1995(i: Inputs) -> dict[str, Any]:
    bh = adjust_pvalues(i["p"], "bh")
    return {
        "holm": adjust_pvalues(i["p"], "holm"),
        "bh": bh,
        "rejected_bonferroni": int((adjust_pvalues(i["p"], "bonferroni") <= 0.05).sum()),
        "rejected_bh": int((bh <= 0.05).sum()),
    }


def pvalues_unsorted(i: Inputs) -> dict[str, Any]:
    return {"holm": adjust_pvalues(i["holm_p"]), "bh": adjust_pvalues(i["bh_p"], "bh")}


def proportion(i: Inputs) -> dict[str, Any]:
    results = [proportion_interval(x, n) for x, n in zip(i["successes"], i["n"], strict=True)]
    return {"lower": [r.ci_lower for r in results], "upper": [r.ci_upper for r in results]}


COMPUTE: dict[str, Callable[[Inputs], dict[str, Any]]] = {
    "mcnemar-small": mcnemar_small,
    "mean-clustered": mean_clustered,
    "paired-sample-size": paired_size,
    "proportion-newcombe1998": proportion,
    "pvalues-bh1995": pvalues_bh1995,
    "pvalues-unsorted": pvalues_unsorted,
}

CASES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(Path(__file__).parent.glob("*.json"))
    if path.stem in COMPUTE
}


def test_every_case_is_there_and_says_where_it_is_from() -> None:
    assert sorted(CASES) == sorted(COMPUTE)
    assert all(case["id"] == name and case["source"] for name, case in CASES.items())


@pytest.mark.parametrize("name", CASES)
def test_reference_case(name: str) -> None:
    case = CASES[name]
    got, tolerance = COMPUTE[name](case["inputs"]), case["tolerance"]
    assert got.keys() == case["expected"].keys()
    for key, expected in case["expected"].items():
        allowed = np.maximum(tolerance["abs"], tolerance["rel"] * np.abs(expected))
        error = np.abs(np.asarray(got[key], dtype=float) - expected)
        assert (error <= allowed).all(), f"{key}: got {got[key]}, expected {expected}"
