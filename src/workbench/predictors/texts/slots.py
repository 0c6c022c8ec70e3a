"""Details a text mentions, found word by word and read as values."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.base import BaseEstimator
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted

from workbench.errors import PredictorError
from workbench.predictors.texts.folding import class_scores
from workbench.predictors.texts.represent import as_texts, text_terms

__all__ = ["SlotTagger"]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_SPEAKER = re.compile(r"^(lead|agent): ", re.MULTILINE)
_NUMBERS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_OUTSIDE = "O"
_MOSTLY = 0.5
_UPDATES = 300_000
_LINES_BACK = 4

Sheet = dict[str, Any]


class _Token(NamedTuple):
    start: int
    end: int
    word: str
    line: int


class _Reading(NamedTuple):
    """A text cut into tokens; of a dialogue also who says each line."""

    text: str
    tokens: list[_Token]
    speakers: list[str]


class SlotTagger(BaseEstimator):
    """Find the details a text mentions: a tag a word, then the best sequence of tags.

    What it learns from are sheets of values. A value that stands in the text teaches where it
    stands; numbers are also found as words. A slot whose values mostly stand in no text, such as
    yes or no, is read from the whole text instead. In a dialogue with lines "lead: …" and
    "agent: …" the last mention by the lead counts, else the last by the agent. Values come out as
    they stand in the text, numbers as float; dates are not worked out.

    Parameters
    ----------
    max_chars
        Characters read of a text, its last ones.
    max_tokens
        Words to learn from; texts are drawn at random when there are more.
    random_state
        Seed.

    Attributes
    ----------
    slots_ : list of str
        Sorted.
    tags_ : ndarray of str
        "O", and "B-" and "I-" of each slot found in texts.
    whole_ : dict of str to estimator
        Of slots read from the whole text.

    References
    ----------
    Ramshaw & Marcus (1995), arXiv cmp-lg/9505040, for the tags; Viterbi (1967), IEEE Trans. Inf.
    Theory 13:260-269.

    Examples
    --------
    >>> cities = ["Rome", "Oslo", "Bonn", "Lyon"] * 5
    >>> texts = [f"A flat with {n % 4 + 1} rooms in {city}" for n, city in enumerate(cities)]
    >>> truth = [{"city": city, "rooms": n % 4 + 1.0} for n, city in enumerate(cities)]
    >>> SlotTagger().fit(texts, truth).predict(["some house with 3 rooms in Oslo"]).tolist()
    [{'city': 'Oslo', 'rooms': 3.0}]
    """

    def __init__(
        self, *, max_chars: int = 8_000, max_tokens: int = 300_000, random_state: int = 0
    ) -> None:
        self.max_chars = max_chars
        self.max_tokens = max_tokens
        self.random_state = random_state

    def fit(self, X: Any, y: Sequence[Mapping[str, Any]] | NDArray[Any]) -> Self:
        """Learn where values stand, and what else says them.

        Parameters
        ----------
        X : sequence of str
        y : sequence of mapping, shape (n_samples,)
            Values by slot; what was not mentioned is absent.

        Raises
        ------
        PredictorError
            When there is not a mapping a text, or no text has a word.
        """
        readings = [_read(text) for text in as_texts(X, max_chars=self.max_chars)]
        sheets = list(y)
        if not readings or len(sheets) != len(readings):
            raise PredictorError(
                f"{len(readings)} texts and {len(sheets)} sheets of values",
                expected="one sheet a text, and at least one",
                fix="pass sequences of one length",
            )
        if not all(isinstance(sheet, Mapping) for sheet in sheets):
            raise PredictorError("a sheet is no mapping", expected="values by slot")
        self.slots_ = sorted({name for sheet in sheets for name in sheet})
        places = _aligned(readings, sheets)
        spoken = [name for name in self.slots_ if _share_found(name, places) >= _MOSTLY]
        self.numbers_ = {n for n in spoken if all(isinstance(s.get(n, 0.0), float) for s in sheets)}
        self.whole_ = {
            name: self._fit_whole(readings, [sheet.get(name) for sheet in sheets])
            for name in self.slots_
            if name not in spoken
        }
        self.tags_ = np.array([_OUTSIDE, *(f"{p}-{n}" for n in spoken for p in "BI")])
        self._fit_tags(readings, places)
        return self

    def _fit_tags(self, readings: Sequence[_Reading], places: Sequence[Mapping[str, Any]]) -> None:
        order = np.random.default_rng(self.random_state).permutation(len(readings))
        rows: list[list[str]] = []
        tags: list[int] = []
        number = {str(tag): code for code, tag in enumerate(self.tags_)}
        for i in order:
            codes = np.zeros(len(readings[i].tokens), dtype=np.int64)
            for name, place in places[i].items():
                if place is not None and f"B-{name}" in number:
                    first, last = place
                    codes[first : last + 1] = number[f"I-{name}"]
                    codes[first] = number[f"B-{name}"]
            rows += _features(readings[i])
            tags += codes.tolist()
            if len(rows) >= self.max_tokens:
                break
        if not rows:
            raise PredictorError("no text has a word", expected="words to learn from")
        # Weights are kept for 2**18 hashed features: a model's size does not grow with the texts.
        self.hasher_ = FeatureHasher(2**18, input_type="string")
        self.model_ = None
        if len(set(tags)) > 1:
            rounds = int(np.clip(_UPDATES / len(rows), 8, 60))
            self.model_ = SGDClassifier(
                loss="log_loss", alpha=1e-6, max_iter=rounds, tol=None, average=True,
                random_state=self.random_state,
            ).fit(self.hasher_.transform(rows), tags)  # fmt: skip

    def _fit_whole(self, readings: Sequence[_Reading], values: Sequence[Any]) -> Pipeline | Any:
        labels = ["" if value is None else repr(value) for value in values]
        self_values = {repr(value): value for value in values if value is not None}
        if len(set(labels)) == 1:
            return (None, labels[0], self_values)
        model = make_pipeline(text_terms(min_df=1), LogisticRegression(C=100.0, max_iter=300)).fit(
            [_said_by_lead(reading) for reading in readings], labels
        )
        return (model, "", self_values)

    def predict(self, X: Any) -> NDArray[Any]:
        """Values by slot, a dict a text, shape (n_samples,).

        Parameters
        ----------
        X : sequence of str

        Raises
        ------
        PredictorError
            When `X` is no sequence of texts.
        """
        check_is_fitted(self)
        readings = [_read(text) for text in as_texts(X, max_chars=self.max_chars)]
        sheets: list[Sheet] = [self._spoken(reading) for reading in readings]
        for name, (model, only, values) in self.whole_.items():
            said = [_said_by_lead(reading) for reading in readings]
            found = [only] * len(said) if model is None or not said else model.predict(said)
            for sheet, label in zip(sheets, found, strict=True):
                if label:
                    sheet[name] = values[str(label)]
        answers = np.empty(len(sheets), dtype=object)
        answers[:] = [{name: s[name] for name in self.slots_ if name in s} for s in sheets]
        return answers

    def _spoken(self, reading: _Reading) -> Sheet:
        if not reading.tokens or self.model_ is None:
            return {}
        scores = class_scores(
            self.model_, self.hasher_.transform(_features(reading)), len(self.tags_)
        )
        found: dict[str, tuple[bool, Any]] = {}
        for name, first, last in _spans(_best_path(log_softmax(scores, axis=1)), self.tags_):
            said = reading.text[reading.tokens[first].start : reading.tokens[last].end]
            value = _as_number(said) if name in self.numbers_ else said
            by_lead = reading.speakers[reading.tokens[first].line] == "lead"
            if value is not None and (by_lead or not found.get(name, (False,))[0]):
                found[name] = (by_lead, value)
        return {name: value for name, (_, value) in found.items()}


def _read(text: str) -> _Reading:
    speakers: list[str] = []
    tokens: list[_Token] = []
    start = 0
    for number, line in enumerate(text.split("\n")):
        said = _SPEAKER.match(line)
        speakers.append(said.group(1) if said else "lead")
        skip = said.end() if said else 0
        tokens += [
            _Token(start + m.start(), start + m.end(), m.group(), number)
            for m in _TOKEN.finditer(line, skip)
        ]
        start += len(line) + 1
    return _Reading(text, tokens, speakers)


def _said_by_lead(reading: _Reading) -> str:
    lines = reading.text.split("\n")
    return " ".join(
        line for line, who in zip(lines, reading.speakers, strict=True) if who == "lead"
    )


def _mentions(reading: _Reading, value: Any) -> list[tuple[int, int]]:
    """First and last token of each mention of a value, the last first; the lead's if any."""
    words = [token.word.lower() for token in reading.tokens]
    found = [
        (at, at + len(wanted) - 1)
        for wanted in _wordings(value)
        for at in range(len(words) - len(wanted) + 1)
        if words[at] == wanted[0] and words[at : at + len(wanted)] == wanted
    ]
    found.sort(reverse=True)
    leads = [p for p in found if reading.speakers[reading.tokens[p[0]].line] == "lead"]
    return leads or found


