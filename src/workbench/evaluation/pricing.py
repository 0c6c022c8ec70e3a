"""What a spec would cost, and progress in words."""

import dataclasses
import sys
import time
from dataclasses import dataclass

import pandas as pd

from workbench.claude import CostEstimate

__all__ = ["SpecPrice", "say"]


@dataclass(frozen=True, slots=True)
class SpecPrice:
    """What a spec would cost.

    Parameters
    ----------
    arms
        Estimate of each arm's own calls.
    total
        All calls together, each counted once.
    origin
        Where the answers would come from.
    """

    arms: dict[str, CostEstimate]
    total: CostEstimate
    origin: str

    def to_frame(self) -> pd.DataFrame:
        """One row an arm, and the total."""
        named = {**self.arms, "total": self.total}
        return pd.DataFrame([{"arm": n, **dataclasses.asdict(e)} for n, e in named.items()])


def say(sentence: str) -> None:
    """Tell progress on stderr; results go to stdout."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {sentence}\n")
    sys.stderr.flush()
