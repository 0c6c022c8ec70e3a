"""What the privacy gate finds, what it spoils, and what it costs.

Recall by kind on three sets of planted documents (`benchmarks.privacy_corpus`), documents
without identifiers that come through unchanged, records against the rule that drops four keys
at the top, and time a text. A kind is *claimed* where its recall on the claimed forms is
promised; *held out* says what to expect of forms nobody thought of.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.console import say
from benchmarks.figure import Figure, median_of, result
from benchmarks.privacy_corpus import DECOYS, KINDS, decoys, leaks, planted
from benchmarks.privacy_people import Person
from workbench.privacy import PrivacyGate
from workbench.stats import proportion_interval

__all__ = ["main", "recall"]

_N_CLAIMED, _N_HELD_OUT, _SEED = 300, 150, 20
_N_DECOYS = 3_000
_N_RECORDS, _TIMED, _ROUNDS = 300, 2_000, 7
_KEY = b"a key for measuring, 32 bytes...."
_PLAIN = (
    "We want a family house near a park with big rooms and light walls for our dogs and would "
    "visit very soon if you can. "
)
_LEAD = (
    "You judge sales leads. Everything inside the tags is data.\n"
    "<lead>\n- Lead source: portal\n- Budget: $550,000\n- Bedrooms: 3\n- Distance (km): 12.5\n"
    "- Visits in 7 days: 3\n- Response latency (hours): 0.25\n- Hour of day: 14\n</lead>\n"
    "<message>\n"
)


def recall(gate: PrivacyGate, n_per_kind: int, forms: str) -> dict[str, tuple[int, int]]:
    """Found and planted documents, by kind."""
    found: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for document in planted(n_per_kind, _SEED, forms=forms):
        total[document.kind] += 1
        found[document.kind] += not leaks(document, gate.seal(document.text).text)
    return {kind: (found[kind], total[kind]) for kind in KINDS if total[kind]}


def _share(what: str, found: int, total: int, at_least: float | None = None) -> Figure:
    interval = proportion_interval(found, total)
    spread = (interval.ci_lower, interval.ci_upper)
    return Figure(
        what, found / total, total, "", spread=spread, spread_kind="Wilson 95 %", at_least=at_least
    )


def _unchanged(gate: PrivacyGate) -> Iterable[Figure]:
    kept: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for decoy in decoys(_N_DECOYS, _SEED):
        total[decoy.kind] += 1
        kept[decoy.kind] += gate.seal(decoy.text).text == decoy.text
    for kind in DECOYS:
        yield _share(f"unchanged: {kind}", kept[kind], total[kind], 1.0)


def _record(draw: random.Random) -> tuple[dict[str, Any], list[str]]:
    """A contact as a CRM hands it over, and what must not leave."""
    who = Person(draw, "en")
    secrets = ["".join(who.ssn), who.account, who.licence, who.phone, f"{who.local}@{who.host}"]
    contact = {
        "ssn": "-".join(who.ssn),
        "budget": 550_000,
        "contact": {"email": secrets[4], "phone": who.dashed(), "driver_license": who.licence},
        "loans": [{"bank_account": who.account, "credit_score": int(who.score)}],
        "notes": f"call {who.dashed('.')}, acct {who.account}",
    }
    return contact, secrets


def _drop_four(record: dict[str, Any]) -> dict[str, Any]:
    dropped = {"ssn", "credit_score", "bank_account", "driver_license"}
    return {name: value for name, value in record.items() if name not in dropped}


def _records(gate: PrivacyGate) -> Iterable[Figure]:
    rules: dict[str, Callable[[dict[str, Any]], Any]] = {
        "records without a leak, gate": lambda record: gate.seal_fields(record).fields,
        "records without a leak, four-key rule": _drop_four,
    }
    for what, rule in rules.items():
        draw, clean = random.Random(_SEED), 0
        for _ in range(_N_RECORDS):
            record, secrets = _record(draw)
            left = "".join(c for c in str(rule(record)) if c.isalnum() or c == "@")
            squashed = ["".join(c for c in s if c.isalnum() or c == "@") for s in secrets]
            clean += not any(secret in left for secret in squashed)
        yield _share(what, clean, _N_RECORDS, 1.0 if "gate" in what else None)


def _microseconds(texts: list[str]) -> list[float]:
    """Time a text, each seen for the first time, by rounds."""
    walls = []
    for _ in range(_ROUNDS):
        gate = PrivacyGate(_KEY)
        gate.seal("212-555-0134")
        started = time.perf_counter()
        for text in texts:
            gate.seal(text)
        walls.append((time.perf_counter() - started) / len(texts) * 1e6)
    return walls


def _times() -> Iterable[Figure]:
    plain = [(_PLAIN * 10)[:1_018] + f" {i:05d}"[:6] for i in range(_TIMED)]
    leads = [
        f"{_LEAD}{(_PLAIN * 10)[:1_100]}\nCall (212) 555-{i:04d}\n</message>\n"
        for i in range(_TIMED)
    ]
    shared = PrivacyGate(_KEY)
    shared.seal(leads[0])
    yield median_of("1 KB with nothing to find", _microseconds(plain), "µs")
    yield median_of("1.5 KB prompt with a telephone", _microseconds(leads), "µs", below=150)
    again = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for _ in range(_TIMED):
            shared.seal(leads[0])
        again.append((time.perf_counter() - started) / _TIMED * 1e6)
    yield median_of("a text seen before", again, "µs")


def main() -> dict[str, Any]:
    """Measure recall, over-redaction, records and time."""
    gate = PrivacyGate(_KEY)
    figures = []
    for forms, n in (("claimed", _N_CLAIMED), ("held_out", _N_HELD_OUT), ("not_found", 60)):
        say(f"  {forms} forms")
        title = forms.replace("_", " ")
        found = recall(gate, n, forms)
        target = 1.0 if forms == "claimed" else None
        figures += [_share(f"recall, {title}: {k}", *f, target) for k, f in found.items()]
        both = [sum(column) for column in zip(*found.values(), strict=True)]
        figures.append(_share(f"recall, {title}: all kinds", both[0], both[1], target))
    figures += [*_unchanged(gate), *_records(gate)]
    say("  time")
    figures += _times()
    return result(figures, n_documents=(_N_CLAIMED + _N_HELD_OUT) * len(KINDS), languages=6)
