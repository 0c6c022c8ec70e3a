import gzip
import html
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from workbench.claude import AnswerStore, ClaudeClient, ClaudeRequest, EmulatorProcess, Origin
from workbench.claude.semantic import SemanticCache
from workbench.errors import WorkbenchError
from workbench.privacy import AuditLog, PrivacyGate, TenantKeys
from workbench.subjects import (
    Stores,
    erase_subject,
    erase_tenant,
    export_subject,
    find_residue,
)

QUOTE = "quote-of-the-lead-to-be-erased"


class House:
    """Everything the workbench keeps, filled through its own parts."""

    def __init__(self, root: Path, url: str) -> None:
        self.root = root
        self.keys = TenantKeys(root.parent / "keys")
        self.gate = PrivacyGate(self.keys, tenant="north")
        self.store = AnswerStore(root / "answers.sqlite")
        self.audit = AuditLog(root / "audit.jsonl", self.gate.pseudonym)
        self.cassette = root.parent / "pack.yaml"
        requests = [self.request(f"lead-{i:03d}") for i in range(40)]
        with ClaudeClient(
            origin=Origin.SIMULATED, store=self.store, base_url=url, tenant="north", gate=self.gate,
            audit=self.audit,
        ) as client:  # fmt: skip
            self.answers = client.ask(requests, task="lead_conversion", arm="a")
            client.record(requests[15:20], self.cassette)
        self.audit.close()
        self.records = root / "runs" / "one" / "records.parquet"
        self.copy = root / "artifacts" / "records.parquet"
        for path in (self.records, self.copy):
            path.parent.mkdir(parents=True)
            frame().to_parquet(path, index=False)
        report = self.records.with_name("report.html")
        report.write_text("<td>lead-017</td><td>lead-0171</td>", "utf-8")

    @staticmethod
    def request(lead_id: str) -> ClaudeRequest:
        quote = f"Ready to buy, {QUOTE}-{lead_id}."
        return ClaudeRequest(
            "claude-haiku-5-5",
            f"<lead>\n- note: {html.escape(quote)}\n- source: referral {quote}\n</lead>",
            subject=lead_id,
        )

    def stores(self) -> Stores:
        return Stores(self.root, answers=[self.store], cassettes=[self.cassette])


def frame() -> pd.DataFrame:
    leads = [f"lead-{i:03d}" for i in range(40)]
    return pd.DataFrame(
        {
            "example_id": leads,
            "group": [f"contact-{i // 2}" for i in range(40)],
            "tenant": ["north"] * 30 + ["south"] * 10,
            "answer": [json.dumps({"evidence": [f"{QUOTE}-{lead}"]}) for lead in leads],
            "proba": [0.5] * 40,
        }
    )


@pytest.fixture
def house(tmp_path: Path, shared_emulator: EmulatorProcess) -> Iterator[House]:
    made = House(tmp_path / "mlruns", shared_emulator.url)
    yield made
    made.store.close()


def test_what_is_kept_about_a_lead_is_handed_over(house: House) -> None:
    export = export_subject(house.stores(), house.gate, "lead-017")
    assert [a.key for a in export.answers] == [house.answers[17].key]
    assert sorted(export.records["file"]) == [
        "artifacts/records.parquet",
        "runs/one/records.parquet",
    ]
    said = json.loads(export.to_json())
    assert said["records"][0]["example_id"] == "lead-017"
    assert said["answers"][0]["text"] == house.answers[17].text
    assert len(export_subject(house.stores(), house.gate, "contact-8").records) == 4
    assert export_subject(house.stores(), house.gate, "lead-999").answers == ()


def test_an_erased_lead_is_in_no_byte_any_more(house: House) -> None:
    needles = ["lead-017", house.gate.pseudonym("lead-017"), f"{QUOTE}-lead-017"]
    assert {r.needle for r in find_residue(house.root, needles)} == {0, 1, 2}
    erased = erase_subject(house.stores(), house.gate, "lead-017")
    assert (erased.answers, erased.rows, erased.recorded) == (1, 2, 1)
    assert erased.mentions == 1
    assert erased.complete, erased.residue
    assert find_residue(house.root.parent, needles) == []
    # Everybody else is still there.
    assert len(pd.read_parquet(house.records)) == 39
    assert "lead-0171" in house.records.with_name("report.html").read_text("utf-8")
    assert len(export_subject(house.stores(), house.gate, "lead-018").answers) == 1
    assert len(house.store.ledger_frame()) == 40, "what was billed stays booked"
    assert house.audit.verify().n_entries == 40
    assert house.audit.verify().ok
    again = erase_subject(house.stores(), house.gate, "lead-017")
    assert (again.answers, again.rows, again.recorded, again.mentions) == (0, 0, 0, 0)


