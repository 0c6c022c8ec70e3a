"""Signals read from conversations as an arm: planned without asking, described, kept in view."""

from pathlib import Path

import pytest

from workbench.claude import ClaudeClient
from workbench.data import Dataset
from workbench.errors import EvaluationError
from workbench.evaluation import build_arms, evaluate, read_spec
from workbench.predictors import BoostedClassifier, SignalledClassifier, planned_requests
from workbench.tasks import load_task
from workbench.tasks.behaviour.signals import behaviour_signals


def test_planning_asks_nothing_and_foresees_every_question(
    client: ClaudeClient, leads: Dataset
) -> None:
    signals = behaviour_signals(leads, client=client)
    model = SignalledClassifier(BoostedClassifier(n_splits=2, max_rounds=10), signals)
    X, y, rest = leads.X.head(100), leads.y.to_numpy()[:100], leads.X.iloc[100:130]
    plan = planned_requests(model, X, y, rest)
    assert client.store.ledger_frame().empty
    model.fit(X, y).answer(rest)
    assert len({request.prompt for request in plan}) == len(client.store.ledger_frame())
    with pytest.raises(EvaluationError, match="ClaudeSignals"):
        evaluate(load_task("lead_conversion"), {"bare": signals}, leads)


def test_a_spec_can_name_signals(client: ClaudeClient, leads: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "name: signals\ntask: lead_conversion\ndataset: {name: brokerage, n_rows: 300}\narms:\n"
        "  fields: {kind: boosted, parameters: {text: false}}\n"
        "  signals: {kind: signalled, prompt: anchored, "
        "parameters: {text: false, max_rounds: 20}}\n"
        "baseline: fields\ngates: [{metric: roc_auc, at_least: 0.5}]\n"
    )
    task = load_task("lead_conversion")
    arms = build_arms(read_spec(path), task, leads, client, folder=tmp_path)
    found = evaluate(task, arms, leads.take(range(300)), baseline="fields", n_resamples=200)
    assert "signals read by simulated reader" in found.arms[1].description
    assert found.arms[1].simulated
