"""What the semantic cache serves, and how often wrongly, beside one static threshold.

The stream is 6,000 questions of banking77 in seeded order; a question's label stands for its
answer, so no model is asked and label noise counts as wrong answers. Every seed runs the whole
cache over SQLite at two bounds. The guard is tried on hand-written pairs of questions about
property that differ in one word that decides the answer (half of them were not looked at while
the guard was written) and on utterances of sgd_homes with one slot value exchanged.
"""

import csv
import itertools
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.console import say
from benchmarks.figure import CaseError, Figure, result
from workbench.claude import Answer, ClaudeRequest, Origin, Usage
from workbench.claude.semantic import Hit, SemanticCache, guard_tokens
from workbench.embeddings import SentenceEncoder
from workbench.settings import Settings
from workbench.stats import mean_interval, proportion_interval

__all__ = ["main"]

_HERE = Path(__file__).resolve().parent
_N, _SEEDS = 6000, (0, 1, 2, 3, 4)
_BOUNDS = (0.01, 0.05)
_THRESHOLDS = (0.70, 0.80, 0.85, 0.90, 0.95, 0.97)
_TENANT = "benchmark"
_MODEL = "claude-haiku-5-5"
_EMPTY_WORDS = ("Hello,", "So,", "Well,", "Please tell me,", "Thanks in advance,", "A question,")


class _Stream(NamedTuple):
    texts: list[str]
    labels: list[str]


class _Served(NamedTuple):
    """Which questions of a stream were served, which wrongly, and their intents."""

    hit: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    labels: list[str]


def _banking77(folder: Path) -> _Stream:
    texts, labels = [], []
    for part in ("train", "test"):
        path = folder / "banking77" / f"{part}.csv"
        if not path.is_file():
            raise CaseError(
                f"banking77 is not on this machine (looked for {path}). To fix: put it there or "
                "set WORKBENCH_DATA_DIR to the folder that holds banking77/"
            )
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        texts += [row["text"] for row in rows]
        labels += [row["category"] for row in rows]
    return _Stream(texts, labels)


def _shuffled(data: _Stream, seed: int) -> _Stream:
    order = np.random.default_rng(seed).permutation(len(data.texts))[:_N]
    return _Stream([data.texts[i] for i in order], [data.labels[i] for i in order])


def _answer(request: ClaudeRequest, label: str) -> Answer:
    return Answer(
        key=request.key(Origin.SIMULATED, None), origin=Origin.SIMULATED,
        model_requested=_MODEL, model_answered="sim:labels", text=json.dumps({"intent": label}),
        stop_reason="end_turn", error=None, started_at="2026-11-20T00:00:00Z", latency_s=None,
        ttft_s=None, attempts=1, usage=Usage(), cost_usd=0.0, price_table="none", cached=False,
        request_id=None,
    )  # fmt: skip


def _no_guard(_text: str) -> tuple[str, ...]:
    return ()


def _run(
    stream: _Stream, encoder: SentenceEncoder, max_error: float, seed: int, *, guarded: bool = True
) -> tuple[_Served, SemanticCache]:
    """One pass of the cache, a question at a time; the label is what asking would bring."""
    hit, wrong = np.zeros(_N, bool), np.zeros(_N, bool)
    with tempfile.TemporaryDirectory() as folder:
        cache = SemanticCache(
            Path(folder) / "semantic.sqlite", encoder=encoder, max_error=max_error,
            random_state=seed, guard=guard_tokens if guarded else _no_guard,
        )  # fmt: skip
        for i, (text, label) in enumerate(zip(*stream, strict=True)):
            request = ClaudeRequest(_MODEL, text)
            (found,) = cache.lookup([request], tenant=_TENANT, origin=Origin.SIMULATED)
            if found is not None and not found.explore:
                hit[i] = True
                wrong[i] = json.loads(found.answer.text or "")["intent"] != label
                continue
            cache.observe(
                request, _answer(request, label), tenant=_TENANT, origin=Origin.SIMULATED,
                neighbour=found,
            )  # fmt: skip
        cache.close()
    return _Served(hit, wrong, stream.labels), cache


