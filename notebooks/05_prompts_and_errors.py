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
# # Prompts and errors
#
# Where does a reader of messages go wrong, and does another prompt help? This notebook looks at
# single answers, groups of failures and weak slices, puts prompts side by side, searches for a
# better one under a budget, and registers it.
#
# Without a key a **simulated reader** takes Claude's place: its arms are called `sim:…` and none of
# their figures is Claude's. Every text is shown without the identifiers the privacy gate finds.

# %% tags=["parameters"]
n_leads = 500
random_state = 7

# %%
import workbench as wb

settings = wb.Settings.from_env()
task = wb.load_task("intent")
corpus = wb.load_corpus("lead_intents", n_rows=n_leads, random_state=random_state)
client = wb.ClaudeClient.from_settings(settings)
corpus

# %% [markdown]
# ## Two arms on the same messages

# %%
few_shot = task.claude("few_shot", corpus, client=client, shots="nearest", arm="few_shot")
evaluation = wb.evaluate_readings(
    task,
    {"keyword": task.reader("keyword"), "few_shot": few_shot},
    corpus,
    metrics=["primary_intent/accuracy"],
    latency_sample=10,
    n_resamples=500,
)
evaluation

# %% [markdown]
# ## What is taken for what
#
# The largest confusions come first; open one to read the texts behind it. `.matrix` and
# `.to_frame()` are tables, `.examples(true, answered)` shows one cell.

# %%
wb.confusion(evaluation, "few_shot", "primary_intent")

# %%
wb.confusion(evaluation, "few_shot", "motivations").to_frame().head(8)

# %% [markdown]
# ## Kinds of texts it fails on
#
# Texts are grouped without looking at the failures. Were the failures alone grouped, every group
# would hold too many of them.

# %%
wb.failures(evaluation, "few_shot", n_clusters=6)

# %%
wb.weak_slices(evaluation, "few_shot")

# %% [markdown]
# ## Where the two arms part

# %%
parted = wb.disagreements(evaluation, "few_shot", "keyword", only="b_right")
parted

# %% [markdown]
# ## One answer, whole
#
# With the fitted arm the prompt is rendered again as it was sent.

# %%
train = corpus.of("train", "validation")
asked = few_shot.fit(train.X, train.y, train.groups)
wb.trace(evaluation, parted.to_frame()["example_id"].iloc[0], "few_shot", reader=asked)

# %% [markdown]
# ## Prompts side by side
#
# Variants are tried on the validation part; the test part stays unseen for the one that is chosen.

# %%
tried = wb.with_validation(corpus) if "validation" not in corpus.sizes else corpus
compared = wb.compare_prompts(
    task, tried, ["zero_shot", "contrast", "few_shot"], client=client,
    metrics=["primary_intent/accuracy"], n_resamples=500,
)  # fmt: skip
compared

# %%
compared.disagreements("zero_shot", "few_shot", only="b_right")

# %%
curve = wb.compare_shots(
    task, tried, "few_shot", client=client, numbers=(2, 8), kinds=("random", "nearest"),
    metrics=["primary_intent/accuracy"], n_resamples=500,
)  # fmt: skip
curve

# %%
wb.shots_plot(curve)

# %% [markdown]
# ## Searching for a better one
#
# A space of prompts is made of parts; yours are a `wb.PromptSpace`. The search asks no more than
# it may, and the winner answers once about texts the search never saw. What it scored on the texts
# that chose it is too good: the optimism says by how much. Random search with as many calls is the
# baseline.

# %%
n_calls = 2 * tried.sizes["test"] + 300
searches = {
    method: wb.search_prompts(
        task, tried, client=client, n_calls=n_calls, name="primary_intent/accuracy",
        reference="zero_shot", method=method, random_state=random_state,
    )
    for method in ("random", "halving")
}  # fmt: skip
searches["halving"]

# %%
wb.compare_searches(searches, baseline="random")

# %% [markdown]
# ## Registering it
#
# An alias moves only to a prompt with a recorded evaluation, and `champion` only to one whose
# figures are not simulated.

# %%
found = searches["halving"]
wb.register_prompt(
    task.name, found.winner, found.test, "winner", alias="candidate", settings=settings
)

# %%
candidate = wb.prompt_by_alias(task.name, "candidate", settings=settings)
try:
    wb.set_alias(task.name, "champion", candidate.version, settings=settings)
except wb.WorkbenchError as error:
    print(error)

# %%
client.close()
