"""The catalogue with all a project offers: its folder's data sets, and those that are made."""

from types import MappingProxyType

from workbench.data import Catalogue, Corpus, Dataset, corpora
from workbench.data.conversations import CONVERSATIONS, make_corpus
from workbench.errors import DataError
from workbench.settings import Settings
from workbench.tasks.behaviour.data import BehaviourMaker
from workbench.tasks.coaching.moments import coaching_corpus
from workbench.tasks.semantic_analysis.conversations import semantic_corpus

__all__ = ["corpus_names", "corpus_title", "load_corpus", "load_dataset", "open_catalogue"]

_GENERATED = 4_000
# Generated conversations with what tasks add to them.
_COMPOSED = MappingProxyType(
    {"coaching": coaching_corpus, "semantic_conversations": semantic_corpus}
)
_TITLES = MappingProxyType(
    {
        "coaching": "Moments an agent needs advice in, with what advice is held against",
        "semantic_conversations": "What leads want and what of a property, in one conversation",
    }
)


def open_catalogue(settings: Settings | None = None) -> Catalogue:
    """Open the catalogue of a project.

    Parameters
    ----------
    settings
        Where the project is; read from the environment when omitted.

    Raises
    ------
    SpecError
        When no project is found.

    Examples
    --------
    >>> "crm_churn_risk" in open_catalogue().names()
    True
    """
    return Catalogue(Settings.from_env() if settings is None else settings, (BehaviourMaker(),))


def load_dataset(
    name: str,
    *,
    settings: Settings | None = None,
    n_rows: int | None = None,
    random_state: int = 0,
    allow_leaks: tuple[str, ...] | list[str] = (),
) -> Dataset:
    """Load a data set of the project's catalogue.

    Parameters
    ----------
    name, n_rows, random_state, allow_leaks
        As for `Catalogue.load`.
    settings
        Where the project is; read from the environment when omitted.

    Raises
    ------
    DataError
        As for `Catalogue.load`.
    SpecError
        When no project is found.

    Examples
    --------
    >>> dataset = load_dataset("brokerage", n_rows=500)
    >>> len(dataset), dataset.origin_kind
    (500, 'simulated')
    """
    catalogue = open_catalogue(settings)
    return catalogue.load(name, n_rows=n_rows, random_state=random_state, allow_leaks=allow_leaks)


def corpus_names(settings: Settings | None = None) -> list[str]:
    """Names of all corpora: those with a card, and the generated ones; sorted.

    Parameters
    ----------
    settings
        Where the project is; read from the environment when omitted.

    Examples
    --------
    >>> "banking77" in corpus_names()
    True
    """
    return sorted({*corpora.corpus_names(settings), *CONVERSATIONS, *_COMPOSED})


def corpus_title(name: str, settings: Settings | None = None) -> tuple[str, str]:
    """Whether a corpus is real or simulated, and its title; no text is loaded or made.

    Parameters
    ----------
    name
        One of `corpus_names()`.
    settings
        Where the project is; read from the environment when omitted.

    Raises
    ------
    DataError
        When there is no such corpus, or its card is wrong.

    Examples
    --------
    >>> corpus_title("lead_intents")[0]
    'simulated'
    """
    _check_corpus(name, settings)
    if name in CONVERSATIONS:
        return "simulated", CONVERSATIONS[name]
    if name in _COMPOSED:
        return "simulated", _TITLES[name]
    card = corpora.corpus_card(name, settings)
    return card.origin.kind, card.title


def load_corpus(
    name: str,
    *,
    settings: Settings | None = None,
    n_rows: int | None = None,
    random_state: int = 0,
) -> Corpus:
    """Load a corpus of labelled texts.

    Parameters
    ----------
    name
        One of `corpus_names()`.
    settings
        Where the project is; read from the environment when omitted.
    n_rows
        How many texts to draw at random, whole groups, or to generate; all, or 4,000, when
        omitted.
    random_state
        Seed of the draw or of the generator.

    Raises
    ------
    DataError
        When there is no such corpus, or its card or file is wrong.
    """
    _check_corpus(name, settings)
    size = _GENERATED if n_rows is None else n_rows
    if name in CONVERSATIONS:
        return make_corpus(name, size, random_state)
    if name in _COMPOSED:
        return _COMPOSED[name](size, random_state)
    return corpora.load_corpus(name, settings=settings, n=n_rows, random_state=random_state)


def _check_corpus(name: str, settings: Settings | None) -> None:
    known = corpus_names(settings)
    if name not in known:
        raise DataError(
            f"no corpus {name!r}",
            expected=f"one of {', '.join(known)}",
            fix="correct the name, or describe your own in datasets/<name>/corpus.yaml",
        )
