from pathlib import Path

import nbformat
import papermill
import pytest

from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = sorted(
    p
    for p in (ROOT / "notebooks").glob("*.ipynb")
    if p.name not in {"evaluation_report.ipynb", "reading_report.ipynb", "abtest_report.ipynb"}
)
N_LEADS = {"03_studies": 2400, "04_monitoring": 2400, "05_prompts_and_errors": 400,
           "07_conversation_studies": 200}  # fmt: skip
EXPECTED = {
    "01_first_comparison": (
        "sim:zero_shot", "sim:sceptic", "simulated", "majority class", "data:image/svg",
    ),
    "02_leads_and_behaviour": (
        "sim:claude", "sim:ensemble", "simulated", "impossible here", "no leak found",
        "how often they held the truth",
    ),
    "03_studies": ("sim:signals", "impossible here", "always sms", "simulated"),
    "05_prompts_and_errors": (
        "sim:few_shot", "simulated", "Texts were grouped without looking", "optimism",
        "Prompt as sent", "candidate",
    ),
    "06_labels_and_judges": (
        "cohen kappa", "sim:claude-haiku-5-5/direct", "not measured", "First shown wins",
    ),
    "07_conversation_studies": (
        "fixed script", "claimed", "truth (ceiling)", "Critical and missing", "abandoned_at",
    ),
    "04_monitoring": ("base rate", "fires", "language", "calibration"),
}  # fmt: skip


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda p: p.stem)
def test_a_tutorial_runs_and_shows_rich_displays(
    path: Path, project: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_ROOT", str(project.root))
    (project.root / "experiments" / "monitoring").symlink_to(ROOT / "experiments" / "monitoring")
    # The kernel must be this environment's Python, whatever kernels the machine has.
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    target = project.root / "out.ipynb"
    papermill.execute_notebook(
        path,
        target,
        parameters={"n_leads": N_LEADS.get(path.stem, 700), "random_state": 7},
        kernel_name="python3",
        progress_bar=False,
        cwd=str(project.root),
    )
    executed = nbformat.read(target, as_version=4)
    shown = [
        output["data"].get("text/html", "")
        for cell in executed.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]
    assert len(shown) >= 7
    page = "".join("".join(html) for html in shown)
    # The stand-in's arms carry its name in every display a reader meets.
    for words in EXPECTED[path.stem]:
        assert words in page
    if path.stem[:2] in ("01", "02"):
        arm = EXPECTED[path.stem][0]
        assert any(f"{arm} {told}" in page for told in ("is better than", "is worse than", "looks"))
