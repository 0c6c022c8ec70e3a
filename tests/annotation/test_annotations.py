"""Human labels: read strictly, compared, settled, kept in versions that never change."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.annotation import (
    Adjudication,
    Annotation,
    AnnotationColumns,
    AnnotationKind,
    Annotations,
    Label,
    adjudicate,
    agreement,
    diff_gold,
    disagreements,
    read_annotations,
    read_gold,
    write_gold,
)
from workbench.errors import DataError, EvaluationError
from workbench.stats import cohen_kappa, krippendorff_alpha

VALUES = ("buy", "rent", "sell")
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def said(
    kind: AnnotationKind, *columns: Sequence[Label | None], values: tuple[str, ...] = VALUES
) -> Annotations:
    """Annotations from one column of values a person."""
    rows = tuple(
        Annotation(str(i), f"p{who}", value)
        for i, given_values in enumerate(zip(*columns, strict=True))
        for who, value in enumerate(given_values)
        if value is not None
    )
    return Annotations(kind, values, rows)


# ---------------------------------------------------------------- reading


def test_csv_and_jsonl_say_the_same(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(
        'id,who,label,why\n7,ann,buy|rent,"a, b"\n7,bo,rent,\n8,ann,,\n', encoding="utf-8"
    )
    lines = tmp_path / "labels.jsonl"
    rows = [("7", "ann", ["rent", "buy"], "a, b"), (7, "bo", ["rent"], None), (8, "ann", [], None)]
    lines.write_text(
        "".join(json.dumps(dict(zip(("id", "who", "label", "why"), row, strict=True))) + "\n"
                for row in rows),
        encoding="utf-8",
    )  # fmt: skip
    columns = AnnotationColumns("id", "who", "label", "why")
    found = [read_annotations(p, kind="labels", values=VALUES, columns=columns)
             for p in (table, lines)]  # fmt: skip
    assert found[0] == found[1]
    assert found[0].rows[0] == Annotation("7", "ann", ("buy", "rent"), "a, b")
    assert found[0].rows[2].value == ()
    frame = found[0].to_frame()
    assert list(frame.columns) == ["ann", "bo"] and frame.loc["8", "bo"] is None
    assert "3 annotations of 2 examples" in found[0]._repr_html_()


@pytest.mark.parametrize(
    ("text", "problem", "place"),
    [
        ("example,label\n1,buy\n", "column 'annotator' is missing", "line 1"),
        ("example,annotator,label\n1,ann,lease\n", "'lease' is no label", "line 2, column 'label'"),
        ("example,annotator,label\n1,ann,buy\n1,ann,buy\n", "'ann' labelled example '1' twice",
         "line 3"),
        ("example,annotator,label\n1,,buy\n", "the cell is empty", "line 2, column 'annotator'"),
        ("example,annotator,label\n1,ann\n", "the row has 2 fields", "line 2"),
        ('example,annotator,label\n1,ann,"buy\n', "broken quoting", "line 2"),
        ("example,annotator,label\n", "the file has no rows", "labels.csv"),
        ("example,annotator,label\n1,ann,\n", "'' is no label", "line 2"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table_is_named(
    tmp_path: Path, text: str, problem: str, place: str
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_annotations(path, kind="label", values=VALUES)
    assert problem in caught.value.what and place in str(caught.value.where)


@pytest.mark.parametrize(
    ("line", "problem"),
    [("{", "no JSON"), ("[1]", "the line is a list"), ('{"example": 1}', "'annotator' is missing")],
)
def test_what_is_wrong_with_a_line_is_named(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"example": 1, "annotator": "a", "label": "buy"}\n' + line, encoding="utf-8")
    with pytest.raises(DataError, match=r"line 2: .*" + problem.replace("[", r"\[")):
        read_annotations(path, kind="label", values=VALUES)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_annotations(tmp_path / "none.csv", kind="label", values=VALUES)
    with pytest.raises(DataError, match=r"ends in '.xlsx'"):
        read_annotations(tmp_path / "labels.xlsx", kind="label", values=VALUES)
    with pytest.raises(DataError, match="2 labels, 1 of them different"):
        read_annotations(tmp_path / "x.csv", kind="label", values=("a", "a"))


# ---------------------------------------------------------------- agreement


def noisy(n: int = 120, share: float = 0.8) -> list[list[str]]:
    rng = np.random.default_rng(0)
    truth = rng.choice(VALUES, n)
    return [np.where(rng.random(n) < share, truth, rng.choice(VALUES, n)).tolist()
            for _ in range(2)]  # fmt: skip


def test_agreement_is_that_of_the_measures() -> None:
    a, b = noisy()
    codes = np.array([[VALUES.index(x) for x in column] for column in (a, b)], dtype=float)
    found = agreement(said("label", a, b), n_resamples=200)
    assert found.overall[:2] == krippendorff_alpha(codes, n_resamples=200)[:2]
    kappa = next(row for row in found.rows if row.measure == "cohen_kappa")
    assert kappa.annotators == ("p0", "p1")
    assert kappa.found.estimate == pytest.approx(cohen_kappa(a, b).estimate)
    rent = next(row for row in found.rows if row.label == "rent")
    assert rent.found[:3] == krippendorff_alpha((codes == 1).astype(float), n_resamples=200)[:3]
    level = agreement(said("level", a, b), n_resamples=200)
    ordinal = krippendorff_alpha(codes, level="ordinal", n_resamples=200)
    assert level.overall[:3] == ordinal[:3]
    frame = found.to_frame()
    assert frame["label"].tolist() == ["overall", *VALUES, "overall"]
    assert "alpha" in found._repr_html_() and "120 of 120" in found._repr_html_()


def test_agreement_on_sets_counts_every_decision() -> None:
    same: list[Label] = [("buy",), ("buy", "rent"), (), ("sell",)] * 10
    found = agreement(said("labels", same, same), n_resamples=100)
    assert found.overall.estimate == 1 and found.overall.n_groups == 40
    kappas = [row for row in found.rows if row.measure == "cohen_kappa"]
    assert [row.label for row in kappas] == list(VALUES)
    assert all(row.found.estimate == 1 for row in kappas)


def test_examples_of_one_lead_are_drawn_together() -> None:
    a, b = noisy()
    annotations = said("label", a, b)
    leads = {str(i): f"lead {i // 4}" for i in range(120)}
    found = agreement(annotations, groups=leads, n_resamples=200)
    assert found.overall.n_groups == 30
    assert found.overall.estimate == agreement(annotations, n_resamples=200).overall.estimate
    with pytest.raises(EvaluationError, match="119 examples have no group, such as '1'"):
        agreement(annotations, groups={"0": "x"})
    with pytest.raises(EvaluationError, match="n_resamples is 5"):
        agreement(annotations, n_resamples=5)


def test_a_label_too_rare_to_measure_has_no_figure() -> None:
    a, b = ["buy"] * 29 + ["sell"], ["buy"] * 30
    found = agreement(said("label", a, b), n_resamples=100)
    rent = next(row for row in found.rows if row.label == "rent").found
    sell = next(row for row in found.rows if row.label == "sell").found
    assert math.isnan(rent.estimate) and math.isnan(sell.estimate)
    assert "–" in found._repr_html_()
    with pytest.raises(EvaluationError, match="no example has two annotations"):
        agreement(said("label", a))


def test_disagreements_are_listed_most_divided_first() -> None:
    annotations = said("label", ["buy", "buy", "buy"], ["buy", "rent", "rent"],
                       [None, "rent", "sell"])  # fmt: skip
    found = disagreements(annotations)
    assert found["example"].tolist() == ["2", "1"]
    assert found["different"].tolist() == [3, 2]
    assert disagreements(said("label", ["buy"], ["buy"])).empty


# ---------------------------------------------------------------- one label from several


def test_a_decision_wins_then_agreement_then_a_majority() -> None:
    annotations = said(
        "label",
        ["buy", "buy", "buy", "buy", "buy", "buy"],
        ["buy", "rent", "buy", "rent", "rent", None],
        [None, None, "rent", "sell", "sell", None],
    )
    found = adjudicate(annotations, {"4": "sell"})
    assert dict(found.values) == {"0": "buy", "2": "buy", "4": "sell"}
    assert dict(found.how) == {"0": "agreement", "2": "majority", "4": "decision"}
    assert found.unresolved == ("1", "3", "5")
    assert found.counts == {"decision": 1, "agreement": 1, "majority": 1, "unresolved": 3}
    assert found.to_frame()["how"].tolist().count("unresolved") == 3
    assert "3 unresolved" in found._repr_html_()


def test_sets_are_settled_label_by_label() -> None:
    annotations = said(
        "labels",
        [("buy",), ("buy",), ("buy",)],
        [("buy", "rent"), ("rent",), ("sell",)],
        [("rent", "sell"), ("buy",), ("rent",)],
        [None, ("rent",), None],
    )
    found = adjudicate(annotations)
    assert dict(found.values) == {"0": ("buy", "rent"), "2": ()}
    assert found.unresolved == ("1",)


@pytest.mark.parametrize(
    ("decisions", "problem"),
    [({"9": "buy"}, "nobody annotated"), ({"0": "lease"}, "the decision 'lease'"),
     ({"0": ("buy",)}, "the decision")],
)  # fmt: skip
def test_decisions_must_fit(decisions: dict[str, Label], problem: str) -> None:
    with pytest.raises(EvaluationError, match=problem):
        adjudicate(said("label", ["buy"]), decisions)


@given(st.lists(st.lists(st.sampled_from(VALUES), min_size=3, max_size=5), min_size=1, max_size=6))
def test_the_order_of_annotators_does_not_matter(votes: list[list[str]]) -> None:
    def settled(turn: int) -> Adjudication:
        rows = [Annotation(str(i), str(who), value) for i, given_votes in enumerate(votes)
                for who, value in enumerate(given_votes[::turn])]  # fmt: skip
        return adjudicate(Annotations("label", VALUES, tuple(rows)))

    assert settled(1).values == settled(-1).values


# ---------------------------------------------------------------- versions


def adjudication(**values: str) -> Adjudication:
    return Adjudication("label", values, dict.fromkeys(values, "agreement"), ("open",))


def test_versions_never_change(tmp_path: Path) -> None:
    folder = tmp_path / "gold" / "intent"
    first = write_gold(adjudication(a="buy", b="rent"), folder, by="ann", at=NOW)
    second = write_gold(adjudication(a="sell", c="buy"), folder, by="bo", at=NOW, note="again")
    assert (first.manifest.version, first.manifest.parent) == (1, None)
    assert (second.manifest.version, second.manifest.parent) == (2, 1)
    assert read_gold(folder) == second and read_gold(folder, version=1) == first
    assert second.manifest.settled["unresolved"] == 1
    with pytest.raises(DataError, match="version 1 exists"):
        write_gold(adjudication(a="buy"), folder, by="ann", at=NOW, version=1)
    with pytest.raises(DataError, match="parent 7 does not exist"):
        write_gold(adjudication(a="buy"), folder, by="ann", at=NOW, parent=7)
    with pytest.raises(DataError, match="there is no version 3"):
        read_gold(folder, version=3)
    assert "v2" in second._repr_html_()


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    write_gold(adjudication(a="buy"), tmp_path / "g", by="ann", at=NOW)
    path = tmp_path / "g" / "v1.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("buy", "rent"), encoding="utf-8")
    with pytest.raises(DataError, match="the labels were changed"):
        read_gold(tmp_path / "g")
    (tmp_path / "g" / "v1.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="no manifest"):
        read_gold(tmp_path / "g")


def test_gold_needs_labels_a_name_and_a_time_zone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="0 labels"):
        write_gold(adjudication(), tmp_path / "g", by="ann", at=NOW)
    with pytest.raises(DataError, match="1 labels by ' '"):
        write_gold(adjudication(a="buy"), tmp_path / "g", by=" ", at=NOW)
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(DataError, match="time zone"):
        write_gold(adjudication(a="buy"), tmp_path / "g", by="ann", at=naive)
    assert not (tmp_path / "g").exists()


def test_differences_between_versions(tmp_path: Path) -> None:
    old = write_gold(adjudication(a="buy", b="rent", c="buy"), tmp_path / "g", by="ann", at=NOW)
    new = write_gold(adjudication(a="sell", b="rent", d="buy"), tmp_path / "g", by="ann", at=NOW)
    found = diff_gold(old, new)
    assert (found.added, found.removed, dict(found.changed)) == (
        ("d",), ("c",), {"a": ("buy", "sell")},
    )  # fmt: skip
    assert found.to_frame()["change"].tolist() == ["changed", "added", "removed"]
    assert "1 labels changed" in found._repr_html_()


def test_sets_come_back_as_they_were(tmp_path: Path) -> None:
    sets = Adjudication("labels", {"a": ("buy", "rent"), "b": ()},
                        {"a": "agreement", "b": "majority"}, ())  # fmt: skip
    written = write_gold(sets, tmp_path / "g", by="ann", at=NOW)
    assert read_gold(tmp_path / "g").values == written.values == sets.values
