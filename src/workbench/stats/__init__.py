"""Statistics on plain arrays and aggregated moments: estimates, comparisons, tests, designs.

Every figure comes with its interval and the number of examples and groups behind it.
"""

from workbench.stats.adjustment import (
    lin_adjusted,
    post_stratified,
)
from workbench.stats.agreement import (
    AgreementLevel,
    KappaWeights,
    cohen_kappa,
    krippendorff_alpha,
)
from workbench.stats.anytime import (
    ConfidenceSequence,
    asymptotic_confidence_sequence,
    mixture_ratio,
    msprt,
    normal_mixture_boundary,
    running_sequence,
)
from workbench.stats.bayesian import (
    PosteriorComparison,
    compare_beta,
    compare_normal,
    normal_expected_losses,
    normal_posterior,
    probability_best_beta,
    probability_best_normal,
)
from workbench.stats.bca import (
    bootstrap_bca,
)
from workbench.stats.betting import (
    betting_confidence_sequence,
    betting_log_capital,
    binomial_confidence_sequence,
    predictable_variance,
)
from workbench.stats.bradley_terry import (
    BradleyTerry,
    bradley_terry,
    count_preferences,
)
from workbench.stats.calibration import (
    BrierDecomposition,
    ReliabilityCurve,
    brier_decomposition,
    brier_scores,
    expected_calibration_error,
    expected_calibration_error_statistic,
    log_losses,
    reliability_curve,
)
from workbench.stats.calibration_interval import (
    calibration_error_interval,
)
from workbench.stats.cluster_design import (
    cluster_power,
    cluster_sample_size,
    design_effect,
    intraclass_correlation,
)
from workbench.stats.cluster_totals import (
    compare_cluster_totals,
)
from workbench.stats.clusters import (
    ClusterRobust,
    Coefficients,
    cluster_robust,
    compare_clustered,
)
from workbench.stats.comparison import (
    compare_means,
    compare_ratios,
    covariate_coefficients,
    ratio_variance,
)
from workbench.stats.cross_validation import (
    corrected_resampled_t,
    five_by_two_t,
)
from workbench.stats.delong import (
    compare_roc_auc,
    roc_auc_interval,
)
from workbench.stats.effects import (
    Effect,
)
from workbench.stats.evalues import (
    e_benjamini_hochberg,
    evalues_from_pvalues,
    merge_evalues,
)
from workbench.stats.group_sequential import (
    GroupSequentialDesign,
    Spending,
    classic_boundary,
    crossing_probabilities,
    group_sequential_design,
    spending_boundary,
    spent_alpha,
)
from workbench.stats.heterogeneity import (
    Heterogeneity,
    heterogeneity_test,
)
from workbench.stats.intervals import (
    mean_interval,
    mean_standard_error,
    percentile_interval,
    proportion_interval,
    quantile_interval,
)
from workbench.stats.judge import (
    judge_corrected_proportion,
    prediction_powered_mean,
)
from workbench.stats.margins import (
    MarginTest,
    equivalence_test,
    noninferiority_test,
)
from workbench.stats.moments import (
    Moments,
    grouped_moments,
    merge_moments,
)
from workbench.stats.multiplicity import (
    Adjustment,
    adjust_pvalues,
    simultaneous_confidence_level,
)
from workbench.stats.off_policy import (
    OffPolicyEstimator,
    OffPolicyValue,
    off_policy_value,
)
from workbench.stats.paired import (
    McNemar,
    mcnemar,
    paired_difference,
)
from workbench.stats.permutation import (
    sign_flip_pvalue,
)
from workbench.stats.power import (
    Alternative,
    difference_power,
    minimum_detectable_difference,
    paired_sample_size,
    sample_size_to_decide,
)
from workbench.stats.proportions import (
    ChiSquare,
    ProportionInterval,
    compare_proportions,
    proportions_chi_square,
)
from workbench.stats.quantile_sequence import (
    QuantileBounds,
    quantile_difference_bounds,
)
from workbench.stats.quantiles import (
    clustered_quantile_interval,
    compare_quantiles,
)
from workbench.stats.ranking import (
    average_precision,
    average_precision_statistic,
    lift_at,
    lift_at_statistic,
    roc_auc,
    roc_auc_statistic,
)
from workbench.stats.resampling import (
    Statistic,
    bootstrap,
    bootstrap_difference,
    mean_statistic,
    resample_weights,
)
from workbench.stats.results import (
    Difference,
    Estimate,
)
from workbench.stats.sample_ratio import (
    SampleRatio,
    SequentialSampleRatio,
    sample_ratio_test,
    sequential_sample_ratio,
)
from workbench.stats.sample_size import (
    means_minimum_detectable,
    means_power,
    means_sample_size,
)
from workbench.stats.sample_size_proportions import (
    arcsine_effect_size,
    arcsine_power,
    proportions_minimum_detectable,
    proportions_power,
    proportions_sample_size,
)
from workbench.stats.selection import (
    SelectionCorrected,
    selection_corrected,
)
from workbench.stats.sequential_rule import (
    SequentialEvidence,
    SequentialRule,
)
from workbench.stats.survival import (
    LogRank,
    RestrictedMean,
    compare_restricted_means,
    log_rank_test,
    restricted_mean,
)
from workbench.stats.winsorizing import (
    Winsorized,
    winsorize,
)

