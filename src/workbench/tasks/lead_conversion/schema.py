"""What is asked of a model that judges a lead."""

from workbench.tasks.judgement import Judgement

__all__ = ["LeadConversionAnswer"]


class LeadConversionAnswer(Judgement):
    """A judgement of one lead."""
