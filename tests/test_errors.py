import pickle

import pytest

from workbench.errors import BudgetExceededError, ClaudeError, DataError, WorkbenchError


def test_a_message_says_what_where_expected_and_fix() -> None:
    error = DataError(
        "'x' is no number.", where="a.csv, line 3", expected="a number", fix="mend it"
    )
    assert str(error) == "a.csv, line 3: 'x' is no number. Expected a number. To fix: mend it."


def test_parts_that_are_not_given_leave_no_trace() -> None:
    assert str(WorkbenchError("it broke")) == "it broke."


def test_errors_survive_a_process_border() -> None:
    error = BudgetExceededError("spent", where="run", fix="raise budget_usd")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is BudgetExceededError
    assert str(again) == str(error)


def test_the_tree_has_one_root() -> None:
    with pytest.raises(WorkbenchError, match="spent"):
        raise BudgetExceededError("spent")
    assert issubclass(BudgetExceededError, ClaudeError)
