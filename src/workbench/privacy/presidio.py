"""Microsoft Presidio as a further recogniser, where it is installed."""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.privacy.keys import PrivacyError
from workbench.privacy.view import Span, View

__all__ = ["PresidioRecogniser"]

_KINDS = {
    "PERSON": "name",
    "LOCATION": "address",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "US_SSN": "ssn",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "bank_account",
    "US_BANK_NUMBER": "bank_account",
    "US_DRIVER_LICENSE": "driver_license",
}


class PresidioRecogniser:
    """Finds what Presidio's analyzer finds, names in running text included.

    Presidio and its models are not part of this workbench; they are loaded at first use. A
    language model takes milliseconds a text where the gate's own recognisers take microseconds.

    Parameters
    ----------
    language
        Presidio's code of the texts' language.
    score_threshold
        Findings below this score are left.
    entities
        Presidio's entities to report, with the gate's kind of each; `LOCATION` is a street
        address only at times, leave it out where places must stay.
    """

    cues: frozenset[bytes] = frozenset()

    def __init__(
        self,
        *,
        language: str = "en",
        score_threshold: float = 0.5,
        entities: Mapping[str, str] | None = None,
    ) -> None:
        self.language = language
        self.score_threshold = score_threshold
        self.entities = dict(_KINDS if entities is None else entities)
        self.kinds = tuple(sorted(set(self.entities.values())))
        self._engine: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engine": None}

    def find(self, view: View) -> Iterator[Span]:
        """Find them.

        Parameters
        ----------
        view
            The text.

        Raises
        ------
        PrivacyError
            When Presidio is not installed.
        """
        if self._engine is None:
            self._engine = _analyzer()
        found = self._engine.analyze(
            text=view.text, language=self.language, entities=list(self.entities),
            score_threshold=self.score_threshold,
        )  # fmt: skip
        for one in found:
            kind = self.entities[one.entity_type]
            value = view.text[one.start : one.end]
            if kind == "phone":
                value = "".join(c for c in value if c.isdigit())
            if value:
                yield Span(one.start, one.end, kind, " ".join(value.casefold().split()))


def _analyzer() -> Any:
    try:
        module = importlib.import_module("presidio_analyzer")
    except ImportError:
        raise PrivacyError(
            "Presidio is not installed",
            expected="the package presidio-analyzer and a spaCy model",
            fix="install them beside the workbench, or leave PresidioRecogniser out",
        ) from None
    return module.AnalyzerEngine()
