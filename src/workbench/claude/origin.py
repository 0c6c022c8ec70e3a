"""Where an answer came from; estimates never mix origins."""

from enum import StrEnum

__all__ = ["Origin"]


class Origin(StrEnum):
    """Where an answer came from.

    ``LIVE`` is Claude, asked over Anthropic's API. ``REPLAY`` is a live answer read back from
    the store. ``LOCAL`` is an Anthropic-compatible endpoint of the user's own. ``SIMULATED`` is
    the rule-based reader behind the loopback emulator, which is not Claude.

    Examples
    --------
    >>> Origin("simulated").describe()
    'simulated: a rule-based stand-in on this machine, not Claude'
    """

    LIVE = "live"
    REPLAY = "replay"
    LOCAL = "local"
    SIMULATED = "simulated"

    def describe(self) -> str:
        """Say in one line what answers of this origin are.

        Returns
        -------
        str
            The label to print beside every figure computed from such answers.
        """
        return f"{self.value}: {_MEANINGS[self]}"


_MEANINGS = {
    Origin.LIVE: "Claude, asked over Anthropic's API",
    Origin.REPLAY: "answers of Claude recorded earlier, none asked now",
    Origin.LOCAL: "an Anthropic-compatible endpoint of your own, whatever answers there",
    Origin.SIMULATED: "a rule-based stand-in on this machine, not Claude",
}
