"""What can be wrong with readable data: coded findings."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from workbench.data.dataset import Dataset
from workbench.errors import DataError

__all__ = ["CheckReport", "Finding", "check_dataset", "unreadable"]

_FEW_PER_CLASS = 50
_MOSTLY_MISSING = 0.5
_TOO_GOOD_AUC = 0.9
_DRIFT_Z = 3.0
_DRIFT_RATIO = 1.25


class Finding(NamedTuple):
    """One finding: `code` is stable, `column` is empty when it concerns the whole table."""

    code: str
    severity: Literal["error", "warning"]
    column: str
    message: str
    fix: str


@dataclass(frozen=True)
class CheckReport:
    """What was found in one data set.

    Codes: D001 cannot be read (the only error) · D002 few rows of a class · D003 duplicate
    rows · D004 constant column · D005 mostly missing · D006 base rate changes over time ·
    D007 one column nearly gives the answer and is not declared a leak.
    """

    dataset: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the data can be used: nothing worse than warnings."""
        return all(finding.severity != "error" for finding in self.findings)

    def to_frame(self) -> pd.DataFrame:
        """One row per finding."""
        return pd.DataFrame(list(self.findings), columns=list(Finding._fields), dtype="str")


def unreadable(name: str, error: DataError) -> CheckReport:
    """Report a data set that cannot be read at all."""
    fix = error.fix or "correct the card or the file"
    return CheckReport(name, (Finding("D001", "error", "", str(error), fix),))


def check_dataset(dataset: Dataset) -> CheckReport:
    """Look through a data set for what would make results misleading."""
    findings = [
        *_few_rows(dataset),
        *_duplicates(dataset),
        *_columns(dataset),
        *_drift(dataset),
        *_too_good(dataset),
    ]
    return CheckReport(dataset.name, tuple(findings))


def _warning(code: str, column: str, message: str, fix: str) -> Finding:
    return Finding(code, "warning", column, message, fix)


def _few_rows(dataset: Dataset) -> list[Finding]:
    positive = int(dataset.y.sum())
    few = min(positive, len(dataset) - positive)
    if few >= _FEW_PER_CLASS:
        return []
    fix = "expect wide intervals; collect more rows before promoting anything"
    return [_warning("D002", "", f"the rarer label has only {few} rows", fix)]


def _duplicates(dataset: Dataset) -> list[Finding]:
    repeated = int(dataset.X.assign(**{"": dataset.y.to_numpy()}).duplicated().sum())
    if not repeated:
        return []
    fix = "check that they are different examples; a copy may fall on both sides of a split"
    message = f"{repeated:,} rows repeat an earlier row (inputs and label)"
    return [_warning("D003", "", message, fix)]


def _columns(dataset: Dataset) -> list[Finding]:
    found = []
    for name, values in dataset.X.items():
        missing = float(values.isna().mean())
        if values.nunique(dropna=False) == 1:
            fix = "declare input: false in the card"
            found.append(_warning("D004", str(name), "the column has one value only", fix))
        elif missing > _MOSTLY_MISSING:
            fix = "check that missing means the same for both labels"
            message = f"{missing:.0%} of the values are missing"
            found.append(_warning("D005", str(name), message, fix))
    return found


def _drift(dataset: Dataset) -> list[Finding]:
    if dataset.as_of is None:
        return []
    order = np.argsort(dataset.as_of.to_numpy(), kind="stable")
    y = dataset.y.to_numpy()[order]
    cut = int(0.8 * len(y))
    early, late = y[:cut], y[cut:]
    if not early.size or not late.size:
        return []
    # Two-proportion z test with the pooled rate, only to pass over chance differences.
    first, last, pooled = early.mean(), late.mean(), y.mean()
    spread = np.sqrt(pooled * (1 - pooled) * (1 / early.size + 1 / late.size))
    ratio = max(first, last) / max(min(first, last), 1e-12)
    if spread == 0 or abs(last - first) < _DRIFT_Z * spread or ratio < _DRIFT_RATIO:
        return []
    message = f"base rate {first:.1%} in the first 80 % of time, {last:.1%} in the last 20 %"
    fix = "split by time, and judge calibration on the last part"
    return [_warning("D006", "", message, fix)]


def _too_good(dataset: Dataset) -> list[Finding]:
    found = []
    for name, values in dataset.X.items():
        if isinstance(values.dtype, pd.StringDtype) or dataset.y.nunique() < 2:
            continue
        auc = _single_column_auc(values, dataset.y)
        if auc >= _TOO_GOOD_AUC and str(name) not in dataset.card.leaks:
            message = f"this column alone reaches AUC {auc:.3f}"
            fix = "if it is known only after the outcome, list it under leaks in the card"
            found.append(_warning("D007", str(name), message, fix))
    return found


def _single_column_auc(values: pd.Series, y: pd.Series) -> float:
    if isinstance(values.dtype, pd.CategoricalDtype):
        # Each value scored by its own base rate; optimistic, which is what a warning wants.
        codes = values.cat.codes.to_numpy()
        scores = y.groupby(codes).transform("mean").to_numpy()
    else:
        numbers = values.astype("float64")
        scores = numbers.fillna(numbers.median()).fillna(0).to_numpy()
    auc = float(roc_auc_score(y, scores))
    return max(auc, 1 - auc)
