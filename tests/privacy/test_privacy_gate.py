import json
import os
import stat
import subprocess
import sys
import time
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.privacy import PrivacyError, PrivacyGate, TenantKeys
from workbench.privacy.presidio import PresidioRecogniser
from workbench.privacy.view import View
from workbench.tasks import TASKS, load_task

KEY = bytes(range(32))
PHONE = "(212) 555-0134"


@pytest.fixture
def gate() -> PrivacyGate:
    return PrivacyGate(KEY, tenant="north")


# ---------------------------------------------------------------- tokens


def test_a_phone_comes_back_with_the_key_alone(gate: PrivacyGate) -> None:
    sealed = gate.seal(f"call {PHONE} or +1 646 555 0199")
    tokens = list(sealed.originals)
    other = PrivacyGate(KEY, tenant="north")
    assert [other.reveal(token) for token in tokens] == ["2125550134", "+16465550199"]
    assert gate.restore(sealed.text, sealed.originals) == f"call {PHONE} or +1 646 555 0199"


def test_one_number_has_one_token_however_it_is_written(gate: PrivacyGate) -> None:
    ways = ("212-555-0134", PHONE, "212.555.0134", "２１２–５５５–０１３４", "2\u200b12 555 0134")
    assert len({gate.seal(f"call {way}").text for way in ways}) == 1


def test_one_address_has_one_token_however_it_is_written(gate: PrivacyGate) -> None:
    ways = ("Ann.Lee7@Example.com", "ann.lee7 (at) example (dot) com", "ann.lee7＠example．com")
    assert len({gate.seal(f"mail {way} now").text for way in ways}) == 1


def test_tenants_have_different_tokens() -> None:
    text = f"{PHONE}, ann@example.com"
    north, south = PrivacyGate(KEY, tenant="north"), PrivacyGate(KEY, tenant="south")
    assert not set(north.seal(text).originals) & set(south.seal(text).originals)
    assert north.pseudonym("lead-1") != south.pseudonym("lead-1")
    with pytest.raises(PrivacyError, match="cannot be revealed"):
        south.reveal(next(iter(north.seal(PHONE).originals)))


def test_a_token_that_was_changed_is_not_revealed(gate: PrivacyGate) -> None:
    token = next(iter(gate.seal(PHONE).originals))
    changed = token[:10] + ("A" if token[10] != "A" else "B") + token[11:]
    for bad in (changed, "[phone:]", "[email:abcdefghijkl]", "", token[:-3] + "]"):
        with pytest.raises(PrivacyError):
            gate.reveal(bad)


@given(st.from_regex(r"\+?[0-9]{5,15}", fullmatch=True))
def test_any_number_survives_its_token(number: str) -> None:
    tokens = PrivacyGate(KEY)._secret()
    assert tokens.reveal(tokens.phone(number)) == number


def test_what_is_dropped_cannot_come_back(gate: PrivacyGate) -> None:
    sealed = gate.seal("SSN 123-45-6789, card 4111 1111 1111 1111, FICO 712")
    assert sealed.text == "SSN [ssn], card [card], FICO [credit_score]"
    assert sealed.originals == {}
    assert sealed.counts == {"ssn": 1, "card": 1, "credit_score": 1}


