"""What every plot is made with: colours, axes, and SVG with a text for those who cannot see it."""

import base64
import html
import io
from dataclasses import dataclass

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["COLOURS", "GREY", "Plot", "clean", "drawn", "plain"]

# Okabe & Ito (2008): distinguishable with any colour vision.
COLOURS = {
    "model": "#0072B2",
    "claude": "#D55E00",
    "ensemble": "#009E73",
    "cascade": "#CC79A7",
}
GREY = "#6b7280"


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture with its description.

    Parameters
    ----------
    svg
        The picture.
    alt
        What it shows, in words.
    """

    svg: str
    alt: str

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.svg.encode()).decode()
        return (
            f'<img style="max-width:100%" alt="{html.escape(self.alt, quote=True)}" '
            f'src="data:image/svg+xml;base64,{data}">'
        )


def drawn(figure: Figure, alt: str) -> Plot:
    """Finish a figure as a picture that is the same every time."""
    buffer = io.StringIO()
    # Marks within the picture are named by what they draw, not by chance.
    with rc_context({"svg.hashsalt": "workbench"}):
        figure.savefig(
            buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None}
        )
    text = buffer.getvalue()
    return Plot(text[text.index("<svg") :], alt)


def plain(label: str) -> str:
    """Write a label so that dollar signs stay what they are."""
    # Matplotlib reads what stands between dollar signs as mathematics.
    return label.replace("$", r"\$")


def clean(axes: Axes) -> None:
    """Leave out of the axes what nobody reads."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9ca3af")
    axes.tick_params(colors="#374151", labelsize=9)
