"""The body map: coded sites of the skin with their place in the body, in Chinese and English; pure.

A code of this table is ours (system SYSTEM) and stays what it is; words may be improved. What is paired needs
a side. A site lies in its parent, so a search for an arm finds its forearm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

SYSTEM = "truehue/body-site"


class Laterality(StrEnum):
    """Which side of the patient, as the patient has it; NONE where a site is not paired."""

    LEFT = "left"
    RIGHT = "right"
    NONE = "none"


class MapView(StrEnum):
    """Which drawing of the body a point lies on."""

    FRONT = "front"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class BodySite:
    """One site: its code, the site it lies in, whether there is one on each side, and its names."""

    code: str
    parent: str | None
    paired: bool
    words_en: str
    words_zh: str


_TABLE = """
skin                  -                 -  Skin                     皮肤
head                  skin              -  Head                     头部
scalp                 head              -  Scalp                    头皮
face                  head              -  Face                     面部
forehead              face              -  Forehead                 前额
temple                face              2  Temple                   颞部
eyebrow               face              2  Eyebrow                  眉部
eyelid                face              2  Eyelid                   眼睑
nose                  face              -  Nose                     鼻部
cheek                 face              2  Cheek                    面颊
ear                   head              2  Ear                      耳部
upper_lip             face              -  Upper lip                上唇
lower_lip             face              -  Lower lip                下唇
mouth                 head              -  Mouth                    口腔
chin                  face              -  Chin                     颏部
jaw                   face              2  Jaw                      下颌
neck                  skin              -  Neck                     颈部
front_of_neck         neck              -  Front of neck            颈前
back_of_neck          neck              -  Back of neck             颈后
trunk                 skin              -  Trunk                    躯干
chest                 trunk             -  Chest                    胸部
breast                chest             2  Breast                   乳房
abdomen               trunk             -  Abdomen                  腹部
navel                 abdomen           -  Navel                    脐部
flank                 trunk             2  Flank                    胁腹
back                  trunk             -  Back                     背部
upper_back            back              -  Upper back               上背部
lower_back            back              -  Lower back               腰部
buttock               trunk             2  Buttock                  臀部
perianal_skin         trunk             -  Perianal skin            肛周
groin                 trunk             2  Groin                    腹股沟
genitals              trunk             -  External genitals        外生殖器
upper_limb            skin              2  Arm                      上肢
shoulder              upper_limb        2  Shoulder                 肩部
armpit                upper_limb        2  Armpit                   腋窝
upper_arm             upper_limb        2  Upper arm                上臂
elbow                 upper_limb        2  Elbow                    肘部
elbow_crease          upper_limb        2  Elbow crease             肘窝
forearm               upper_limb        2  Forearm                  前臂
wrist                 upper_limb        2  Wrist                    腕部
hand                  upper_limb        2  Hand                     手部
back_of_hand          hand              2  Back of hand             手背
palm                  hand              2  Palm                     手掌
finger                hand              2  Finger                   手指
fingernail            finger            2  Fingernail               指甲
lower_limb            skin              2  Leg                      下肢
hip                   lower_limb        2  Hip                      髋部
thigh                 lower_limb        2  Thigh                    大腿
knee                  lower_limb        2  Knee                     膝部
knee_crease           lower_limb        2  Back of knee             腘窝
lower_leg             lower_limb        2  Lower leg                小腿
ankle                 lower_limb        2  Ankle                    踝部
foot                  lower_limb        2  Foot                     足部
back_of_foot          foot              2  Back of foot             足背
sole                  foot              2  Sole                     足底
heel                  foot              2  Heel                     足跟
toe                   foot              2  Toe                      足趾
toenail               toe               2  Toenail                  趾甲
"""


def _read() -> Iterator[tuple[str, BodySite]]:
    for line in _TABLE.strip().splitlines():
        code, parent, pair, rest = line.split(maxsplit=3)
        words_en, words_zh = rest.rsplit(maxsplit=1)
        yield code, BodySite(code, None if parent == "-" else parent, pair == "2", words_en.strip(), words_zh)


SITES: Mapping[str, BodySite] = MappingProxyType(dict(_read()))


def within(code: str) -> Iterator[BodySite]:
    """A site, then the sites that it lies in, up to the skin. Raises KeyError for a code of no site."""
    site: BodySite | None = SITES[code]
    while site is not None:
        yield site
        site = None if site.parent is None else SITES[site.parent]


def side_fits(code: str, laterality: Laterality) -> bool:
    """Whether a site has this side: a paired one needs left or right, any other has none."""
    return SITES[code].paired == (laterality is not Laterality.NONE)
