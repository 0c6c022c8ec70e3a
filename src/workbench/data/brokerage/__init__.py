"""Generated brokerages with known truth: single leads (`generate`) and a whole CRM (`simulate`)."""

from workbench.data.brokerage.crm import Brokerage, open_brokerage, simulate
from workbench.data.brokerage.first_contact import BrokerageSample, generate, true_probability

__all__ = [
    "Brokerage", "BrokerageSample", "generate", "open_brokerage", "simulate", "true_probability",
]  # fmt: skip
