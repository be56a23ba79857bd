"""What of a text can be searched for: words, pairs of Chinese characters, codes, body sites; pure.

Latin and other alphabetic words are folded (case, accents, a plural's s). Chinese has no spaces, so each pair
of neighboring characters is a term; of single characters only those that are a word of dermatology by
themselves, and a name's first one, since every further term tells a thief of the index more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from records.body_map import SITES, within
from records.clinical import (
    Annotation,
    Condition,
    Content,
    Document,
    Lesion,
    Medication,
    Note,
)
from records.errors import InvalidEntry
from records.history import SearchQuery

MOST_TERMS = 16
ONE_CHARACTER_WORDS = frozenset("痣疣癣疹痒斑疤疮瘤痘疱癌痂癜疖脓甲发")
_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+")
_WORD = re.compile(r"[^\W_]+")
_EVERYTHING = "*"
_LEAST_CODE = 3


@dataclass(frozen=True, slots=True)
class Findable:
    """What is known of one thing by which it may be found."""

    texts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


def findable(content: Content) -> Findable | None:
    """What an entry is found by; None for what nobody looks for by itself."""
    match content:
        case Lesion():
            return Findable((content.label,), sites=(content.site,))
        case Annotation():
            return Findable((content.words,)) if content.words.strip() else None
        case Condition():
            return Findable((content.words,), codes=(content.code,) if content.code else ())
        case Medication():
            return Findable((content.words, content.dosage))
        case Note():
            return Findable((content.text, *content.sections.values()))
        case Document():
            return Findable((content.title,))
        case _:
            return None


def fold(text: str) -> str:
    """Text without differences of case, width and accents."""
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(character for character in plain if not unicodedata.combining(character))
    return unicodedata.normalize("NFKC", kept).casefold()


def terms_of(what: Findable) -> frozenset[str]:
    """Every term by which something is found."""
    terms = {_EVERYTHING}
    for text in (*what.texts, *what.names):
        folded = fold(text)
        terms.update(_alphabetic(folded))
        for run in _CHINESE.findall(folded):
            terms.update(_pairs(run))
            terms.update(f"w:{character}" for character in run if character in ONE_CHARACTER_WORDS)
    terms.update(f"w:{run[0]}" for name in what.names for run in _CHINESE.findall(fold(name))[:1])
    for code in map(_code, what.codes):
        terms.update(f"c:{code[:length]}" for length in range(_LEAST_CODE, len(code)))
        terms.add(f"c:{code}")
    for site in what.sites:
        terms.update(f"s:{one.code}" for one in within(site))
    return frozenset(terms)


def terms_wanted(query: SearchQuery) -> tuple[str, ...]:
    """Terms that must all be there; never none. Raises InvalidEntry for a query without sense."""
    folded = fold(query.words)
    wanted = dict.fromkeys(_alphabetic(folded))
    for run in _CHINESE.findall(folded):
        wanted.update(dict.fromkeys(_pairs(run) if len(run) > 1 else (f"w:{run}",)))
    if query.words.strip() and not wanted:
        raise InvalidEntry("there is no word in what is looked for")
    if query.code:
        code = _code(query.code)
        if len(code) < _LEAST_CODE:
            raise InvalidEntry("a code has at least three characters")
        wanted[f"c:{code}"] = None
    if query.site:
        if query.site not in SITES:
            raise InvalidEntry("no such body site")
        wanted[f"s:{query.site}"] = None
    return tuple(wanted)[:MOST_TERMS] or (_EVERYTHING,)


def fits(query: SearchQuery, what: Findable) -> bool:
    """Whether something is really what was looked for: pairs of characters may be there, but apart."""
    texts = [fold(text) for text in (*what.texts, *what.names)]
    runs = _CHINESE.findall(fold(query.words))
    has = terms_of(what)
    return all(term in has for term in terms_wanted(query)) and all(
        any(run in text for text in texts) for run in runs
    )


def _alphabetic(folded: str) -> Iterator[str]:
    for word in _WORD.findall(_CHINESE.sub(" ", folded)):
        if len(word) > 1:
            yield f"w:{_singular(word)}"


def _singular(word: str) -> str:
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word


def _pairs(run: str) -> Iterable[str]:
    return (f"w:{run[i : i + 2]}" for i in range(len(run) - 1))


def _code(code: str) -> str:
    """A code without its dot and spaces: L20.9 and l209 are one."""
    return re.sub(r"[\s.]", "", code).upper()