def _static(vectors: NDArray[np.float32], labels: Sequence[str], threshold: float) -> _Served:
    """Serve the nearest stored question above a threshold; store every other question."""
    stored: list[int] = []
    hit, wrong = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    for i, vector in enumerate(vectors):
        if stored:
            similarities = vectors[stored] @ vector
            best = int(similarities.argmax())
            if similarities[best] >= threshold:
                hit[i], wrong[i] = True, labels[stored[best]] != labels[i]
                continue
        stored.append(i)
    return _Served(hit, wrong, list(labels))


_EPSILONS = np.array([0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01])
_T, _GAMMA = (
    grid.ravel() for grid in np.meshgrid(np.linspace(0.3, 1.1, 33), np.array([5.0, 10, 20, 40, 80]))
)


def _per_embedding(
    vectors: NDArray[np.float32], labels: Sequence[str], max_error: float, seed: int
) -> _Served:
    """Our reading of vCache as published: each embedding learns alone, from similarity only.

    The confidence band of (t, γ) is the likelihood on a grid; a question is asked with
    probability τ = min over ε of (1 − δ − (1 − ε) L) / (1 − (1 − ε) L), L the ε-quantile of the
    chance to be right, and stored when its answer differs from the neighbour's.
    """
    rng = np.random.default_rng(seed)
    stored: list[int] = []
    likelihood: dict[int, NDArray[np.float64]] = {}
    hit, wrong = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    for i, vector in enumerate(vectors):
        if stored:
            similarities = vectors[stored] @ vector
            best = int(similarities.argmax())
            j, right = stored[best], labels[stored[best]] == labels[i]
            chance = 1 / (1 + np.exp(-_GAMMA * (float(similarities[best]) - _T)))
            seen = likelihood.get(j, np.zeros(len(_T)))
            weight = np.exp(seen - seen.max())
            order = chance.argsort()
            mass = np.cumsum(weight[order]) / weight.sum()
            index = np.minimum(mass.searchsorted(_EPSILONS), len(_T) - 1)
            low = float(((1 - _EPSILONS) * chance[order][index]).max())
            if rng.random() >= max(0.0, (1 - max_error - low) / (1 - low)):
                hit[i], wrong[i] = True, not right
                continue
            likelihood[j] = seen + np.log(np.clip(chance if right else 1 - chance, 1e-12, None))
            if right:
                continue
        stored.append(i)
    return _Served(hit, wrong, list(labels))


def _figures(what: str, runs: Sequence[_Served], bound: float | None = None) -> list[Figure]:
    """Hit rate and share of wrong hits over seeds; questions of one intent are one group."""
    hits = np.concatenate([run.hit for run in runs])
    wrong = np.concatenate([run.wrong for run in runs])
    labels = np.concatenate([run.labels for run in runs])
    rate = mean_interval(hits.astype(float), groups=labels)
    figures = [
        Figure(f"{what}: hit rate", rate.estimate, len(hits),
               spread=(rate.ci_lower, rate.ci_upper), spread_kind="95 % interval, by intent")
    ]  # fmt: skip
    if hits.any():
        share = mean_interval(wrong[hits].astype(float), groups=labels[hits])
        figures.append(
            Figure(f"{what}: wrong among hits", share.estimate, int(hits.sum()),
                   spread=(max(0.0, share.ci_lower), share.ci_upper),
                   spread_kind="95 % interval, by intent", at_most=bound)
        )  # fmt: skip
        figures.append(Figure(f"{what}: wrong among all questions", float(wrong.mean()), len(hits)))
    return figures


def _of_bound(
    data: _Stream, encoder: SentenceEncoder, bound: float, details: dict[str, Any]
) -> list[Figure]:
    figures: list[Figure] = []
    name = f"bound {100 * bound:g} %"
    for guarded in (True, False):
        runs, rows = [], []
        for seed in _SEEDS:
            say(f"  {name}, seed {seed}{'' if guarded else ', without the guard'}")
            run, cache = _run(_shuffled(data, seed), encoder, bound, seed, guarded=guarded)
            runs.append(run)
            hits, wrong = int(run.hit.sum()), int(run.wrong.sum())
            found = proportion_interval(wrong, hits) if hits else None
            rows.append({
                "seed": seed, "hits": hits, "wrong": wrong,
                "wrong_wilson": (found.ci_lower, found.ci_upper) if found else None,
                "stats": cache.stats.to_frame().to_dict("records")[0],
            })  # fmt: skip
        label = name if guarded else f"{name}, no guard"
        details[label] = rows
        figures += _figures(label, runs, bound if guarded else None)
        if guarded:
            held = sum(row["wrong"] <= bound * row["hits"] for row in rows)
            figures.append(Figure(f"{name}: streams within the bound", held, len(_SEEDS),
                                  at_least=len(_SEEDS)))  # fmt: skip
            audits = sum(row["stats"]["checked"] for row in rows)
            caught = sum(row["stats"]["wrong_estimates"] for row in rows)
            figures.append(Figure(f"{name}: wrong among audited answers",
                                  caught / max(1, audits), audits))  # fmt: skip
    return figures


