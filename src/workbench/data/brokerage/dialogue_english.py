"""What people say in English."""

from workbench.data.brokerage.dialogue_bank import Bank
from workbench.data.brokerage.phrases import CHATTER, ENGLISH, GREETINGS, PROPERTY, QUESTIONS

__all__ = ["BANK"]

_KINDS = ("house", "condo", "townhouse", "multi_family", "land", "office", "retail", "warehouse")

BANK = Bank(
    greetings=(*GREETINGS, "hi again", "good to hear from you", "hello {agent}, {name} here"),
    topics=(*PROPERTY, "following up on the {kind} in {place}", "{weve} talked it over at home",
            "about your last message", "got the listing you sent, the one in {place}"),
    traits={
        **{
            trait: (levels["high"], levels["low"]) for trait, levels in ENGLISH.items()
        },
        "resistance": (
            ("{we} were told something else last time", "{were} careful people, it has to add up",
             "{we} always read the small print, twice", "convince {us}",
             "{our} list of questions got longer, not shorter",
             "the brochure says one thing and the pictures another",
             "{we} compare three offices before {we} sign with one"),
            ("{we} trust you on this", "no objections from {our} side, honestly",
             "all of that sounds fair to {us}", "you explained it well, thanks for that",
             "{were} easy, send whatever you need signed", "everything you sent made sense",
             "{we} like how this is going"),
        ),
    },
    objections={
        "price": (
            "that's more than {we} planned to spend, by a lot",
            "for that money {we} could get something bigger in {place}",
            "the numbers don't work for {us} at this level",
            "the seller is dreaming, the one next door went for much less",
            "{we} would need it to come down before {we} talk any further",
            "it's a stretch, and {we} promised each other not to stretch",
            "I did the sums again last night and they scare me",
            "the price is too high for what it is",
        ),
        "timing": (
            "this comes too early for {us}", "{we} would rather wait for spring and see",
            "with rates where they are, now feels wrong",
            "{we} can't move before {far}, so why decide today",
            "can {we} park this until things are calmer here",
            "it's not the right moment, maybe ask {us} again {far}",
            "everything at once is too much right now",
        ),
        "trust": (
            "how do {we} know there isn't another offer you made up",
            "{our} last agent said the same and it wasn't true",
            "{weve} read reviews of your office and they made {us} nervous",
            "who pays you, {us} or the seller",
            "I'd rather not sign anything exclusive with someone I met twice",
            "you didn't mention the lien, what else is there",
            "this feels like pressure and {we} don't like it",
        ),
        "location": (
            "the drive would eat two hours of {our} day", "{place} is not where {we} see ourselves",
            "there's a highway right behind it, the map hides that",
            "the school there is the one {we} are running from",
            "lovely home, wrong side of town", "too far out for {us}, even with the garden",
            "at night that street is not for {us}",
        ),
        "property": (
            "the kitchen would have to go, all of it", "one bathroom for five people won't do",
            "the roof looks tired and nobody says how old it is",
            "it's darker than in the pictures, {we} need light",
            "the {kind} needs more work than {we} have weekends",
            "there was a smell in the basement {we} can't forget",
            "the rooms are smaller than {our} current ones",
        ),
        "financing": (
            "the bank wants more down than {we} have",
            "{our} loan officer went quiet after the last papers",
            "at this rate the monthly payment is beyond {us}",
            "{we} can't show two years of income, so it stops there",
            "until the loan is through {we} can't say yes to anything",
            "the appraisal may come in low and then what",
            "{we} would be approved for less than this costs",
        ),
    },
    decoys=(
        "the price is fine by the way, that's not it", "{our} neighbour thinks everything is too "
        "expensive, {we} don't", "my sister said wait for spring, but she always says that",
        "the last place was too far out, this one isn't",
        "{we} worried about the roof until the report came, all good now",
        "the bank said yes faster than {we} thought, so that fear is gone",
        "a friend didn't trust his agent, {were} luckier",
        "{we} were nervous about the timing at first, not any more",
        "people online call it overpriced, {we} did the sums and it isn't",
        "{spouse} hated the kitchen in the other one, this one is lovely",
        "{our} old loan officer was slow, the new one answers in an hour",
        "the school there used to be bad, it changed", "is the highway loud? {we} heard nothing",
        "the smell was from the paint, the owner explained",
    ),
    chatter=CHATTER,
    questions=QUESTIONS,
    closers=("thanks", "talk soon", "that's all for now", "{name}", "best, {name}", "bye for now",
             "have a good one", "let {us} know", "ok", "call if it's easier: {phone}"),
    agent_opens=(
        "Hi {name}, thanks for getting in touch about the {kind}.", "Hello {name}, {agent} here.",
        "Good to hear from you, {name}.", "Hi, I saw you looked at {place} again.",
        "Thanks for your patience, {name}.", "Morning {name}, quick update from me.",
    ),
    agent_asks=(
        "What matters most to you in the next place?", "Have you spoken to a lender yet?",
        "When would you like to be in?", "Would a visit on Saturday suit you?",
        "Is there anything that would stop you from making an offer?",
        "Shall I send two more in {place}?", "Does the price range still stand?",
        "Who else has to agree before you decide?", "How was the last viewing for you?",
        "Do you need to sell first?", "What would make this an easy yes?",
    ),
    answers={
        "price": ("I hear you on the price; let me show you what the last three sold for.",
                  "There may be room, the seller has been patient since spring."),
        "timing": ("No need to decide today; what would have to be true for the timing to work?",
                   "Understood, I'll keep it warm and check in later."),
        "trust": ("Fair question. I'm paid by the seller and I put that in writing.",
                  "You can talk to my last three buyers, no strings."),
        "location": ("Drive it once at eight in the morning, then tell me.",
                     "Let me find the same on your side of town."),
        "property": ("I'll get a quote for the work so you can judge it.",
                     "The inspection is on me if you want one."),
        "financing": ("A lender I know looks at this kind of file; shall I introduce you?",
                      "Let's ask for a longer contingency on the loan."),
    },
    agent_closes=(
        "I'll send the papers tonight.", "Talk tomorrow?", "Let me check and come back to you.",
        "I'm here if anything comes up.", "I'll call you after five.", "Have a good evening.",
        "Happy to hold a slot for you.", "No pressure at all, just say when.",
    ),
    kinds={kind: kind.replace("_", " ") for kind in _KINDS},
)  # fmt: skip
