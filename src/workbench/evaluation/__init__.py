"""Evaluation: run → records → metrics → comparison → gate."""

from workbench.evaluation.arms import build_arms
from workbench.evaluation.caveats import Caveat, caveats
from workbench.evaluation.comparison import ArmDifference, Comparison
from workbench.evaluation.evaluation import ArmInfo, Evaluation, RunInfo
from workbench.evaluation.gate import ArmVerdict, Decision, Gate, GateRule, Verdict
from workbench.evaluation.run import evaluate
from workbench.evaluation.session import SpecPrice, SpecResult, evaluate_spec, price_spec, say
from workbench.evaluation.spec import RunSpec, read_spec

__all__ = [
    "ArmDifference",
    "ArmInfo",
    "ArmVerdict",
    "Caveat",
    "Comparison",
    "Decision",
    "Evaluation",
    "Gate",
    "GateRule",
    "RunInfo",
    "RunSpec",
    "SpecPrice",
    "SpecResult",
    "Verdict",
    "build_arms",
    "caveats",
    "evaluate",
    "evaluate_spec",
    "price_spec",
    "read_spec",
    "say",
]
