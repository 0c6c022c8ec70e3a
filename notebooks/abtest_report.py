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
# The design and its data. Without a design, five coaching strategies are simulated.
design_path = ""
data_path = ""
arm = "arm"
exposed_at = "exposed_at"
registration_path = ""
as_of = ""
touches_path = ""
costs = []
ledger_path = ""
n_leads = 60000
random_state = 7
run_dir = ""

# %%
from workbench.abtest.report_run import read_experiment

report = read_experiment(
    design_path,
    data_path,
    arm=arm,
    exposed_at=exposed_at,
    registration_path=registration_path,
    as_of=as_of,
    touches_path=touches_path,
    costs=costs,
    ledger_path=ledger_path,
    n_leads=n_leads,
    random_state=random_state,
)
if run_dir:
    report.save(run_dir)

# %%
report.head

# %%
report.findings

# %%
report.effects

# %%
report.widths

# %%
report.insights

# %%
report.course

# %%
report.segments

# %%
report.worth

# %%
report.returned

# %%
report.attributed

# %%
report.learning

# %%
report.beside_truth

# %%
report.mistakes

# %%
report.claims

# %%
report.provenance
