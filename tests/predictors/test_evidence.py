import json

import pandas as pd
import pytest

from workbench.errors import PredictorError
from workbench.predictors import check_evidence

LABELS = {"budget": "Stated budget", "source": "Lead source", "note": "Message"}
X = pd.DataFrame(
    {
        "budget": [450000.0],
        "source": pd.Categorical(["open_house"]),
        "note": ["We sold our flat.\nWe “need” a HOUSE  before May; café nearby, 学区房 wanted."],
    },
    index=["lead 7"],
)


@pytest.mark.parametrize(
    ("quote", "where"),
    [
        ("need a house before may", ""),
        ("a house before May", "message"),
        ('"we sold our flat."', "message"),
        ("We sold … before May", "message"),
        ("before May ... we sold", ""),
        ("Stated budget: 450000", "lead"),
        ("open_house", "lead"),
        ("cafe\u0301 nearby", "message"),
        ("区房", "message"),
        ("fla", ""),
        ("...", ""),
        ("wants to sell", ""),
    ],
)
def test_quotes_are_looked_for_as_people_quote(quote: str, where: str) -> None:
    [found] = check_evidence([[quote]], X, LABELS).quotes
    assert (found.where, found.verbatim) == (where, bool(where))


def test_answers_of_a_predictor_are_read_and_counted() -> None:
    answer = json.dumps({"evidence": ["open_house", "a cash buyer"], "probability": 0.4})
    found = check_evidence(pd.Series([answer, None]), pd.concat([X, X]), LABELS)
    assert found.verbatim_share == 0.5
    assert found.n_answers == 2
    assert found.to_frame()["example_id"].tolist() == ["lead 7"] * 2
    assert "1 of 2 quotes are verbatim" in found._repr_html_()


def test_what_is_no_answer_is_an_error_that_repeats_nothing() -> None:
    with pytest.raises(PredictorError, match="neither a list of quotes nor JSON") as raised:
        check_evidence(["Ann at 12 Elm Street"], X, LABELS)
    assert "Elm" not in str(raised.value)
    with pytest.raises(PredictorError, match="2 answers for 1 rows"):
        check_evidence([[], []], X, LABELS)
