"""Where the figures of a report come from."""

from workbench.evaluation.gate import Judged
from workbench.reports.markup import escape, table

__all__ = ["arms_table", "facts_table"]


def arms_table(evaluation: Judged) -> str:
    """Write what each arm is and who answered for it."""
    rows = [
        (
            escape(a.label),
            escape(a.description),
            escape(a.strategy or "–"),
            f"<code>{escape(a.prompt_digest or '–')}</code>",
            escape(a.origin or "this machine"),
            f"{a.fit_s:.1f} s",
        )
        for a in evaluation.arms
    ]
    head = ("Arm", "What it is", "Strategy", "Prompt digest", "Answers from", "Fit")
    return table(head, rows, css="words")


def facts_table(evaluation: Judged, name: str) -> str:
    """Write digests, versions and seeds.

    Parameters
    ----------
    evaluation
        What is described.
    name
        Of the run.
    """
    info = evaluation.info
    tables = evaluation.records["price_table"].dropna().unique()
    prices = sorted({part for text in tables for part in str(text).split(" + ")})
    facts = (
        ("Run", f"{name} · {info.created_at}"),
        ("Task", f"{info.task}, version {info.task_version}"),
        ("Data", f"{info.dataset} {info.dataset_version}, digest {info.dataset_digest}"),
        ("Licence", info.licence),
        ("Split", info.split),
        ("Project", f"git {info.git_revision}"),
        ("Seeds", f"evaluation {info.random_state}, {info.n_resamples:,} resamples"),
        ("Repeats", f"{info.n_repeats} answer{'s' if info.n_repeats > 1 else ''} an example"),
        ("Prices", f"table of {', '.join(prices)}" if prices else "none used"),
        ("Software", ", ".join(f"{k} {v}" for k, v in info.versions.items())),
    )
    return table(("", ""), [(escape(k), escape(v)) for k, v in facts], css="facts")
