"""The body map: every site has its place, its sides and its names."""

from __future__ import annotations

import pytest

from records.body_map import SITES, Laterality, side_fits, within


def test_every_site_lies_in_the_skin() -> None:
    for code, site in SITES.items():
        chain = [one.code for one in within(code)]
        assert chain[0] == code
        assert chain[-1] == "skin"
        assert len(code) <= 32
        assert site.words_en
        assert site.words_zh


def test_names_are_told_apart() -> None:
    for names in ([site.words_en for site in SITES.values()], [site.words_zh for site in SITES.values()]):
        assert len(set(names)) == len(names)
    assert SITES["back_of_hand"].words_en == "Back of hand"
    assert SITES["back_of_hand"].words_zh == "手背"


def test_a_forearm_lies_in_an_arm() -> None:
    assert [site.code for site in within("forearm")] == ["forearm", "upper_limb", "skin"]
    with pytest.raises(KeyError):
        list(within("antenna"))


def test_what_lies_in_a_paired_limb_is_paired() -> None:
    for site in SITES.values():
        if site.parent is not None and SITES[site.parent].paired:
            assert site.paired, site.code


@pytest.mark.parametrize(
    ("site", "side", "fits"),
    [
        ("forearm", Laterality.LEFT, True),
        ("forearm", Laterality.NONE, False),
        ("nose", Laterality.NONE, True),
        ("nose", Laterality.RIGHT, False),
    ],
)
def test_sides(site: str, side: Laterality, fits: bool) -> None:
    assert side_fits(site, side) is fits
