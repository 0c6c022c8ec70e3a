# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Watching a model: drift, alerts, fairness
#
# Fitted on the first leads of a simulated brokerage, watched on the last. Thresholds come from
# permuting which rows are current, so the chance of *any* false alarm is the one stated; every
# column says the smallest change it could have shown at this size.

# %% tags=["parameters"]
n_leads = 6000
random_state = 7

# %%
import pandas as pd

from workbench.data import Split
from workbench.evaluation import evaluate
from workbench.monitoring import (
    calibration_over_time,
    check_alerts,
    drift,
    drift_over_time,
)
from workbench.monitoring.fairness import counterfactual_audit, slice_gaps, wording_findings
from workbench.predictors import logistic_baseline
from workbench.settings import Settings
from workbench.tasks import load_dataset, load_task

leads = load_dataset("brokerage", n_rows=n_leads, random_state=random_state)
parts = Split("time", 0.6).apply(leads)
train, later = leads.take(parts.train), leads.take(parts.test)
model = logistic_baseline().fit(train.X, train.y)

scored = later.X.assign(
    proba=model.predict_proba(later.X)[:, 1], y=later.y, person=later.groups, as_of=later.as_of
).sort_values("as_of")
before, now = scored.iloc[: len(scored) // 2], scored.iloc[len(scored) // 2 :]

# %% [markdown]
# ## What drifted, and what could have been seen

# %%
report = drift(
    before.drop(columns="as_of"),
    now.drop(columns="as_of"),
    score="proba",
    label="y",
    groups="person",
)
report

# %% [markdown]
# The generator's base rate rises with time and the model does not know: the base rate and the
# calibration in the large alarm, the inputs do not. Month by month:

# %%
calibration_over_time(scored, "as_of", label="y", score="proba", groups="person", every="quarter")

# %%
drift_over_time(
    scored.drop(columns=["y", "first_message"]),
    "as_of",
    before.drop(columns=["y", "first_message"]),
    groups="person",
    every="quarter",
)

# %% [markdown]
# ## Alerts as a spec
#
# `workbench monitor check experiments/monitoring/brokerage.yaml` ends with 0 (quiet), 1 (an alert
# fires) or 2 (wrong input).

# %%
check_alerts(Settings.from_env().root / "experiments" / "monitoring" / "brokerage.yaml")

# %% [markdown]
# ## Fairness
#
# **Counterfactual**: the same lead, one span swapped. A field that stands for origin is swapped
# itself; a protected one is refused.

# %%
counterfactual_audit(
    model,
    later.X.head(800),
    text="first_message",
    columns={"language": "english"},
    groups=later.groups.head(800).to_numpy(),
    margin=0.02,
)

# %% [markdown]
# **Gaps between slices**, with joint intervals, beside the base rates that explain some of them.

# %%
evaluation = evaluate(
    load_task("lead_conversion"),
    {"logistic": logistic_baseline(), "fields": logistic_baseline(text=False)},
    leads,
    split=Split("random", 0.4, 1),
    latency_sample=1,
    n_resamples=200,
)
slice_gaps(evaluation, "roc_auc", "language", arm="logistic")

# %% [markdown]
# **Wording** of generated texts:

# %%
pd.DataFrame(
    wording_findings("Bright home, perfect for young families in an exclusive neighborhood.")
)