def _aligned(
    readings: Sequence[_Reading], sheets: Sequence[Mapping[str, Any]]
) -> list[dict[str, tuple[int, int] | None]]:
    """Which mention of each value is that of its slot, or None where there is none.

    Two slots may have one value: mentions that can be of one slot only teach which words stand
    near it.
    """
    candidates = [
        {name: _mentions(reading, value) for name, value in sheet.items()}
        for reading, sheet in zip(readings, sheets, strict=True)
    ]
    near: dict[str, Counter[str]] = {}
    for reading, mentions in zip(readings, candidates, strict=True):
        owners = Counter(place for places in mentions.values() for place in places)
        for name, places in mentions.items():
            if len(places) == 1 and owners[places[0]] == 1:
                near.setdefault(name, Counter()).update(_around(reading, places[0]))
    total = sum(near.values(), Counter())

    def fit(reading: _Reading, name: str, place: tuple[int, int]) -> float:
        mine = near.get(name, Counter())
        worth = [np.log((mine[w] + 0.5) / (total[w] + 1)) for w in _around(reading, place)]
        return float(sum(worth))

    aligned = []
    for reading, mentions in zip(readings, candidates, strict=True):
        chosen: dict[str, tuple[int, int] | None] = dict.fromkeys(mentions)
        pairs = [(n, p) for n, places in mentions.items() for p in places]
        if len(pairs) > len(mentions) or len({p for _, p in pairs}) < len(pairs):
            pairs.sort(key=lambda pair: -fit(reading, *pair))
        taken: set[int] = set()
        for name, (first, last) in pairs:
            if chosen[name] is None and not taken & set(range(first, last + 1)):
                chosen[name] = (first, last)
                taken |= set(range(first, last + 1))
        aligned.append(chosen)
    return aligned


