"""Who may look how often: type I errors under continuous peeking, and what looking costs."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from workbench.stats import (
    SequentialRule,
    asymptotic_confidence_sequence,
    betting_confidence_sequence,
    binomial_confidence_sequence,
    classic_boundary,
    e_benjamini_hochberg,
    group_sequential_design,
    msprt,
    sequential_sample_ratio,
)

Vector = NDArray[np.float64]


def at_most(observed: float, nominal: float, n: int) -> bool:
    """Whether a rate is compatible with the nominal one or less, 99.9 % of the time."""
    return bool(observed <= stats.binom.ppf(0.999, n, nominal) / n)


def means(values: Vector, looks: NDArray[np.intp]) -> tuple[Vector, Vector]:
    """Means and standard errors of rows at each look."""
    total = np.cumsum(values, axis=1)[:, looks - 1]
    squares = np.cumsum(values**2, axis=1)[:, looks - 1]
    mean = total / looks
    return mean, np.sqrt((squares / looks - mean**2) / (looks - 1))


def test_naive_peeking_errs_often_and_planned_looks_do_not() -> None:
    """Twenty equally spaced looks at A/A data: Armitage's 24.8 % against 5 %."""
    rng = np.random.default_rng(1)
    n_studies = 10_000
    z = np.cumsum(rng.normal(size=(n_studies, 20)), axis=1) / np.sqrt(np.arange(1, 21))
    naive = float((np.abs(z) > 1.959964).any(axis=1).mean())
    assert 0.235 <= naive <= 0.261
    pocock = float((np.abs(z) > classic_boundary("pocock", 20)).any(axis=1).mean())
    obf = float((np.abs(z) > classic_boundary("obrien-fleming", 20)).any(axis=1).mean())
    for observed in (pocock, obf):
        low, high = stats.binom.interval(0.999, n_studies, 0.05)
        assert low / n_studies <= observed <= high / n_studies


@pytest.mark.parametrize("kind", ["normal", "binary", "exponential"])
def test_asymptotic_sequences_may_be_looked_at_after_every_unit(kind: str) -> None:
    """From 200 units on, 3,000 units, a look after each: at most 5 % ever exclude the truth."""
    rng = np.random.default_rng(2)
    n_studies, n = 1500, 3000
    size = (n_studies, n)
    values: Any
    if kind == "normal":
        values = rng.normal(size=size)
    elif kind == "binary":
        values = (rng.random(size) < 0.1) - 0.1
    else:
        values = rng.exponential(size=size) - 1
    looks = np.arange(200, n + 1)
    mean, error = means(values, looks)
    found = asymptotic_confidence_sequence(mean, error, looks, n_opt=1000)
    ever = float(((found.ci_lower > 0) | (found.ci_upper < 0)).any(axis=1).mean())
    assert at_most(ever, 0.05, n_studies)
    assert float((found.pvalue.min(axis=1) <= 0.05).mean()) == pytest.approx(ever)
    naive = float((np.abs(mean / error) > 1.96).any(axis=1).mean())
    assert naive > 0.25


def test_mixture_sprt_and_beta_mixture_hold_at_every_unit() -> None:
    rng = np.random.default_rng(3)
    n_studies, n = 2000, 2000
    t = np.arange(1, n + 1)
    mean = np.cumsum(rng.normal(size=(n_studies, n)), axis=1) / t
    sprt = msprt(mean, 1 / np.sqrt(t), tau=0.1)
    assert at_most(float((sprt.pvalue.min(axis=1) <= 0.05).mean()), 0.05, n_studies)
    hits = np.cumsum(rng.random((n_studies, n)) < 0.03, axis=1)
    beta = binomial_confidence_sequence(hits[:, 9::10], t[9::10], null=0.03)
    assert at_most(float((beta.pvalue.min(axis=1) <= 0.05).mean()), 0.05, n_studies)


@pytest.mark.parametrize("shape", [(0.2, 0.8), (10.0, 30.0)])
def test_betting_covers_at_every_unit(shape: tuple[float, float]) -> None:
    rng = np.random.default_rng(4)
    truth, n_studies = shape[0] / sum(shape), 300
    missed = 0
    for _ in range(n_studies):
        found = betting_confidence_sequence(rng.beta(*shape, 300), n_grid=200)
        missed += bool(((found.ci_lower > truth) | (found.ci_upper < truth)).any())
    assert at_most(missed / n_studies, 0.05, n_studies)


def test_the_sequential_sample_ratio_test_holds_and_finds() -> None:
    rng = np.random.default_rng(5)
    looks = np.arange(100, 20_001, 100)

    def rate(share: float, n_studies: int) -> float:
        alarms = 0
        for _ in range(n_studies):
            treated = np.cumsum(rng.binomial(100, share, looks.size))
            counts = np.column_stack([looks - treated, treated])
            alarms += sequential_sample_ratio(counts, [1, 1]).pvalue[-1] <= 0.05
        return alarms / n_studies

    assert at_most(rate(0.5, 1000), 0.05, 1000)
    assert rate(0.53, 200) > 0.95


