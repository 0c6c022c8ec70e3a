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

# %% [markdown]
# # What people say, and what a judge may say for them
#
# Labels from a file, how far two annotators agree, who settles what is left, gold in versions;
# then pairs of answers rated blind, and an LLM judge that is held against those ratings before
# anything rests on it.
#
# Everything runs without a key. **No figure here is Claude's:** the judge is the simulated stand-
# in, and the "people" of this page are written by the notebook so that it can run by itself. Put
# your own files in.

# %% tags=["parameters"]
n_leads = 400
random_state = 7

# %%
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

import workbench as wb
from workbench.annotation import AnnotationColumns, disagreements
from workbench.evaluation.judge_answers import Criterion

here = Path(tempfile.mkdtemp(prefix="workbench-labels-"))

# %% [markdown]
# ## Two annotators, one file
# One row an annotation: which example, who, what. Columns are mapped, whatever they are called in
# your tool. Here two annotators who see the same messages differently now and then.

# %%
objections = wb.load_corpus("objections", n_rows=n_leads, random_state=random_state).of("test")
severity = objections.asked("severity")
rng = np.random.default_rng(random_state)


def seen(level: str, slips: float) -> str:
    """A level as somebody sees it who slips to its neighbour now and then."""
    at = severity.values.index(level) + int(rng.choice([-1, 0, 1], p=[slips, 1 - 2 * slips, slips]))
    return severity.values[min(max(at, 0), len(severity.values) - 1)]


rows = [
    {"msg": example, "who": who, "severity": seen(level, slips)}
    for example, level in objections.y["severity"].items()
    for who, slips in (("ann", 0.06), ("bob", 0.12))
]
pd.DataFrame(rows).to_csv(here / "severity.csv", index=False)
labels = wb.read_annotations(
    here / "severity.csv",
    kind="level",
    values=severity.values,
    columns=AnnotationColumns(example="msg", annotator="who", value="severity"),
)
labels

# %% [markdown]
# ## How far do they agree?
# Kappa with its interval, and Krippendorff's alpha for more than two or missing ratings. Below
# about 0.6 the guideline, not the model, is what needs work.

# %%
wb.agreement(labels)

# %% [markdown]
# ## Settle and keep
# A person's decision wins, then agreement, then a majority of three. What nobody settled stays
# out and is counted. Gold is a numbered version with a digest; a version that exists cannot be
# written again.

# %%
apart = disagreements(labels)
decisions = {str(example): "medium" for example in apart["example"].head(3)}
settled = wb.adjudicate(labels, decisions)
settled

# %%
gold = wb.write_gold(settled, here / "gold" / "severity", by="ann", at=datetime.now(UTC))
gold

# %% [markdown]
# ## Which advice is better? Rated blind
# Two arms write advice for the same moments: templates in the agent's language, and the same in
# English only. You see two answers and not whose they are; show the object, call `rate("left")`,
# `rate("right")` or `rate("tie")`. Ratings are kept in a file, so a kernel that dies loses none.

# %%
task = wb.load_task("multilingual_coaching")
moments = wb.load_corpus("coaching", n_rows=n_leads, random_state=random_state)
train, test = moments.of("train"), moments.of("test")
advice = {
    name: task.reader(name).fit(train.X, train.y).read(test.X).values["advice"].tolist()
    for name in ("templates", "english")
}
differ = [i for i in range(len(test)) if advice["templates"][i] != advice["english"][i]][:60]
shown = [test.X["text"].iloc[i] for i in differ]
answers = {name: [told[i] for i in differ] for name, told in advice.items()}
rating = wb.PairwiseRating(shown, path=here / "ratings.jsonl", random_state=random_state, **answers)
rating

# %% [markdown]
# So that this page runs by itself, a coin rates here. It is nobody's judgement, and the interval
# says so.

# %%
while not rating.finished:
    rating.rate("left" if rng.random() < 0.5 else "right")
rating.result()

# %% [markdown]
# ## A judge, held against these ratings
# Each pair is asked both ways round. The audit says how far the judge agrees with people, whether
# it keeps its mind when the order is swapped, and whether it likes long answers or its own kind.
# **A judge whose agreement is unmeasured, too low, or simulated decides nothing.**

# %%
both = zip(shown, answers["templates"], answers["english"], strict=True)
pairs = [
    wb.JudgePair(str(k), about, "templates", a, "english", b)
    for k, (about, a, b) in enumerate(both)
]
criteria = [
    Criterion("language", "It is in the language the agent speaks."),
    Criterion("fit", "It answers what the lead has just said."),
]
with wb.ClaudeClient.from_settings(wb.Settings.from_env()) as client:
    judgements = wb.PairwiseJudge(client, "claude-haiku-5-5", criteria).judge(pairs)
judgements

# %%
people = wb.human_verdicts(
    rating.preferences(), pairs=[pair.pair for pair in pairs], arm_a="templates", arm_b="english"
)
audit = wb.audit_judge(judgements, people)
audit

# %%
print("may stand in for people:", audit.trusted(min_kappa=0.6))