def _around(reading: _Reading, place: tuple[int, int]) -> list[str]:
    first, last = place
    tokens = reading.tokens
    before = [f"{i}{tokens[first - i].word.lower()}" for i in (1, 2) if first >= i]
    after = [f"+{i}{tokens[last + i].word.lower()}" for i in (1, 2) if last + i < len(tokens)]
    return before + after


def _wordings(value: Any) -> Iterator[list[str]]:
    if isinstance(value, bool | tuple | list | dict) or value is None:
        return
    if isinstance(value, int | float):
        yield [word.lower() for word in _TOKEN.findall(f"{value:g}")]
        yield from ([word] for word, number in _NUMBERS.items() if number == value)
        return
    words = [word.lower() for word in _TOKEN.findall(str(value))]
    if words:
        yield words


def _share_found(name: str, places: Sequence[Mapping[str, Any]]) -> float:
    known = [place[name] is not None for place in places if name in place]
    return float(np.mean(known))


def _as_number(said: str) -> float | None:
    cleaned = said.lower().replace(",", "").strip("$€£ ")
    if cleaned in _NUMBERS:
        return float(_NUMBERS[cleaned])
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([km])?", cleaned)
    if found is None:
        return None
    return float(found[1]) * {"k": 1e3, "m": 1e6}.get(found[2] or "", 1.0)


