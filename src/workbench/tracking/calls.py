"""Spans of calls to Claude in MLflow: a sample to look at, never texts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from workbench.settings import Settings
from workbench.tracking.store import connect

__all__ = ["traced_calls"]


@contextmanager
def traced_calls(settings: Settings, *, experiment: str = "calls") -> Iterator[Any]:
    """Take spans of the SDK into MLflow while a block runs.

    A `ClaudeClient` with this `tracer_provider` and a `trace_share` records that share of its
    calls: model, tokens, stop reason, retries, the server's request id and the time to the
    first chunk; never a prompt or an answer. The ledger remains the account of every call; a
    span costs MLflow some 60 milliseconds.

    Parameters
    ----------
    settings
        Where MLflow keeps things.
    experiment
        Experiment the spans belong to.

    Yields
    ------
    opentelemetry.trace.TracerProvider
        For `ClaudeClient`; its spans are written when the block ends, at the latest.
    """
    mlflow = connect(settings)
    from mlflow.tracing.provider import get_bridged_tracer_provider

    mlflow.set_experiment(experiment)
    # What was set up before may write to another project's store.
    mlflow.tracing.reset()
    try:
        yield get_bridged_tracer_provider()
    finally:
        mlflow.flush_trace_async_logging()