def test_e_values_control_false_discoveries_under_dependence() -> None:
    """Fifty nulls and ten effects, all sharing one noise; stopped where evidence peaks."""
    rng = np.random.default_rng(6)
    shares = []
    for _ in range(400):
        noise = 0.6 * rng.normal(size=(1, 500)) + 0.8 * rng.normal(size=(60, 500))
        values = noise + np.where(np.arange(60) < 10, 0.25, 0.0)[:, None]
        t = np.arange(1, 501)
        sequence = msprt(np.cumsum(values, axis=1) / t, 1 / np.sqrt(t), tau=0.2)
        stop = int(sequence.log_e_value[:10].sum(axis=0).argmax())
        found = e_benjamini_hochberg(np.exp(sequence.log_e_value[:, stop]), alpha=0.1)
        shares.append(found[10:].sum() / max(found.sum(), 1))
    assert np.mean(shares) <= 0.1


def test_group_sequential_designs_have_their_power() -> None:
    rng = np.random.default_rng(7)
    looks = np.array([0.25, 0.5, 0.75, 1.0])
    design = group_sequential_design(looks, futility="obrien-fleming")
    n_studies = 20_000
    for drift, nominal in ((design.drift, 0.8), (0.0, None)):
        steps = rng.normal(drift * 0.25, 0.5, (n_studies, 4))
        z = np.cumsum(steps, axis=1) / np.sqrt(looks)
        up, down = z >= design.efficacy, z <= design.futility
        first_up = np.where(up.any(axis=1), up.argmax(axis=1), 9)
        first_down = np.where(down.any(axis=1), down.argmax(axis=1), 9)
        found = float((first_up <= np.minimum(first_down, 8)).mean())
        if nominal is None:
            assert found <= 0.025 + 0.003
        else:
            assert found == pytest.approx(nominal, abs=0.01)


# ---------------------------------------------------------------- sequential evaluation


def draw(kind: str, gain: float, n_studies: int, n: int, seed: int) -> Vector:
    """Paired gains: disagreements of right and wrong, bounded scores, or skewed losses."""
    rng = np.random.default_rng(seed)
    if kind == "accuracy":
        u = rng.random((n_studies, n))
        return np.where(u < (0.2 + gain) / 2, 1.0, np.where(u < 0.2, -1.0, 0.0))
    if kind == "brier":
        return np.clip(rng.normal(gain, 0.25, (n_studies, n)), -1, 1)
    return gain + 0.5 * (rng.exponential(size=(n_studies, n)) - 1)


SETTINGS: dict[str, tuple[float, float, Any]] = {
    "accuracy": (0.06, math.sqrt(0.2), (-1.0, 1.0)),
    "brier": (0.04, 0.25, (-1.0, 1.0)),
    "log loss": (0.07, 0.5, None),
}


def outcome(kind: str, multiple: float, n_studies: int = 1000) -> tuple[dict[str, float], float]:
    """Shares of each conclusion, and the median share of units saved against a fixed test."""
    effect, sd, limits = SETTINGS[kind]
    rule = SequentialRule(effect, limits=limits)
    fixed = rule.fixed_n(sd)
    step = max(int(fixed / 50), 1)
    n = math.ceil(2 * fixed)
    evidence = rule.evidence(draw(kind, multiple * effect, n_studies, n, int(10 + multiple)))
    looks = np.append(np.arange(step, n, step), n) - 1
    never = looks.size
    first = []
    for side, threshold in (
        (evidence.promote, rule.threshold),
        (evidence.reject, rule.threshold),
        (evidence.futile, rule.futility_threshold),
    ):
        crossed = side[:, looks] >= threshold
        first.append(np.where(crossed.any(axis=1), crossed.argmax(axis=1), never))
    stop = np.minimum.reduce(first)
    asked = looks[np.minimum(stop, never - 1)] + 1
    names = ("promote", "reject", "futile")
    shares, taken = {}, stop == never
    for name, at in zip(names, first, strict=True):
        here = (at == stop) & ~taken
        shares[name] = float(here.mean())
        taken |= here
    return shares, float(np.median(1 - asked / fixed))


@pytest.mark.parametrize("kind", SETTINGS)
def test_sequential_evaluation_saves_at_error_rates_no_worse(kind: str) -> None:
    """Against a fixed paired test of 5 % and 80 %, twice as many examples being available."""
    null, saved_null = outcome(kind, 0)
    assert at_most(null["promote"] + null["reject"], 0.05, 1000)
    assert at_most(null["promote"], 0.025, 1000)
    assert saved_null > 0.3
    planned, saved_planned = outcome(kind, 1)
    assert planned["promote"] >= 0.8
    assert planned["futile"] <= 0.1 + 0.02
    assert planned["reject"] == 0.0
    assert saved_planned > 0
    double, saved_double = outcome(kind, 2)
    assert double["promote"] > 0.98
    assert saved_double >= 0.6
    quadruple, saved_quadruple = outcome(kind, 4)
    assert quadruple["promote"] > 0.99
    assert saved_quadruple >= 0.7
    worse, _ = outcome(kind, -2)
    assert worse["promote"] == 0.0


def test_the_error_rate_holds_for_ever_at_the_bound() -> None:
    """No futility, a look after every unit, five times the fixed size."""
    effect, sd, limits = SETTINGS["accuracy"]
    rule = SequentialRule(effect, limits=limits)
    n = math.ceil(5 * rule.fixed_n(sd))
    evidence = rule.evidence(draw("accuracy", 0.0, 1000, n, 3))
    ever = (evidence.promote.max(axis=1) >= rule.threshold) | (
        evidence.reject.max(axis=1) >= rule.threshold
    )
    assert at_most(float(ever.mean()), 0.05, 1000)
    rare = rule.evidence(draw("accuracy", effect, 1000, n, 4))
    assert at_most(float((rare.futile.max(axis=1) >= rule.futility_threshold).mean()), 0.1, 1000)
