import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.claude import RateLimits
from workbench.claude.limits import Limiter
from workbench.errors import ClaudeError


class Clock:
    """A clock that stands still unless told otherwise."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def make(**limits: int) -> tuple[Limiter, Clock]:
    clock = Clock()
    return Limiter(RateLimits(**limits), clock), clock


def test_without_a_limit_nothing_waits() -> None:
    limiter, _ = make()
    for _ in range(1000):
        assert limiter.wait_s(10_000, 10_000) == 0
        limiter.take()


def test_a_bucket_starts_full_and_refills_evenly() -> None:
    limiter, clock = make(requests_per_minute=60)
    for _ in range(60):
        assert limiter.wait_s(0, 0) == 0
        limiter.take()
    assert limiter.wait_s(0, 0) == pytest.approx(1.0)
    clock.now_s += 0.75
    assert limiter.wait_s(0, 0) == pytest.approx(0.25)
    clock.now_s += 3600
    assert limiter.requests_left() <= 60
    assert limiter.wait_s(0, 0) == 0
    assert limiter.requests_left() == 60  # an hour's rest is worth no more than a full bucket


def test_the_tightest_limit_decides() -> None:
    limiter, _ = make(requests_per_minute=1000, output_tokens_per_minute=600)
    assert limiter.wait_s(0, 600) == 0
    limiter.correct(-600)  # six hundred were used, and none had been expected
    assert limiter.wait_s(0, 10) == pytest.approx(1.0)
    limiter.correct(300)  # half of it was not used after all
    assert limiter.wait_s(0, 300) == 0


def test_more_than_a_minute_s_worth_goes_when_the_bucket_is_full() -> None:
    limiter, _ = make(input_tokens_per_minute=1000)
    assert limiter.wait_s(50_000, 0) == 0


def test_headers_take_the_place_of_what_was_thought() -> None:
    limiter, clock = make(requests_per_minute=1000)
    headers = {
        "anthropic-ratelimit-requests-limit": "60",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-input-tokens-limit": "nonsense",
        "anthropic-ratelimit-output-tokens-limit": "600",
    }
    limiter.learn(headers)
    assert limiter.wait_s(0, 0) == pytest.approx(1.0)
    clock.now_s += 1.0
    assert limiter.wait_s(10**9, 600) == 0  # no limit of input tokens was told
    limiter.learn({**headers, "anthropic-ratelimit-requests-remaining": "50"})
    # What others of the account do may leave less than we think, never more.
    assert limiter.requests_left() == 1


def test_a_pause_holds_everything_back_and_is_not_shortened() -> None:
    limiter, clock = make()
    limiter.pause(5.0)
    limiter.pause(1.0)
    assert limiter.wait_s(0, 0) == pytest.approx(5.0)
    clock.now_s += 5.0
    assert limiter.wait_s(0, 0) == 0


@given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=60), st.integers(1, 300))
def test_never_more_than_the_limit_in_any_minute(pauses: list[float], per_minute: int) -> None:
    limiter, clock = make(requests_per_minute=per_minute)
    sent: list[float] = []
    for pause in pauses:
        clock.now_s += pause
        if limiter.wait_s(0, 0) == 0:
            limiter.take()
            sent.append(clock.now_s)
    for at in sent:
        # A token bucket: a full one at once, and a minute's refill.
        assert sum(at <= other < at + 60 for other in sent) <= 2 * per_minute


@pytest.mark.parametrize("value", [0, -1])
def test_a_limit_that_lets_nothing_through_is_refused(value: int) -> None:
    with pytest.raises(ClaudeError, match="a positive number, or None"):
        RateLimits(output_tokens_per_minute=value)
