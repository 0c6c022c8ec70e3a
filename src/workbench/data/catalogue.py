"""The catalogue: every folder of `datasets/` with a card is a data set."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from workbench.data.brokerage import generate
from workbench.data.card import Card, read_card
from workbench.data.checks import CheckReport, check_dataset, unreadable
from workbench.data.dataset import Dataset
from workbench.data.download import download
from workbench.data.reading import read_table
from workbench.errors import DataError
from workbench.settings import Settings

__all__ = ["Catalogue", "Maker"]


class Maker(Protocol):
    """What offers data sets that are made, not read: see `workbench.tasks.MAKERS`."""

    def cards(self) -> Mapping[str, Card]:
        """Cards by name."""

    def make(self, card: Card, n_rows: int, random_state: int) -> pd.DataFrame:
        """Rows of one of its data sets, with all columns of the card."""


class Catalogue:
    """Finds, downloads, reads and checks data sets.

    A data set of one's own is a folder `datasets/<name>/` with a `card.yaml`, and its file
    in `<data folder>/<name>/`; no code.

    Parameters
    ----------
    settings
        Where the project and its data folder are.
    makers
        Data sets offered beside those of the folder; `workbench.open_catalogue` knows all of
        this project.
    """

    def __init__(self, settings: Settings, makers: Sequence[Maker] = ()) -> None:
        self._settings = settings
        self._makers = {name: maker for maker in makers for name in maker.cards()}

    def __repr__(self) -> str:
        return f"Catalogue({str(self._settings.datasets)!r}: {', '.join(self.names())})"

    def names(self) -> list[str]:
        """Names of all data sets, sorted."""
        found = {path.parent.name for path in self._settings.datasets.glob("*/card.yaml")}
        return sorted(found | set(self._makers))

    def card(self, name: str) -> Card:
        """Read the card of one data set.

        Raises
        ------
        DataError
            When there is no such data set or its card is wrong.
        """
        names = self.names()
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"write {near[0]!r}, or " if near else ""
            raise DataError(
                f"no data set {name!r}",
                where=str(self._settings.datasets),
                expected=f"one of {', '.join(names) or 'none: the catalogue is empty'}",
                fix=f"{hint}add datasets/{name}/card.yaml",
            )
        path = self._settings.datasets / name / "card.yaml"
        if name in self._makers and not path.exists():
            return self._makers[name].cards()[name]
        card = read_card(path)
        if card.name != name:
            raise DataError(
                f"the card's name is {card.name!r}",
                where=str(path),
                expected=f"{name!r}, the name of its folder",
                fix="rename one of them",
            )
        return card

    def load(
        self,
        name: str,
        *,
        n_rows: int | None = None,
        random_state: int = 0,
        allow_leaks: Sequence[str] = (),
    ) -> Dataset:
        """Load a data set, downloading its file when it is nowhere on this machine.

        Parameters
        ----------
        name
            Name in the catalogue.
        n_rows
            For a file: how many rows to draw at random (all when omitted; whole groups, see
            `Dataset.sample`). For a generator: how many rows to generate (the card's
            `row_count` when omitted).
        random_state
            Seed of the draw or of the generator.
        allow_leaks
            Leak columns to let into `X` on purpose.

        Raises
        ------
        DataError
            When the name, the card, the file or an argument is wrong, or the download fails.
        """
        card = self.card(name)
        if card.generator is not None:
            return self._generated(card, n_rows, random_state, allow_leaks)
        frame = read_table(self._file(card), card)
        dataset = Dataset.from_frame(card, frame, allow_leaks=allow_leaks)
        return dataset if n_rows is None else dataset.sample(n_rows, random_state)

    def check(self, name: str) -> CheckReport:
        """Look for what would make results misleading: see `CheckReport`.

        Raises
        ------
        DataError
            When there is no such data set. A card or file that cannot be read is a finding.
        """
        if name not in self.names():
            self.card(name)
        try:
            return check_dataset(self.load(name))
        except DataError as error:
            return unreadable(name, error)

    def _file(self, card: Card) -> Path:
        if card.file is None:
            raise DataError(f"data set {card.name!r} has no file", fix="give its card a 'file'")
        kept = self._settings.datasets / card.name / "downloads" / card.file.name
        for path in (self._settings.data_dir / card.name / card.file.name, kept):
            if path.is_file():
                return path
        return download(card.file, kept)

    def _generated(
        self, card: Card, n_rows: int | None, random_state: int, allow_leaks: Sequence[str]
    ) -> Dataset:
        if card.generator is None:
            raise DataError(f"data set {card.name!r} has no generator", fix="give its card one")
        size = card.generator.row_count if n_rows is None else n_rows
        if card.generator.name == "brokerage":
            rows: pd.DataFrame = generate(size, random_state=random_state).leads
        elif card.name in self._makers:
            rows = self._makers[card.name].make(card, size, random_state)
        else:
            raise DataError(
                f"nothing here makes data set {card.name!r}",
                expected="a catalogue that knows its maker",
                fix="open it with workbench.open_catalogue(settings)",
            )
        # The card travels with the data set and says how these very rows were made.
        made = card.generator.model_copy(
            update={
                "row_count": size,
                "parameters": {**card.generator.parameters, "random_state": random_state},
            }
        )
        return Dataset.from_frame(
            card.model_copy(update={"generator": made}), rows, allow_leaks=allow_leaks
        )
