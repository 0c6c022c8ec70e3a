"""The simulated CRM on disk: same bytes, whole keys, refused when anything is wrong."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.data.brokerage import Brokerage, open_brokerage, simulate
from workbench.data.brokerage.schema import (
    ACTIONS,
    BINARY_HEADS,
    PROTECTED_COLUMNS,
    STRATEGIES,
    TABLES,
    TRUTH_TABLES,
    URGENCIES,
)
from workbench.data.brokerage.truth import (
    true_actions,
    true_conversations,
    true_leads,
    true_risk,
    true_snapshots,
    true_strategies,
)
from workbench.errors import DataError

KEYS = {
    "tenants": "tenant", "agents": "agent_id", "contacts": "contact_id", "leads": "lead_id",
    "listings": "listing_id", "sales": "sale_id", "events": "event_id",
    "conversations": "conversation_id", "messages": "message_id", "touches": "touch_id",
    "coaching": "session_id", "appointments": "appointment_id", "documents": "document_id",
    "outcomes": "lead_id", "snapshots": "snapshot_id", "labels": "snapshot_id",
}  # fmt: skip


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Brokerage:
    folder = tmp_path_factory.mktemp("crm") / "whole"
    return simulate(1500, random_state=5, chunk_leads=500, folder=folder)


def digests(crm: Brokerage, part: str) -> dict[str, str]:
    return {name: sha for name, sha in crm.manifest.sha256.items() if part in name}


def test_same_arguments_same_bytes(crm: Brokerage) -> None:
    again = simulate(1500, random_state=5, chunk_leads=500)
    assert again.manifest == crm.manifest
    other = simulate(500, random_state=6, chunk_leads=500)
    assert digests(other, "part-00000") != digests(crm, "part-00000")


def test_whole_chunks_are_a_prefix(crm: Brokerage) -> None:
    smaller = simulate(1000, random_state=5, chunk_leads=500)
    for part in ("part-00000", "part-00001"):
        assert digests(smaller, part) == digests(crm, part)
    leads = smaller.frame("leads")
    pd.testing.assert_frame_equal(leads, crm.frame("leads").iloc[:1000])


def test_text_share_changes_messages_only(crm: Brokerage) -> None:
    silent = simulate(1500, random_state=5, chunk_leads=500, text_share=0)
    half = simulate(1500, random_state=5, chunk_leads=500, text_share=0.5)
    for name, sha in crm.manifest.sha256.items():
        assert (silent.manifest.sha256[name] == sha) != name.startswith("messages/"), name
    assert len(silent.frame("messages")) == 0
    assert 0.35 < len(half.frame("messages")) / len(crm.frame("messages")) < 0.65


def test_columns_dtypes_and_manifest(crm: Brokerage) -> None:
    assert crm.names == tuple(TABLES)
    for name, schema in TABLES.items():
        frame = crm.frame(name)
        assert list(frame.columns) == schema.names
        assert (
            len(frame)
            == crm.manifest.rows[name]
            == crm.table(name).count().to_pyarrow().as_py()
            > 0
        )
        assert tuple(crm.table(name).columns) == tuple(schema.names)
        for field in schema:
            if not field.nullable:
                assert not frame[field.name].isna().any(), (name, field.name)
            whole = "float64" if field.nullable else "int64"
            expected = {"string": "str", "timestamp[us]": "datetime64[us]", "double": "float64",
                        "bool": "bool", "int64": whole}  # fmt: skip
            assert frame[field.name].dtype == expected[str(field.type)], (name, field.name)
    empty = simulate(1, text_share=0).frame("appointments")
    assert empty.dtypes.equals(crm.frame("appointments").dtypes)


@pytest.mark.parametrize("name", TABLES)
def test_keys_are_unique_and_foreign_keys_exist(crm: Brokerage, name: str) -> None:
    frame = crm.frame(name)
    assert frame[KEYS[name]].is_unique
    for other, key in KEYS.items():
        foreign = key in frame and other not in {name, "outcomes", "labels", "documents"}
        if foreign and not (name == "outcomes" and other == "leads" and key == KEYS[name]):
            known = set(crm.frame(other)[key])
            assert set(frame[key].dropna()) <= known, (name, key)
    if {"lead_id", "tenant"} <= set(frame) and name != "leads":
        of_lead = crm.frame("leads").set_index("lead_id")["tenant"]
        assert (of_lead.loc[frame["lead_id"]].to_numpy() == frame["tenant"].to_numpy()).all()


def test_agents_and_viewed_listings_are_of_the_tenant_and_on_sale(crm: Brokerage) -> None:
    agents = crm.frame("agents").set_index("agent_id")["tenant"]
    leads = crm.frame("leads")
    assert (agents.loc[leads["agent_id"]].to_numpy() == leads["tenant"].to_numpy()).all()
    views = crm.frame("events").dropna(subset="listing_id")
    assert (views["kind"] == "listing_view").all()
    sold = crm.frame("sales").set_index("listing_id")["sold_at"]
    seen = crm.frame("listings").set_index("listing_id").loc[views["listing_id"]]
    at = views["occurred_at"].to_numpy()
    assert (seen["tenant"].to_numpy() == views["tenant"].to_numpy()).all()
    assert (seen["list_price_usd"].to_numpy() == views["value_usd"].to_numpy()).all()
    assert (seen["listed_at"].to_numpy() <= at).all()
    assert not (seen["withdrawn_at"].to_numpy() < at).any()
    assert not (sold.reindex(views["listing_id"]).to_numpy() < at).any()


def test_times_are_in_order(crm: Brokerage) -> None:
    events, messages = crm.frame("events"), crm.frame("messages")
    assert (events["recorded_at"] >= events["occurred_at"]).all()
    assert (messages["recorded_at"] >= messages["sent_at"]).all()
    last = pd.Timestamp(crm.manifest.last_day) + pd.Timedelta(days=1)
    created = crm.frame("leads").set_index("lead_id")["created_at"]
    closed = crm.frame("outcomes").set_index("lead_id")["closed_at"]
    assert (closed < last).all()
    moments = {"events": "occurred_at", "messages": "sent_at", "touches": "sent_at",
               "coaching": "held_at", "appointments": "offered_at", "documents": "received_at",
               "conversations": "started_at", "snapshots": "as_of"}  # fmt: skip
    for name, column in moments.items():
        frame = crm.frame(name, ["lead_id", column])
        at, lead = frame[column].to_numpy(), frame["lead_id"]
        assert (at >= created.loc[lead].to_numpy()).all(), name
        assert not (at > closed.reindex(lead).to_numpy()).any(), name
        assert (at < last.to_datetime64()).all(), name
    viewings = crm.frame("appointments").dropna(subset="scheduled_for")
    assert (viewings["scheduled_for"] > viewings["offered_at"]).all()
    ends = closed.reindex(viewings["lead_id"]).to_numpy()
    assert not (viewings["scheduled_for"].to_numpy() > ends).any()


def test_first_contact_creates_the_lead(crm: Brokerage) -> None:
    leads = crm.frame("leads")
    first = crm.frame("events").groupby("lead_id").first().loc[leads["lead_id"]]
    assert (first["occurred_at"].to_numpy() == leads["created_at"].to_numpy()).all()
    assert (first["recorded_at"].to_numpy() == leads["created_at"].to_numpy()).all()
    opening = crm.frame("messages").groupby("lead_id").first().loc[leads["lead_id"]]
    assert (opening["speaker"] == "lead").all()
    assert (opening["recorded_at"].to_numpy() == leads["created_at"].to_numpy()).all()


def test_propensities_are_a_policy(crm: Brokerage) -> None:
    for name, chosen, options in (("touches", "action", ACTIONS),
                                  ("coaching", "strategy", STRATEGIES)):  # fmt: skip
        frame = crm.frame(name)
        chances = frame[[f"propensity_{option}" for option in options]]
        np.testing.assert_allclose(chances.sum(axis=1), 1)
        assert chances.min(axis=None) > 0.01
        place = frame[chosen].map({option: i for i, option in enumerate(options)}).to_numpy()
        logged = chances.to_numpy()[np.arange(len(frame)), place]
        assert (logged == frame["propensity"].to_numpy()).all()
        taken = np.bincount(place, minlength=len(options))
        spread = np.sqrt((chances * (1 - chances)).sum())
        assert (np.abs(taken - chances.sum()) < 4 * spread).all()


def test_truth_has_its_own_door(crm: Brokerage) -> None:
    snapshots = true_snapshots(crm)
    heads = [f"p_{head}" for head in BINARY_HEADS]
    assert snapshots.index.tolist() == crm.frame("snapshots")["snapshot_id"].tolist()
    assert snapshots[heads].stack().between(0, 1).all()
    np.testing.assert_allclose(snapshots[[f"p_urgency_{u}" for u in URGENCIES]].sum(axis=1), 1)
    assert true_actions(crm).index.tolist() == crm.frame("touches")["touch_id"].tolist()
    assert true_strategies(crm).index.tolist() == crm.frame("coaching")["session_id"].tolist()
    assert len(true_leads(crm)) == 1500
    assert len(true_conversations(crm)) == len(crm.frame("conversations"))
    assert 0.05 < true_risk(crm)["slipped"].mean() < 0.5
    for name in ("truth/snapshots", "truth/anything", "truth"):
        with pytest.raises(DataError, match="is hidden truth, for judging only"):
            crm.frame(name)
        with pytest.raises(DataError, match="is hidden truth"):
            crm.table(name)
    hidden = {name for schema in TRUTH_TABLES.values() for name in schema.names}
    hidden -= {"snapshot_id", "lead_id", "session_id", "touch_id", "conversation_id"}
    shown = {name for schema in TABLES.values() for name in schema.names}
    assert not hidden & shown


def test_protected_columns_are_in_contacts_only(crm: Brokerage) -> None:
    for name, schema in TABLES.items():
        assert (name == "contacts") == bool(set(PROTECTED_COLUMNS) & set(schema.names))
    contacts = crm.frame("contacts")
    assert contacts["email"].str.fullmatch(r"[a-z.]+\d+@example\.com").all()
    assert contacts["phone"].str.fullmatch(r"\(\d{3}\) 555-01\d\d").all()


def test_duplicates_marked_and_not(crm: Brokerage) -> None:
    leads = crm.frame("leads").set_index("lead_id")
    truth = true_leads(crm)["true_duplicate_of"]
    marked = leads["duplicate_of"].dropna()
    assert (truth.loc[marked.index] == marked).all()
    copies = truth.dropna()
    assert 0.02 < len(copies) / len(leads) < 0.10
    assert 0.3 < len(marked) / len(copies) < 0.7
    original = leads.loc[copies]
    assert (original["property_type"].to_numpy() == leads.loc[copies.index, "property_type"]).all()
    same = original["contact_id"].to_numpy() == leads.loc[copies.index, "contact_id"].to_numpy()
    assert 0.3 < same.mean() < 0.7


def test_errors_name_what_is_wrong(crm: Brokerage) -> None:
    with pytest.raises(DataError, match="no table 'lead'"):
        crm.frame("lead")
    with pytest.raises(DataError, match="'phone' is not a column of the table 'leads'"):
        crm.frame("leads", ["lead_id", "phone"])
    assert list(crm.frame("leads", ["source", "lead_id"]).columns) == ["source", "lead_id"]
    with pytest.raises(DataError, match="the folder is not empty"):
        simulate(10, folder=crm.folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_leads": 0}, "n_leads is 0. Expected 1 to 5,000,000"),
        ({"n_leads": 6_000_000}, "n_leads is 6000000"),
        ({"n_leads": 1e3}, r"n_leads is 1000\.0\. Expected a whole number"),
        ({"n_leads": True}, "n_leads is True"),
        ({"n_leads": 5, "random_state": -1}, "random_state is -1"),
        ({"n_leads": 5, "chunk_leads": 10}, "chunk_leads is 10. Expected 100 to 100,000"),
        ({"n_leads": 5, "text_share": 1.5}, "text_share is 1.5. Expected 0 to 1"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        simulate(**arguments, folder=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_progress_counts_leads() -> None:
    seen: list[tuple[int, int]] = []
    simulate(250, chunk_leads=100, text_share=0, on_progress=lambda *told: seen.append(told))
    assert seen == [(100, 250), (200, 250), (250, 250)]


def test_temporary_folder_goes_with_the_object() -> None:
    crm = simulate(100, text_share=0)
    folder = crm.folder
    assert folder.is_dir()
    del crm
    assert not folder.exists()


KILLED = """
import os, signal, sys
from workbench.data.brokerage import simulate
simulate(400, chunk_leads=100, text_share=0, folder=sys.argv[1],
         on_progress=lambda done, _: done == 200 and os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_killed_simulation_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "half"
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert done.returncode == -9
    assert (folder / "leads" / "part-00001.parquet").is_file()
    with pytest.raises(DataError, match="the simulation that filled it was stopped"):
        open_brokerage(folder)
    with pytest.raises(DataError, match="the folder is not empty"):
        simulate(400, folder=folder)


def test_what_is_not_as_written_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "crm"
    crm = simulate(100, text_share=0, folder=folder)
    assert open_brokerage(folder).manifest == crm.manifest
    with pytest.raises(DataError, match="there is no such folder"):
        open_brokerage(tmp_path / "none")
    manifest = folder / "manifest.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(json.dumps(json.loads(text) | {"generator_version": "0"}))
    with pytest.raises(DataError, match=r"generator version '0' wrote this folder\. Expected"):
        open_brokerage(folder)
    for damaged in (text[:50], "[]", json.dumps({"generator_version": "1"})):
        manifest.write_text(damaged)
        with pytest.raises(DataError, match=r"damaged|generator version None"):
            open_brokerage(folder)
    manifest.write_text(text)
    part = folder / "leads" / "part-00000.parquet"
    content = part.read_bytes()
    part.write_bytes(content[:-1] + b"X")
    with pytest.raises(DataError, match=r"leads/part-00000\.parquet was changed"):
        open_brokerage(folder)
    part.write_bytes(content)
    (folder / "leads" / "part-00001.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"leads/part-00001\.parquet does not belong here"):
        open_brokerage(folder)
    (folder / "leads" / "part-00001.parquet").unlink()
    part.unlink()
    with pytest.raises(DataError, match=r"leads/part-00000\.parquet is missing"):
        open_brokerage(folder)


def test_nothing_stays_behind_when_a_temporary_simulation_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def stop(done: int, asked: int) -> None:
        assert list(tmp_path.iterdir()) and done < asked
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(200, chunk_leads=100, text_share=0, on_progress=stop)
    assert not list(tmp_path.iterdir())
