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
# # Levels, times, actions, alarms, signals
#
# Behaviour is not only yes or no. How urgent, and when? Which touch to choose, and how soon is it
# noticed that a lead slips? When to train again, and what will a lead look at next? And what does
# text add: words, sentence vectors, signals that a model reads?
#
# Nothing here needs a key, and nothing in it happened. Arms called `sim:…` are simulated; none of
# their figures is Claude's.

# %% tags=["parameters"]
n_leads = 4500
random_state = 7

# %%
import workbench as wb
from workbench import studies

# %% [markdown]
# ## Systems that are not a question of yes or no
#
# Levels, times, actions, alarms, streams: each study learns from earlier moments, judges later
# ones of other people, and knows the ceiling where the simulation has one. Nothing here happened.

# %%
crm = wb.simulate(n_leads, random_state=random_state)
crm

# %% [markdown]
# **Buying urgency.** Four ordered levels and a score from 0 to 100. Staff enter the level, not
# always with care: even who knows the true chance of each level is right only now and then. The
# claim of 86.3 % is held against that ceiling. The stated timeline alone is a baseline hard to
# beat.

# %%
studies.buying_urgency(crm, random_state=random_state)

# %% [markdown]
# **Predictive lead scoring 2.0.** When does the lead sign? Kaplan and Meier give everybody the
# same; Cox's model and a discrete-time hazard on LightGBM rank. The last table renews the models
# every month from what was known at its start. A lost lead has not signed: it is not taken for
# censored.

# %%
studies.temporal_scoring(crm, random_state=random_state)

# %% [markdown]
# **Engagement.** Five touches, logged with their propensities. Learned policies are valued from
# the log (IPS, SNIPS, doubly robust) and checked against the true value. The coverage says how
# often a 95 % interval of a redrawn log holds the truth; the regret is against a policy that
# knows the hidden traits.

# %%
studies.engagement_optimiser(crm, random_state=random_state)

# %% [markdown]
# **Early warning.** How soon is it noticed that a lead slips, when one week in fifty may be a
# false alarm? Thresholds come from earlier leads. Look at time in stage first: those who buy
# leave, those who slip stay. The model told of past slips is the mark to reach; no brokerage has
# its labels.

# %%
studies.early_warning(crm, random_state=random_state)

# %% [markdown]
# **Behavioural learning.** The base rate drifts, and answers come 90 days late. Never retrain, by
# the calendar, or on an alarm whose threshold comes from streams with the time shuffled? Regret
# is in nats over all judged leads, against retraining every month and against the truth.

# %%
studies.behavioural_learning(crm, random_state=random_state)

# %% [markdown]
# **Preference evolution.** Type, area and price band of the next listing viewed. The last value
# carried forward is the baseline; own shares of past views come close to LightGBM. Nobody knows
# the ceiling.

# %%
studies.preference_evolution(crm, random_state=random_state)

# %% [markdown]
# **Behavioural profile.** A document a lead, every field computed from what was on record. Then
# the question a sceptic asks: what do the fields add to the form, and do they tell the hidden
# traits?

# %%
snapshot = crm.frame("snapshots").iloc[-1]
studies.profile_of(crm, snapshot["lead_id"], snapshot["as_of"].to_pydatetime())

# %%
studies.behavioural_profile(crm, random_state=random_state)

# %% [markdown]
# ## What the conversation adds
# Three readings of the same text, from cheap to dear: counted words, sentence vectors, and
# signals that Claude reads. Each must earn its place against the fields alone.

# %%
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline

from workbench.features import text_columns
from workbench.features.lexicon import LexiconFeatures
from workbench.features.sentences import SentenceFeatures
from workbench.predictors.signal_value import signal_agreement, signal_gain
from workbench.predictors.signalled import SignalledClassifier
from workbench.tasks.behaviour.signals import behaviour_signals

settings = wb.Settings.from_env()
task = wb.load_task("churn_risk")
data = wb.load_dataset(
    "crm_churn_risk", settings=settings, n_rows=n_leads // 3, random_state=random_state
)
split = wb.Split("time", 0.3)
positions = split.apply(data)
train, test = data.take(positions.train), data.take(positions.test)
client = wb.ClaudeClient.from_settings(settings)
say = f"Answers come from: {client.origin.value}."
say += " Simulated answers say nothing about Claude." if client.origin.value == "simulated" else ""
say

# %% [markdown]
# ### Words, with their meaning
# Documented lists in six languages; nothing is learned, so nothing can leak.

# %%
words = LexiconFeatures(["conversation"]).set_output(transform="pandas").fit(train.X)
words.describe().head(12)

# %%
words.transform(test.X.head(5)).T.loc[lambda t: t.any(axis=1)]

# %% [markdown]
# ### Signals: one question a conversation, no label shown
# What it will cost is known before anything is asked.

# %%
signals = behaviour_signals(data, client=client, variant="direct", task=task.name).fit(train.X)
client.estimate(signals.requests(data.X))

# %%
read = signals.extract(test.X)
read

# %% [markdown]
# ### Arms
# Signals are an arm of their own, so that costs, origin and errors reach the records. Words and
# vectors cost nothing and may stand in a pipeline.


# %%
def with_columns(*steps: tuple[str, Any, list[str]]) -> Any:
    """Columns made of the text beside the table's own, text left out."""
    fields = [c for c in data.X if c not in text_columns(data.X)]
    table = ColumnTransformer(
        [*steps, ("fields", "passthrough", fields)], verbose_feature_names_out=False
    ).set_output(transform="pandas")
    return make_pipeline(table, wb.BoostedClassifier())


arms = {
    "fields": wb.BoostedClassifier(text=False),
    "words": with_columns(("words", LexiconFeatures(), ["conversation"])),
    "vectors": with_columns(("meaning", SentenceFeatures(n_components=16), ["conversation"])),
    "signals": SignalledClassifier(wb.BoostedClassifier(text=False), signals),
}
result = wb.evaluate(task, arms, data, split=split, baseline="fields", n_resamples=500)
result

# %% [markdown]
# ### Are the signals worth it? The same model with and without, on the same rows

# %%
signal_gain(arms["signals"], train, test, timed=True)

# %% [markdown]
# ### Do two readings agree?
# Two prompts of one question on the same conversations. Agreement says a reading is repeatable,
# not that it is right; intervals draw whole people, whose conversations share lines.

# %%
other = behaviour_signals(data, client=client, variant="evidence_first", task=task.name)
groups = test.groups.to_numpy()
signal_agreement(read.judgements, other.fit(test.X).extract(test.X).judgements, groups=groups)
