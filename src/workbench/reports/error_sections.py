"""The part of a report on readers that shows where they go wrong; every text is sealed."""

from workbench.errors import EvaluationError
from workbench.evaluation.readings import ReadingEvaluation
from workbench.evaluation.readings.confusion import confusion
from workbench.evaluation.readings.disagreements import disagreements
from workbench.evaluation.readings.failures import failures
from workbench.evaluation.readings.slice_gaps import weak_slices
from workbench.reports.markup import Section, escape
from workbench.scorers import metric

__all__ = ["best_arm", "errors_section"]

_CONFUSED = ("label", "level", "labels", "slots")
_FEWEST, _ENOUGH_TEXTS = 2, 60


def best_arm(evaluation: ReadingEvaluation) -> str:
    """Name the arm with the best primary metric among those that are not the baseline.

    Parameters
    ----------
    evaluation
        The evaluation; the baseline itself where it stands alone.
    """
    name, baseline = evaluation.info.metrics[0], evaluation.info.baseline
    sign = 1 if metric(name).higher_is_better else -1
    others = [a for a in evaluation.arm_names if a != baseline] or [baseline]
    return max(others, key=lambda arm: sign * evaluation.estimate(arm, name).estimate)


def errors_section(evaluation: ReadingEvaluation) -> Section:
    """Show where the best arm and the baseline go wrong, and where they part.

    Parameters
    ----------
    evaluation
        The evaluation. Without texts, once loaded from a folder, counts alone are shown.
    """
    best, baseline = best_arm(evaluation), evaluation.info.baseline
    arms = list(dict.fromkeys([best, baseline]))
    kinds = {asked.name: asked.kind for asked in evaluation.fields}
    field = evaluation.info.metrics[0].rpartition("/")[0]
    known = evaluation.grid.answers[baseline, field].known()[0]
    if kinds[field] == "text" or len(known) < _FEWEST:
        return Section("")
    parts = []
    for arm in arms:
        label = escape(evaluation.arm(arm).label)
        shown = (
            [confusion(evaluation, arm, field)._repr_html_()] if kinds[field] in _CONFUSED else []
        )
        if evaluation.texts is not None and evaluation.info.n_test >= _ENOUGH_TEXTS:
            shown.append(f"<h4>Kinds of texts</h4>{_groups(evaluation, arm)}")
        gaps = weak_slices(evaluation, arm)
        if len(gaps.frame):
            shown.append(
                "<details><summary>Slices, the weakest first</summary>"
                f"{gaps._repr_html_()}</details>"
            )
        parts.append(f"<h3>{label}</h3>{''.join(shown)}")
    if len(arms) == 2:
        parted = disagreements(evaluation, best, baseline)._repr_html_()
        parts.append(f"<h3>Where the two part</h3>{parted}")
    told = (
        "Texts are shown without the identifiers the privacy gate finds; a name that nobody "
        "introduces can be left."
        if evaluation.texts is not None
        else "Counts alone: texts are shown where the spec says `show_texts: true`."
    )
    return Section(
        "<h2>Where it goes wrong</h2><p>The best arm by "
        f"{escape(metric(evaluation.info.metrics[0]).title)}, and the baseline. {told}</p>"
        + "".join(parts)
    )


def _groups(evaluation: ReadingEvaluation, arm: str) -> str:
    try:
        return failures(evaluation, arm)._repr_html_()
    except EvaluationError as error:  # texts that cannot be grouped are no reason for no report
        return f"<p>Not grouped: {escape(error.what)}.</p>"
