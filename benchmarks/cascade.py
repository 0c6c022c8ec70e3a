"""What a cascade saves at equal accuracy, beside the baselines it has to beat. Nothing is Claude's.

First on simulated answers of two models whose skill is known: a weak one that is cheap, and a
strong one at twenty times its price, both seeing the same truth through noise. Each seed fits the
shipped estimator's threshold on 400 of 2,000 training rows and is judged on 2,000 others. Then once
through the real client on the simulated reader, with the project's own spec.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from benchmarks.console import say
from benchmarks.figure import Figure, result
from benchmarks.machine import ROOT
from workbench.evaluation import (
    ArmInfo,
    Evaluation,
    Frontier,
    RunInfo,
    cascade_frontier,
    evaluate_spec,
)
from workbench.evaluation.spec import CascadeArm
from workbench.predictors import (
    ANSWER_COLUMNS,
    CascadeClassifier,
    ConformalPolicy,
    UncertaintyPolicy,
)
from workbench.settings import Settings

__all__ = ["main"]

_N, _SEEDS, _CONFORMAL_SEEDS = 2000, 40, 300
_SHARES, _MARGIN, _LEVEL = (0.3, 0.5), 0.02, 0.9
_USD = {"weak": 1.1e-4, "strong": 2.2e-3}
_NOISE = {"weak": 1.6, "strong": 0.7}


class _Told:
    """Gives the answers that were made up for it, and their price."""

    classes_ = np.array([0, 1])

    def __init__(self, name: str) -> None:
        self.name = name

    def __sklearn_clone__(self) -> "_Told":
        return self

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        """Learn nothing."""
        return self

    def answer(self, X: pd.DataFrame, *, repeat: int = 0) -> pd.DataFrame:
        """Answers with their price, in the columns of `ANSWER_COLUMNS`."""
        made = pd.DataFrame(index=X.index, columns=list(ANSWER_COLUMNS), dtype=object)
        tokens = [c for c in ANSWER_COLUMNS if c.endswith("_tokens")]
        made[tokens] = 0
        made["input_tokens"] = X["length"]
        made["proba"], made["cost_usd"] = X[self.name], X["length"] / 600 * _USD[self.name]
        made["repeat"], made["attempts"], made["calls"] = repeat, 1, 1
        made["latency_s"] = made["queued_s"] = 0.0
        made[["abstained", "degraded", "cached"]] = False
        return made.assign(origin="simulated", error=None, started_at="", member_error=None)


def _rows(seed: int) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    rng = np.random.default_rng(seed)
    truth = 2.5 * rng.normal(size=2 * _N)
    X = pd.DataFrame({"length": rng.lognormal(6.4, 0.3, 2 * _N).round()})
    for name, noise in _NOISE.items():
        X[name] = 1 / (1 + np.exp(-(truth + noise * rng.normal(size=2 * _N))))
    return X, (rng.random(2 * _N) < 1 / (1 + np.exp(-truth))).astype(np.int8)


def _run(seed: int, share: float) -> Frontier:
    """Fit a cascade on one half of the rows, and draw its frontier on the other."""
    X, y = _rows(seed)
    train, test = slice(None, _N), slice(_N, None)
    members = [(name, _Told(name)) for name in _USD]
    policy = UncertaintyPolicy(max_share=share)
    cascade = CascadeClassifier(members, policy, random_state=seed).fit(X[train], y[train])
    arms: dict[str, Any] = {name: _Told(name) for name in _USD} | {"cascade": cascade}
    frames = []
    for name, arm in arms.items():
        frame = arm.answer(X[test]).assign(arm=name, y=y[test], group=None)
        frames.append(frame.assign(example_id=[f"e{i:05d}" for i in range(_N)]))
    records = pd.concat(frames, ignore_index=True)
    chained = replace(
        _info("cascade"), kind="cascade", members=tuple(_USD), threshold=cascade.threshold_
    )
    infos = (*(_info(name) for name in _USD), chained)
    made = Evaluation(_about(y[test], seed), infos, records)
    return cascade_frontier(made, "cascade", margin=_MARGIN)


def _wrong_alone(seed: int) -> float:
    """Share of rows that a conformal cascade leaves to its first member, wrongly."""
    X, y = _rows(seed)
    members = [(name, _Told(name)) for name in _USD]
    policy = ConformalPolicy(confidence_level=_LEVEL, n_fit=200)
    fitted = CascadeClassifier(members, policy, random_state=seed).fit(X[:_N], y[:_N])
    answers = fitted.answer(X[_N:])
    alone = (answers["answered_by"] == "weak").to_numpy()
    decided = answers["proba"].to_numpy(dtype=float) > 0.5
    return float((alone & (decided != (y[_N:] == 1))).mean())


def _info(name: str) -> ArmInfo:
    return ArmInfo(name, "claude", name, "simulated", name, None, None, None, 0.0, 0.0, 0, {})


def _about(y: NDArray[np.int8], seed: int) -> RunInfo:
    base = float(y.mean())
    return RunInfo(
        task="lead_conversion", task_version=1, dataset="made up", dataset_title="Made up",
        dataset_version="1", dataset_digest="", dataset_kind="simulated", licence="none",
        leaks_allowed=(), split="half", n_train=_N, n_test=_N, n_train_groups_removed=0,
        n_duplicates=0, train_base_rate=base, test_base_rate=base, baseline="weak", n_repeats=1,
        n_resamples=200, confidence_level=0.95, random_state=seed, created_at="",
        git_revision="", versions={}, ceiling=None,
    )  # fmt: skip


def _spec() -> dict[str, Frontier]:
    """Run the project's cascade spec on the simulated reader, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="workbench-cascade-") as folder:
        for name in ("datasets", "notebooks", "experiments", "pyproject.toml"):
            (Path(folder) / name).symlink_to(ROOT / name)
        path = Path(folder) / "experiments" / "lead_conversion" / "cascade.yaml"
        settings = Settings(root=Path(folder), data_dir=Path(folder) / "datasets")
        made = evaluate_spec(path, settings=settings, on_progress=lambda _: None)
    return {
        name: cascade_frontier(made.evaluation, name, metric_name="brier", margin=_MARGIN)
        for name, arm in made.spec.arms.items()
        if isinstance(arm, CascadeArm)
    }


