from pathlib import Path
from typing import Any

import pytest
import yaml

from workbench.errors import SpecError, WorkbenchError
from workbench.evaluation import read_spec
from workbench.evaluation.spec import CascadeArm
from workbench.predictors import UncertaintyPolicy

ROOT = Path(__file__).resolve().parents[2]
GOOD: dict[str, Any] = {
    "name": "mine",
    "task": "lead_conversion",
    "dataset": {"name": "brokerage", "n_rows": 100},
    "arms": {"prior": {"kind": "prior"}, "logistic": {"kind": "logistic"}},
    "baseline": "prior",
    "gates": [{"metric": "roc_auc", "difference": True, "at_least": 0.0}],
}


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "spec.yaml"
    content = {k: v for k, v in (GOOD | changes).items() if v is not ...}
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def test_the_smallest_spec_is_read(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path))
    assert spec.split.test_fraction == 0.3
    assert spec.gate().rules[0].code == "WB-G01"


def test_a_spec_without_arms_gets_the_tasks_own(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path, arms=..., baseline=...))
    assert spec.baseline == "logistic"
    assert {"prior", "lightgbm", "claude_few_shot", "ensemble"} <= set(spec.arms)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "experiments" / "lead_conversion").glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_spec_of_the_project_is_valid(path: Path) -> None:
    assert read_spec(path).arms


def test_arms_may_be_made_of_arms(tmp_path: Path) -> None:
    spec = read_spec(write(tmp_path, arms=CHAIN))
    cascade = spec.arms["c"]
    assert isinstance(cascade, CascadeArm)
    assert cascade.policy == UncertaintyPolicy(max_share=0.2)
    assert (cascade.metric, cascade.margin) == ("accuracy", 0.01)


