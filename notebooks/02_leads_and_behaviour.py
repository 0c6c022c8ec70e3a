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
# # Leads and what they do next
#
# A platform claims that machine learning and Claude together foresee what leads do with 99.2 %
# accuracy. This notebook finds out what is behind such a figure, on a simulated brokerage whose
# truth is known: every score stands beside the **ceiling**, what knowing the true probabilities
# would reach.
#
# Nothing here needs a key: without one, a **simulated reader** takes Claude's place. Its arms are
# called `sim:…` and none of their figures is Claude's.

# %% tags=["parameters"]
n_leads = 1500
random_state = 7

# %%
import workbench as wb

# %% [markdown]
# ## The brokerage
#
# Leads, events, dialogues, touches, appointments and deals, with late records, gaps, duplicates
# and staff's mistakes. What is true of them lies apart; no feature or model can read it. The same
# brokerage as Parquet: `workbench data simulate FOLDER --leads 1000000`.

# %%
from workbench.data.brokerage.card import describe

crm = wb.simulate(n_leads, random_state=random_state)
describe(crm)

# %% [markdown]
# ## Features, as they were on record
#
# Each feature has a meaning, a unit and a window. One definition runs embedded, on Spark and in
# memory; what happened or was recorded after `as_of` never reaches it.

# %%
wb.FEATURES.describe().head(12)

# %%
tables = {name: crm.table(name) for name in crm.names}
names = ("recency_days", "n_visits_7d", "email_reply_rate", "agent_conversion_rate")
chosen = wb.FEATURES.only(*names)
wb.collect(chosen.build(tables, tables["snapshots"])).head()

# %% [markdown]
# ## One head: will the lead go quiet?
#
# Prior, linear model, boosted trees without and with the conversation, and an ensemble with a
# model that reads. Everything is split by time, with no person in both parts.

# %%
task = wb.load_task("churn_risk")
leads = wb.load_dataset("crm_churn_risk", n_rows=n_leads, random_state=random_state)
leads

# %%
client = wb.ClaudeClient.from_settings(wb.Settings.from_env())
reader = task.claude("evidence_first", leads, client=client)
trees = wb.BoostedClassifier()
arms = {
    "fields_only": wb.BoostedClassifier(text=False),
    "prior": wb.prior_baseline(),
    "additive": wb.AdditiveClassifier(),
    "lightgbm": trees,
    "claude": reader,
    "ensemble": wb.StackedClassifier([("lightgbm", trees), ("claude", reader)]),
}
churn = wb.evaluate(task, arms, leads, split=wb.Split("time", 0.4), baseline="fields_only")
churn

# %%
churn.compare("log_loss")

# %% [markdown]
# ## Claims beside ceilings
#
# A claim above the ceiling cannot be met on this data by anybody: what is left is chance.

# %%
models = {"fields_only": wb.BoostedClassifier(text=False), "lightgbm": trees}
heads = {"churn_risk": churn}
for name in ("conversion_likelihood", "engagement_receptivity"):
    data = wb.load_dataset(f"crm_{name}", n_rows=n_leads, random_state=random_state)
    heads[name] = wb.evaluate(wb.load_task(name), models, data, split=wb.Split("time", 0.4))
wb.Family(heads)

# %% [markdown]
# Does the ensemble beat the best of its members? Paired, with an interval:

# %%
wb.Family({"churn_risk": churn}).gains("ensemble", ["lightgbm", "claude"])

# %% [markdown]
# ## Is anything leaking?

# %%
wb.audit_dataset(leads, wb.Split("time", 0.4))

# %% [markdown]
# ## Sets that hold the truth as often as promised
#
# A set with both labels says "ask somebody": by class, so that the rare one is not sacrificed.

# %%
parts = wb.Split("random", 0.4, random_state).apply(leads)
train, test = leads.take(parts.train), leads.take(parts.test)
fields = list(leads.X.columns.drop("conversation"))
sets = wb.ConformalClassifier(wb.BoostedClassifier()).fit(train.X[fields], train.y.to_numpy())
wb.coverage_by_slice(
    sets.predict_set(test.X[fields], confidence_level=0.9),
    test.y.to_numpy(),
    test.slices,
    classes=sets.classes_,
)

# %% [markdown]
# ## Why this lead?

# %%
model = wb.BoostedClassifier().fit(train.X[fields], train.y.to_numpy())
wb.explain(model, test.X[fields].head(2))

# %% [markdown]
# ## Parameters, honestly
#
# The score that chose the winner flatters it; rows the search never saw say by how much.

# %%
wb.tune(
    wb.BoostedClassifier(max_rounds=150, n_splits=3),
    {"num_leaves": wb.Between(4, 31, log=True), "min_child_samples": wb.Between(10, 80)},
    train.X[fields],
    train.y.to_numpy(),
    groups=None if train.groups is None else train.groups.to_numpy(),
    n_trials=4,
    n_splits=3,
)
