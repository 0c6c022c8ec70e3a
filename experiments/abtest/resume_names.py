"""Tell which résumés of `ResumeNames.csv` answered the same job ad.

    python experiments/abtest/resume_names.py ResumeNames.csv resumes.parquet

The file does not name its ads, but its order gives them away: ads came in small batches, each
sorted by first name. Where a name sorts before the one above it a batch begins, and within a batch
résumés whose ads ask for the same belong together. What shows that this is right: of the 1,321 ads
found, each of the 1,094 with four résumés got exactly one of every ethnicity × quality, as the
study sent them, and each of the 207 with two got one of either ethnicity. Eight groups of eight
are two ads each that cannot be told apart; together they are safe.
"""

import sys
from pathlib import Path

import pandas as pd

JOB_AD = (
    "city", "minimum", "equal", "wanted", "requirements", "reqexp", "reqcomm", "reqeduc",
    "reqcomp", "reqorg", "industry",
)  # fmt: skip


def with_ads(resumes: pd.DataFrame) -> pd.DataFrame:
    """Return the résumés, in the order of the file, with the column `ad`."""
    batch = (resumes["name"] < resumes["name"].shift()).cumsum()
    asks = resumes[list(JOB_AD)].astype(str).agg("|".join, axis=1)
    return resumes.assign(ad=pd.factorize(batch.astype(str) + "|" + asks)[0])


if __name__ == "__main__":
    with_ads(pd.read_csv(Path(sys.argv[1]))).to_parquet(Path(sys.argv[2]), index=False)
