"""Online experiments: design, assignment, recording, analysis.

>>> from workbench.abtest import read_design, register, plan, Assigner, EventStore, analyse
"""

from workbench.abtest.aa import AAResult, aa_test
from workbench.abtest.aggregate import Aggregates, aggregate, aggregate_sql
from workbench.abtest.analysis import analyse
from workbench.abtest.assignment import Assigner, Assignment, stratified_assignment
from workbench.abtest.bandits import LinUCB, PolicyDraw, ThompsonSampling
from workbench.abtest.cupac import cupac_covariate
from workbench.abtest.design import (
    STRATEGIES,
    AlwaysValid,
    Cluster,
    Design,
    FixedHorizon,
    GroupSequential,
    Holdout,
    Namespace,
    Switchback,
    read_design,
)
from workbench.abtest.events import Exposure, Outcome
from workbench.abtest.explain import WidthBreakdown, WidthFactor, why_this_wide
from workbench.abtest.findings import FINDINGS, Finding
from workbench.abtest.metrics import (
    CountMetric,
    MeanMetric,
    Metric,
    ProportionMetric,
    QuantileMetric,
    RatioMetric,
    TimeToEventMetric,
    Winsorising,
)
from workbench.abtest.money import MoneyValue, money_value
from workbench.abtest.planning import Plan, PlanRow, plan
from workbench.abtest.registration import (
    Registration,
    design_sha256,
    read_registration,
    register,
)
from workbench.abtest.results import (
    Analysis,
    ArmDecision,
    ArmEffect,
    LevelEffect,
    RatioCause,
    RatioCheck,
    SegmentEffects,
)
from workbench.abtest.source import Units, open_units
from workbench.abtest.store import EventStore, Recorded
from workbench.abtest.unit_table import UnitCounts

__all__ = [
    "FINDINGS",
    "STRATEGIES",
    "AAResult",
    "Aggregates",
    "AlwaysValid",
    "Analysis",
    "ArmDecision",
    "ArmEffect",
    "Assigner",
    "Assignment",
    "Cluster",
    "CountMetric",
    "Design",
    "EventStore",
    "Exposure",
    "Finding",
    "FixedHorizon",
    "GroupSequential",
    "Holdout",
    "LevelEffect",
    "LinUCB",
    "MeanMetric",
    "Metric",
    "MoneyValue",
    "Namespace",
    "Outcome",
    "Plan",
    "PlanRow",
    "PolicyDraw",
    "ProportionMetric",
    "QuantileMetric",
    "RatioCause",
    "RatioCheck",
    "RatioMetric",
    "Recorded",
    "Registration",
    "SegmentEffects",
    "Switchback",
    "ThompsonSampling",
    "TimeToEventMetric",
    "UnitCounts",
    "Units",
    "WidthBreakdown",
    "WidthFactor",
    "Winsorising",
    "aa_test",
    "aggregate",
    "aggregate_sql",
    "analyse",
    "cupac_covariate",
    "design_sha256",
    "money_value",
    "open_units",
    "plan",
    "read_design",
    "read_registration",
    "register",
    "stratified_assignment",
    "why_this_wide",
]
