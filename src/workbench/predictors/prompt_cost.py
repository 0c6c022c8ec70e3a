"""What each part of a Claude predictor's prompt costs, before anything is asked."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from workbench.claude import ClaudeRequest, estimate_tokens
from workbench.features import text_columns
from workbench.predictors.claude import ClaudeClassifier
from workbench.prompts import PromptParts, lead_texts, prompt_parts

__all__ = ["prompt_cost"]

_DATA = ("lead", "message")


def prompt_cost(
    predictor: ClaudeClassifier, X: pd.DataFrame, *, counted: bool = False
) -> PromptParts:
    """Count the input tokens of each part of the prompts about some rows, and price them.

    Compare two variants by their parts, then ask whether the shorter one is as good with
    `workbench.evaluation.saving`.

    Parameters
    ----------
    predictor
        Fitted; nothing is asked.
    X : DataFrame of shape (n_samples, n_features)
        The rows.
    counted
        Whether the endpoint counts, which costs nothing but a call for each distinct text;
        otherwise tokens are estimated, on the dear side.

    Returns
    -------
    PromptParts
        Priced at today's uncached price of the predictor's model.

    Raises
    ------
    PriceError
        When the model has no price.
    PromptError
        When there are no rows.
    ClaudeError
        When the endpoint is to count and does not.
    """
    check_is_fitted(predictor)
    client = predictor.client

    def count(texts: Sequence[tuple[str, str, str | None]]) -> list[int]:
        if not counted:
            return [sum(estimate_tokens(part) for part in text) for text in texts]
        return client.count_tokens(
            [
                ClaudeRequest(predictor.model, user, system=system or None, schema=schema)
                for system, user, schema in texts
            ]
        )

    rows = [
        predictor.prompt_values(text)
        for text in lead_texts(X, predictor.labels, text_columns=text_columns(X))
    ]
    price = client.prices.price(predictor.model, datetime.now(UTC).date())
    who = (
        f"counted by the endpoint ({client.origin})" if counted else "estimated, 3 characters each"
    )
    return prompt_parts(
        predictor.prompt,
        rows,
        data=_DATA,
        count=count,
        schema=json.dumps(predictor.answer_model.model_json_schema(), separators=(",", ":")),
        usd_per_million=price.bands[0].input,
        counted_by=who,
    )
