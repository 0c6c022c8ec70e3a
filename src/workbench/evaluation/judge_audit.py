"""A judge held against people: agreement, order, length, its own kin, steadiness, and the bias.

Nothing may be decided on a judge that was not audited, so what corrects its verdicts comes only
from here.
"""

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from workbench.claude import Origin
from workbench.errors import EvaluationError
from workbench.evaluation.judge import Judgements
from workbench.evaluation.judge_correction import corrected_share
from workbench.evaluation.judge_probes import (
    LEAST_HUMAN,
    agreement_with_people,
    beyond_people,
    longer_side,
    longer_wins,
    matched_agreement,
    own_side,
    prefers_first,
    retest_agreement,
    share,
)
from workbench.stats import Difference, Estimate

__all__ = ["HumanVerdict", "JudgeAudit", "audit_judge"]

HumanVerdict: TypeAlias = Literal["a", "b", "tie"]
"""Which answer of a pair a person prefers."""


@dataclass(frozen=True)
class JudgeAudit:
    """What is known of a judge.

    Parameters
    ----------
    label, origin
        Whose verdicts these are.
    n_pairs, n_failed, n_human
        Pairs judged, those without verdict, and those that people judged too.
    kappa
        Cohen's kappa with people over a, b and tie; None where fewer than 30 pairs have both.
        Its lower bound is the smaller of the large-sample one and of what Wilson's lower bound of
        plain agreement leaves, so that few pairs without any disagreement prove little.
    order_consistency
        Share of pairs whose verdict does not depend on the order.
    prefers_first
        Share of decided answers for what stands first; 0.5 is no position bias.
    longer_wins
        Share of decided verdicts for the longer answer.
    longer_beyond_people
        The same, judge minus people, on the pairs both judged; None without people.
    matched_agreement
        Plain agreement with people where both answers are within 10 % of one length.
    own_kin_beyond_people
        How much more the judge prefers an answer of its own family than people do; None where
        families or people are not given.
    retest
        Share of repeated questions answered alike; None without repeats.
    verdicts, human
        What the correction is computed from.
    confidence_level
        Of intervals.
    """

    label: str
    origin: Origin
    n_pairs: int
    n_failed: int
    n_human: int
    kappa: Estimate | None
    order_consistency: Estimate | None
    prefers_first: Estimate | None
    longer_wins: Estimate | None
    longer_beyond_people: Difference | None
    matched_agreement: Estimate | None
    own_kin_beyond_people: Difference | None
    retest: Estimate | None
    verdicts: pd.DataFrame
    human: Mapping[str, HumanVerdict]
    confidence_level: float

    def trusted(self, *, min_kappa: float = 0.6) -> bool:
        """Whether the judge may stand in for people.

        Parameters
        ----------
        min_kappa
            What the lower bound of kappa must reach.

        Returns
        -------
        bool
            False where agreement was not measured, and for a stand-in on this machine: its
            figures speak for nobody else.

        Examples
        --------
        >>> rows = pd.DataFrame({"pair": ["1", "1"], "order": ["ab", "ba"], "repeat": 0,
        ...                      "score_a": 1.0, "winner": ["first", "second"], "arm_a": "x",
        ...                      "arm_b": "y", "length_a": 3, "length_b": 4, "origin": "local",
        ...                      "cost_usd": 0.0})
        >>> audit_judge(Judgements(rows, "m", "direct"), {}).trusted()
        False
        """
        measured = self.kappa is not None and not math.isnan(self.kappa.estimate)
        if not measured or self.origin is Origin.SIMULATED:
            return False
        return self.kappa is not None and self.kappa.ci_lower >= min_kappa

    def corrected_win_rate(self, arm: Literal["a", "b"] = "a") -> Estimate:
        """Share of pairs in which people would prefer an arm, from the judge's verdicts.

        Parameters
        ----------
        arm
            Whose wins are counted; a tie is none.

        Returns
        -------
        Estimate
            Over the pairs people did not judge, corrected by those they did: these must be a
            random sample (see `workbench.evaluation.judge_correction.draw_calibration`).

        Raises
        ------
        EvaluationError
            When agreement was not measured, the pairs are of several arms, people judged every
            pair or only one kind of outcome, or the judge is no better than chance.

        References
        ----------
        See `workbench.stats.judge_corrected_proportion`.
        """
        if self.kappa is None:
            raise EvaluationError(
                f"agreement with people is unmeasured: {self.n_human} pairs have both verdicts",
                where=f"judge {self.label}",
                expected=f"{LEAST_HUMAN} or more pairs that people judged, drawn at random",
                fix="have people judge the pairs of draw_calibration, and audit again",
            )
        arms = self.verdicts[["arm_a", "arm_b"]].drop_duplicates()
        if len(arms) > 1:
            raise EvaluationError(
                f"the pairs are of {len(arms)} different couples of arms",
                where=f"judge {self.label}",
                expected="one arm a and one arm b",
                fix="audit each couple by itself",
            )
        people = [self.human.get(str(pair)) for pair in self.verdicts.index]
        return corrected_share(
            [v == arm if isinstance(v, str) else None for v in self.verdicts["verdict"]],
            [None if v is None else v == arm for v in people],
            confidence_level=self.confidence_level,
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a figure.

        Returns
        -------
        DataFrame
        """
        rows = []
        for name in _MEANINGS:
            found = getattr(self, name)
            if found is None:
                rows.append({"figure": name, "measured": False})
                continue
            value = found.difference if isinstance(found, Difference) else found.estimate
            rows.append({"figure": name, "measured": True, "value": value,
                         "ci_lower": found.ci_lower, "ci_upper": found.ci_upper,
                         "n": found.n})  # fmt: skip
        columns = ["figure", "measured", "value", "ci_lower", "ci_upper", "n"]
        return pd.DataFrame(rows, columns=columns)

    def _repr_html_(self) -> str:
        body = ""
        for row in self.to_frame().itertuples():
            words = "not measured"
            if row.measured:
                words = (
                    f"{row.value:.2f} [{row.ci_lower:.2f}, {row.ci_upper:.2f}], n = {row.n:,.0f}"
                )
            body += f"<tr><td>{_MEANINGS[str(row.figure)]}</td><td>{words}</td></tr>"
        return (
            f"<p><b>{html.escape(self.label)}</b> ({html.escape(self.origin.describe())}): "
            f"{self.n_pairs:,} pairs, {self.n_failed:,} without verdict, {self.n_human:,} "
            f"judged by people too.</p><table><tbody>{body}</tbody></table>"
        )


_MEANINGS = {
    "kappa": "agreement with people (kappa)",
    "order_consistency": "same verdict whichever comes first",
    "prefers_first": "prefers what stands first (0.5: no bias)",
    "longer_wins": "prefers the longer answer",
    "longer_beyond_people": "… beyond what people do",
    "matched_agreement": "agrees with people at matched length",
    "own_kin_beyond_people": "prefers its own family beyond what people do",
    "retest": "says the same when asked again",
}


def audit_judge(
    judgements: Judgements,
    human: Mapping[str, HumanVerdict],
    *,
    families: Mapping[str, str] | None = None,
    judge_family: str | None = None,
    confidence_level: float = 0.95,
) -> JudgeAudit:
    """Hold a judge against people, and look for the biases judges are known for.

    Parameters
    ----------
    judgements
        What the judge said.
    human
        What people prefer, by pair: a random sample of the pairs, such as that of
        `workbench.evaluation.judge_correction.draw_calibration`.
    families, judge_family
        Family of models behind each arm, and the judge's own, for the self-preference probe.
    confidence_level
        Of intervals.

    Returns
    -------
    JudgeAudit
        Intervals take pairs as independent: judge one pair a lead.

    Raises
    ------
    EvaluationError
        When a human verdict is about no judged pair or is none of a, b and tie.

    References
    ----------
    Zheng et al. (2023), "Judging LLM-as-a-judge with MT-Bench and Chatbot Arena", NeurIPS:
    position, length and self-preference; Lee et al. (2025), arXiv:2511.21140: correction.

    Examples
    --------
    >>> rows = pd.DataFrame([
    ...     {"pair": str(i), "order": order, "repeat": 0, "score_a": float(i % 2),
    ...      "winner": "first" if (order == "ab") == (i % 2 == 1) else "second", "arm_a": "x",
    ...      "arm_b": "y", "length_a": 9, "length_b": 9, "origin": "local", "cost_usd": 0.0}
    ...     for i in range(80) for order in ("ab", "ba")])
    >>> people = {str(i): "a" if i % 2 else "b" for i in range(40)}
    >>> audit = audit_judge(Judgements(rows, "m", "direct"), people)
    >>> audit.kappa.estimate, audit.trusted(min_kappa=0.8), audit.corrected_win_rate().estimate
    (1.0, True, 0.5)
    """
    verdicts = judgements.verdicts()
    _check_human(human, verdicts)
    judged = verdicts[~verdicts["failed"].astype(bool)]
    both = judged[judged.index.isin(list(human))]
    people = [human[str(pair)] for pair in both.index]
    told = both["verdict"].tolist()
    kin = families is not None and judge_family is not None
    level = confidence_level
    return JudgeAudit(
        label=judgements.label,
        origin=judgements.origin,
        n_pairs=len(verdicts),
        n_failed=len(verdicts) - len(judged),
        n_human=len(both),
        kappa=agreement_with_people(told, people, level),
        order_consistency=share(int(judged["consistent"].sum()), len(judged), level),
        prefers_first=prefers_first(judgements.rows, level),
        longer_wins=longer_wins(judged, level),
        longer_beyond_people=beyond_people(told, people, longer_side(both), level),
        matched_agreement=matched_agreement(both, people, level),
        own_kin_beyond_people=(
            beyond_people(told, people, own_side(both, families or {}, judge_family or ""), level)
            if kin
            else None
        ),
        retest=retest_agreement(judgements.rows, level),
        verdicts=verdicts,
        human=dict(human),
        confidence_level=level,
    )


def _check_human(human: Mapping[str, HumanVerdict], verdicts: pd.DataFrame) -> None:
    strangers = sorted(set(human) - set(verdicts.index.astype(str)))
    odd = sorted({str(v) for v in human.values()} - {"a", "b", "tie"})
    if strangers or odd:
        raise EvaluationError(
            f"{len(strangers)} human verdicts are about pairs that were not judged"
            + (f", such as {strangers[0]!r}" if strangers else "")
            + (f"; unknown verdicts {odd}" if odd else ""),
            expected="'a', 'b' or 'tie' by identifier of a judged pair",
            fix="correct the labels",
        )
