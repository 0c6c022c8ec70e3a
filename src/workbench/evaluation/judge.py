"""A model as judge of pairs of answers: each pair asked both ways round, nothing believed yet.

What a judge says is worth something only after `audit_judge` has held it against people.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.claude import Answer, ClaudeClient, ClaudeRequest, Origin
from workbench.errors import EvaluationError
from workbench.evaluation.judge_answers import Criterion, judge_prompts, listed, verdict_model
from workbench.predictors.reading import answer_row, read_answer
from workbench.prompts import Prompt

__all__ = ["JudgePair", "Judgements", "PairwiseJudge"]

_WINS = {"first": 1.0, "second": 0.0, "tie": 0.5}


class JudgePair(NamedTuple):
    """Two answers to one request.

    Attributes
    ----------
    pair
        Identifier of the pair.
    context
        What was asked for, and from what.
    arm_a, answer_a, arm_b, answer_b
        The two arms and what they wrote. The judge is not told the arms.
    subject
        Whom the texts are about, for export and erasure; kept as a keyed hash.
    """

    pair: str
    context: str
    arm_a: str
    answer_a: str
    arm_b: str
    answer_b: str
    subject: str | None = None


@dataclass(frozen=True)
class Judgements:
    """What a judge said of pairs, both ways round.

    Parameters
    ----------
    rows
        One row a pair, order and repeat: `pair`, `arm_a`, `arm_b`, `length_a`, `length_b` (in
        characters), `order` (``ab`` or ``ba``), `repeat`, `winner` (None where the answer failed),
        `score_a` (1 where a won, 0 where b did, 0.5 for a tie, NaN where failed), then
        `workbench.predictors.ANSWER_COLUMNS`.
    model
        Who was asked to judge.
    prompt
        Name of the variant.
    """

    rows: pd.DataFrame
    model: str
    prompt: str

    def __post_init__(self) -> None:
        origins = sorted(self.rows["origin"].dropna().unique())
        if len(origins) != 1:
            raise EvaluationError(
                f"judgements of the origins {origins}",
                expected="one origin: figures never mix them",
                fix="judge again with one client",
            )
        if "cache" in self.rows and (self.rows["cache"] == "semantic").any():
            # A question that means nearly the same is the same pair the other way round.
            raise EvaluationError(
                "some judgements are answers to other questions, from a semantic cache",
                expected="an answer to every pair, order and repeat of its own",
                fix="judge with a client that has none",
            )

    @property
    def origin(self) -> Origin:
        """Where the judgements came from."""
        return Origin(self.rows["origin"].dropna().iloc[0])

    @property
    def label(self) -> str:
        """The judge's name as people read it: ``sim:`` before a stand-in."""
        name = f"{self.model}/{self.prompt}"
        return f"sim:{name}" if self.origin is Origin.SIMULATED else name

    @property
    def cost_usd(self) -> float:
        """Price of all answers, failed ones too."""
        return float(self.rows["cost_usd"].sum())

    def verdicts(self) -> pd.DataFrame:
        """One row a pair: what the judge says whichever answer comes first.

        Returns
        -------
        DataFrame
            Index `pair`. `verdict` is ``a`` or ``b`` where both orders (of the first repeat) name
            it, else ``tie``; None where an answer failed. `consistent` tells whether both orders
            agree.
        """
        first = self.rows[self.rows["repeat"] == self.rows["repeat"].min()]
        wide = first.pivot(index="pair", columns="order", values="score_a")
        told = first.drop_duplicates("pair").set_index("pair")
        told = told[["arm_a", "arm_b", "length_a", "length_b"]].loc[wide.index]
        ab, ba = (wide[order].to_numpy(dtype=np.float64) for order in ("ab", "ba"))
        failed, same = np.isnan(ab) | np.isnan(ba), ab == ba
        names = np.select([same & (ab == 1), same & (ab == 0)], ["a", "b"], "tie").astype(object)
        names[failed] = None
        return told.assign(verdict=names, consistent=same, failed=failed)

    def to_frame(self) -> pd.DataFrame:
        """All rows."""
        return self.rows.copy()

    def _repr_html_(self) -> str:
        found = self.verdicts()
        counts = found["verdict"].value_counts()
        words = ", ".join(f"{int(counts.get(v, 0)):,} {v}" for v in ("a", "b", "tie"))
        return (
            f"<p><b>{html.escape(self.label)}</b>: {len(found):,} pairs judged both ways round: "
            f"{words}, {int(found['failed'].sum()):,} failed.</p>"
            f"<p><small>{html.escape(self.origin.describe())}. Not yet held against people: see "
            "<code>audit_judge</code>.</small></p>"
        )