__all__ = [
    "Adjustment",
    "AgreementLevel",
    "Alternative",
    "BradleyTerry",
    "BrierDecomposition",
    "ChiSquare",
    "ClusterRobust",
    "Coefficients",
    "ConfidenceSequence",
    "Difference",
    "Effect",
    "Estimate",
    "GroupSequentialDesign",
    "Heterogeneity",
    "KappaWeights",
    "LogRank",
    "MarginTest",
    "McNemar",
    "Moments",
    "OffPolicyEstimator",
    "OffPolicyValue",
    "PosteriorComparison",
    "ProportionInterval",
    "QuantileBounds",
    "ReliabilityCurve",
    "RestrictedMean",
    "SampleRatio",
    "SelectionCorrected",
    "SequentialEvidence",
    "SequentialRule",
    "SequentialSampleRatio",
    "Spending",
    "Statistic",
    "Winsorized",
    "adjust_pvalues",
    "arcsine_effect_size",
    "arcsine_power",
    "asymptotic_confidence_sequence",
    "average_precision",
    "average_precision_statistic",
    "betting_confidence_sequence",
    "betting_log_capital",
    "binomial_confidence_sequence",
    "bootstrap",
    "bootstrap_bca",
    "bootstrap_difference",
    "bradley_terry",
    "brier_decomposition",
    "brier_scores",
    "calibration_error_interval",
    "classic_boundary",
    "cluster_power",
    "cluster_robust",
    "cluster_sample_size",
    "clustered_quantile_interval",
    "cohen_kappa",
    "compare_beta",
    "compare_cluster_totals",
    "compare_clustered",
    "compare_means",
    "compare_normal",
    "compare_proportions",
    "compare_quantiles",
    "compare_ratios",
    "compare_restricted_means",
    "compare_roc_auc",
    "corrected_resampled_t",
    "count_preferences",
    "covariate_coefficients",
    "crossing_probabilities",
    "design_effect",
    "difference_power",
    "e_benjamini_hochberg",
    "equivalence_test",
    "evalues_from_pvalues",
    "expected_calibration_error",
    "expected_calibration_error_statistic",
    "five_by_two_t",
    "group_sequential_design",
    "grouped_moments",
    "heterogeneity_test",
    "intraclass_correlation",
    "judge_corrected_proportion",
    "krippendorff_alpha",
    "lift_at",
    "lift_at_statistic",
    "lin_adjusted",
    "log_losses",
    "log_rank_test",
    "mcnemar",
    "mean_interval",
    "mean_standard_error",
    "mean_statistic",
    "means_minimum_detectable",
    "means_power",
    "means_sample_size",
    "merge_evalues",
    "merge_moments",
    "minimum_detectable_difference",
    "mixture_ratio",
    "msprt",
    "noninferiority_test",
    "normal_expected_losses",
    "normal_mixture_boundary",
    "normal_posterior",
    "off_policy_value",
    "paired_difference",
    "paired_sample_size",
    "percentile_interval",
    "post_stratified",
    "predictable_variance",
    "prediction_powered_mean",
    "probability_best_beta",
    "probability_best_normal",
    "proportion_interval",
    "proportions_chi_square",
    "proportions_minimum_detectable",
    "proportions_power",
    "proportions_sample_size",
    "quantile_difference_bounds",
    "quantile_interval",
    "ratio_variance",
    "reliability_curve",
    "resample_weights",
    "restricted_mean",
    "roc_auc",
    "roc_auc_interval",
    "roc_auc_statistic",
    "running_sequence",
    "sample_ratio_test",
    "sample_size_to_decide",
    "selection_corrected",
    "sequential_sample_ratio",
    "sign_flip_pvalue",
    "simultaneous_confidence_level",
    "spending_boundary",
    "spent_alpha",
    "winsorize",
]
