import json
import logging

import pytest

from faced_service.logs import JsonFormatter, PlainFormatter, fields, request_id_from, request_ids


def test_json_lines_hold_the_message_and_the_traceback():
    try:
        raise ValueError("broken")
    except ValueError as error:
        record = logging.LogRecord(
            "faced", logging.ERROR, "x", 1, "frame %d", (7,), (ValueError, error, error.__traceback__)
        )
    line = JsonFormatter().format(record)
    assert "\n" not in line
    fields = json.loads(line)
    assert (fields["level"], fields["logger"], fields["message"]) == ("error", "faced", "frame 7")
    assert "ValueError: broken" in fields["traceback"]
    assert fields["time"].endswith("Z")


def record(**extra):
    made = logging.LogRecord("faced", logging.INFO, "x", 1, "Analyze OK", (), None)
    made.__dict__.update(extra)
    return made


def test_lines_of_a_request_bear_its_id_and_their_fields():
    with request_ids("cam-7.42"):
        line = json.loads(JsonFormatter().format(record(**fields(method="Analyze", ms=12.5))))
    assert (line["request_id"], line["method"], line["ms"]) == ("cam-7.42", "Analyze", 12.5)
    assert "request_id" not in json.loads(JsonFormatter().format(record()))


def test_plain_lines_end_with_the_ids_first_characters():
    formatter = PlainFormatter("%(levelname)s %(name)s: %(message)s%(request)s")
    with request_ids("0123456789abcdef"):
        assert formatter.format(record()) == "INFO faced: Analyze OK [01234567]"
    assert formatter.format(record()) == "INFO faced: Analyze OK"


@pytest.mark.parametrize("given", [None, "", "two words", "x" * 65, "a\nb", "\u00e4", '"'])
def test_ids_that_may_not_stand_in_a_log_are_replaced(given):
    made = request_id_from(given)
    assert len(made) == 32
    assert made != request_id_from(given)
    assert request_id_from("cam-7.42") == "cam-7.42"
