import json
import logging

from faced_service.logs import JsonFormatter


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
