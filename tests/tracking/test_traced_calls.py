from pathlib import Path
from typing import Any

import pytest

from workbench.claude import ClaudeClient, ClaudeRequest, EmulatorProcess, Origin
from workbench.settings import Settings
from workbench.tracking import connect, traced_calls


# A warning of MLflow's own, raised in its exporting thread, would lose the spans unheard.
@pytest.mark.filterwarnings("default")
def test_a_share_of_the_calls_is_in_mlflow_and_no_text_is(
    tmp_path: Path, shared_emulator: EmulatorProcess
) -> None:
    settings = Settings(root=tmp_path, data_dir=tmp_path)
    asked = [ClaudeRequest("claude-haiku-5-5", f"<message>velvet lead {i}</message>")
             for i in range(60)]  # fmt: skip
    with (
        traced_calls(settings) as provider,
        ClaudeClient(
            origin=Origin.SIMULATED,
            store=tmp_path / "a.sqlite",
            base_url=shared_emulator.url,
            trace_share=0.2,
            tracer_provider=provider,
        ) as client,
    ):
        answers = client.ask(asked[:30])
        answers += client.ask(asked[30:], stream=True)
    mlflow = connect(settings)
    experiment = mlflow.get_experiment_by_name("calls")
    found = mlflow.search_traces(locations=[experiment.experiment_id], return_type="list")
    spans: list[Any] = [span for trace in found for span in trace.data.spans]
    ids = {answer.request_id: answer for answer in answers}
    assert 4 <= len(spans) <= 24
    assert {span.name for span in spans} == {"anthropic.messages.create"}
    for span in spans:
        answer = ids[span.attributes["anthropic.request.id"]]
        assert span.attributes["gen_ai.request.model"] == "claude-haiku-5-5"
        assert span.attributes["gen_ai.usage.input_tokens"] == answer.usage.input_tokens
    kept = [path for path in (tmp_path / "mlruns").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"velvet" in path.read_bytes()]
