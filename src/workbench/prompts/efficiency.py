"""Where the tokens of a prompt go: its system text, instructions, examples, schema and data."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from workbench.errors import PromptError
from workbench.prompts.prompt import Prompt

__all__ = ["PARTS", "PromptParts", "prompt_parts"]

PARTS = ("system", "instructions", "examples", "schema", "data")
"""What a request consists of, in the order it is sent; the schema goes beside the texts."""

Values: TypeAlias = Mapping[str, str | Sequence[Mapping[str, str]]]
Text: TypeAlias = tuple[str, str, str | None]
Counter: TypeAlias = Callable[[Sequence[Text]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class PromptParts:
    """Tokens of each part of a prompt, over some rows.

    Parameters
    ----------
    prompt
        Name of the variant.
    tokens : DataFrame of shape (n_rows, 5)
        Input tokens of each row by part, the columns of `PARTS`.
    usd_per_million
        Price of a million input tokens, uncached.
    counted_by
        Who counted: a rule of thumb, or the API.
    """

    prompt: str
    tokens: pd.DataFrame
    usd_per_million: float
    counted_by: str

    def to_frame(self) -> pd.DataFrame:
        """One row a part, and the total: mean and largest tokens, share, cost of 1,000 requests.

        The part that is the same in every request is what the provider's prompt cache can hold.
        """
        mean, most = self.tokens.mean(), self.tokens.max()
        frame = pd.DataFrame(
            {
                "tokens_mean": mean,
                "tokens_max": most,
                "share": mean / max(float(mean.sum()), 1.0),
                "cost_per_1000_usd": mean * self.usd_per_million / 1000,
                "same_in_every_request": self.tokens.nunique() == 1,
            }
        )
        total = self.tokens.sum(axis=1)
        frame.loc["total"] = [
            total.mean(),
            total.max(),
            1.0,
            total.mean() * self.usd_per_million / 1000,
            False,
        ]
        return frame.rename_axis("part")

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(str(part))}</th>"
            f"<td>{row['tokens_mean']:,.0f}</td><td>{row['share']:.0%}</td>"
            f"<td>${row['cost_per_1000_usd']:,.4f}</td></tr>"
            for part, row in self.to_frame().iterrows()
        )
        return (
            f"<p><b>{html.escape(self.prompt)}</b>: input tokens, {html.escape(self.counted_by)}, "
            f"over {len(self.tokens):,} rows</p><table><thead><tr><th></th><th>tokens</th>"
            f"<th>share</th><th>per 1,000</th></tr></thead><tbody>{rows}</tbody></table>"
        )


def prompt_parts(
    prompt: Prompt,
    rows: Sequence[Values],
    *,
    data: Sequence[str],
    count: Counter,
    schema: str | None = None,
    usd_per_million: float = 0.0,
    counted_by: str = "estimated",
) -> PromptParts:
    """Count the tokens of each part of a prompt by leaving parts out.

    A part's tokens are what the request costs more with it than without: the parts add up to the
    whole request, whoever counts.

    Parameters
    ----------
    prompt
        The variant.
    rows
        Values of its variables, one mapping a row.
    data
        Variables that carry the row's own data; `examples` is the variable of solved examples,
        and the others belong to the instructions.
    count
        Input tokens of requests, each a system text, a user text and a schema or None; called
        once, with distinct requests.
    schema
        Schema of the answer as JSON text.
    usd_per_million
        Price of a million input tokens.
    counted_by
        Who counts, in words.

    Returns
    -------
    PromptParts

    Raises
    ------
    PromptError
        When there are no rows, or the values do not fit the prompt.

    Examples
    --------
    >>> prompt = Prompt(name="plain", title="Plain", strategy="zero_shot", variables=("lead",),
    ...                 system="Judge the lead.", user="<lead>{{ lead }}</lead>")
    >>> letters = lambda texts: [len(system) + len(user) for system, user, _ in texts]
    >>> found = prompt_parts(prompt, [{"lead": "Visits: 3"}], data=["lead"], count=letters)
    >>> found.to_frame()["tokens_mean"].astype(int).to_dict()
    {'system': 15, 'instructions': 13, 'examples': 0, 'schema': 0, 'data': 9, 'total': 37}
    """
    if not rows:
        raise PromptError("no rows to count", where=f"prompt {prompt.name!r}", fix="give some")
    # From a request without system text, examples, schema and data to the whole: each step adds
    # one part. What rows share is counted once, for a counter may be a call.
    steps: list[list[Text]] = []
    for values in rows:
        bare = {k: ("" if k in data else [] if k == "examples" else v) for k, v in values.items()}
        shown = {k: ("" if k in data else v) for k, v in values.items()}
        plain, with_examples = prompt.render(**bare), prompt.render(**shown)
        whole = prompt.render(**values)
        steps.append(
            [
                ("", plain.user, None),
                (plain.system, plain.user, None),
                (with_examples.system, with_examples.user, None),
                (with_examples.system, with_examples.user, schema),
                (whole.system, whole.user, schema),
            ]
        )
    distinct = list(dict.fromkeys(text for row in steps for text in row))
    known = dict(zip(distinct, count(distinct), strict=True))
    table = np.array([np.diff([known[text] for text in row], prepend=0) for row in steps])
    tokens = pd.DataFrame(table, columns=["instructions", "system", "examples", "schema", "data"])
    return PromptParts(prompt.name, tokens[list(PARTS)], usd_per_million, counted_by)
