"""Studies: systems whose answer is not one of two classes, measured against a known truth."""

from workbench.studies.early_warning import early_warning
from workbench.studies.engagement import EngagementStudy, PolicyValue, engagement_optimiser
from workbench.studies.learning import behavioural_learning, population_stability
from workbench.studies.moments import Parts, moments_of, parted, snapshots_of
from workbench.studies.preferences import PreferenceStudy, preference_evolution
from workbench.studies.profiles import (
    BehaviouralProfile,
    behavioural_profile,
    profile_of,
    profiles_at,
)
from workbench.studies.result import TRUTH, Study, StudyClaim
from workbench.studies.timing import temporal_scoring
from workbench.studies.urgency import buying_urgency

__all__ = [
    "TRUTH",
    "BehaviouralProfile",
    "EngagementStudy",
    "Parts",
    "PolicyValue",
    "PreferenceStudy",
    "Study",
    "StudyClaim",
    "behavioural_learning",
    "behavioural_profile",
    "buying_urgency",
    "early_warning",
    "engagement_optimiser",
    "moments_of",
    "parted",
    "population_stability",
    "preference_evolution",
    "profile_of",
    "profiles_at",
    "snapshots_of",
    "temporal_scoring",
]
