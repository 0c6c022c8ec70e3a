"""The analysis as a user writes it."""

from pathlib import Path
from typing import Any

from workbench.abtest import Design, analyse

__all__ = ["analysed"]


def analysed(path: Path, threads: int) -> list[dict[str, Any]]:
    """Differences and standard errors of all comparisons."""
    design = Design.model_validate(
        {
            "name": "speed",
            "metrics": {
                "y1": {"kind": "proportion", "role": "primary", "covariates": ["x1"]},
                "y2": {"kind": "mean", "role": "primary", "covariates": ["x2"]},
                "y3": {"kind": "count", "role": "primary", "covariates": ["x3"]},
            },
        }
    )
    found = analyse(design, path, threads=threads, memory_limit="200MB")
    return [
        {
            "metric": e.metric, "arm": e.arm, "difference": e.effect.difference,
            "se": e.effect.standard_error,
        }
        for e in found.effects
    ]  # fmt: skip
