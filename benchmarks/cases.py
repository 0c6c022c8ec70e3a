"""Which benchmarks there are; each is a module of this package with `main() -> dict`."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["CASES", "Case"]


@dataclass(frozen=True, slots=True)
class Case:
    """One benchmark.

    Parameters
    ----------
    name
        The module, and the name on the command line.
    measures
        One line for people.
    by_default
        Whether it runs when no names are given.
    """

    name: str
    measures: str
    by_default: bool = True

    def measure(self) -> dict[str, Any]:
        """Import the module, which may be heavy, and run it."""
        main: Callable[[], dict[str, Any]] = importlib.import_module(f"benchmarks.{self.name}").main
        return main()


CASES = {
    case.name: case
    for case in (
        Case("startup", "`import workbench` and `workbench --help` in fresh processes"),
        Case("bank_marketing", "ROC AUC on real contacts beside plain LightGBM and logistic"),
        Case("reevaluate", "10,000 stored answers evaluated again, with no call"),
        Case("kill_resume", "a run killed ten times and resumed: what is lost or asked twice"),
        Case("client", "the client's throughput beside a bare SDK loop, same emulator"),
        Case("cascade", "what a cascade saves at equal accuracy (simulated)"),
        Case("fault_storm", "every fault at 5 %, 5,000 questions: what ends how, and whose books"),
        Case("privacy", "identifiers found and kept, in made-up documents of six languages"),
        Case("semantic_cache", "semantic cache on banking77 beside static thresholds, and traps"),
        Case("reader_card", "accuracy of the simulated reader; writes its card", by_default=False),
        Case("abtest_speed", "10M users × 5 arms × 3 metrics with CUPED, beside hand-written SQL"),
        Case("abtest_sim", "what peeking, ignored clusters and broken randomisation do"),
        Case("abtest_peers", "the same by the libraries one would use instead", by_default=False),
        Case("real_tables", "accuracy on three public tables beside the best of other libraries"),
        Case("single_lead", "latency of one prediction in process"),
        Case("behaviour", "heads on the simulated CRM beside claims and ceilings (simulated)"),
        Case("crm", "a brokerage's CRM of 100,000 leads: time, memory, calibration of its truth"),
        Case("drift", "what drift detection sees at which size, and how often it cries wolf"),
        Case("history", "26 history features of 1M leads, beside hand-written SQL and pandas"),
        Case("rivals", "evaluation runners of others, same questions", by_default=False),
        Case("corpora", "predictors of texts on eight published corpora", by_default=False),
        Case("soak", "200 streams at once for half an hour, open loop", by_default=False),
        Case("demo", "`make demo` twice in a fresh clone of HEAD", by_default=False),
    )
}
