"""Finding corpora by name: their cards, their files, and what is in them."""

import difflib
from pathlib import Path

from workbench.data.corpora.card import CorpusCard, SourceFile, read_corpus_card
from workbench.data.corpora.reading import read_corpus
from workbench.data.corpus import Corpus
from workbench.data.download import download
from workbench.errors import DataError
from workbench.settings import Settings

__all__ = ["corpus_card", "corpus_names", "load_corpus"]


def corpus_names(settings: Settings | None = None) -> list[str]:
    """List the corpora that have a card.

    Parameters
    ----------
    settings
        Where the project is; from the environment when None.

    Returns
    -------
    list of str
        Sorted; whether their files are there is another question.
    """
    datasets = (settings or Settings.from_env()).datasets
    return sorted(path.parent.name for path in datasets.glob("*/corpus.yaml"))


def corpus_card(name: str, settings: Settings | None = None) -> CorpusCard:
    """Read the card of one corpus.

    Parameters
    ----------
    name
        Name of its folder under `datasets`.
    settings
        Where the project is; from the environment when None.

    Raises
    ------
    DataError
        When there is no such corpus or its card is wrong.
    """
    settings = settings or Settings.from_env()
    names = corpus_names(settings)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"write {near[0]!r}, or " if near else ""
        raise DataError(
            f"no corpus {name!r}",
            where=str(settings.datasets),
            expected=f"one of {', '.join(names) or 'none: there is no corpus.yaml'}",
            fix=f"{hint}add datasets/{name}/corpus.yaml",
        )
    path = settings.datasets / name / "corpus.yaml"
    card = read_corpus_card(path)
    if card.name != name:
        raise DataError(
            f"the card's name is {card.name!r}",
            where=str(path),
            expected=f"{name!r}, the name of its folder",
            fix="rename one of them",
        )
    return card


def load_corpus(
    name: str,
    *,
    settings: Settings | None = None,
    n: int | None = None,
    random_state: int = 0,
) -> Corpus:
    """Load a corpus, downloading files that are nowhere on this machine.

    Parameters
    ----------
    name
        Name of its folder under `datasets`.
    settings
        Where project and data folder are; from the environment when None.
    n
        About how many examples to draw at random, whole groups (see `Corpus.sample`); all when
        None.
    random_state
        Seed of the draw.

    Raises
    ------
    DataError
        When the name, the card or a file is wrong, or a download fails.
    """
    settings = settings or Settings.from_env()
    card = corpus_card(name, settings)

    def find(file: SourceFile) -> Path:
        kept = settings.datasets / name / "downloads" / file.name
        for path in (settings.data_dir / name / file.name, kept):
            if path.is_file():
                return path
        return download(file.declared, kept)

    corpus = read_corpus(card, find)
    return corpus if n is None else corpus.sample(n, random_state)
