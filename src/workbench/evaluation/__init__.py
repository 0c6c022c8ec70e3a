"""Evaluation: run → records → metrics → comparison → gate."""

from workbench.evaluation.arms import build_arms
from workbench.evaluation.caveats import Caveat, caveats
from workbench.evaluation.comparison import ArmDifference, Comparison
from workbench.evaluation.evaluation import ArmInfo, Evaluation, RunInfo
from workbench.evaluation.frontier import Frontier, cascade_frontier
from workbench.evaluation.gate import ArmVerdict, Decision, Gate, GateRule, Verdict
from workbench.evaluation.pricing import SpecPrice, say
from workbench.evaluation.routing import CurvePoint
from workbench.evaluation.run import evaluate
from workbench.evaluation.savings import Saving, saving
from workbench.evaluation.sequential import (
    decide_sequentially,
    sequential_records,
    sequential_rule,
)
from workbench.evaluation.sequential_result import (
    SequentialLook,
    SequentialOutcome,
    SequentialResult,
)
from workbench.evaluation.session import SpecResult, evaluate_spec, price_spec
from workbench.evaluation.spec import RunSpec, read_spec

__all__ = [
    "ArmDifference",
    "ArmInfo",
    "ArmVerdict",
    "Caveat",
    "Comparison",
    "CurvePoint",
    "Decision",
    "Evaluation",
    "Frontier",
    "Gate",
    "GateRule",
    "RunInfo",
    "RunSpec",
    "Saving",
    "SequentialLook",
    "SequentialOutcome",
    "SequentialResult",
    "SpecPrice",
    "SpecResult",
    "Verdict",
    "build_arms",
    "cascade_frontier",
    "caveats",
    "decide_sequentially",
    "evaluate",
    "evaluate_spec",
    "price_spec",
    "read_spec",
    "saving",
    "say",
    "sequential_records",
    "sequential_rule",
]