def _spread(what: str, values: list[float], unit: str = "") -> Figure:
    low, high = np.quantile(values, [0.025, 0.975])
    return Figure(
        what, float(np.mean(values)), len(values), unit, (float(low), float(high)),
        "2.5 to 97.5 % of seeds",
    )  # fmt: skip


def _figures(made: list[Frontier], when: str) -> list[Figure]:
    return [
        _spread(f"{when}cost saved against the strong model alone",
                [-100 * f.versus_last.cost.lift for f in made], "%"),
        _spread(f"{when}accuracy less the strong model's",
                [100 * f.versus_last.quality.difference for f in made], "points"),
        Figure(f"{when}runs that show equal accuracy (margin 2 points)",
               100 * float(np.mean([f.versus_last.equal.holds for f in made])), _SEEDS, "%"),
        _spread(f"{when}accuracy less that of a random mix for the same money",
                [100 * f.versus_random.difference for f in made], "points"),
        Figure(f"{when}runs that show a gain over the random mix",
               100 * float(np.mean([f.versus_random.ci_lower > 0 for f in made])), _SEEDS, "%"),
        _spread(f"{when}share in fact escalated on test rows",
                [100 * f.operating.share for f in made], "%"),
    ]  # fmt: skip


def main() -> dict[str, Any]:
    """Simulate, then run the spec once."""
    say(f"  {_SEEDS} seeds of simulated answers of two models of known skill")
    figures = []
    for share in _SHARES:
        made = [_run(seed, share) for seed in range(_SEEDS)]
        figures += _figures(made, f"sim, {share:.0%} escalated: ")
    figures += [
        _spread("sim: gain recovered on average over all shares, by the cascade's score",
                [f.recovered["cascade"].estimate for f in made if f.recovered]),
        _spread("sim: the same, by prompt length (0.5 at random)",
                [f.recovered["length"].estimate for f in made if f.recovered]),
        _spread("sim: answered by the first model alone and wrong (conformal, promised 10 %)",
                [100 * _wrong_alone(seed) for seed in range(_CONFORMAL_SEEDS)], "%"),
    ]  # fmt: skip
    say("  the project's cascade spec on the simulated reader, through the real client")
    shown = _spec()
    for frontier in shown.values():
        cost = frontier.versus_last.cost
        interval = (-100 * cost.lift_ci_upper, -100 * cost.lift_ci_lower)
        what = f"{frontier.arm} of the spec: cost saved against {frontier.last} alone"
        figures.append(
            Figure(what, -100 * cost.lift, cost.n_control, "%", interval, "95 % interval")
        )
    said = {name: frontier.sentences() for name, frontier in shown.items()}
    return result(figures, note="simulated answers only: none is Claude's", said=said)
