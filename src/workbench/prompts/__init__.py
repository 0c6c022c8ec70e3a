"""Prompt files, variants, rendering and digests."""

from workbench.prompts.fields import LeadText, lead_texts
from workbench.prompts.prompt import Prompt, RenderedPrompt, read_prompt

__all__ = ["LeadText", "Prompt", "RenderedPrompt", "lead_texts", "read_prompt"]