def _features(reading: _Reading) -> list[list[str]]:
    tokens = reading.tokens
    words = [token.word.lower() for token in tokens]
    padded = ["<<", "<", *words, ">", ">>"]
    answers = _answers(reading)
    n_lines = len(reading.speakers)
    rows = []
    for i, token in enumerate(tokens):
        word, shape = words[i], _shape(token.word)
        who = reading.speakers[token.line]
        back = min(n_lines - 1 - token.line, _LINES_BACK)
        around = padded[i : i + 5]
        row = [
            "bias", f"w={word}", f"s={shape}", f"p={word[:3]}", f"e={word[-3:]}",
            f"-1={around[1]}", f"-2={around[0]}", f"+1={around[3]}", f"+2={around[4]}",
            f"-1w={around[1]}_{word}", f"w+1={word}_{around[3]}", f"-2-1={around[0]}_{around[1]}",
            f"+1+2={around[3]}_{around[4]}", f"-1s={around[1]}_{shape}", f"s+1={shape}_{around[3]}",
            f"who={who}", f"who={who} s={shape}", f"back={who}{back}",
        ]  # fmt: skip
        if who == "agent":
            # What an agent offers counts when the lead's answer to it agrees.
            row += [f"ans={a}" for a in answers[token.line]]
            row += [f"ans={a} s={shape} -1={around[1]}" for a in answers[token.line]]
        else:
            row += [f"asked={a}" for a in answers[token.line]]
        rows.append(row)
    return rows


def _answers(reading: _Reading) -> list[list[str]]:
    """For an agent's line the first words of the answer; for a lead's the last ones before it."""
    lines: list[list[str]] = [[] for _ in reading.speakers]
    for token in reading.tokens:
        lines[token.line].append(token.word.lower())
    told = []
    for number, who in enumerate(reading.speakers):
        if who == "agent":
            told.append(lines[number + 1][:4] if number + 1 < len(lines) else ["<none>"])
        else:
            told.append(lines[number - 1][-8:] if number else [])
    return told


def _shape(word: str) -> str:
    if word.isdigit():
        return f"d{min(len(word), 5)}"
    if not word[0].isalnum():
        return "."
    case = "X" if word.isupper() else "Xx" if word[0].isupper() else "x"
    return case + ("d" if any(c.isdigit() for c in word) else "")


def _best_path(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Best tags where I- follows B- or I- of its slot only; codes are O, then B and I by turns."""
    n_tags = scores.shape[1]
    allowed = np.ones((n_tags, n_tags), dtype=bool)
    for inside in range(2, n_tags, 2):
        allowed[:, inside] = False
        allowed[[inside - 1, inside], inside] = True
    cost = np.where(allowed, 0.0, -np.inf)
    best = scores[0].copy()
    best[2::2] = -np.inf
    came = np.zeros(scores.shape, dtype=np.int64)
    for i in range(1, len(scores)):
        through = best[:, None] + cost
        came[i] = through.argmax(axis=0)
        best = through[came[i], np.arange(n_tags)] + scores[i]
    path = np.empty(len(scores), dtype=np.int64)
    path[-1] = best.argmax()
    for i in range(len(scores) - 1, 0, -1):
        path[i - 1] = came[i, path[i]]
    return path


def _spans(path: NDArray[np.int64], tags: NDArray[Any]) -> Iterator[tuple[str, int, int]]:
    start = None
    for i, code in enumerate([*path.tolist(), 0]):
        if start is not None and not (code and code % 2 == 0):
            yield str(tags[path[start]])[2:], start, i - 1
            start = None
        if code % 2 == 1:
            start = i
