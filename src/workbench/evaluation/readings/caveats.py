"""What a reader of an evaluation of readers must know before believing its figures.

| code | caveat |
|---|---|
| WB-C01 | answers were simulated |
| WB-C05 | answers failed |
| WB-C06 | test texts stand in the training part too |
| WB-C07 | the test set is small |
| WB-C08 | the texts are simulated |
| WB-C12 | an arm does not beat saying the same of every text |
| WB-C13 | a value hardly occurs in the test part |
"""

import json
from collections import Counter

from workbench.evaluation.caveats import Caveat, sorted_caveats
from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.readings.records import TRUTH
from workbench.scorers import metric

__all__ = ["reading_caveats"]

_SMALL = 400
_MANY = 0.01
_FEW = 10
_CONSTANT = "constant"


def reading_caveats(evaluation: ReadingEvaluation) -> list[Caveat]:
    """Find what a reader of `evaluation` must know, gravest first.

    Parameters
    ----------
    evaluation
        The result to look at.
    """
    return sorted_caveats(
        [*_about_origin(evaluation), *_about_texts(evaluation), *_about_arms(evaluation)]
    )


def _about_origin(evaluation: ReadingEvaluation) -> list[Caveat]:
    found = []
    simulated = [a.label for a in evaluation.arms if a.simulated]
    if simulated:
        text = (
            f"{', '.join(simulated)}: these answers come from a simulated reader (rules, word "
            "lists and sentence vectors), not from Claude. Their quality and speed say nothing "
            "about Claude; their cost is what as many tokens would have cost."
        )
        found.append(Caveat("WB-C01", "grave", text))
    if evaluation.info.dataset_kind == "simulated":
        text = (
            f"{evaluation.info.dataset_title} is generated. It shows what the method can see; it "
            "is no evidence about real conversations."
        )
        found.append(Caveat("WB-C08", "warning", text))
    return found


def _about_texts(evaluation: ReadingEvaluation) -> list[Caveat]:
    info, found = evaluation.info, []
    if info.n_duplicates:
        text = f"{info.n_duplicates:,} of {info.n_test:,} test texts also stand in what was learnt."
        grave = info.n_duplicates > _MANY * info.n_test
        found.append(Caveat("WB-C06", "warning" if grave else "note", text))
    if info.n_test < _SMALL:
        text = f"Only {info.n_test:,} test texts: intervals are wide, rare values barely judged."
        found.append(Caveat("WB-C07", "warning", text))
    first = evaluation.records[evaluation.records["arm"] == evaluation.arm_names[0]]
    for asked in evaluation.fields:
        if asked.kind not in ("label", "labels", "level"):
            continue
        given = (json.loads(v) for v in first[f"{TRUTH}{asked.name}"].dropna())
        counted = Counter(v for one in given for v in (one if isinstance(one, list) else [one]))
        rare = [v for v in asked.values if counted[v] < _FEW]
        if rare:
            shown = ", ".join(rare[:5]) + (" …" if len(rare) > 5 else "")
            text = (
                f"{len(rare)} of {len(asked.values)} values of {asked.name} occur fewer than "
                f"{_FEW} times in the test part ({shown}): macro averages rest on few texts there."
            )
            found.append(Caveat("WB-C13", "note", text))
    return found


def _about_arms(evaluation: ReadingEvaluation) -> list[Caveat]:
    found, primary = [], evaluation.info.metrics[0]
    if _CONSTANT in evaluation.arm_names:
        compared = evaluation.compare(primary, baseline=_CONSTANT)
        sign = 1 if metric(primary).higher_is_better else -1
        level = [
            evaluation.arm(a.arm).label
            for a in compared.arms
            if min(sign * a.difference.ci_lower, sign * a.difference.ci_upper) <= 0
        ]
        if level:
            text = (
                f"{', '.join(level)} cannot be said to beat saying the same of every text, by "
                f"{metric(primary).title}."
            )
            found.append(Caveat("WB-C12", "warning", text))
    for arm in evaluation.arms:
        rows = evaluation.records[evaluation.records["arm"] == arm.name]
        share = float(rows["error"].notna().mean())
        if share > 0:
            text = (
                f"{share:.1%} of the answers of {arm.label} failed; they keep their cost and are "
                "scored as wrong."
            )
            found.append(Caveat("WB-C05", "warning" if share > _MANY else "note", text))
    return found
