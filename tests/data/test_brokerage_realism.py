"""The simulated leads are as hard as leads are: bands for what simple models reach on them."""

import re

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from workbench.data import Split
from workbench.data.brokerage import generate, true_probability
from workbench.settings import Settings
from workbench.tasks import load_dataset

WARM = """offer asap approved cash ready schedule viewing tour serious contract urgent quickly
sooner closing sold settled"""
COLD = """browsing just curious maybe rush hurry someday credit afford sure against until not
dreaming turned divorce convinced"""


def keyword_score(text: str) -> int:
    words = set(re.findall(r"[a-z]+", text.lower()))
    return len(words & set(WARM.split())) - len(words & set(COLD.split()))


def measure(seed: int) -> dict[str, float]:
    dataset = load_dataset("brokerage", settings=SETTINGS, n_rows=6000, random_state=seed)
    y, text = dataset.y.to_numpy(), dataset.X["first_message"]
    fields = dataset.X.drop(columns="first_message")
    train, test = Split("group", 0.4, seed).apply(dataset)
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True)
    reader = LogisticRegression(C=0.3, max_iter=1000)
    reader.fit(words.fit_transform(text.iloc[train]), y[train])
    read = reader.decision_function(words.transform(text.iloc[test]))
    boosted = LGBMClassifier(
        n_estimators=120, learning_rate=0.04, num_leaves=12, min_child_samples=30,
        verbose=-1, random_state=0, n_jobs=1,
    ).fit(fields.iloc[train], y[train])  # fmt: skip
    scored = boosted.predict_proba(fields.iloc[test], raw_score=True)
    early, late = dataset.y.iloc[:1000].mean(), dataset.y.iloc[-1000:].mean()
    auc = {
        "keywords": text.iloc[test].map(keyword_score),
        "text": read,
        "fields": scored,
        "both": scored + read,
        "ceiling": true_probability(dataset).iloc[test],
    }
    figures = {name: float(roc_auc_score(y[test], score)) for name, score in auc.items()}
    return figures | {"base_rate": dataset.base_rate, "drift": float(late - early)}


SETTINGS = Settings.from_env()
BANDS = {
    "keywords": (0.53, 0.64),
    "text": (0.61, 0.72),
    "fields": (0.69, 0.78),
    "both": (0.72, 0.80),
    "ceiling": (0.82, 0.88),
    "base_rate": (0.15, 0.18),
    "drift": (0.03, 0.13),
}


def test_simple_models_land_where_they_land_on_real_leads() -> None:
    figures = pd.DataFrame([measure(seed) for seed in range(3)])
    for name, (low, high) in BANDS.items():
        assert figures[name].between(low, high).all(), f"{name}: {figures[name].tolist()}"
    # Text adds to the fields, and much is left for whoever reads better.
    assert (figures["both"] > figures["fields"] + 0.01).all()
    assert (figures["ceiling"] > figures["both"] + 0.05).all()


def test_labels_follow_the_truth() -> None:
    sample = generate(60_000, random_state=11)
    converted = (sample.leads["converted"] == "yes").to_numpy()
    truth = sample.true_probability.to_numpy()
    for part in np.array_split(np.argsort(truth), 20):
        spread = np.sqrt((truth[part] * (1 - truth[part])).sum())
        assert abs(converted[part].sum() - truth[part].sum()) < 4 * spread
    spread = np.sqrt((truth * (1 - truth)).sum())
    assert converted.sum() == pytest.approx(truth.sum(), abs=4 * spread)


def test_thresholds_and_interactions_are_in_the_truth() -> None:
    sample = generate(60_000, random_state=12)
    leads, truth = sample.leads, sample.true_probability.to_numpy()
    quick, web = leads["response_latency_hours"] < 1, leads["source"].isin(["website", "portal"])
    gain = {
        is_web: truth[quick & (web == is_web)].mean() / truth[~quick & (web == is_web)].mean()
        for is_web in (True, False)
    }
    assert gain[True] > 1.3 > gain[False]
    quarters = pd.Series(truth).groupby(leads["created_at"].dt.to_period("Q").to_numpy()).mean()
    assert quarters.iloc[-1] > quarters.iloc[0] * 1.25
