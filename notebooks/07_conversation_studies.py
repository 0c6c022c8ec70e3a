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
# # Conversations as they go on
#
# Which question next, and when to stop? Is an objection seen before it is voiced? When should an
# assistant step in, and which suggestion will this agent take? Each is a decision in a running
# conversation, so each is measured turn by turn.
#
# Nothing here needs a key, and nothing in it happened: leads, calls and agents are simulated.

# %% tags=["parameters"]
n_leads = 600
random_state = 7

# %%
from workbench import studies
from workbench.data.conversations import Question, make_corpus, simulate_leads

# %% [markdown]
# ## An adaptive qualification flow
#
# Every policy meets the same leads, and sees nothing but words: a reader, learnt from talks
# labelled as a whole, tells what was answered. A lead has only so much patience. Look at the
# claims: the ceiling is what leads tell whose patience never ends, since some do not talk about
# money or dates at all.

# %%
studies.qualification_flow(n_leads, random_state=random_state)

# %% [markdown]
# **Role and experience.** Order by the agent's role, wording by experience. The simulated leads
# do not care who asks, and most of them read plain words best: matching the agent gains nothing
# here, and wording beyond the lead costs a lot.

# %%
studies.role_aware_flow(n_leads, random_state=random_state)

# %% [markdown]
# ## The flow as a brokerage calls it
# Start with the lead's first message, hand in each reply, and read where the flow stands.

# %%
talks = make_corpus("qualification_sheets", 1200, random_state)
listener = studies.learnt_listener(talks)
policy = studies.AdaptivePolicy(studies.expected_bits(talks.of("train")))
flow = studies.QualificationFlow(policy, listener, random_state=random_state)
flow.start("c-1", "Ada", "Hi, we saw the blue house. We are pre-approved, by the way.")

# %%
flow.respond("flow-1", "Between $400k and $450k, and we need to be in by June.")

# %% [markdown]
# Forty leads later: every step is on record, without a word of what was said. The aggregates
# are sums of whole numbers, so they equal those of any other program over the same events.

# %%
for lead in simulate_leads(40, random_state):
    agent = {
        "tenant": lead.sheet.tenant,
        "agent_id": f"agent-{lead.sheet.contact % 4}",
        "agent_role": "buyer" if lead.sheet.contact % 3 else "seller",
        "agent_experience": "novice" if lead.sheet.contact % 2 else "expert",
    }
    step = flow.start(f"c-{lead.sheet.contact}", "Lead", lead.opening(), agent=agent)
    while not step.done:
        reply = lead.answer(Question(step.recommendations[0].slug, bridge=True))
        step = flow.abandon(step.flow_id) if reply.gone else flow.respond(step.flow_id, reply.text)

flow.records().tail(8)

# %%
studies.qualification_analytics(flow.records())

# %% [markdown]
# ## An objection, before it is voiced
# The turn of the objection is never read. A third of the objections come without any hint, and
# some people hesitate all along and never object.

# %%
studies.objection_onset(3 * n_leads, random_state=random_state)

# %% [markdown]
# ## When to step in
# Whether the agent knows an answer is in part chance. Who waits for the agent's reply knows
# far more, and comes a turn late.

# %%
studies.interventions(2 * n_leads, random_state=random_state)

# %% [markdown]
# ## Which suggestion will this agent take?
# Popularity, the agent's own rate, agents of the same taste, the moment, and both. The last table
# values what each would recommend, from logged propensities and in truth: a policy that is often
# right about what was suggested need not recommend well, and small effective sizes warn of
# intervals that say too much.

# %%
studies.personal_coaching(8 * n_leads, random_state=random_state)
