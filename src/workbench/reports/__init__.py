"""Reports: notebook execution, HTML, plots, tables."""

from workbench.reports.markup import Section
from workbench.reports.page import export_page
from workbench.reports.plots import Plot, frontier_plot, interval_plot, reliability_plot
from workbench.reports.runner import RunOutcome, run_spec
from workbench.reports.sections import Report

__all__ = [
    "Plot",
    "Report",
    "RunOutcome",
    "Section",
    "export_page",
    "frontier_plot",
    "interval_plot",
    "reliability_plot",
    "run_spec",
]
