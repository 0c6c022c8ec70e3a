"""The task of telling which language a lead writes in, mixed and short messages included."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.data import AskedField
from workbench.data.conversations.corpora import kind_of
from workbench.features.languages import language_probabilities, language_spans
from workbench.predictors.readers import FieldReader, RuleReader, answer_model_of
from workbench.predictors.texts import tfidf_baseline
from workbench.tasks.task import Target, Task

__all__ = ["TASK"]

_FIELDS = kind_of("message_languages").fields
_NAMES = {
    "en": "english", "es": "spanish", "fr": "french", "hi": "hindi", "pt": "portuguese",
    "zh": "mandarin",
}  # fmt: skip
_LEAST_CHARS = 6


def _identified(fields: Sequence[AskedField]) -> RuleReader:
    """Two published models and the script; nothing is learnt."""
    asked = {field.name for field in fields}

    def rule(row: Any, _learnt: Any) -> dict[str, Any]:
        text = str(row["text"])
        proba = language_probabilities(text)
        first = list(_NAMES.values())[int(proba.argmax())]
        long_enough = [s for s in language_spans(text) if s.end - s.start >= _LEAST_CHARS]
        found = dict.fromkeys([first, *(_NAMES[span.language] for span in long_enough)])
        answers: dict[str, Any] = {"language": first, "languages": tuple(found)}
        return {name: value for name, value in answers.items() if name in asked}

    return RuleReader(fields, rule)


def _letters(fields: Sequence[AskedField]) -> FieldReader:
    """Words and letters with a linear model, learnt from the training part."""
    return FieldReader(fields, {f.name: tfidf_baseline() for f in fields})


TASK = Task(
    name="language_detection",
    version=1,
    title="Language of a lead's message",
    answer_model=answer_model_of("LanguageDetectionAnswer", _FIELDS),
    folder=Path(__file__).parent,
    metrics=(
        "language/accuracy",
        "language/macro_f1",
        "languages/micro_f1",
        "languages/exact_match",
    ),
    targets=(Target("language/accuracy", 0.95, "the platform, over six languages"),),
    fields=_FIELDS,
    readers={"identifier": _identified, "letters": _letters},
)