def test_a_text_shown_beside_its_lead_goes_with_it(house: House) -> None:
    page = house.records.with_name("errors.html")
    row = "<tr><td style='x' title='{}'>{}</td><td>price</td></tr>"
    shown = [("lead-017", "the roof leaks"), ("lead-0171", "too far out"), ("17", "ask my bank")]
    page.write_text("".join(row.format(*pair) for pair in shown), "utf-8")
    notebook = house.records.with_name("notebook.ipynb")
    notebook.write_text(json.dumps({"html": page.read_text("utf-8")}), "utf-8")
    assert erase_subject(house.stores(), house.gate, "lead-017").complete
    for path in (page, notebook):
        left = path.read_text("utf-8")
        assert "the roof leaks" not in left
        assert "too far out" in left
        assert "ask my bank" in left


def test_a_cassette_of_one_lead_alone_goes_whole(house: House) -> None:
    for i in range(15, 19):
        assert erase_subject(house.stores(), house.gate, f"lead-{i:03d}").recorded == 1
    assert house.cassette.exists()
    assert erase_subject(house.stores(), house.gate, "lead-019").recorded == 1
    assert not house.cassette.exists()


def test_parquet_files_keep_their_schema(house: House) -> None:
    import pyarrow.parquet as pq

    before = pq.read_schema(house.records)
    erase_subject(house.stores(), house.gate, "lead-003")
    assert pq.read_schema(house.records).equals(before, check_metadata=True)
    left = sorted(p.name for p in house.records.parent.iterdir())
    assert left == ["records.parquet", "report.html"], "no draft is left behind"


def test_a_tenant_cannot_erase_what_is_anothers(house: House) -> None:
    south = PrivacyGate(house.keys, tenant="south")
    erased = erase_subject(house.stores(), south, "lead-017")
    assert (erased.answers, erased.rows) == (0, 0)
    assert len(pd.read_parquet(house.records)) == 40


def test_a_tenant_goes_with_its_keys(house: House) -> None:
    token = next(iter(house.gate.seal("212-555-0134").originals))
    erased = erase_tenant(house.stores(), "north", keys=house.keys)
    assert (erased.answers, erased.rows) == (40, 60)
    assert set(pd.read_parquet(house.records)["tenant"]) == {"south"}
    with pytest.raises(WorkbenchError, match="cannot be revealed"):
        PrivacyGate(house.keys, tenant="north").reveal(token)


def test_a_semantic_cache_forgets_a_lead(house: House, tmp_path: Path) -> None:
    from workbench.embeddings import SentenceEncoder

    cache = SemanticCache(tmp_path / "mlruns" / "semantic.sqlite", encoder=SentenceEncoder())
    subject = house.gate.pseudonym("lead-017")
    asked = replace(house.request("lead-017"), subject=subject)
    cache.observe(asked, house.answers[17], tenant="north", origin=Origin.SIMULATED)
    stores = Stores(house.root, answers=[house.store], caches=[cache])
    erased = erase_subject(stores, house.gate, "lead-017")
    cache.close()
    assert erased.cached >= 1
    assert find_residue(house.root, [f"{QUOTE}-lead-017"]) == []


def test_residue_is_found_wherever_it_hides(tmp_path: Path) -> None:
    needle = "Núñez-4711"
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE t (x TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (needle,))
        connection.commit()
        connection.execute("DELETE FROM t")
    connection.close()
    (tmp_path / "b.json").write_text(json.dumps({"who": needle}), "utf-8")
    (tmp_path / "c.txt").write_text(needle, "utf-16-le")
    with gzip.open(tmp_path / "d.gz", "wt", encoding="utf-8") as file:
        file.write(f"call {needle}")
    with zipfile.ZipFile(tmp_path / "e.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.txt", f"{needle} " * 50)
    pd.DataFrame({"who": [needle] * 50}).to_parquet(tmp_path / "f.parquet", compression="zstd")
    (tmp_path / "g.txt").write_text("nothing", "utf-8")
    (tmp_path / "empty").touch()
    found = find_residue(tmp_path, ["absent", needle])
    assert {r.path.name for r in found} == {"a.db", "b.json", "c.txt", "d.gz", "e.zip", "f.parquet"}
    assert {r.needle for r in found} == {1}
    assert needle not in str(found)


def test_a_needle_that_is_everywhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="3 characters"):
        find_residue(tmp_path, ["abc"])
    with pytest.raises(WorkbenchError, match="occurs everywhere"):
        erase_subject(Stores(tmp_path), PrivacyGate(bytes(32)), "17")
