"""Adaptive qualification against a fixed script: the same simulated leads, question by question."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.claude import Origin
from workbench.data import Corpus
from workbench.data.conversations import make_corpus, simulate_leads
from workbench.data.conversations.sheets import EXPERIENCE, ROLES, Agent, draw_agent, rng
from workbench.evaluation.measured import Figure, measure
from workbench.predictors.readers import ClaudeReader
from workbench.scorers import Metric
from workbench.scorers.weighted import ratio_statistic
from workbench.stats import Statistic, mean_statistic, restricted_mean
from workbench.studies.qualification_policies import (
    READS_WITH_EASE,
    AdaptivePolicy,
    FixedScript,
    GreedyPolicy,
    Policy,
    expected_bits,
)
from workbench.studies.qualification_reader import ReplyReader
from workbench.studies.qualification_talks import (
    MAX_TURNS,
    DialogueListener,
    Listener,
    ReplyListener,
    Talks,
    converse,
    most_complete,
)
from workbench.studies.result import TRUTH, Study, StudyClaim, hold_against

__all__ = ["learnt_listener", "qualification_flow", "role_aware_flow"]

Matrix = NDArray[np.float64]

_GOAL = 85.0
_CLAIMED_COMPLETE, _CLAIMED_SAVED = (0.85, 0.872), (0.20, 0.30)
_SCRIPT, _ADAPTIVE = "fixed script", "adaptive"
_HEARS_ALL = "adaptive, hears everything (knows the truth)"
_TURNS = Metric(
    "turns_to_goal", "Turns to 85 %", False,
    f"mean turns until 85 % is complete, {MAX_TURNS} where it never is",
)  # fmt: skip
_REACHED = Metric("reached_goal", "Reach 85 %", True, "share of leads that reach 85 %", "%")
_AREA = Metric(
    "completeness_over_turns", "Area", True, f"mean completeness over {MAX_TURNS} turns", "%"
)
_COMPLETE = Metric("completeness", "Completeness", True, "mean completeness at the end", "%")
_LEFT = Metric("abandonment", "Abandoned", False, "share of leads that leave", "%")
_REDUNDANT = Metric(
    "redundant", "Redundant", False, "share of the questions that were answered already", "%"
)
_ASKED = Metric("questions", "Questions", False, "mean questions put")
_READABLE = Metric(
    "readable", "Readable", True,
    "share of the questions no more than two grades above what the lead's vertical reads", "%",
)  # fmt: skip
_SAVED = Metric(
    "time_saved", "Time saved", True, "mean turns to 85 % saved against the fixed script", "%"
)
# What a role asks first: who sells has a date and a reason, who coordinates needs people.
_AREAS_OF_ROLE: Mapping[str, Sequence[str]] = {
    "buyer": ("budget",),
    "seller": ("timeline", "motivation"),
    "transaction_coordinator": ("timeline", "contact"),
}
_GRADE_OF_AGENT = {"novice": 6.0, "experienced": 11.0, "expert": 17.0}


def learnt_listener(talks: Corpus) -> ReplyListener:
    """Learn to hear answers from labelled talks of other people.

    Parameters
    ----------
    talks
        "qualification_sheets"; its test part is not read.

    Examples
    --------
    >>> listener = learnt_listener(make_corpus("qualification_sheets", 300))
    >>> len(listener.reader.models_)
    16
    """
    return ReplyListener(ReplyReader().fit(talks.of("train", "validation")))


def qualification_flow(
    n_leads: int = 1000,
    *,
    n_talks: int = 1500,
    claude: ClaudeReader | None = None,
    n_claude: int = 40,
    n_resamples: int = 1000,
    random_state: int = 0,
) -> Study:
    """Question the same simulated leads by several policies, and measure how far each gets.

    Policies: the fixed script; the heaviest open question by weight and information (greedy);
    one that skips what was volunteered, takes up what was said, leaves refused areas and stops
    when a turn costs more than it brings (adaptive), also with a higher cost of a turn, and with
    the truth in the place of its reader. None sees the lead's sheet.

    Parameters
    ----------
    n_leads
        Leads each policy meets.
    n_talks
        Labelled talks the reader learns from, before splitting.
    claude
        Fitted `ClaudeReader` of the task `qualification_assessment`; a table in `details` then
        compares it with the learnt reader on the first leads.
    n_claude
        How many: every turn of each is one request.
    n_resamples
        Of the bootstrap over leads.
    random_state
        Seed of leads, talks and bootstrap.

    Returns
    -------
    Study
        A lead that leaves never gets to 85 %: its turns count up to the horizon. Kaplan and
        Meier's restricted mean, for which it is censored, stands in `details["censored"]`.

    Examples
    --------
    >>> found = qualification_flow(40, n_talks=300, n_resamples=200)
    >>> found.estimate("adaptive", "completeness").n
    40
    """
    talks = make_corpus("qualification_sheets", n_talks, random_state)
    listener = learnt_listener(talks)
    bits = expected_bits(talks.of("train", "validation"))
    arms: dict[str, tuple[Policy, Listener | None]] = {
        _SCRIPT: (FixedScript(), listener),
        "greedy": (GreedyPolicy(bits), listener),
        _ADAPTIVE: (AdaptivePolicy(bits), listener),
        "adaptive, spares patience": (AdaptivePolicy(bits, cost=3.0), listener),
        _HEARS_ALL: (AdaptivePolicy(bits), None),
    }
    talked = {
        name: converse(policy, simulate_leads(n_leads, random_state), heard,
                       random_state=random_state)
        for name, (policy, heard) in arms.items()
    }  # fmt: skip
    options: dict[str, Any] = {"n_resamples": n_resamples, "random_state": random_state}
    measured = measure(talked, _FIGURES, n=n_leads, baseline=_SCRIPT, **options)
    details = {
        "censored": _censored(talked),
        "what_was_heard": _heard(talked),
    }
    if claude is not None:
        details["claude"] = _with_claude(claude, talks, listener, bits, n_claude, random_state)
    return Study(
        "qualification_flow",
        "How far does a qualification get, and in how many turns?",
        measured,
        len(talks.of("train", "validation")),
        _claims(talked, n_leads, random_state, options),
        details,
        (
            "Who does not talk about money or dates cannot reach 85 %: the ceiling asks leads "
            "whose patience never ends.",
            f"Time counts leads that never get to 85 % at {MAX_TURNS} turns under every policy, "
            "which brings all savings nearer to nothing.",
            "What a lead answers to a question is the same under every policy.",
            "Patience, and what it costs to be asked again or abruptly, is the simulator's.",
        ),
    )


class _Against(NamedTuple):
    """Turns to the goal of an arm and of the script."""

    own: Matrix
    script: Matrix


def _restricted(talks: Talks) -> Matrix:
    return np.minimum(talks.turns_to(_GOAL), MAX_TURNS)


_FIGURES = (
    Figure(_TURNS, lambda t: mean_statistic(_restricted(t))),
    Figure(_REACHED, lambda t: mean_statistic(np.isfinite(t.turns_to(_GOAL)).astype(float))),
    Figure(_AREA, lambda t: mean_statistic(t.path.mean(axis=1) / 100)),
    Figure(_COMPLETE, lambda t: mean_statistic(t.path[:, -1] / 100)),
    Figure(_LEFT, lambda t: mean_statistic(t.left.astype(float))),
    Figure(_REDUNDANT, lambda t: ratio_statistic(t.redundant, t.n_turns)),
    Figure(_ASKED, lambda t: mean_statistic(t.n_turns)),
)


def _saved(against: _Against) -> Statistic:
    return ratio_statistic(against.script - against.own, against.script)


def _claims(
    talked: Mapping[str, Talks], n: int, random_state: int, options: Mapping[str, Any]
) -> tuple[StudyClaim, ...]:
    sheets = [lead.sheet for lead in simulate_leads(n, random_state)]
    ends = {name: t.path[:, -1] for name, t in talked.items()}
    ends[TRUTH] = most_complete(sheets, random_state)
    complete = Figure(_COMPLETE, lambda end: mean_statistic(end / 100))
    ended = measure(ends, [complete], n=n, baseline=_SCRIPT, **options)
    script = _restricted(talked[_SCRIPT])
    times = {name: _Against(_restricted(t), script) for name, t in talked.items()}
    saved = measure(times, [Figure(_SAVED, _saved)], n=n, baseline=_SCRIPT, **options)
    return tuple(
        hold_against(found, metric, claimed, arm=_ADAPTIVE, trivial=_SCRIPT)
        for found, metric, claims in (
            (ended, _COMPLETE, _CLAIMED_COMPLETE), (saved, _SAVED, _CLAIMED_SAVED),
        )
        for claimed in claims
    )  # fmt: skip


def _censored(talked: Mapping[str, Talks]) -> pd.DataFrame:
    """Restricted means for which who leaves or is given up is censored then."""
    rows = []
    for name, talks in talked.items():
        turns = talks.turns_to(_GOAL)
        reached = np.isfinite(turns)
        seen = np.where(reached, turns, talks.n_turns)
        horizon = float(seen[reached].max()) if reached.any() else 1.0
        horizon = min(horizon, float(MAX_TURNS))
        found = restricted_mean(seen, reached.astype(int), horizon) if reached.any() else None
        rows.append(
            {
                "arm": name,
                "horizon_turns": horizon,
                "restricted_mean_turns": np.nan if found is None else found.mean,
                "standard_error": np.nan if found is None else found.standard_error,
                "n_reached": int(reached.sum()),
                "n_left": int((talks.left & ~reached).sum()),
                "n_stopped": int((~talks.left & ~reached).sum()),
            }
        )
    return pd.DataFrame(rows)


def _heard(talked: Mapping[str, Talks]) -> pd.DataFrame:
    """How far what a policy heard is from what was answered, in points at the end."""
    rows = [
        {
            "arm": name,
            "completeness_heard": float(talks.read.mean()),
            "completeness_true": float(talks.path[:, -1].mean()),
            "mean_error_points": float(np.abs(talks.read - talks.path[:, -1]).mean()),
        }
        for name, talks in talked.items()
    ]
    return pd.DataFrame(rows)


def _with_claude(
    claude: ClaudeReader,
    talks: Corpus,
    learnt: Listener,
    bits: Mapping[str, float],
    n: int,
    random_state: int,
) -> pd.DataFrame:
    """The adaptive policy with either reader on the same first leads."""
    name = f"{_ADAPTIVE}, Claude reads"
    listeners: dict[str, Listener] = {_ADAPTIVE: learnt, name: DialogueListener(claude, talks)}
    talked = {
        arm: converse(
            AdaptivePolicy(bits), simulate_leads(n, random_state), listener,
            random_state=random_state,
        )
        for arm, listener in listeners.items()
    }  # fmt: skip
    simulated = (name,) if claude.client.origin is Origin.SIMULATED else ()
    return measure(talked, _FIGURES, n=n, simulated=simulated, random_state=random_state).to_frame()


def role_aware_flow(
    n_leads: int = 1000, *, n_talks: int = 1500, n_resamples: int = 1000, random_state: int = 0
) -> Study:
    """Match order and wording of the questions to the agent's role and experience.

    Every lead gets an agent. Arms: one flow for everybody; areas in the order of the agent's role;
    wording as agents of that experience talk unaided; both, the wording no harder than clients of
    the lead's vertical read with ease.

    Parameters
    ----------
    n_leads
        Leads each arm meets.
    n_talks
        Labelled talks the reader learns from, before splitting.
    n_resamples
        Of the bootstrap over leads.
    random_state
        Seed.

    Returns
    -------
    Study
        `details["by_role_and_experience"]` has the figures of every arm by kind of agent.

    Examples
    --------
    >>> found = role_aware_flow(40, n_talks=300, n_resamples=200)
    >>> set(found.details["by_role_and_experience"]["experience"]) <= set(EXPERIENCE)
    True
    """
    talks = make_corpus("qualification_sheets", n_talks, random_state)
    listener = learnt_listener(talks)
    bits = expected_bits(talks.of("train", "validation"))
    sheets = [lead.sheet for lead in simulate_leads(n_leads, random_state)]
    agents = [draw_agent(rng("agent of", random_state, sheet.contact)) for sheet in sheets]

    arms: dict[str, list[AdaptivePolicy]] = {
        "one flow for everybody": [AdaptivePolicy(bits) for _ in agents],
        "order by role": [AdaptivePolicy(bits, areas=_AREAS_OF_ROLE[a.role]) for a in agents],
        "wording as agents talk": [
            AdaptivePolicy(bits, reading_grade=_GRADE_OF_AGENT[a.experience]) for a in agents
        ],
        "role, experience and vertical": [
            AdaptivePolicy(
                bits,
                areas=_AREAS_OF_ROLE[a.role],
                reading_grade=min(_GRADE_OF_AGENT[a.experience], READS_WITH_EASE[s.vertical]),
            )
            for a, s in zip(agents, sheets, strict=True)
        ],
    }
    talked = {
        name: converse(each, simulate_leads(n_leads, random_state), listener,
                       random_state=random_state)
        for name, each in arms.items()
    }  # fmt: skip
    figures = (*_FIGURES, Figure(_READABLE, lambda t: ratio_statistic(t.readable, t.n_turns)))
    measured = measure(
        talked, figures, n=n_leads, n_resamples=n_resamples, random_state=random_state
    )
    return Study(
        "role_aware_flow",
        "Does it help to match the questions to the agent?",
        measured,
        len(talks.of("train", "validation")),
        details={"by_role_and_experience": _by_agent(talked, agents)},
        notes=(
            "The simulated leads do not care who asks: role and experience act through the order "
            "and the wording alone.",
            "Wordings are plain (grade 6) or a lawyer's (grade 17); a grade between them decides "
            "which of the two is said, and is what the lead's patience pays for.",
        ),
    )


def _by_agent(talked: Mapping[str, Talks], agents: Sequence[Agent]) -> pd.DataFrame:
    role, experience = (
        np.array([getattr(agent, name) for agent in agents]) for name in ("role", "experience")
    )
    rows = []
    for r in ROLES:
        for e in EXPERIENCE:
            at = np.flatnonzero((role == r) & (experience == e))
            if not len(at):
                continue
            for name, talks in talked.items():
                mine = talks.of(at)
                rows.append(
                    {
                        "role": r, "experience": e, "arm": name, "n": len(at),
                        "turns_to_goal": float(_restricted(mine).mean()),
                        "completeness": float(mine.path[:, -1].mean()),
                        "abandonment": float(mine.left.mean()),
                        "readable": float(mine.readable.sum() / mine.n_turns.sum()),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)
