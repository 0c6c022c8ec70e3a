"""Search a space of prompts under a budget, and say what the search is honestly worth."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from workbench.claude import ClaudeClient, ClaudeRequest
from workbench.claude.budget import worst_case_usd
from workbench.data import Corpus
from workbench.errors import EvaluationError
from workbench.evaluation.comparison import Comparison
from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.readings.figures import check_metrics
from workbench.evaluation.readings.prompt_space import (
    PromptChoice,
    PromptSpace,
    reading_space,
    write_prompt,
)
from workbench.evaluation.readings.prompt_work import checked_parts
from workbench.evaluation.readings.run import evaluate_readings
from workbench.evaluation.readings.variant_search import (
    Rung,
    halving_plan,
    plan_calls,
    random_plan,
    select,
)
from workbench.predictors.readers import ClaudeReader, Readings, ShotChoice
from workbench.prompts import Prompt
from workbench.scorers import READING_SCORES, FieldAnswers, metric
from workbench.stats import Difference, Estimate
from workbench.tasks import Task

__all__ = ["PromptSearch", "SearchedPrompt", "compare_searches", "search_prompts"]

SearchMethod = Literal["halving", "random"]
_MODEL = "claude-haiku-5-5"
_WINNER, _REFERENCE = "winner", "reference"


class SearchedPrompt(NamedTuple):
    """One prompt of a search.

    Attributes
    ----------
    number
        In the order in which they were drawn.
    choice
        Its parts and solved examples.
    score
        By the metric, on the first `n_rows` validation texts.
    n_rows
        Texts it answered about before the search gave it up or ended.
    """

    number: int
    choice: PromptChoice
    score: float
    n_rows: int


@dataclass(frozen=True, eq=False)
class PromptSearch:
    """What a search for a prompt found.

    Parameters
    ----------
    method
        "halving" or "random".
    metric
        What was searched for.
    prompts
        Every prompt tried, the best on most texts first.
    winner, shots
        The prompt chosen, and how its solved examples are.
    validation_score, n_validation
        On the texts that chose it: too good, the more so the more prompts were tried.
    test
        The winner and the reference on test texts that the search never saw; measured once.
    n_calls, n_search_calls
        Questions put, stored answers included: in all, and to choose.
    cost_usd
        What all of them cost, whenever they were asked.
    stopped_by_cost
        Whether the money ended the search before its plan.
    """

    method: SearchMethod
    metric: str
    prompts: tuple[SearchedPrompt, ...]
    winner: Prompt
    shots: ShotChoice
    validation_score: float
    n_validation: int
    test: ReadingEvaluation
    n_calls: int
    n_search_calls: int
    cost_usd: float
    stopped_by_cost: bool

    @property
    def test_score(self) -> Estimate:
        """Of the winner, on the test texts: nothing was chosen there, so nothing to correct."""
        return self.test.estimate(_WINNER, self.metric)

    @property
    def difference(self) -> Difference:
        """Winner minus reference on the test texts, paired."""
        return self.test.compare(self.metric)[_WINNER].difference

    @property
    def optimism(self) -> float:
        """By how much the validation texts flatter the winner; negative by chance only."""
        sign = 1.0 if metric(self.metric).higher_is_better else -1.0
        return sign * (self.validation_score - self.test_score.estimate)

    def write(self, folder: Path) -> Path:
        """Write the winner as a prompt file that `read_prompt` reads back."""
        return write_prompt(self.winner, folder)

    def to_frame(self) -> pd.DataFrame:
        """One row a prompt: number, score, n_rows, an option a slot, n_examples, shots."""
        return pd.DataFrame(
            [
                {"number": p.number, "score": p.score, "n_rows": p.n_rows}
                | dict(p.choice.parts)
                | p.choice.shown._asdict()
                for p in self.prompts
            ]
        )

    def _repr_html_(self) -> str:
        how, d, found = metric(self.metric), self.difference, self.test_score
        low, high = how.format(found.ci_lower), how.format(found.ci_upper)
        apart = [how.format(v, signed=True) for v in (d.difference, d.ci_lower, d.ci_upper)]
        whose = (
            " <b>Answers are simulated; no figure is Claude's.</b>"
            if any(arm.simulated for arm in self.test.arms)
            else ""
        )
        told = (
            f"Best of {len(self.prompts)} prompts by {html.escape(self.method)}: "
            f"{html.escape(how.title)} {how.format(self.validation_score)} on the "
            f"{self.n_validation:,} validation texts that chose it, "
            f"<b>{how.format(found.estimate)} [{low}, {high}]</b> on {found.n:,} test texts the "
            f"search never saw (optimism {how.format(self.optimism, signed=True)}). Difference "
            f"from the reference there: {apart[0]} [{apart[1]}, {apart[2]}]."
        )
        spent = f"{self.n_calls:,} calls, ${self.cost_usd:.4f}" + (
            ", ended by the money" if self.stopped_by_cost else ""
        )
        table = self.to_frame().head(10).to_html(index=False, border=0, classes="wb")
        parts = "".join(
            f"<h4>{part}</h4><pre style='white-space:pre-wrap'>{html.escape(text)}</pre>"
            for part, text in (("system", self.winner.system), ("user", self.winner.user))
        )
        return (
            f"<div><p>{told}{whose}</p><p><small>{spent}</small></p>{table}"
            f"<details><summary>The prompt</summary>{parts}</details></div>"
        )


def search_prompts(
    task: Task,
    corpus: Corpus,
    space: PromptSpace | None = None,
    *,
    client: ClaudeClient,
    model: str = _MODEL,
    n_calls: int,
    budget_usd: float | None = None,
    name: str | None = None,
    reference: str | Path | Prompt | None = None,
    method: SearchMethod = "halving",
    random_state: int = 0,
) -> PromptSearch:
    """Search a space of prompts with a bounded number of calls, and measure the winner once.

    Candidates are drawn from the space without replacement and measured on the validation part;
    solved examples come from the train part. Only then the winner and the reference answer about
    the test part. Answers are stored: a search that was interrupted goes on where it stopped and
    comes to the same end.

    Parameters
    ----------
    task, corpus
        What is asked, on what; has the parts train, validation and test.
    space
        The prompts to choose among; `reading_space()` by default.
    client, model
        How Claude is reached, and which model.
    n_calls
        Most questions put in all, those about the test part included (two for each of its texts).
    budget_usd
        Most that all of it may cost; the dearest the next answers could be is kept free
        beforehand, and stored answers count as if they were asked.
    name
        Metric of a field to search for; the task's primary one by default.
    reference
        The prompt to beat; the task's first by default.
    method
        "halving": many prompts on few texts, the better third of them on three times as many.
        "random": fewer prompts, all of them on as many texts as the last of "halving"; the
        baseline, with the same calls.
    random_state
        Seed of the draw and of the order of the validation texts.

    Raises
    ------
    EvaluationError
        When the calls or the money do not suffice, the corpus has no validation part, or the method
        or the metric is unknown; before anything is asked.
    DataError
        When the corpus lacks a part.
    ClaudeError
        When Claude cannot be asked; answers that arrived stay stored.

    References
    ----------
    Jamieson & Talwalkar (2016), AISTATS, PMLR 51:240-248; random search as the baseline: Bergstra
    & Bengio (2012), JMLR 13:281-305; why the winner's own score flatters: Cawley & Talbot (2010),
    JMLR 11:2079-2107.
    """
    wanted = name or task.metrics[0]
    check_metrics([wanted], task.fields)
    checked_parts(corpus, ["validation"])
    space = reading_space() if space is None else space
    beaten = task.prompt(reference or next(iter(task.prompts)))
    trials = _Trials(task, corpus, space, client, model, wanted, beaten, random_state)
    plan = _plan(method, n_calls, trials)
    trials.draw(plan[0].n_candidates, budget_usd)
    found = select(plan, trials.measure)
    if found is None:
        raise EvaluationError(
            f"budget_usd is {budget_usd}",
            expected="enough for one candidate and the test, each answer as dear as it can be",
            fix="raise it, lower max_tokens, or take fewer texts",
        )
    best = trials.choices[found.winner]
    winner = space.prompt(best, f"{task.name}_searched")
    arms = {
        _REFERENCE: trials.reader(beaten, "random", arm=_REFERENCE),
        _WINNER: trials.reader(winner, best.shown.shots, arm=_WINNER),
    }
    held_out = evaluate_readings(
        task, arms, corpus, train=("train",), baseline=_REFERENCE,
        metrics=tuple(dict.fromkeys([wanted, *task.metrics])), random_state=random_state,
    )  # fmt: skip
    prompts = [
        SearchedPrompt(at, trials.choices[at], trials.sign * score, rows)
        for at, (rows, score) in found.scores.items()
    ]
    return PromptSearch(
        method=method,
        metric=wanted,
        prompts=tuple(sorted(prompts, key=lambda p: (-p.n_rows, -trials.sign * p.score))),
        winner=winner,
        shots=best.shown.shots,
        validation_score=trials.sign * found.score,
        n_validation=found.n_rows,
        test=held_out,
        n_calls=trials.n_calls + len(held_out.records),
        n_search_calls=trials.n_calls,
        cost_usd=trials.cost_usd + float(held_out.records["cost_usd"].sum()),
        stopped_by_cost=trials.n_calls < plan_calls(plan),
    )


def compare_searches(searches: Mapping[str, PromptSearch], *, baseline: str) -> Comparison:
    """Compare the winners of several searches on the test texts, paired.

    Parameters
    ----------
    searches
        By name; of one task, corpus, model and metric.
    baseline
        The search the others are compared with.

    Raises
    ------
    EvaluationError
        When there is no such search, or they were tested on other texts.
    """
    first = next(iter(searches.values())).test
    arms, rows = [], []
    for name, search in searches.items():
        mine = search.test.records
        arms.append(replace(search.test.arm(_WINNER), name=name))
        rows.append(mine[mine["arm"] == _WINNER].assign(arm=name))
        if search.test.info.dataset_digest != first.info.dataset_digest:
            raise EvaluationError(
                f"search {name!r} was tested on another corpus",
                expected=f"{first.info.dataset!r} with the same rows",
                fix="search on one corpus",
            )
    info = replace(first.info, baseline=baseline)
    together = ReadingEvaluation(info, tuple(arms), pd.concat(rows, ignore_index=True))
    return together.compare(baseline=baseline)


def _plan(method: SearchMethod, n_calls: int, trials: "_Trials") -> tuple[Rung, ...]:
    if method not in get_args(SearchMethod):
        raise EvaluationError(
            f"method is {method!r}", expected=f"one of {get_args(SearchMethod)}", fix="correct it"
        )
    n_test, n_rows, n_prompts = len(trials.test), len(trials.validation), len(trials.space)
    left = n_calls - 2 * n_test
    plan = halving_plan(left, n_rows, n_prompts)
    if plan and method == "random":
        plan = random_plan(left, plan, n_prompts)
    if not plan:
        raise EvaluationError(
            f"n_calls is {n_calls:,} for {n_prompts:,} prompts",
            expected=f"{2 * n_test:,} for the {n_test:,} test texts, and two candidates on "
            f"{min(20, n_rows)} validation texts besides",
            fix="raise it, or take a smaller sample of the corpus",
        )
    return plan


class _Trials:
    """Candidates, what they answered so far, and what that cost."""

    def __init__(
        self,
        task: Task,
        corpus: Corpus,
        space: PromptSpace,
        client: ClaudeClient,
        model: str,
        name: str,
        reference: Prompt,
        random_state: int,
    ) -> None:
        self.task, self.corpus, self.space = task, corpus, space
        self.client, self.model, self.reference = client, model, reference
        self.train, validation = corpus.of("train"), corpus.of("validation")
        self.rng = np.random.default_rng(random_state)
        self.validation = validation.take(self.rng.permutation(len(validation)))
        self.test = corpus.of("test").X
        field, _, score = name.rpartition("/")
        self.asked = next(asked for asked in task.fields if asked.name == field)
        self.make = READING_SCORES[score].make
        self.sign = 1.0 if metric(name).higher_is_better else -1.0
        self.choices: list[PromptChoice] = []
        self.n_calls, self.cost_usd = 0, 0.0
        self.budget_usd: float | None = None
        self._kept_usd = self._most_test_usd = 0.0
        self._readers: dict[int, ClaudeReader] = {}
        self._answers: dict[int, list[Readings]] = {}

    def draw(self, n: int, budget_usd: float | None) -> None:
        """Draw the candidates, and keep free what the reference will cost at most."""
        places = self.rng.choice(len(self.space), size=n, replace=False)
        self.choices = [self.space.choice(int(at)) for at in places]
        self.budget_usd = budget_usd
        if budget_usd is not None:
            reader = self._fitted(self.reader(self.reference, "random", arm=_REFERENCE))
            self._kept_usd = self._most_usd(reader.requests(self.test))

    def reader(self, prompt: Prompt, shots: ShotChoice, *, arm: str) -> ClaudeReader:
        """Make the reader that asks with a prompt."""
        return self.task.claude(
            prompt, self.corpus, client=self.client, model=self.model, shots=shots, arm=arm
        )

    def _fitted(self, reader: ClaudeReader) -> ClaudeReader:
        fields = [asked.name for asked in self.task.fields]
        groups = None if self.train.groups is None else self.train.groups.to_numpy()
        return reader.fit(self.train.X, self.train.y[fields], groups)

    def measure(self, candidate: int, n_rows: int) -> float | None:
        """Score a candidate on the first rows; None when that could cost too much."""
        if candidate not in self._readers:
            choice = self.choices[candidate]
            prompt = self.space.prompt(choice, f"{self.task.name}_{candidate}")
            made = self.reader(prompt, choice.shown.shots, arm=f"search {candidate}")
            self._readers[candidate] = self._fitted(made)
            self._answers[candidate] = []
        reader, answers = self._readers[candidate], self._answers[candidate]
        done = sum(len(part.values) for part in answers)
        new = self.validation.X.iloc[done:n_rows]
        if len(new):
            if not self._affordable(reader, new):
                return None
            found = reader.read(new)
            answers.append(found)
            self.n_calls += len(new)
            if found.answers is not None:
                self.cost_usd += float(found.answers["cost_usd"].sum())
        return self.sign * self._score(answers, n_rows)

    def _affordable(self, reader: ClaudeReader, new: pd.DataFrame) -> bool:
        if self.budget_usd is None:
            return True
        test_usd = max(self._most_test_usd, self._most_usd(reader.requests(self.test)))
        now_usd = self._most_usd(reader.requests(new))
        if self.cost_usd + now_usd + self._kept_usd + test_usd > self.budget_usd:
            return False
        self._most_test_usd = test_usd
        return True

    def _most_usd(self, requests: Sequence[ClaudeRequest]) -> float:
        today = datetime.now(UTC).date()
        return sum(worst_case_usd(r, self.client.prices, today, "5m") for r in requests)

    def _score(self, answers: Sequence[Readings], n_rows: int) -> float:
        name = self.asked.name
        proba = [part.proba.get(name) for part in answers]
        known = [p for p in proba if p is not None]
        evidence: list[Any] = []
        for part in answers:
            none = [None] * len(part.values)
            evidence += none if part.evidence is None else part.evidence.tolist()
        given = FieldAnswers(
            asked=self.asked,
            truth=self.validation.y[name].iloc[:n_rows].tolist(),
            values=[v for part in answers for v in part.values[name]],
            proba=np.vstack(known) if len(known) == len(proba) else None,
            evidence=evidence,
            texts=self.validation.X["text"].iloc[:n_rows].tolist(),
        )
        return float(self.make(given)(np.ones((1, n_rows)))[0])
