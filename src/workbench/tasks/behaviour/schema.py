"""What is asked of a model that foresees what a lead does next."""

from workbench.tasks.judgement import Judgement

__all__ = ["BehaviourAnswer"]


class BehaviourAnswer(Judgement):
    """A judgement of what one lead does next."""
