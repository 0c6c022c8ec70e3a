"""What is known of the truth behind simulated data: the ceiling of every score."""

import pandas as pd

from workbench.data import Dataset
from workbench.data.brokerage import true_probability
from workbench.data.brokerage.truth import true_snapshots
from workbench.tasks.behaviour import read_heads
from workbench.tasks.behaviour.data import brokerage_for

__all__ = ["truth_of"]


def truth_of(dataset: Dataset) -> pd.Series | None:
    """Give the probability with which each label of a data set was drawn.

    Parameters
    ----------
    dataset
        Loaded from the catalogue; rows may have been taken out of it.

    Returns
    -------
    pandas.Series or None
        float64 in (0, 1), indexed like `dataset.y`; None where nobody knows, as of real data.

    Raises
    ------
    DataError
        When the card does not say how the data set was generated.

    Examples
    --------
    >>> import workbench as wb
    >>> leads = wb.load_dataset("brokerage", n_rows=300)
    >>> truth_of(leads).between(0, 1).all().item()
    True
    """
    generator = dataset.card.generator
    if generator is None:
        return None
    if generator.name == "brokerage":
        return true_probability(dataset)
    head = next(h for h in read_heads() if h.name == generator.parameters["head"])
    seed = int(generator.parameters["random_state"])
    crm, _ = brokerage_for(head, generator.row_count, seed)
    columns = [f"p_urgency_{level}" for level in head.positive] or [f"p_{head.label}"]
    truth = true_snapshots(crm)[columns].sum(axis=1).clip(1e-9, 1 - 1e-9)
    return truth.rename("true_probability").reindex(dataset.y.index)
