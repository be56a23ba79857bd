"""Terms of a text: what is found by what, in Chinese and in English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.body_map import Laterality
from records.clinical import Annotation, Basis, Condition, Form, Lesion, Measurement, Note, Section
from records.errors import InvalidEntry
from records.history import SearchQuery
from records.search_terms import MOST_TERMS, Findable, findable, fits, fold, terms_of, terms_wanted

NOTE = Findable(("A pigmented Naevus; two café-au-lait spots. 左前臂色素痣，边界清楚",))
NAME = Findable(names=("王芳 Wáng-Fāng",))


@pytest.mark.parametrize(
    "words",
    [
        "naevus",
        "NAEVUS pigmented",
        "cafe",
        "café",
        "spot",
        "色素痣",
        "痣",
        "前臂 naevus",
        "边界清楚",
        "ＮＡＥＶＵＳ",
    ],
)
def test_words_that_are_there_are_found(words: str) -> None:
    assert fits(SearchQuery(words), NOTE)


@pytest.mark.parametrize("words", ["melanoma", "naev", "前界", "清", "左前臂痣", "naevus melanoma"])
def test_words_that_are_not_there_are_not(words: str) -> None:
    assert not fits(SearchQuery(words), NOTE)


def test_pairs_that_are_there_but_apart_are_told_from_a_run() -> None:
    apart = Findable(("色素 素痣",))
    assert set(terms_wanted(SearchQuery("色素痣"))) <= terms_of(apart)
    assert not fits(SearchQuery("色素痣"), apart)


@pytest.mark.parametrize("words", ["王", "王芳", "wang", "Fang", "fāng"])
def test_a_name_is_found_by_its_parts(words: str) -> None:
    assert fits(SearchQuery(words), NAME)


@pytest.mark.parametrize(
    ("code", "found"),
    [("L20.9", True), ("l209", True), ("L20", True), ("L20.8", False), ("L2099", False), ("L30", False)],
)
def test_codes_are_found_by_their_beginning(code: str, found: bool) -> None:
    assert fits(SearchQuery(code=code), Findable(codes=("L20.9",))) is found


def test_a_site_is_found_by_what_it_lies_in() -> None:
    mole = findable(Lesion("mole", "forearm", Laterality.LEFT))
    assert mole is not None
    for site, found in (("forearm", True), ("upper_limb", True), ("skin", True), ("hand", False)):
        assert fits(SearchQuery(site=site), mole) is found


@pytest.mark.parametrize(
    "query", [SearchQuery("?!"), SearchQuery(code="L2"), SearchQuery(site="antenna"), SearchQuery(" . ")]
)
def test_a_query_without_sense_is_refused(query: SearchQuery) -> None:
    with pytest.raises(InvalidEntry):
        terms_wanted(query)


def test_an_empty_query_finds_everything() -> None:
    assert terms_wanted(SearchQuery()) == ("*",)
    assert fits(SearchQuery(), Findable())


def test_what_nobody_looks_for_is_not_found() -> None:
    basis = Basis("annotation", 1, None, "", None, None, "test")
    assert findable(Measurement(basis, None, None)) is None
    assert findable(Annotation(Form.ARROW, ((0, 0), (1, 1)))) is None
    assert findable(Annotation(Form.TEXT, ((0, 0),), "regression")) == Findable(("regression",))
    assert findable(Note("a", {Section.PLAN: "b"})) == Findable(("a", "b"))
    assert findable(Condition("eczema", "", "")) == Findable(("eczema",))


@given(st.text(max_size=200))
def test_every_text_is_found_by_itself(text: str) -> None:
    what = Findable((text,))
    try:
        wanted = terms_wanted(SearchQuery(text))
    except InvalidEntry:
        return
    assert len(wanted) <= MOST_TERMS
    # A Chinese character that stands alone, and is no word by itself, is not kept.
    alone = {term for term in wanted if len(term) == 3 and not term[2].isascii()}
    assert alone or fits(SearchQuery(text), what)


@given(st.text(max_size=50))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
