import json
from dataclasses import replace
from typing import Any

import pytest

from workbench.claude import ClaudeRequest, Origin, Usage, estimate_tokens
from workbench.claude.messages import request_body
from workbench.errors import ClaudeError

ONE = ClaudeRequest("claude-haiku-5-5", "Hello", system="Be brief", schema={"type": "object"})


def test_a_schema_given_as_text_or_mapping_is_the_same_request() -> None:
    again = replace(ONE, schema='{ "type" : "object" }')
    assert again == ONE
    assert hash(again) == hash(ONE)


def test_the_order_of_properties_decides_the_answer_and_so_the_key() -> None:
    there = replace(ONE, schema='{"properties": {"a": {}, "b": {}}}')
    back = replace(ONE, schema='{"properties": {"b": {}, "a": {}}}')
    assert there.key(Origin.LIVE, None) != back.key(Origin.LIVE, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "claude-opus-5-5"},
        {"prompt": "Hello!"},
        {"system": None},
        {"schema": None},
        {"max_tokens": 5},
        {"effort": "low"},
        {"repeat": 1},
    ],
)
def test_everything_that_decides_the_answer_is_in_the_key(changed: dict[str, Any]) -> None:
    other = replace(ONE, **changed)
    assert other.key(Origin.LIVE, None) != ONE.key(Origin.LIVE, None)


def test_origins_share_no_key_but_replay_reads_what_was_live() -> None:
    keys = {origin: ONE.key(origin, "http://127.0.0.1:1") for origin in Origin}
    assert keys[Origin.REPLAY] == keys[Origin.LIVE]
    assert len(set(keys.values())) == 3
    assert ONE.key(Origin.LOCAL, "http://a") != ONE.key(Origin.LOCAL, "http://b")
    assert ONE.key(Origin.LIVE, None) == ONE.key(Origin.LIVE, "http://ignored")


def test_system_and_prompt_cannot_be_confused() -> None:
    one = ClaudeRequest("m", "ab", system="c")
    other = ClaudeRequest("m", "b", system="ca")
    assert one.key(Origin.LIVE, None) != other.key(Origin.LIVE, None)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"schema": "{"}, "schema is not JSON"),
        ({"schema": "[]"}, "schema is a JSON list"),
        ({"schema": {"x": object()}}, "schema is not JSON"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"effort": "utmost"}, "effort is 'utmost'.*low, medium"),
    ],
)
def test_a_malformed_request_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaudeError, match=message):
        ClaudeRequest("claude-haiku-5-5", "Hello", **fields)


def test_the_body_is_the_messages_api_of_this_version() -> None:
    body = request_body(replace(ONE, effort="low"))
    assert body == {
        "model": "claude-haiku-5-5",
        "max_tokens": 1024,
        "system": "Be brief",
        "messages": [{"role": "user", "content": "Hello"}],
        "output_config": {
            # As the SDK rewrites it: the API wants closed objects and takes no bounds.
            "format": {
                "type": "json_schema",
                "schema": {"type": "object", "properties": {}, "additionalProperties": False},
            },
            "effort": "low",
        },
    }
    assert json.dumps(body)


def test_tokens_are_estimated_up() -> None:
    assert [estimate_tokens(text) for text in (None, "", "a", "abc", "abcd")] == [0, 0, 1, 1, 2]


def test_total_input_counts_every_class() -> None:
    assert Usage(1, 50, 10, 100, 7).total_input_tokens == 111


def test_every_origin_says_what_it_is() -> None:
    assert all(origin.describe().startswith(origin.value) for origin in Origin)
    assert "not Claude" in Origin.SIMULATED.describe()


def test_bounds_move_into_descriptions_and_properties_keep_their_order() -> None:
    schema = {
        "type": "object",
        "properties": {
            "reason": {"type": "string"},
            "chance": {"type": "number", "minimum": 0, "maximum": 1},
            "abstain": {"type": "boolean"},
        },
        "required": ["reason", "chance", "abstain"],
        "additionalProperties": False,
    }
    sent = request_body(replace(ONE, schema=schema))["output_config"]["format"]["schema"]
    assert list(sent["properties"]) == ["reason", "chance", "abstain"]
    assert "maximum" not in sent["properties"]["chance"]
    assert "maximum: 1" in sent["properties"]["chance"]["description"]


def test_half_a_character_is_refused() -> None:
    with pytest.raises(ClaudeError, match="half a character at 3"):
        ClaudeRequest("m", "ab \ud83d")
