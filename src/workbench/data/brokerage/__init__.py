"""Generated brokerages with known truth: single leads (`generate`) and a whole CRM (`simulate`).

The CRM, in the order of its making: `market` (agents, listings, sales), `people` (contacts,
leads, traits), `leanings` and `nature` (every rate as a function of lead and hidden state),
`chain` (the hidden weekly Markov chain), `activity` and `events` (what is seen of it), `dialogue`
(what is said), `labels` (what came after a snapshot) and `forecast` (its exact probability).
`chunk` puts a chunk of leads together, `storage` keeps it, `crm` opens it. `truth` is for judging.
"""

from workbench.data.brokerage.crm import Brokerage, open_brokerage, simulate
from workbench.data.brokerage.first_contact import BrokerageSample, generate, true_probability

__all__ = [
    "Brokerage", "BrokerageSample", "generate", "open_brokerage", "simulate", "true_probability",
]  # fmt: skip
