"""Reports: notebook execution, HTML, plots, tables."""

from workbench.reports.curves import cascade_plot, sequential_plot
from workbench.reports.drawing import Plot
from workbench.reports.markup import Section
from workbench.reports.page import export_page
from workbench.reports.plots import frontier_plot, interval_plot, reliability_plot
from workbench.reports.reading_sections import ReadingReport
from workbench.reports.runner import RunOutcome, run_spec
from workbench.reports.sections import Report

__all__ = [
    "Plot",
    "ReadingReport",
    "Report",
    "RunOutcome",
    "Section",
    "cascade_plot",
    "export_page",
    "frontier_plot",
    "interval_plot",
    "reliability_plot",
    "run_spec",
    "sequential_plot",
]
