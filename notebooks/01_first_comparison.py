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
# # A first comparison
#
# Which leads will convert? You have CRM fields and a first message. This notebook puts a model of
# yours, a prompt of yours and the workbench's own arms on the same leads, and asks what the
# difference is and how sure it is.
#
# Nothing here needs a key: without one, a **simulated reader** takes Claude's place. Its arms are
# called `sim:…` and none of their figures is Claude's. With `ANTHROPIC_API_KEY` set, the same cells
# ask Claude.

# %% tags=["parameters"]
n_leads = 3000
random_state = 7

# %%
import workbench as wb

# %% [markdown]
# ## The data and the task
#
# A data set is a table with a label, groups that must not be cut (a person may appear as several
# leads), a date, and a card that says where it comes from. `wb.Catalogue(...).names()` lists what
# there is; `bank_marketing` is real.

# %%
leads = wb.load_dataset("brokerage", n_rows=n_leads, random_state=random_state)
leads

# %%
leads.X.drop(columns="first_message").head()

# %%
task = wb.load_task("lead_conversion")
list(task.prompts)

# %% [markdown]
# ## A model of your own
#
# Any scikit-learn classifier with `predict_proba` is an arm, unchanged.

# %%
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from workbench.features import category_columns, numeric_columns

mine = make_pipeline(
    make_column_transformer(
        ("passthrough", numeric_columns), ("passthrough", category_columns)
    ).set_output(transform="pandas"),
    HistGradientBoostingClassifier(
        categorical_features="from_dtype", max_iter=80, learning_rate=0.05, random_state=0
    ),
)

# %% [markdown]
# ## A prompt of your own
#
# A prompt is a Markdown file. Write yours beside the notebook and pass its path, or build one
# here. Variables are filled with escaped data: nothing a lead writes can change the instructions.

# %%
from dataclasses import replace

first = task.prompt("evidence_first")
sceptic = replace(
    first,
    name="sceptic",
    title="Assume the lead is only looking, until the lead proves otherwise",
    system=first.system
    + "\n\nMost leads who sound keen never sign. Move above the share of past leads only for a "
    "commitment with a date or with money behind it.",
)

# %%
client = wb.ClaudeClient.from_settings(wb.Settings.from_env())
client.origin.describe()

# %% [markdown]
# ## One prompt, as it would be sent

# %%
example = task.claude(sceptic, leads, client=client).fit(leads.X, leads.y, leads.groups)
print(example.render(leads.X.head(1))[0].user)

# %% [markdown]
# ## Compare
#
# Every arm is fitted on the same leads and judges the same held-out leads. Answers are stored as
# they arrive: run the cell again and nothing is asked twice.

# %%
arms = {
    "logistic": wb.logistic_baseline(),
    "mine": mine,
    "lightgbm": wb.BoostedClassifier(),
    "zero_shot": task.claude("zero_shot", leads, client=client, arm="zero_shot"),
    "sceptic": task.claude(sceptic, leads, client=client, arm="sceptic"),
}
evaluation = wb.evaluate(
    task,
    arms,
    leads,
    split=wb.Split("random", test_fraction=0.4, random_state=1),
    latency_sample=100,
)
evaluation

# %% [markdown]
# Accuracy says little: see how close every arm is to the majority class. What counts is the paired
# difference from the baseline, with an interval that holds for all arms together:

# %%
evaluation.compare("roc_auc")

# %%
evaluation.compare("log_loss")

# %%
from workbench.reports import frontier_plot, interval_plot, reliability_plot

interval_plot(evaluation)

# %%
reliability_plot(evaluation)

# %%
frontier_plot(evaluation)

# %% [markdown]
# ## Decide
#
# A gate judges the bounds of the intervals, not the points, and may say that the data cannot
# decide. Simulated answers never pass.

# %%
gate = wb.Gate(
    [
        wb.GateRule("roc_auc", at_least=0.0, difference=True),
        wb.GateRule("ece", at_most=0.05),
        wb.GateRule("cost_per_1000_usd", at_most=5.0),
    ]
)
gate.judge(evaluation)

# %% [markdown]
# ## Where it worked
#
# The same figures by slice, and every figure as a table for your own plots:

# %%
evaluation.slices("roc_auc").query("slice == 'source'").head(12)

# %%
evaluation.to_frame(["roc_auc", "log_loss"]).head()

# %%
client.close()

# %% [markdown]
# ## Next
#
# Put the arms into a spec (`experiments/lead_conversion/demo.yaml` is one), price it with
# `workbench run SPEC --dry-run`, and let `workbench run SPEC` write the report and log it to
# MLflow.
