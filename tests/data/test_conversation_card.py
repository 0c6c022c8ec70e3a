"""The card of the conversations measures what they are."""

from workbench.data.conversations import CONVERSATIONS
from workbench.data.conversations.card import describe_conversations


def test_the_card_has_figures_of_every_corpus() -> None:
    card = describe_conversations(250, 3)
    frame = card.to_frame()
    assert set(frame["topic"]) == set(CONVERSATIONS)
    assert frame["value"].notna().all()
    intents = card.topic("lead_intents")
    assert intents["characters, median"] > 60
    assert 0.005 < intents["primary_intent: annotators' errors"] < 0.06
    assert intents["texts that repeat"] < 0.02
    assert 0.2 < intents["not English"] < 0.4
    shown = card._repr_html_()
    assert shown.count("<h4>") == len(CONVERSATIONS)
    assert "Simulated data" in shown
