from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import PromptError
from workbench.prompts import Prompt, lead_texts, read_prompt

HEADER = "---\nname: mine\ntitle: Mine\nstrategy: zero_shot\nvariables: [lead]\n---\n"
BODY = "# system\nJudge.\n\n# user\n<lead>{{ lead }}</lead>\n"


def write(folder: Path, text: str, name: str = "mine.md") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_prompt_file_is_read(tmp_path: Path) -> None:
    prompt = read_prompt(write(tmp_path, HEADER + BODY))
    assert prompt.render(lead="- a: 1") == ("Judge.", "<lead>- a: 1</lead>")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BODY, "the file has no header"),
        (HEADER.replace("title: Mine\n", "") + BODY, "key 'title' is missing"),
        (HEADER.replace("title", "titel") + BODY, "unknown key 'titel'.*write 'title'"),
        (HEADER.replace("name: mine", "name: Mine!") + BODY, "mine.md, line 2.*'name' is 'Mine!'"),
        (HEADER.replace("mine", "other") + BODY, "name is 'other' but the file is 'mine.md'"),
        (HEADER.replace("[lead]", "[lead, message]") + BODY, "declares \\['lead', 'message'\\]"),
        (HEADER + BODY.replace("lead }}", "led }}"), "uses \\['led'\\]"),
        (HEADER + BODY.replace("{{ lead }}", "{{ lead "), "the template is malformed"),
        (HEADER + "# user\nhi {{ lead }}\n", "parts are \\['user'\\]"),
        (HEADER + BODY + BODY, "parts are"),
        (HEADER.replace("[lead]", "[lead"), "not valid YAML"),
        (HEADER.replace("variables", "n_examples: -1\nvariables") + BODY, "'n_examples' is -1"),
        (HEADER.replace("variables", "n_examples: 4\nvariables") + BODY, "'examples' is not used"),
        (
            HEADER.replace("title: Mine", "title: A\ntitle: B") + BODY,
            "line 4.*'title' appears twice",
        ),
    ],
)
def test_a_malformed_file_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PromptError, match=f"(?s){message}") as caught:
        read_prompt(write(tmp_path, text))
    assert "mine.md" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match=r"none\.md.*cannot be read"):
        read_prompt(tmp_path / "none.md")


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.write_bytes((HEADER + BODY).encode("utf-16"))
    with pytest.raises(PromptError, match="UTF-8"):
        read_prompt(path)


def make(user: str = "<message>{{ message }}</message>") -> Prompt:
    return Prompt("mine", "Mine", "zero_shot", "Judge.", user, ("message",))


def test_variables_must_fit_exactly() -> None:
    with pytest.raises(PromptError, match=r"missing \['message'\], unknown \['massage'\]"):
        make().render(massage="x")


@given(st.text(max_size=300))
def test_data_never_closes_a_tag_or_runs_as_a_template(text: str) -> None:
    user = make().render(message=text).user
    inner = user.removeprefix("<message>").removesuffix("</message>")
    assert "<" not in inner
    assert ">" not in inner
    assert "\x00" not in user


def test_a_message_with_template_code_is_data() -> None:
    assert "{{ 7 * 7 }}" in make().render(message="{{ 7 * 7 }}").user


def test_the_digest_follows_what_is_sent_and_nothing_else() -> None:
    prompt = make()
    renamed = Prompt("other", "Other", "zero_shot", "Judge.", prompt.user, ("message",))
    assert renamed.digest == prompt.digest
    assert make("Now: {{ message }}").digest != prompt.digest


def test_lead_texts_leave_out_what_is_missing_and_what_has_no_label() -> None:
    X = pd.DataFrame(
        {"a": [1.5, None], "secret": ["x", "y"], "note": [None, "write a@b.example.com"]}
    )
    texts = lead_texts(X, {"a": "Visits", "note": "Message"}, text_columns=["note"])
    assert texts[0].lead == "- Visits: 1.5"
    assert texts[0].message == ""
    assert texts[1].lead == ""
    assert texts[1].message == "write a@b.example.com"  # the client takes it out


def test_half_a_character_becomes_a_whole_one() -> None:
    X = pd.DataFrame({"note": ["\ud83d half an emoji", "a whole one: \U0001f600"]}, dtype=object)
    texts = lead_texts(X, {"note": "Message"}, text_columns=["note"])
    assert [text.message for text in texts] == ["? half an emoji", "a whole one: \U0001f600"]


def test_a_very_long_message_is_shortened_and_says_so() -> None:
    X = pd.DataFrame({"note": ["word " * 20_000]})
    message = lead_texts(X, {"note": "Message"}, text_columns=["note"])[0].message
    assert len(message) < 17_000
    assert message.endswith("[shortened: 84000 more characters]")


def test_columns_without_labels_are_an_error() -> None:
    with pytest.raises(PromptError, match="none of the columns"):
        lead_texts(pd.DataFrame({"a": [1]}), {"b": "B"})