def _trusting(
    encoder: SentenceEncoder, folder: str, texts: Sequence[str], *, guarded: bool
) -> SemanticCache:
    """A cache taught that every neighbour is right, so that only the guard can refuse."""
    cache = SemanticCache(
        Path(folder) / f"{guarded}.sqlite", encoder=encoder, max_error=0.05, audit_rate=0.0,
        random_state=0, guard=guard_tokens if guarded else _no_guard,
    )  # fmt: skip
    # From the same question, said with one word more, to any other question.
    near = [(text, f"{word} {text}") for text, word in zip(texts, itertools.cycle(_EMPTY_WORDS))]
    for first, second in (*near, *itertools.pairwise(texts)):
        tags = frozenset({first, second})
        hit = _second(cache, first, second, tags)
        request = ClaudeRequest(_MODEL, second)
        cache.observe(
            request, _answer(request, "first"), tenant=_TENANT, origin=Origin.SIMULATED,
            tags=tags, neighbour=hit, agreed=True,
        )  # fmt: skip
    return cache


def _second(cache: SemanticCache, first: str, second: str, tags: frozenset[str]) -> Hit | None:
    """Store the first question, alone under its tags, and look the second up."""
    known, asked = (ClaudeRequest(_MODEL, text) for text in (first, second))
    cache.observe(
        known, _answer(known, "first"), tenant=_TENANT, origin=Origin.SIMULATED, tags=tags
    )
    return cache.lookup([asked], tenant=_TENANT, origin=Origin.SIMULATED, tags=tags)[0]


def _served(cache: SemanticCache, pairs: Sequence[dict[str, Any]]) -> int:
    """How many second questions get the answer of the first; pairs do not see each other."""
    served = 0
    for number, pair in enumerate(pairs):
        tags = frozenset({f"pair:{number}:{pair['first']}"})
        hit = _second(cache, pair["first"], pair["second"], tags)
        served += hit is not None and not hit.explore
    return served


def _exchanged(folder: Path) -> Iterator[dict[str, Any]]:
    """Utterances of users looking for a home, with one slot value exchanged for another."""
    found: list[tuple[str, str, int, int]] = []
    for part in ("train", "dev"):
        path = folder / "sgd_homes" / f"homes_{part}.json"
        if not path.is_file():
            return
        for dialogue in json.loads(path.read_text(encoding="utf-8")):
            for turn in dialogue["turns"]:
                if turn["speaker"] == "USER":
                    text = turn["utterance"]
                    found += [
                        (slot["slot"], text, slot["start"], slot["exclusive_end"])
                        for frame in turn["frames"]
                        for slot in frame["slots"]
                    ]
    rng = np.random.default_rng(0)
    values: dict[str, list[str]] = {}
    for slot, text, start, end in found:
        values.setdefault(slot, []).append(text[start:end])
    for index in rng.permutation(len(found))[:600]:
        slot, text, start, end = found[index]
        others = [v for v in values[slot] if v.lower() != text[start:end].lower()]
        other = others[int(rng.integers(len(others)))]
        yield {"first": text, "second": text[:start] + other + text[end:], "kind": slot}


