"""What clinicians write: values that make no sense are never made."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date

import pytest

from records.body_map import Laterality, MapView
from records.clinical import (
    CONTENTS,
    MOST_POINTS,
    Annotation,
    Basis,
    Condition,
    Content,
    Document,
    DocumentKind,
    EntryKind,
    Form,
    Lesion,
    Measurement,
    Medication,
    Note,
    Quantity,
    RetentionClass,
    Section,
    Size,
    kind_of,
    retention_of,
)
from records.errors import InvalidEntry

BARE = Basis("annotation", 1, None, "", None, None, "test")
SIZE = Size(Quantity(6, 0.1), Quantity(4, 0.1), Quantity(19, 1))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Lesion("", "nose", Laterality.NONE),
        lambda: Lesion("x" * 201, "nose", Laterality.NONE),
        lambda: Lesion("mole", "antenna", Laterality.NONE),
        lambda: Lesion("mole", "forearm", Laterality.NONE),
        lambda: Lesion("mole", "nose", Laterality.NONE, map_view=MapView.FRONT),
        lambda: Lesion("mole", "nose", Laterality.NONE, map_view=MapView.FRONT, map_point=(0.5, 1.1)),
        lambda: Annotation(Form.POLYGON, ((0, 0), (1, 1))),
        lambda: Annotation(Form.POLYGON, ((0.0, 0.0),) * (MOST_POINTS + 1)),
        lambda: Annotation(Form.ELLIPSE, ((0, 0), (1, 1), (2, 2))),
        lambda: Annotation(Form.ARROW, ((0, 0), (math.nan, 1))),
        lambda: Annotation(Form.TEXT, ((0, 0),), " "),
        lambda: Quantity(math.inf, 0),
        lambda: Quantity(1, -0.1),
        lambda: Measurement(BARE, SIZE, None),
        lambda: Condition("eczema", "", "L30.9"),
        lambda: Condition(" ", "", ""),
        lambda: Medication("cream", started=date(2026, 2, 1), ended=date(2026, 1, 1)),
        lambda: Note(),
        lambda: Note(sections={Section.PLAN: "x" * 20_001}),
        lambda: Document(DocumentKind.PATHOLOGY, "", "application/pdf", 1, "0"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidEntry):
        make()


def test_each_content_has_its_kind() -> None:
    examples: list[Content] = [
        Lesion("mole", "forearm", Laterality.LEFT),
        Annotation(Form.ARROW, ((0, 0), (1, 1))),
        Measurement(BARE, None, None),
        Condition("湿疹", "icd-10", "L30.9"),
        Medication("emollient"),
        Note("seen"),
        Document(DocumentKind.LABORATORY, "blood", "application/pdf", 1, "0"),
    ]
    assert {kind_of(one) for one in examples} == set(EntryKind) == set(CONTENTS)


def test_aids_of_work_are_kept_less_long_than_outlines() -> None:
    assert retention_of(Annotation(Form.ARROW, ((0, 0), (1, 1)))) is RetentionClass.WORKING
    assert retention_of(Annotation(Form.POLYGON, ((0, 0), (1, 1), (0, 1)))) is RetentionClass.CLINICAL


def test_an_annotation_lies_on_its_picture() -> None:
    arrow = Annotation(Form.ARROW, ((0, 0), (64, 48)))
    assert arrow.lies_on(64, 48)
    assert not arrow.lies_on(64, 47)
    assert not Annotation(Form.ARROW, ((-1, 0), (1, 1))).lies_on(64, 48)
