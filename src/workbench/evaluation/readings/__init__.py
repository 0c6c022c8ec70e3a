"""Evaluation of readers: answers of any kind about texts, from records to figures."""

from workbench.evaluation.readings.evaluation import ReadingEvaluation, ReadingInfo
from workbench.evaluation.readings.run import evaluate_readings

__all__ = ["ReadingEvaluation", "ReadingInfo", "evaluate_readings"]