def _guard_figures(
    data: _Stream, encoder: SentenceEncoder, folder: Path, details: dict[str, Any]
) -> list[Figure]:
    pairs = json.loads((_HERE / "semantic_traps.json").read_text(encoding="utf-8"))
    kinds = {
        f"{what}, {split}": [pair for pair in pairs[name] if pair["split"] == split]
        for (what, name), split in itertools.product(
            (("traps", "traps"), ("paraphrases", "paraphrases")), ("tuning", "held-out")
        )
    }
    exchanged = list(_exchanged(folder))
    if exchanged:
        kinds["sgd_homes, one slot exchanged"] = exchanged
    lessons = _shuffled(data, 99).texts[:1000]
    figures = []
    with tempfile.TemporaryDirectory() as place:
        caches = {g: _trusting(encoder, place, lessons, guarded=g) for g in (True, False)}
        for what, chosen in kinds.items():
            say(f"  {what}: {len(chosen)} pairs")
            without = _served(caches[False], chosen)
            served = _served(caches[True], chosen)
            blind = "served by a cache that trusts every neighbour"
            figures.append(Figure(f"{what}: {blind}, no guard", without, len(chosen)))
            bound = 0.0 if what.startswith("traps") else None
            figures.append(Figure(f"{what}: {blind}, guarded", served, len(chosen),
                                  at_most=bound))  # fmt: skip
            details[f"passed the guard: {what}"] = [
                pair for pair in chosen
                if guard_tokens(pair["first"]) == guard_tokens(pair["second"])
            ][: 20 if "paraphrases" not in what else 0]  # fmt: skip
        for cache in caches.values():
            cache.close()
    return figures


def _speed(data: _Stream, encoder: SentenceEncoder) -> list[Figure]:
    fresh = SentenceEncoder(memory=0)
    fresh.encode(["warm"])
    texts = data.texts[:256]
    started = time.process_time()
    fresh.encode(texts)
    batched_s = time.process_time() - started
    started = time.process_time()
    for text in texts[:64]:
        fresh.encode([text])
    single_s = time.process_time() - started
    with tempfile.TemporaryDirectory() as folder:
        cache = SemanticCache(Path(folder) / "s.sqlite", encoder=encoder, random_state=0)
        requests = [ClaudeRequest(_MODEL, text) for text in data.texts[:10_000]]
        for request in requests:
            cache.observe(request, _answer(request, "any"), tenant=_TENANT, origin=Origin.SIMULATED)
        cache.lookup(requests[:1], tenant=_TENANT, origin=Origin.SIMULATED)
        started = time.process_time()
        for request in requests[:200]:
            cache.lookup([request], tenant=_TENANT, origin=Origin.SIMULATED)
        lookup_s = time.process_time() - started
        cache.close()
    return [
        Figure("embedding a sentence, in batches, CPU", 1000 * batched_s / 256, 256, "ms"),
        Figure("embedding a sentence, alone, CPU", 1000 * single_s / 64, 64, "ms"),
        Figure("looking up among 10,000, embedding known, CPU", 5 * lookup_s, 200, "ms"),
    ]


def main() -> dict[str, Any]:
    """Run streams, thresholds and pairs."""
    if not SentenceEncoder.installed():
        raise CaseError("sentence embeddings are not installed. To fix: make setup")
    folder = Settings.from_env().data_dir
    data = _banking77(folder)
    encoder = SentenceEncoder(memory=30_000)
    say(f"  embedding {len(data.texts)} questions")
    encoder.encode(data.texts)
    details: dict[str, Any] = {"seeds": _SEEDS, "questions": _N}
    figures: list[Figure] = []
    for bound in _BOUNDS:
        figures += _of_bound(data, encoder, bound, details)
    streams = [_shuffled(data, seed) for seed in _SEEDS]
    vectors = [encoder.encode(stream.texts) for stream in streams]
    for bound in _BOUNDS:
        say(f"  each embedding alone, bound {bound:g}")
        runs = [
            _per_embedding(v, s.labels, bound, seed)
            for v, s, seed in zip(vectors, streams, _SEEDS, strict=True)
        ]
        figures += _figures(f"each embedding alone (vCache as read), {100 * bound:g} %", runs)
    for threshold in _THRESHOLDS:
        say(f"  static threshold {threshold:g}")
        runs = [_static(v, s.labels, threshold) for v, s in zip(vectors, streams, strict=True)]
        figures += _figures(f"static threshold {threshold:.2f}", runs)
    figures += _guard_figures(data, encoder, folder, details)
    figures += _speed(data, encoder)
    return result(figures, **details)
