"""What a statistical result looks like."""

from typing import Any, NamedTuple

__all__ = ["Difference", "Estimate"]


class Estimate(NamedTuple):
    """A figure with its interval.

    Attributes
    ----------
    estimate
        The figure.
    ci_lower, ci_upper
        Bounds of the confidence interval; infinite where the data give no bound.
    standard_error
        Standard error, NaN where there is none.
    n
        Number of examples.
    n_groups
        Number of groups the uncertainty was taken over; None when examples are independent.
    confidence_level
        Nominal coverage, 0.95 for 95 %.
    method
        How the interval was made.

    Examples
    --------
    >>> Estimate(0.5, 0.4, 0.6, 0.05, 100, None, 0.95, "by hand").as_dict()["n"]
    100
    """

    estimate: float
    ci_lower: float
    ci_upper: float
    standard_error: float
    n: int
    n_groups: int | None
    confidence_level: float
    method: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return self._asdict()


class Difference(NamedTuple):
    """A difference a − b with its interval and test of "no difference".

    Attributes
    ----------
    difference
        Figure of a minus figure of b.
    ci_lower, ci_upper
        Bounds of the confidence interval; infinite where the data give no bound.
    standard_error
        Standard error of the difference, NaN where there is none.
    statistic
        Test statistic, the difference in standard errors.
    pvalue
        Two-sided p-value; NaN where there is no standard error.
    n
        Number of pairs.
    n_groups
        Number of groups the uncertainty was taken over; None when pairs are independent.
    confidence_level
        Nominal coverage, 0.95 for 95 %.
    method
        How the interval and the test were made.

    Examples
    --------
    >>> Difference(0.1, 0.0, 0.2, 0.05, 2.0, 0.05, 40, None, 0.95, "by hand").as_dict()["n"]
    40
    """

    difference: float
    ci_lower: float
    ci_upper: float
    standard_error: float
    statistic: float
    pvalue: float
    n: int
    n_groups: int | None
    confidence_level: float
    method: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return self._asdict()
