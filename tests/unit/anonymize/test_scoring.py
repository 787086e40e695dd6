"""Scores are what they say: exact, overlapping, touched; and a bad line never loses the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securevec.anonymize import Finding, evaluate
from securevec.anonymize.evaluation.aliases import ALIASES
from securevec.anonymize.evaluation.labelled import Gold, labelled
from securevec.anonymize.evaluation.labels import canonical
from securevec.anonymize.evaluation.scoring import Ratios, Scorer
from securevec.anonymize.rules.rulebook import builtin_rules
from securevec.errors import RecordError, SourceError

ROOT = Path(__file__).parents[3]


def found(*spans: Gold) -> list[Finding]:
    return [Finding(start, end, entity, 1.0, "test") for start, end, entity in spans]


def test_exact_overlap_and_touched_differ_as_defined() -> None:
    scorer = Scorer()
    scorer.add([(0, 10, "PERSON"), (20, 25, "PERSON")], found((0, 10, "PERSON"), (19, 22, "EMAIL")))
    scorer.add([(0, 10, "PERSON")], found((0, 4, "PERSON"), (5, 10, "PERSON"), (30, 35, "PERSON")))
    scores, unlabelled = scorer.scores()
    person = scores["PERSON"]
    assert (person.gold, person.predicted) == (3, 4)
    assert person.exact == Ratios(0.25, 0.3333, 0.2857)
    assert person.overlap == Ratios(0.75, 0.6667, 0.7059)
    assert person.touched_by_any == 1.0
    assert unlabelled == {"EMAIL": 1}


def test_spans_that_only_meet_at_their_ends_share_nothing() -> None:
    scorer = Scorer()
    scorer.add([(5, 10, "PERSON")], found((0, 5, "PERSON"), (10, 12, "PERSON")))
    assert scorer.scores()[0]["PERSON"].overlap == Ratios(0.0, 0.0, 0.0)


def test_a_narrower_finding_counts_where_the_set_knows_only_the_wider_label() -> None:
    scorer = Scorer(secrets={"JWT"})
    scorer.add([(0, 5, "DATE"), (6, 9, "SECRET")], found((0, 5, "DATE_OF_BIRTH"), (6, 9, "JWT")))
    scores, unlabelled = scorer.scores()
    assert scores["DATE"].exact.f1 == scores["SECRET"].exact.f1 == 1.0
    assert not unlabelled
    own = Scorer()
    own.add([(0, 5, "DATE"), (6, 9, "DATE_OF_BIRTH")], found((0, 5, "DATE_OF_BIRTH")))
    assert own.scores()[0]["DATE"].overlap.recall == 0.0


RANGES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 8), st.sampled_from(["A", "B"])).map(
        lambda t: (t[0], t[0] + t[1], t[2])
    ),
    max_size=8,
)


@given(RANGES, RANGES)
def test_counting_agrees_with_comparing_every_pair(gold: list[Gold], ours: list[Gold]) -> None:
    scorer = Scorer()
    scorer.add(gold, found(*ours))

    def meets(one: Gold, others: Sequence[Gold], *, same: bool) -> bool:
        return any(o[0] < one[1] and one[0] < o[1] and (not same or o[2] == one[2]) for o in others)

    for name, score in scorer.scores()[0].items():
        golden, mine = [s for s in gold if s[2] == name], [s for s in ours if s[2] == name]
        recalled = sum(meets(s, ours, same=True) for s in golden) / len(golden)
        assert score.overlap.recall == pytest.approx(recalled, abs=1e-4)
        touching = sum(meets(s, gold, same=True) for s in mine) / len(mine) if mine else 0.0
        assert score.overlap.precision == pytest.approx(touching, abs=1e-4)
        assert score.touched_by_any == pytest.approx(
            sum(meets(s, ours, same=False) for s in golden) / len(golden), abs=1e-4
        )


@pytest.mark.parametrize(
    "span",
    [
        [3, 7, "PER"],
        {"start": 3, "end": 7, "label": "person"},
        {"start": 3, "end": 7, "type": "B-PER"},
        {"start": 3, "end": 7, "entity_type": "Full Name", "entity_value": "Jane"},
        {"start_position": 3, "end_position": 7, "entity": "PERSON"},
    ],
)
def test_every_span_shape_means_the_same(span: object) -> None:
    assert labelled({"text": "Hi Jane", "spans": [span]}, row=1).spans == ((3, 7, "PERSON"),)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"spans": []}, "text"),
        ({"text": 4, "spans": []}, "text"),
        ({"text": "Hi Jane"}, "spans"),
        ({"text": "Hi Jane", "spans": {}}, "spans"),
        ({"text": "Hi Jane", "spans": [[3, 7]]}, "spans"),
        ({"text": "Hi Jane", "spans": ["PER"]}, "spans"),
        ({"text": "Hi Jane", "spans": [[3, 8, "PER"]]}, "spans"),
        ({"text": "Hi Jane", "spans": [[-1, 3, "PER"]]}, "spans"),
        ({"text": "Hi Jane", "spans": [[7, 7, "PER"]]}, "spans"),
        ({"text": "Hi Jane", "spans": [[3.0, 7, "PER"]]}, "spans"),
        ({"text": "Hi Jane", "spans": [[True, 7, "PER"]]}, "spans"),
        ({"text": "Hi Jane", "spans": [[3, 7, " "]]}, "spans"),
        ({"text": "Hi Jane", "spans": [{"start": 3, "end": 7}]}, "spans"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_by_row_and_field(value: dict[str, object], field: str) -> None:
    with pytest.raises(RecordError) as caught:
        labelled(value, row=7)
    assert (caught.value.row, caught.value.field) == (7, field)
    assert "Jane" not in str(caught.value)


def test_bad_lines_are_reported_by_number_and_the_others_count(tmp_path: Path) -> None:
    good = {"text": "Write to jane@example.com", "spans": [[9, 25, "EMAIL_ADDRESS"]]}
    lines = [json.dumps(good), "{broken", json.dumps({"text": "x", "spans": 3}), "", json.dumps(good), "[1]"]
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    seen: list[tuple[int, int]] = []
    result = evaluate(path, _Emails(), watch=lambda rows, read: seen.append((rows, read)))
    assert result.texts == 2
    assert [error.row for error in result.refused] == [2, 3, 6]
    assert result.entities["EMAIL"].exact == Ratios(1.0, 1.0, 1.0)
    assert seen[-1] == (5, path.stat().st_size)
    document = result.as_json()
    assert document["entities"]["EMAIL"]["f1"] == document["entities"]["EMAIL"]["overlap"]["f1"] == 1.0


def test_a_text_the_detector_refuses_is_not_counted_as_nothing_found(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({"text": "boom", "spans": [[0, 4, "PERSON"]]}) + "\n", encoding="utf-8")
    result = evaluate(path, _Emails())
    assert result.texts == 0
    assert [(error.row, error.field) for error in result.refused] == [(1, "text")]


def test_a_table_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_text("text,spans\n", encoding="utf-8")
    with pytest.raises(SourceError):
        evaluate(tmp_path / "set.csv", _Emails())


@pytest.mark.parametrize(
    ("label", "entity"),
    [("US_SSN", "SSN"), ("Credit Card", "CARD"), ("I-ORG", "ORG"), ("gpe", "LOCATION"), ("UNHEARD-OF", "UNHEARD_OF")],
)
def test_labels_of_data_sets_become_our_entities(label: str, entity: str) -> None:
    assert canonical(label) == entity


def test_no_alias_hides_an_entity_of_our_own_and_none_has_two_meanings() -> None:
    aliases = [alias for group in ALIASES.values() for alias in group]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & (builtin_rules().entities | set(ALIASES))


def test_the_documented_table_is_the_one_that_is_used() -> None:
    text = (ROOT / "docs" / "detection.md").read_text(encoding="utf-8")
    for entity, aliases in ALIASES.items():
        assert f"| `{entity}` | {', '.join(f'`{alias}`' for alias in aliases)} |" in text


class _Emails:
    def detect(self, text: str, *, field_name: str = "") -> list[Finding]:
        if text == "boom":
            raise RuntimeError(text)
        return [Finding(9, 25, "EMAIL", 1.0, "test")]
