import pytest

from faced_cli.errors import InputError, UsageError
from faced_cli.journal import Journal, JournalEntry, JournalReader
from faced_proto.types import ErrorReason, FrameFailure, FrameOutcome


@pytest.fixture
def entries(face, analysis):
    def entry(source, i):
        outcome = FrameOutcome(i, 40_000 * i, analysis(640, 480, face(100 + i, 50, 200, 150, track_id=1)))
        return JournalEntry(source, i, i / 25, 0.04, 1000 * i, 10 * i, outcome)

    failed = JournalEntry(1, 2, 0.08, 0.04, 0, 0, FrameOutcome(2, 80_000, FrameFailure(ErrorReason.INTERNAL, "x")))
    done = JournalEntry(0, 0, 0.0, 0.0, 3000, 30, None)
    return [entry(0, 0), entry(0, 1), entry(0, 2), done, entry(1, 0), entry(1, 1), failed]


@pytest.fixture
def path(tmp_path, entries):
    journal = Journal(tmp_path / "rows.journal", {"videos": "two"})
    for entry in entries:
        journal.add(entry)
    journal.close()
    return journal.path


def test_everything_is_read_back(path, entries):
    reader = JournalReader(path)
    assert reader.header == {"videos": "two"}
    assert (reader.done, reader.rows(0), reader.rows(1)) == (frozenset({0}), 3, 3)
    back = list(reader.entries())
    assert [(b.source, b.frame, b.jsonl_size, b.outcome is None) for b in back] == [
        (e.source, e.frame, e.jsonl_size, e.outcome is None) for e in entries
    ]
    assert back[6].outcome == entries[6].outcome
    assert back[1].outcome.result.faces[0].detection.box == entries[1].outcome.result.faces[0].detection.box
    assert back[1].outcome.result.faces[0].track_id == 1


def test_a_record_that_was_cut_off_counts_for_nothing(path):
    content = path.read_bytes()
    whole = JournalReader(path)
    for lost in (1, 5, len(content) - whole.place(1, 2) - 1):
        path.write_bytes(content[:-lost])
        assert JournalReader(path).rows(1) == 2
    damaged = bytearray(content)
    damaged[-3] ^= 1
    path.write_bytes(damaged)
    assert JournalReader(path).rows(1) == 2


def test_it_is_continued_from_any_row(path, entries):
    size = JournalReader(path).place(1, 1)
    journal = Journal.continued(path, size)
    journal.add(entries[6])
    journal.close()
    reader = JournalReader(path)
    assert [entry.frame for entry in reader.entries(reader.place(1, 0))] == [0, 2]
    journal.remove()
    assert not path.exists()


def test_what_is_no_journal(tmp_path):
    path = tmp_path / "x.journal"
    path.write_text("rows")
    with pytest.raises(UsageError, match="no journal"):
        JournalReader(path)
    with pytest.raises(InputError, match=r"x/y\.journal"):
        Journal(tmp_path / "x" / "y.journal", {})
