"""What the charts of an experiment share: colours, axes, and how a chart is kept."""

import base64
import html
import io
import textwrap
from dataclasses import dataclass
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from workbench.errors import DataError

__all__ = [
    "BLUE", "GREY", "INK", "ORANGE", "RED", "VERDICT_COLOURS", "WIDTH", "Chart", "caption",
    "clean", "date_axis", "label", "plain", "title", "value_axis",
]  # fmt: skip

# Okabe & Ito (2008): distinguishable with any colour vision.
BLUE, RED, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
GREY, INK = "#6b7280", "#111827"
VERDICT_COLOURS = {
    "better": GREEN, "holds": GREEN, "worse": RED, "violated": RED, "broken": RED,
}  # fmt: skip
WIDTH = 7.6


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A picture with its description.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The picture.
    alt
        What it shows, in words.
    """

    figure: Figure
    alt: str

    @property
    def svg(self) -> str:
        """The picture as SVG, the same text each time."""
        buffer = io.StringIO()
        # Identifiers inside the picture are random without a salt.
        with rc_context({"svg.hashsalt": "workbench"}):
            self.figure.savefig(
                buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None}
            )
        text = buffer.getvalue()
        return text[text.index("<svg") :]

    def save(self, path: Path | str) -> Path:
        """Write the picture, PNG at a slide's resolution or SVG by its suffix.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        DataError
            If the suffix is neither .png nor .svg.
        """
        target = Path(path)
        if target.suffix == ".svg":
            target.write_text(self.svg, encoding="utf-8")
        elif target.suffix == ".png":
            self.figure.savefig(
                target, dpi=200, bbox_inches="tight", facecolor="white",
                metadata={"Description": self.alt, "Software": None},
            )  # fmt: skip
        else:
            raise DataError(
                f"{target.name!r} is no picture", expected="a name that ends in .png or .svg",
                fix="rename it",
            )  # fmt: skip
        return target

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.svg.encode()).decode()
        return (
            f'<img style="max-width:100%" alt="{html.escape(self.alt, quote=True)}" '
            f'src="data:image/svg+xml;base64,{data}">'
        )


def plain(text: str) -> str:
    """Write a name so that dollar signs in it are not read as mathematics."""
    return text.replace("$", r"\$")


def label(kind: str, value: float) -> str:
    """Write a difference beside its mark.

    Examples
    --------
    >>> label("proportion", 0.0766), label("mean", 0.04011)
    ('+7.66 pp', '+0.0401')
    """
    return f"{100 * value:+.2f} pp" if kind == "proportion" else f"{value:+,.3g}"


def title(axes: Axes, text: str, *, width: int = 78, pad: float = 6.0) -> None:
    """Write what a panel says above it, on as many lines as its width in characters needs."""
    wrapped = plain(textwrap.fill(text, width))
    axes.set_title(wrapped, fontsize=10, loc="left", color=INK, fontweight="bold", pad=pad)


def caption(figure: Figure, text: str) -> None:
    """Write how the figures were made at the foot."""
    height = figure.get_size_inches()[1]
    figure.set_layout_engine("constrained", rect=(0, 0.22 / height, 1, 1 - 0.22 / height))
    figure.text(0.01, 0.03 / height, plain(text), fontsize=8, color=GREY, va="bottom")


def clean(axes: Axes) -> None:
    """Leave out what carries nothing."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9ca3af")
    axes.tick_params(colors="#374151", labelsize=9)


def value_axis(axes: Axes, kind: str, which: str) -> None:
    """Number an axis of differences: shares in percentage points, with their sign."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    scale, unit = (100, " pp") if kind == "proportion" else (1, "")
    axis.set_major_formatter(
        FuncFormatter(lambda v, _: f"{scale * v:+,.4g}{unit}" if abs(v) > 1e-12 else "0")
    )


def date_axis(axes: Axes) -> None:
    """Number an axis of days."""
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(DateFormatter("%d %b"))
