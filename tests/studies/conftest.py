from collections.abc import Iterator

import pytest

from workbench.data.brokerage import Brokerage, simulate


@pytest.fixture(scope="session")
def small() -> Iterator[Brokerage]:
    """A brokerage whose size keeps a study to a second or two."""
    yield simulate(1600, random_state=4, text_share=0)


@pytest.fixture(scope="session")
def middling() -> Iterator[Brokerage]:
    """A brokerage large enough for effects to be seen."""
    yield simulate(3500, random_state=4, text_share=0)
