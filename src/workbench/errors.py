"""One tree of errors.

A `WorkbenchError` is for the person at the keyboard: it says what was wrong, what was
found, what was expected, where, and what to do. The command line prints it without a
traceback and exits with 2. Anything else that escapes is a defect of ours.
"""

__all__ = [
    "BudgetExceededError",
    "ClaudeError",
    "DataError",
    "EvaluationError",
    "FeatureError",
    "PredictorError",
    "PriceError",
    "PromptError",
    "SpecError",
    "WorkbenchError",
]


class WorkbenchError(Exception):
    """Root of every error a user can put right.

    Parameters
    ----------
    what
        One sentence: what is wrong, with the offending value.
    where
        File, row, key or example the sentence is about.
    expected
        What would have been accepted.
    fix
        What to do about it.

    Examples
    --------
    >>> print(WorkbenchError("'maybe' is not a value of 'y'", where="leads.csv, line 7",
    ...                      expected="'yes' or 'no'", fix="mend it"))
    leads.csv, line 7: 'maybe' is not a value of 'y'. Expected 'yes' or 'no'. To fix: mend it.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.expected = expected
        self.fix = fix

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        for lead, part in (("Expected ", self.expected), ("To fix: ", self.fix)):
            if part:
                text = f"{text.rstrip('.')}. {lead}{part}"
        return f"{text.rstrip('.')}."

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling of exceptions,
        # and errors cross process borders (notebook kernels, test workers).
        state = {"where": self.where, "expected": self.expected, "fix": self.fix}
        return (_rebuild, (type(self), self.what, state))


def _rebuild(kind: type[WorkbenchError], what: str, state: dict[str, str | None]) -> WorkbenchError:
    return kind(what, **state)


class DataError(WorkbenchError, ValueError):
    """A data set, card or file is not what it is declared to be."""


class SpecError(WorkbenchError):
    """A run spec, setting or notebook parameter is malformed."""


class PromptError(WorkbenchError):
    """A prompt file is malformed or does not fit its variables."""


class FeatureError(WorkbenchError, ValueError):
    """A feature is malformed, must not be used, or cannot be built from these tables."""


class PredictorError(WorkbenchError, ValueError):
    """A predictor was built or used wrongly."""


class ClaudeError(WorkbenchError):
    """Claude (or what stands in for it) cannot be asked."""


class PriceError(ClaudeError):
    """A model or date has no price; an unknown price is never zero."""


class BudgetExceededError(ClaudeError):
    """The next call could overrun the budget; everything asked so far is kept."""


class EvaluationError(WorkbenchError):
    """Results cannot be computed or must not be compared."""
