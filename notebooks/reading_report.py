# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
# What to evaluate, and where to leave the records ("" leaves none).
spec_path = "../experiments/intent/standard.yaml"
run_dir = ""

# %%
from pathlib import Path

import workbench as wb

result = wb.evaluate_reading_spec(spec_path)
if run_dir:
    result.save(Path(run_dir))
report = wb.ReadingReport(result)

# %%
report.head

# %%
report.caveats

# %%
report.comparison

# %%
report.figures

# %%
report.frontier

# %%
report.claims

# %%
report.slices

# %%
report.errors

# %%
report.arms

# %%
report.provenance
