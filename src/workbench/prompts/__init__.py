"""Prompt files, variants, rendering and digests."""

from workbench.prompts.efficiency import PARTS, PromptParts, prompt_parts
from workbench.prompts.fields import LeadText, lead_texts
from workbench.prompts.prompt import Prompt, RenderedPrompt, read_prompt

__all__ = [
    "PARTS",
    "LeadText",
    "Prompt",
    "PromptParts",
    "RenderedPrompt",
    "lead_texts",
    "prompt_parts",
    "read_prompt",
]
