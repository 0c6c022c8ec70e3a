"""What the heads of the behaviour family reach on the simulated CRM, beside claims and ceilings.

Every head's own spec is evaluated with no key: Claude's arms are simulated, so what the ensembles
gain over their members says how fusion copes with such a member, and nothing about Claude. Then a
cascade by expected gain, and conformal coverage in every slice of 500 or more.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from benchmarks.console import say
from benchmarks.figure import Figure, result
from benchmarks.machine import ROOT
from workbench.evaluation import Evaluation, cascade_frontier, read_spec
from workbench.evaluation.claims import Family
from workbench.predictors import BoostedClassifier, ConformalClassifier, coverage_by_slice
from workbench.tasks.behaviour import read_heads

__all__ = ["main"]

_LEVEL, _ROWS, _DRAWS = 0.9, 12_000, 4


def _evaluations(folder: Path) -> dict[str, Evaluation]:
    settings = wb.Settings(root=folder, data_dir=folder / "data")
    found = {}
    for head in read_heads():
        say(f"  {head.name}")
        path = ROOT / "experiments" / head.name / "standard.yaml"
        ran = wb.evaluate_spec(path, settings=settings, on_progress=lambda _: None)
        found[head.name] = ran.evaluation
    return found


def _head_figures(family: Family) -> list[Figure]:
    figures = []
    for claim in family.claims:
        unit = "" if claim.standing == "met" else f" ({claim.standing})"
        said = claim.measured
        figures += [
            Figure(f"{claim.task}: {claim.metric} of {claim.arm}{unit}", said.estimate, said.n, "",
                   (said.ci_lower, said.ci_upper), "95 % interval", at_least=claim.claimed),
            Figure("  knowing nothing", claim.trivial, said.n),
            Figure("  ceiling: the true probabilities", claim.ceiling or float("nan"), said.n),
        ]  # fmt: skip
    for name, evaluation in family.evaluations.items():
        info = evaluation.info
        own = [a.name for a in evaluation.arms if not a.simulated]
        best = max(own, key=lambda a: evaluation.measurements[a, "roc_auc"].estimate)
        auc = evaluation.measurements[best, "roc_auc"]
        figures += [
            Figure(f"{name}: ROC AUC of {best}", auc.estimate, auc.n, "",
                   (auc.ci_lower, auc.ci_upper), "95 % interval"),
            Figure("  ceiling", (info.ceiling or {})["roc_auc"], auc.n),
        ]  # fmt: skip
    for row in family.gains("ensemble", ["lightgbm", "claude_evidence_first"]).itertuples():
        figures.append(
            Figure(f"{row.task}: log loss of {row.arm} less that of {row.best}", row.difference,
                   row.n, "", (row.ci_lower, row.ci_upper), "95 % interval, paired")
        )  # fmt: skip
    mean = family.macro("ensemble")
    figures.append(
        Figure("mean accuracy over the heads, sim:ensemble", mean, len(family.evaluations), "",
               at_least=0.992)
    )  # fmt: skip
    return figures


def _cascade(folder: Path) -> list[Figure]:
    """Ask about the leads where the answer is expected to help most."""
    settings = wb.Settings(root=folder, data_dir=folder / "data")
    spec = folder / "cascade.yaml"
    spec.write_text(
        "name: cascade\ntask: conversion_likelihood\n"
        "dataset: {name: crm_conversion_likelihood, n_rows: 8000, random_state: 7}\n"
        "split: {kind: random, test_fraction: 0.4, random_state: 42}\n"
        "model: claude-haiku-5-5\narms:\n"
        "  fields_only: {kind: boosted, parameters: {text: false}}\n"
        "  claude_zero_shot: {kind: claude, prompt: zero_shot}\n"
        "  both: {kind: stacked, members: [fields_only, claude_zero_shot]}\n"
        "  cascade: {kind: cascade, members: [fields_only, both], "
        "policy: {kind: gain, max_share: 0.3}}\n"
        "baseline: fields_only\ngates: [{metric: roc_auc, at_least: 0.5}]\n",
        encoding="utf-8",
    )
    read_spec(spec)
    evaluation = wb.evaluate_spec(spec, settings=settings, on_progress=lambda _: None).evaluation
    frontier = cascade_frontier(evaluation, "cascade")
    asked = evaluation.records[evaluation.records["arm"] == "cascade"]
    share = float((asked["calls"] > 0).mean())
    gap = evaluation.compare("log_loss", baseline="both")["cascade"].difference
    return [
        Figure("cascade by gain: leads sent to the simulated reader", share, len(asked)),
        Figure("  log loss less that of asking about all", gap.difference, gap.n, "",
               (gap.ci_lower, gap.ci_upper), "95 % interval, paired"),
        Figure("  points on its frontier", float(len(frontier.to_frame())), 1),
    ]  # fmt: skip


def _coverage() -> list[Figure]:
    """Class-conditional conformal sets at 90 %, in each slice of 500 rows or more.

    The promise is about the average over draws of the calibration rows; a slice of one draw
    varies around it by more than a point.
    """
    figures = []
    for head in read_heads()[:2]:
        say(f"  conformal sets, {head.name}")
        dataset = wb.load_dataset(head.dataset, n_rows=_ROWS, random_state=3)
        fields = dataset.X.drop(columns="conversation")
        groups = dataset.groups
        assert groups is not None
        people = groups.unique()
        drawn = []
        for draw in range(_DRAWS):
            chosen = np.random.default_rng(draw).permutation(people)[: len(people) // 2]
            inside = groups.isin(set(chosen)).to_numpy()
            model = ConformalClassifier(
                BoostedClassifier(), method="cross", n_splits=3, bins="source"
            )
            model.fit(fields[inside], dataset.y.to_numpy()[inside])
            table = coverage_by_slice(
                model.predict_set(fields[~inside], confidence_level=_LEVEL),
                dataset.y.to_numpy()[~inside], dataset.slices[~inside],
                classes=model.classes_, confidence_level=_LEVEL,
            ).to_frame()  # fmt: skip
            drawn.append(table[table["n"] >= 500])
        every = pd.concat(drawn)
        keys = [c for c in ("slice", "value", "label") if c in every]
        mean = every.groupby(keys, dropna=False)["coverage"].mean()
        spread = (float(every["coverage"].min()), float(every["coverage"].max()))
        n = int(every["n"].min())
        figures += [
            Figure(f"{head.name}: coverage, lowest mean of {len(mean)} slices of 500 or more",
                   float(mean.min()), n, "", spread, "single draws", at_least=_LEVEL - 0.02),
            Figure("  highest mean", float(mean.max()), n, "", spread, "single draws",
                   at_most=_LEVEL + 0.02),
        ]  # fmt: skip
    return figures


def main() -> dict[str, Any]:
    """Evaluate every head, then a cascade and conformal sets."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "datasets").mkdir()
        family = Family(_evaluations(folder))
        figures = [*_head_figures(family), *_cascade(folder), *_coverage()]
    return result(figures, claims=family.to_frame().to_dict("records"))