def test_the_same_text_seals_to_the_same_text_in_any_process(gate: PrivacyGate) -> None:
    code = (
        "from workbench.privacy import PrivacyGate;"
        f"print(PrivacyGate(bytes(range(32)), tenant='north').seal({PHONE!r}).text)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert done.stdout.strip() == gate.seal(PHONE).text


def test_mangled_tokens_are_left(gate: PrivacyGate) -> None:
    sealed = gate.seal(f"call {PHONE}")
    token = next(iter(sealed.originals))
    answer = f"I would call {token} but not {token[:-4]}] nor [phone]"
    back = gate.restore(answer, sealed.originals)
    assert back == f"I would call {PHONE} but not {token[:-4]}] nor [phone]"


def test_json_stays_json_when_originals_return(gate: PrivacyGate) -> None:
    sealed = gate.seal('write to "ann"@example.com\nor 212\n555\n0134')
    answer = json.dumps({"evidence": [sealed.text]})
    back = json.loads(gate.restore(answer, sealed.originals))
    assert back == {"evidence": ['write to "ann"@example.com\nor 212\n555\n0134']}


# ---------------------------------------------------------------- keys


def test_neither_key_nor_texts_show_or_travel(gate: PrivacyGate) -> None:
    sealed = gate.seal(PHONE)
    assert "555" not in repr(sealed)
    assert KEY.hex() not in repr(gate) and repr(KEY) not in repr(gate)
    carried = bytes(ForkingPickler.dumps(gate))
    assert KEY not in carried and KEY[:16] not in carried and b"555" not in carried
    there: PrivacyGate = ForkingPickler.loads(carried)
    assert there.seal("nothing to seal").text == "nothing to seal"
    with pytest.raises(PrivacyError, match="its key was not"):
        there.seal(PHONE)


def test_a_gate_with_a_folder_of_keys_travels(tmp_path: Path) -> None:
    gate = PrivacyGate(TenantKeys(tmp_path / "keys"), tenant="../north")
    assert not (tmp_path / "keys").exists(), "nothing is made before it is needed"
    text = gate.seal(PHONE).text
    assert ForkingPickler.loads(ForkingPickler.dumps(gate)).seal(PHONE).text == text
    files = list((tmp_path / "keys").iterdir())
    assert [stat.S_IMODE(f.stat().st_mode) for f in files] == [0o600]
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert [p.name for p in tmp_path.iterdir()] == ["keys"]


def test_old_keys_still_reveal(tmp_path: Path) -> None:
    keys = TenantKeys(tmp_path)
    token = next(iter(PrivacyGate(keys, tenant="north").seal(PHONE).originals))
    keys.rotate("north")
    after = PrivacyGate(keys, tenant="north")
    assert token not in after.seal(PHONE).originals
    assert after.reveal(token) == "2125550134"
    assert keys.forget("north") == 2
    with pytest.raises(PrivacyError):
        PrivacyGate(keys, tenant="north").reveal(token)


def test_processes_that_start_together_have_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from workbench.privacy import TenantKeys;"
        "print(TenantKeys(sys.argv[1]).of('north')[0].hex())"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    assert len({process.communicate()[0] for process in running}) == 1


@pytest.mark.parametrize("content", ["", "zz", "00ff", "é"])
def test_a_damaged_key_is_refused(tmp_path: Path, content: str) -> None:
    keys = TenantKeys(tmp_path)
    keys.of("north")
    next(tmp_path.glob("*.key")).write_text(content, "utf-8")
    with pytest.raises(PrivacyError, match="key"):
        keys.of("north")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keys = TenantKeys(tmp_path)
    keys.of("north")
    next(tmp_path.glob("*.key")).chmod(0o644)
    with pytest.raises(PrivacyError, match="mode 0644"):
        keys.of("north")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(PrivacyError, match="8 bytes"):
        PrivacyGate(b"12345678")


# ---------------------------------------------------------------- names the caller knows


@pytest.mark.parametrize(
    "text",
    [
        "María García wants a tour", "maria garcia wants a tour", "MARÍA wants a tour",
        "ask García.", "(garcia)", "García, María", "Maria's offer", "for María  García",
    ],
)  # fmt: skip
def test_known_names_go_however_they_are_written(gate: PrivacyGate, text: str) -> None:
    sealed = gate.seal(text, known_names=["María  García"])
    assert not {"maria", "maría", "garcia", "garcía"} & set(
        sealed.text.lower().replace("[", " ").replace("'", " ").replace(".", " ").split()
    ) - set(sealed.text.split("["))
    assert "name" in sealed.counts
    assert gate.restore(sealed.text, sealed.originals) == text


def test_known_names_spare_the_words_they_are_part_of(gate: PrivacyGate) -> None:
    text = "Will you grant us a hope? The mariachi plays; will it?"
    assert gate.seal(text, known_names=["Maria Grant"]).text == text
    assert gate.seal("Grant called", known_names=["Maria Grant"]).counts == {"name": 1}


def test_known_chinese_names_need_no_spaces(gate: PrivacyGate) -> None:
    assert "王伟" not in gate.seal("昨天王伟来看房", known_names=["王伟"]).text


# ---------------------------------------------------------------- robustness


@given(st.text(max_size=300))
def test_sealing_twice_changes_nothing_more(text: str) -> None:
    gate = PrivacyGate(KEY)
    once = gate.seal(text).text
    assert gate.seal(once).text == once


PIECES = st.sampled_from(
    ["212-555-0134", "ann@example.com", "my name is Ann", "SSN 123-45-6789", "$550,000", "\n",
     "account 123456789", " ", ", ", "5", "-", "(", "at", "dot com", "12 Oak Street", "[phone:x]",
     "credit score 712", "\u200b", "我叫王伟", "4111 1111 1111 1111", "call", "seven two one"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_neighbours_do_not_hide_each_other(text: str) -> None:
    gate = PrivacyGate(KEY)
    sealed = gate.seal(text)
    assert gate.seal(sealed.text).text == sealed.text
    if not any(kind in sealed.counts for kind in ("ssn", "card", "bank_account", "credit_score")):
        assert gate.restore(sealed.text, sealed.originals).count("@") >= text.count("ann@")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_positions_lead_back_to_the_text(text: str) -> None:
    view = View(text, frozenset())
    for place in range(len(view.text)):
        start, end = view.origin(place, place + 1)
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    "unit",
    ["1", "12-", "1 ", "(", "a@", "a.", "@", "at ", "a at b dot ", "one ", "my name is ", "A ",
     "12 Oak ", "calle a ", "credit score ", "account ", "driver license ", "DE12", "+1", "\u200b1",
     "&lt;", "[phone:", "+", "O1", "路1号", "三", "मकान नंबर 1 ", "1,1", "- name: ", "x\n\nY", "</"],
)  # fmt: skip
def test_no_text_takes_long(unit: str) -> None:
    gate = PrivacyGate(KEY)
    gate.seal("+86 138 1234 5678")  # the library's tables load once

    def seconds(n_chars: int) -> float:
        text = (unit * (n_chars // len(unit) + 1))[:n_chars]
        started = time.process_time()
        gate.seal(text)
        return time.process_time() - started

    # Four times the text may not take sixteen times the time.
    assert seconds(40_000) < 8 * seconds(10_000) + 0.25


def test_lone_surrogates_and_control_characters_pass(gate: PrivacyGate) -> None:
    for text in ("\ud800 call 212-555-0134", "\x00\x01\x02", "\x01" * 40, "a\x00@b.com"):
        gate.seal(text)


# ---------------------------------------------------------------- fields


def test_fields_are_dropped_at_any_depth(gate: PrivacyGate) -> None:
    record = {
        "SSN": "123-45-6789", "pets": 2, "email": "Ann@Example.com", "phone": 2125550134,
        "loan": {"credit_score": 712, "terms": [{"Driver-License": "D1234567", "years": 30}]},
        "notes": ["call 646-555-0199", {"bankAccount": 1}], "ann@example.com": True,
    }  # fmt: skip
    sealed = gate.seal_fields(record)
    assert set(sealed.fields) == {
        "pets", "email_hash", "phone_token", "loan", "notes",
        next(t for t in sealed.originals if t.startswith("[email")),
    }  # fmt: skip
    assert sealed.fields["loan"] == {"terms": [{"years": 30}]}
    assert sealed.fields["notes"][1] == {}
    assert sealed.counts["credit_score"] == 1 and sealed.counts["bank_account"] == 1
    shown = str(sealed.fields)
    secrets = ("123-45", "Ann@", "ann@", "2125550134", "712", "D123", "646-")
    assert not [secret for secret in secrets if secret in shown]
    assert gate.reveal(sealed.fields["phone_token"]) == "2125550134"


def test_a_record_that_contains_itself_is_refused(gate: PrivacyGate) -> None:
    record: dict[str, object] = {}
    record["self"] = record
    with pytest.raises(WorkbenchError, match="nested"):
        gate.seal_fields(record)


def test_plain_values_stay_what_they_are(gate: PrivacyGate) -> None:
    record = {"budget": 550_000, "rate": 6.875, "open": True, "none": None, "tags": ("a", "b")}
    assert gate.seal_fields(record).fields == {**record, "tags": ["a", "b"]}


# ---------------------------------------------------------------- parts


def test_our_own_prompts_pass_unchanged(gate: PrivacyGate) -> None:
    for name in TASKS:
        for prompt in load_task(name).prompts.values():
            for part in (prompt.system, prompt.user):
                assert gate.seal(part).text == part


def test_presidio_says_what_is_missing() -> None:
    gate = PrivacyGate(KEY, recognisers=(PresidioRecogniser(),))
    with pytest.raises(PrivacyError, match="Presidio is not installed"):
        gate.seal("Maria said so")


def test_claims_are_shown(gate: PrivacyGate) -> None:
    claims = gate.claims
    assert list(claims.to_frame()["kind"]) == [claim.kind for claim in claims]
    assert "known_names" in str(claims) and "<table>" in claims._repr_html_()
