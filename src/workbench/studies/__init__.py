"""Studies: systems whose answer is not one of two classes, measured against a known truth."""

from workbench.studies.early_warning import early_warning
from workbench.studies.engagement import EngagementStudy, PolicyValue, engagement_optimiser
from workbench.studies.interventions import interventions
from workbench.studies.learning import behavioural_learning, population_stability
from workbench.studies.moments import Parts, moments_of, parted, snapshots_of
from workbench.studies.objection_onset import objection_onset
from workbench.studies.personal_coaching import personal_coaching
from workbench.studies.preferences import PreferenceStudy, preference_evolution
from workbench.studies.profiles import (
    BehaviouralProfile,
    behavioural_profile,
    profile_of,
    profiles_at,
)
from workbench.studies.qualification_flow import (
    learnt_listener,
    qualification_flow,
    role_aware_flow,
)
from workbench.studies.qualification_policies import (
    AdaptivePolicy,
    FixedScript,
    GreedyPolicy,
    expected_bits,
)
from workbench.studies.qualification_records import FlowAnalytics, qualification_analytics
from workbench.studies.qualification_service import FlowStep, QualificationFlow
from workbench.studies.result import TRUTH, Study, StudyClaim
from workbench.studies.timing import temporal_scoring
from workbench.studies.urgency import buying_urgency

__all__ = [
    "TRUTH",
    "AdaptivePolicy",
    "BehaviouralProfile",
    "EngagementStudy",
    "FixedScript",
    "FlowAnalytics",
    "FlowStep",
    "GreedyPolicy",
    "Parts",
    "PolicyValue",
    "PreferenceStudy",
    "QualificationFlow",
    "Study",
    "StudyClaim",
    "behavioural_learning",
    "behavioural_profile",
    "buying_urgency",
    "early_warning",
    "engagement_optimiser",
    "expected_bits",
    "interventions",
    "learnt_listener",
    "moments_of",
    "objection_onset",
    "parted",
    "personal_coaching",
    "population_stability",
    "preference_evolution",
    "profile_of",
    "profiles_at",
    "qualification_analytics",
    "qualification_flow",
    "role_aware_flow",
    "snapshots_of",
    "temporal_scoring",
]
