"""The only place that talks to Claude: requests, answers, prices, the store and the client."""

from workbench.claude.budget import CostEstimate, Progress
from workbench.claude.cassette import Cassette
from workbench.claude.client import ClaudeClient
from workbench.claude.emulator.faults import FAULT_KINDS, FaultPlan, FaultRule, Latency
from workbench.claude.emulator.process import EmulatorProcess
from workbench.claude.emulator.reader import READER_VERSION
from workbench.claude.feeding import Numbered
from workbench.claude.limits import RateLimits
from workbench.claude.messages import API_VERSION, Answer, ClaudeRequest, Usage, estimate_tokens
from workbench.claude.origin import Origin
from workbench.claude.prices import PRICES, Band, Price, PriceTable
from workbench.claude.reply import Partial
from workbench.claude.store import AnswerStore

__all__ = [
    "API_VERSION",
    "FAULT_KINDS",
    "PRICES",
    "READER_VERSION",
    "Answer",
    "AnswerStore",
    "Band",
    "Cassette",
    "ClaudeClient",
    "ClaudeRequest",
    "CostEstimate",
    "EmulatorProcess",
    "FaultPlan",
    "FaultRule",
    "Latency",
    "Numbered",
    "Origin",
    "Partial",
    "Price",
    "PriceTable",
    "Progress",
    "RateLimits",
    "Usage",
    "estimate_tokens",
]
