"""Phonemes of English as espeak-ng writes them: how near two are, and words that sound alike.

A word is a row of phonemes; each has a symbol and may carry stress. Distances are counted in
articulatory steps: place, manner and voice of consonants, height, backness, rounding and glide of
vowels. A step is about what a careless speaker changes; what lies within half a step is the same
sound spoken by somebody else.

Source:
    International Phonetic Association, "Handbook of the International Phonetic Association"
    (1999), the chart; symbols as in espeak-ng, docs/phonemes.md (Kirshenbaum).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

SEPARATOR = "_"
"""Between the phonemes of a word in what espeak-ng gives."""
STRESSES = "',%="
"""Marks of stress before a phoneme."""
MANY_STEPS = 6.0
"""Between a vowel and a consonant."""
DELETION = 2.0
"""Steps of a phoneme that is left out."""
STRESSED = 1.5
"""How much more a change of a stressed vowel is heard."""
CHOICES = 6
"""Nearest phonemes that one may be replaced by."""


@dataclass(frozen=True)
class Consonant:
    """How a consonant is made.

    Attributes:
        place: From the lips, 0, to the glottis, 8.
        manner: 0 stop, 1 affricate, 2 fricative, 3 nasal, 4 lateral, 5 approximant.
        is_voiced: Whether the vocal folds swing.
    """

    place: float
    manner: int
    is_voiced: bool


@dataclass(frozen=True)
class Vowel:
    """How a vowel is made.

    Attributes:
        height: 0 open .. 3 close.
        backness: 0 front .. 2 back.
        is_rounded: Whether the lips are.
        glide: Where it ends: "" where it began, or "i", "u", "@", "r".
    """

    height: float
    backness: float
    is_rounded: bool
    glide: Literal["", "i", "u", "@", "r"] = ""


CONSONANTS = {
    "p": Consonant(0, 0, False), "b": Consonant(0, 0, True), "m": Consonant(0, 3, True),
    "f": Consonant(1, 2, False), "v": Consonant(1, 2, True), "w": Consonant(0.5, 5, True),
    "T": Consonant(2, 2, False), "D": Consonant(2, 2, True),
    "t": Consonant(3, 0, False), "d": Consonant(3, 0, True), "n": Consonant(3, 3, True),
    "s": Consonant(3, 2, False), "z": Consonant(3, 2, True), "l": Consonant(3, 4, True),
    "r": Consonant(3.5, 5, True), "tS": Consonant(4, 1, False), "dZ": Consonant(4, 1, True),
    "S": Consonant(4, 2, False), "Z": Consonant(4, 2, True), "j": Consonant(5, 5, True),
    "k": Consonant(6, 0, False), "g": Consonant(6, 0, True), "N": Consonant(6, 3, True),
    "h": Consonant(8, 2, False),
}  # fmt: skip
"""Consonants that every voice of English has."""

VOWELS = {
    "i:": Vowel(3, 0, False), "I": Vowel(2.5, 0.4, False), "E": Vowel(1.3, 0.1, False),
    "a": Vowel(0.3, 0.3, False), "A:": Vowel(0, 1.6, False), "0": Vowel(0.3, 2, True),
    "O:": Vowel(1.2, 2, True), "U": Vowel(2.5, 1.7, True), "u:": Vowel(3, 2, True),
    "V": Vowel(1, 1.5, False), "3:": Vowel(1.5, 1, False, "r"), "@": Vowel(1.5, 1, False),
    "eI": Vowel(2, 0, False, "i"), "aI": Vowel(0, 0.6, False, "i"),
    "OI": Vowel(1.2, 2, True, "i"), "oU": Vowel(2, 1.8, True, "u"),
    "aU": Vowel(0, 0.6, False, "u"), "A@": Vowel(0, 1.6, False, "r"),
    "o@": Vowel(1.2, 2, True, "r"), "e@": Vowel(1.3, 0.1, False, "r"),
    "i@": Vowel(2.8, 0.2, False, "r"),
}  # fmt: skip
"""Vowels that every voice of English has."""

VARIANTS = {
    "t#": "t", "i": "i:", "u": "u:", "e": "E", "o": "O:", "O": "0", "A": "A:", "a#": "@", "@2": "@",
    "@5": "@", "I2": "I", "I#": "I", "E#": "E", "3": "3:", "@L": "@", "aa": "a", "r-": "r",
    "A#": "A:", "O@": "o@", "i@3": "i@",
}  # fmt: skip
"""Phonemes that occur in some voices or places only, and those they sound like."""

SPELLED = {
    "eI": ("e", "i"), "aI": ("a", "i"), "OI": ("O", "i"), "oU": ("o", "u"), "aU": ("a", "u"),
    "3:": ("E", "r"), "3": ("@", "r"), "A@": ("a", "r"), "O@": ("O", "r"), "o@": ("o", "r"),
    "e@": ("E", "r"), "i@": ("i", "r"), "i@3": ("i", "r"), "U@": ("u", "r"), "@L": ("@", "l"),
    "aI@": ("a", "i", "@"), "aU@": ("a", "u", "@"), "aI3": ("a", "i", "@", "r"),
    "i:": ("i",), "I": ("i",), "I2": ("i",), "I#": ("i",), "E#": ("E",), "a": ("a",),
    "aa": ("a",), "A:": ("a",), "A": ("a",), "A#": ("a",), "0": ("O",), "O:": ("o",),
    "U": ("u",), "u:": ("u",), "V": ("a",), "a#": ("a",), "@2": ("@",), "@5": ("@",),
    "t#": ("t",), "r-": ("r",), "i": ("i",), "u": ("u",), "e": ("e",), "o": ("o",), "E": ("E",),
    "O": ("O",), "@": ("@",),
}  # fmt: skip
"""Phonemes of English in those that nearly every language has."""

FOREIGN: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {"w": ("v",), "T": ("s",), "D": ("z",)},
    "es": {"v": ("b",), "z": ("s",), "dZ": ("j",), "S": ("tS",), "Z": ("j",), "h": ("x",)},
    "fr": {"h": (), "T": ("s",), "D": ("z",), "tS": ("S",), "dZ": ("Z",)},
    "it": {"h": (), "T": ("t",), "D": ("d",)},
    "hi": {"w": ("v",), "T": ("t",), "D": ("d",), "Z": ("dZ",)},
    "nl": {"T": ("t",), "D": ("d",), "g": ("k",), "w": ("v",)},
    "pl": {"h": ("x",), "T": ("f",), "D": ("v",)},
    "pt-br": {"T": ("t",), "D": ("d",), "h": ("x",)},
    "ru": {"h": ("x",), "w": ("v",), "T": ("s",), "D": ("z",)},
    "sv": {"z": ("s",), "w": ("v",), "T": ("t",), "D": ("d",), "dZ": ("j",)},
    "tr": {"w": ("v",), "T": ("t",), "D": ("d",)},
}  # fmt: skip
"""What speakers of other languages say instead of some phonemes of English."""


@dataclass(frozen=True)
class Phoneme:
    """One phoneme of a word.

    Attributes:
        symbol: As espeak-ng writes it, without stress.
        stress: One of `STRESSES`, or an empty string.
    """

    symbol: str
    stress: str = ""


Word = tuple[Phoneme, ...]
Phrase = tuple[Word, ...]


def parse_phrase(text: str) -> Phrase:
    """Return the words of what espeak-ng gives for a phrase, e.g. "h_'eI p_'i:_k_oU".

    Pauses and marks of other languages are left out.
    """
    words = []
    for word in text.split():
        phonemes = []
        for part in word.split(SEPARATOR):
            symbol = part.lstrip(STRESSES)
            stress = part[: len(part) - len(symbol)][-1:]
            if symbol and symbol not in (":", "|", "||") and not symbol.startswith("("):
                phonemes.append(Phoneme(symbol, stress))
        if phonemes:
            words.append(tuple(phonemes))
    return tuple(words)


def mnemonics(phrase: Phrase) -> str:
    """Return the text that makes espeak-ng speak a phrase, in its double brackets."""
    # Without a mark between them "t" and "S" would be one phoneme.
    words = ("|".join(p.stress + p.symbol for p in word) for word in phrase)
    return f"[[{' '.join(words)}]]"


def is_vowel(symbol: str) -> bool:
    """Return whether a phoneme is a vowel; unknown ones are, if they begin like one."""
    own = VARIANTS.get(symbol, symbol)
    return own in VOWELS or (own not in CONSONANTS and own[0] in "aAeEiIoOuUV03@")


def distance(first: str, second: str) -> float:
    """Return how many articulatory steps two phonemes are apart; 0 of the same.

    Args:
        first: Symbol without stress.
        second: The same; of one that is in no table the distance is `MANY_STEPS`.
    """
    a, b = VARIANTS.get(first, first), VARIANTS.get(second, second)
    if a == b:
        return 0.0
    if a in CONSONANTS and b in CONSONANTS:
        one, other = CONSONANTS[a], CONSONANTS[b]
        place = min(2.0, 0.5 * abs(one.place - other.place))
        manner = 0.0 if one.manner == other.manner else 1.5
        if {one.manner, other.manner} in ({0, 1}, {1, 2}, {4, 5}):
            manner = 1.0
        return place + manner + (0.75 if one.is_voiced != other.is_voiced else 0.0)
    if a in VOWELS and b in VOWELS:
        this, that = VOWELS[a], VOWELS[b]
        return (
            0.75 * abs(this.height - that.height)
            + 0.75 * abs(this.backness - that.backness)
            + (0.25 if this.is_rounded != that.is_rounded else 0.0)
            + (0.75 if this.glide != that.glide else 0.0)
        )
    return MANY_STEPS


def neighbours(symbol: str, count: int = CHOICES) -> tuple[str, ...]:
    """Return the phonemes that are nearest to one, without those that are the same sound.

    Args:
        symbol: Without stress; of one that is in no table there are none.
        count: At most so many.
    """
    own = VARIANTS.get(symbol, symbol)
    table = CONSONANTS if own in CONSONANTS else VOWELS if own in VOWELS else {}
    others = sorted((distance(own, other), other) for other in table if other != own)
    return tuple(other for steps, other in others if steps >= 0.5)[:count]


def phrase_distance(first: Phrase, second: Phrase) -> float:
    """Return the steps of the cheapest way from one phrase to the other.

    Insertions and deletions cost `DELETION`; what happens to a stressed vowel costs more. Where
    words begin and end is not heard.

    Source: Wagner and Fischer, "The string-to-string correction problem" (1974).
    """
    a, b = list(itertools.chain(*first)), list(itertools.chain(*second))
    table = np.zeros((len(a) + 1, len(b) + 1))
    table[:, 0] = np.arange(len(a) + 1) * DELETION
    table[0] = np.arange(len(b) + 1) * DELETION
    for i, one in enumerate(a, 1):
        for j, other in enumerate(b, 1):
            heard = STRESSED if is_vowel(one.symbol) and (one.stress or other.stress) else 1.0
            table[i, j] = min(
                table[i - 1, j] + DELETION,
                table[i, j - 1] + DELETION,
                table[i - 1, j - 1] + heard * distance(one.symbol, other.symbol),
            )
    return float(table[-1, -1])


def alter_phrase(phrase: Phrase, edits: int, rng: np.random.Generator) -> Phrase:
    """Return a phrase with some phonemes replaced by near ones, left out or swapped.

    Args:
        phrase: The phrase.
        edits: Changes, one after the other; one that would leave nothing is not made.
        rng: Source of the choice.
    """
    words = [list(word) for word in phrase]
    for _ in range(edits):
        k = int(rng.integers(len(words)))
        word = words[k]
        at = int(rng.integers(len(word)))
        kind = rng.random()
        if kind < 0.7:
            near = neighbours(word[at].symbol)
            if near:
                # The nearer, the more often.
                pick = min(int(rng.exponential(CHOICES / 2.5)), len(near) - 1)
                word[at] = replace(word[at], symbol=near[pick])
        elif kind < 0.87:
            has_other_vowel = any(is_vowel(p.symbol) for j, p in enumerate(word) if j != at)
            if has_other_vowel:
                del word[at]
        elif at + 1 < len(word):
            word[at], word[at + 1] = word[at + 1], word[at]
    return tuple(map(tuple, words))


def near_phrases(
    phrase: Phrase,
    keywords: Sequence[Phrase],
    count: int,
    steps: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Phrase, ...]:
    """Return phrases that sound nearly like one, without any that could pass for a keyword.

    Args:
        phrase: The phrase.
        keywords: Phrases that have to stay apart from what is found, by ``steps[0]`` each.
        count: At most so many; a short phrase has few neighbours.
        steps: Least and most steps from the phrase.
        rng: Source of the choice.
    """
    found: dict[Phrase, None] = {}
    for attempt in range(count * 30):
        if len(found) == count:
            break
        candidate = alter_phrase(phrase, 1 + attempt % 3, rng)
        is_near = phrase_distance(phrase, candidate) <= steps[1]
        if is_near and all(phrase_distance(k, candidate) >= steps[0] for k in keywords):
            found[candidate] = None
    return tuple(found)


def partial_phrases(phrase: Phrase, keywords: Sequence[Phrase], least: float) -> tuple[Phrase, ...]:
    """Return what is said of a phrase when a part of it is missing: words, beginnings and ends.

    Args:
        phrase: The phrase.
        keywords: Phrases that have to stay apart, by ``least`` steps each.
        least: Articulatory steps.
    """
    parts: list[Phrase] = []
    if len(phrase) > 1:
        for size in range(1, len(phrase)):
            parts += [phrase[k : k + size] for k in range(len(phrase) - size + 1)]
    for word in phrase:
        for at in range(2, len(word) - 1):
            parts += [(word[:at],), (word[at:],)]
    whole = [part for part in parts if any(is_vowel(p.symbol) for word in part for p in word)]
    apart = [p for p in whole if all(phrase_distance(k, p) >= least for k in keywords)]
    return tuple(dict.fromkeys(apart))


def accented(phrase: Phrase, language: str) -> Phrase:
    """Return how a speaker of another language says a phrase.

    Args:
        phrase: Of a voice of English.
        language: One of `FOREIGN`.
    """
    instead = FOREIGN[language]
    words = []
    for word in phrase:
        spoken: list[Phoneme] = []
        for phoneme in word:
            own = SPELLED.get(phoneme.symbol, (VARIANTS.get(phoneme.symbol, phoneme.symbol),))
            symbols = [s for each in own for s in instead.get(each, (each,))]
            spoken += [Phoneme(s, phoneme.stress if k == 0 else "") for k, s in enumerate(symbols)]
        if spoken:
            words.append(tuple(spoken))
    return tuple(words)