CLAUDE = {"kind": "claude", "prompt": "zero_shot"}
POLICY = {"kind": "uncertainty", "max_share": 0.2}
CHAIN: dict[str, Any] = {
    "prior": {"kind": "prior"},
    "logistic": {"kind": "logistic"},
    "a": CLAUDE,
    "c": {"kind": "cascade", "members": ["prior", "a"], "policy": POLICY},
    "f": {"kind": "fallback", "members": ["c", "prior"]},
}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"baselin": "prior"}, r"unknown key 'baselin'.*To fix: write 'baseline'"),
    ({"dataset": {"name": "x", "rows": 5}}, r"line 5.*unknown key 'dataset.rows'.*n_rows"),
    ({"task": ...}, r"key 'task' is missing"),
    ({"name": "Not A Name"}, r"'name' is 'Not A Name'"),
    ({"baseline": "none"}, r"baseline names 'none', which is not under arms"),
    ({"split": {"test_fraction": 1.5}}, r"'split.test_fraction' is 1.5"),
    ({"split": {"kind": "magic"}}, r"'split.kind' is 'magic'.*'random', 'time' or 'group'"),
    ({"confidence_level": 95}, r"'confidence_level' is 95"),
    ({"n_repeats": 0}, r"'n_repeats' is 0"),
    ({"n_resamples": 3}, r"'n_resamples' is 3"),
    ({"budget_usd": -1}, r"'budget_usd' is -1"),
    ({"budget_usd": "ten"}, r"'budget_usd' is 'ten'"),
    ({"gates": []}, r"'gates' is \[\]"),
    ({"gates": [{"metric": "roc_auc"}]}, r"what decides.*exactly one of the two"),
    ({"gates": [{"metric": "auc", "at_least": 1}]}, r"no metric 'auc'"),
    ({"gates": [{"metric": "roc_auc", "at_least": 0, "at_most": 1}]}, r"exactly one"),
    (
        {"gates": [{"metric": "latency_p95_s", "at_most": 1, "difference": True}]},
        r"a difference of a quality metric",
    ),
    ({"gates": [{"metric": "roc_auc", "atleast": 0}]}, r"unknown key 'gates.0.atleast'"),
    ({"primary_metric": "speed"}, r"no metric 'speed'"),
    ({"primary_metric": "latency_p50_s"}, r"a quality metric, such as roc_auc"),
    ({"arms": {"only": {"kind": "prior"}}}, r"'arms' is"),
    ({"arms": {"a": {"kind": "wizard"}, "prior": {"kind": "prior"}}}, r"arms.a"),
    ({"arms": {"a": {"prompt": "x"}, "prior": {"kind": "prior"}}}, r"arms.a"),
    (
        {"arms": {"a": CLAUDE | {"promt": "x"}, "prior": {"kind": "prior"}}},
        r"unknown key 'arms.a.promt'.*To fix: write 'prompt'",
    ),
    (
        {"arms": {"s": {"kind": "stacked", "members": ["prior"]}, "prior": {"kind": "prior"}}},
        r"arms.s.members",
    ),
    (
        {"arms": {"s": {"kind": "stacked", "members": ["prior", "x"]}, "prior": {"kind": "prior"}}},
        r"stacks 'x', which is not under arms",
    ),
    (
        {"arms": {"a": {"kind": "own", "factory": "no colon"}, "prior": {"kind": "prior"}}},
        r"arms.a.factory",
    ),
    ({"beside": [{"split": {"kind": "time"}, "arms": ["x"]}]}, r"beside names 'x'"),
    ({"beside": [{"split": {"kind": "time"}, "arms": ["logistic"]}]}, r"leaves out the baseline"),
    (
        {"arms": CHAIN | {"c": {"kind": "cascade", "members": ["prior", "x"], "policy": POLICY}}},
        r"arm 'c' cascades 'x', which is not under arms",
    ),
    (
        {"arms": CHAIN | {"d": {"kind": "cascade", "members": ["prior", "c"], "policy": POLICY}}},
        r"arm 'd' cascades 'c', which is a cascade arm itself",
    ),
    (
        {"arms": CHAIN | {"s": {"kind": "stacked", "members": ["prior", "f"]}}},
        r"arm 's' stacks 'f', which is a fallback arm itself",
    ),
    (
        {"arms": CHAIN | {"f": {"kind": "fallback", "members": ["prior"]}}},
        r"arms.f.*members",
    ),
    (
        {
            "arms": CHAIN
            | {"c": {"kind": "cascade", "members": ["prior", "logistic", "a"], "policy": POLICY}}
        },
        r"arm 'c' has 3 members, but a cascade by uncertainty needs 2 here",
    ),
    (
        {"arms": CHAIN | {"c": {"kind": "cascade", "members": ["prior", "a"]}}},
        r"arms.c.*policy",
    ),
    (
        {
            "arms": CHAIN
            | {"c": {"kind": "cascade", "members": ["prior", "a"], "policy": POLICY | {"x": 1}}}
        },
        r"arms.c.policy",
    ),
    (
        {
            "arms": CHAIN
            | {
                "c": {
                    "kind": "cascade",
                    "members": ["prior", "a"],
                    "policy": {"kind": "uncertainty"},
                }
            }
        },
        r"the policy has no goal; give exactly one of",
    ),
    ({"stop": {"metric": "brier"}}, r"'stop.minimum_effect' is missing"),
    ({"arms": [1, 2]}, r"'arms' is \[1, 2\]"),
    ({"concurrency": "many"}, r"'concurrency' is 'many'"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[m[:40] for _, m in BAD])
def test_a_bad_spec_is_one_clear_error(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(WorkbenchError, match=f"(?s){message}") as caught:
        read_spec(write(tmp_path, **changes))
    assert "To fix:" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "line 1: not valid YAML|line 2: not valid YAML"),
        ("- a\n- b\n", "found list"),
        ("", "found NoneType"),
        ("name: a\nname: b\n", "line 2.*'name' appears twice"),
        ("\tname: a\n", "not valid YAML"),
    ],
)
def test_a_file_that_is_no_spec_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=message):
        read_spec(path)


def test_a_missing_spec_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"gone\.yaml: the file does not exist"):
        read_spec(tmp_path / "gone.yaml")


def test_the_line_of_a_bad_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"spec\.yaml, line 10, key 'arms\.logistic'"):
        read_spec(write(tmp_path, arms={"prior": {"kind": "prior"}, "logistic": {"kind": "x"}}))