@dataclass(frozen=True)
class PairwiseJudge:
    """Ask a model which of two answers is better, each pair both ways round.

    Parameters
    ----------
    client
        Asks, keeps and books.
    model
        Who judges.
    criteria
        What makes an answer better, most important first.
    prompt
        The variant; ``direct`` of `judge_prompts` by default.
    max_tokens
        Limit of output tokens.
    task, arm
        Whom the ledger charges.

    Examples
    --------
    >>> import tempfile
    >>> pair = JudgePair("1", "Greet the lead.", "plain", "Hi.", "warm", "Hi Ann, welcome!")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     client = ClaudeClient(origin=Origin.SIMULATED, store=f"{folder}/answers.sqlite")
    ...     judge = PairwiseJudge(client, "claude-haiku-5-5", [Criterion("warm", "Is it kind?")])
    ...     len(judge.requests([pair])), len(judge.requests([pair], repeats=3))
    (2, 6)
    """

    client: ClaudeClient
    model: str
    criteria: Sequence[Criterion]
    prompt: Prompt | None = None
    max_tokens: int = 1024
    task: str = "judge"
    arm: str = "judge"

    @property
    def asked(self) -> Prompt:
        """The prompt that is used."""
        return self.prompt or judge_prompts()["direct"]

    def requests(self, pairs: Sequence[JudgePair], *, repeats: int = 1) -> list[ClaudeRequest]:
        """What `judge` would ask, for pricing it beforehand.

        Parameters
        ----------
        pairs
            To be judged.
        repeats
            How often each is asked, each way round.

        Returns
        -------
        list of ClaudeRequest
            By repeat, pair and order.

        Raises
        ------
        EvaluationError
            When there are no pairs, identifiers repeat, or repeats are below 1.
        """
        if not pairs or len({p.pair for p in pairs}) != len(pairs) or repeats < 1:
            raise EvaluationError(
                f"{len(pairs)} pairs with {len({p.pair for p in pairs})} identifiers, "
                f"{repeats} repeats",
                expected="one pair or more, each with its own identifier, one repeat or more",
                fix="name every pair once",
            )
        schema = verdict_model(self.asked).model_json_schema()
        wanted = listed(self.criteria)
        asked = []
        for repeat in range(repeats):
            for pair in pairs:
                for first, second in (
                    (pair.answer_a, pair.answer_b),
                    (pair.answer_b, pair.answer_a),
                ):
                    rendered = self.asked.render(
                        criteria=wanted, context=pair.context, first=first, second=second
                    )
                    asked.append(
                        ClaudeRequest(
                            model=self.model,
                            system=rendered.system,
                            prompt=rendered.user,
                            schema=schema,
                            max_tokens=self.max_tokens,
                            repeat=repeat,
                            subject=pair.subject or pair.pair,
                        )
                    )
        return asked

    def judge(self, pairs: Sequence[JudgePair], *, repeats: int = 1) -> Judgements:
        """Ask about every pair, both ways round; answers that are stored are not asked again.

        Parameters
        ----------
        pairs
            To be judged.
        repeats
            How often each is asked, each way round; two or more tell how steady the judge is.

        Returns
        -------
        Judgements

        Raises
        ------
        EvaluationError
            As `requests`.
        ClaudeError
            When nothing can be asked.
        """
        answers = iter(
            self.client.ask(self.requests(pairs, repeats=repeats), task=self.task, arm=self.arm)
        )
        rows = [
            self._row(pair, order, repeat, next(answers))
            for repeat in range(repeats)
            for pair in pairs
            for order in ("ab", "ba")
        ]
        return Judgements(pd.DataFrame(rows), self.model, self.asked.name)

    def _row(self, pair: JudgePair, order: str, repeat: int, answer: Answer) -> dict[str, Any]:
        reading = read_answer(answer, verdict_model(self.asked), self.max_tokens)
        winner = getattr(reading.answer, "winner", None)
        score = np.nan if winner is None else _WINS[winner]
        row = answer_row(
            answer, reading, proba=np.nan, prompt_digest=self.asked.digest, repeat=repeat
        )
        return {
            "pair": pair.pair,
            "arm_a": pair.arm_a,
            "arm_b": pair.arm_b,
            "length_a": len(pair.answer_a),
            "length_b": len(pair.answer_b),
            "order": order,
            "winner": winner,
            "score_a": score if order == "ab" else 1 - score,
            **row,
        }
