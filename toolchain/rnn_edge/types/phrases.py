"""What may be a keyword that a synthesizer is to speak."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_WORDS = 5
"""Of a keyword; longer ones take more than the seconds that a model can wait for."""
MOST_LETTERS = 40
CLASSES = ("unknown", "silence")
"""Labels of classes of their own beside the keywords."""
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")


def fault_of_phrase(phrase: str) -> str:
    """Return what is wrong with a keyword, as a sentence without its end; empty if nothing is."""
    words, letters = phrase.split(" "), len(phrase)
    if not phrase.strip():
        return f'"{phrase}" is empty; expected a word or a short phrase'
    if len(phrase.split()) > MOST_WORDS or letters > MOST_LETTERS:
        return (
            f'"{phrase}" has {_count(len(phrase.split()), "word")} and '
            f"{_count(letters, 'letter')}; expected at most {MOST_WORDS} words and {MOST_LETTERS} "
            "letters: a keyword is said within two seconds"
        )
    if not all(map(_WORD.fullmatch, words)):
        return (
            f'"{phrase}" cannot be spoken; expected small letters a to z, one space between words '
            "(numbers in words, other languages as an English reader would write them)"
        )
    if phrase in CLASSES:
        return f'"{phrase}" is the name of a class of its own; expected another word'
    return ""


def fault_of_phrases(phrases: Sequence[str]) -> str:
    """Return what is wrong with a list of keywords, likewise."""
    for k, phrase in enumerate(phrases):
        if phrase in phrases[:k]:
            return f'"{phrase}" is there twice; expected different keywords'
        fault = fault_of_phrase(phrase)
        if fault:
            return fault
    return ""


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
