"""Phonemes that sound alike, and what is made of them."""

import numpy as np
import pytest

from rnn_edge.data.phonemes import (
    CONSONANTS,
    FOREIGN,
    MANY_STEPS,
    VOWELS,
    accented,
    alter_phrase,
    distance,
    is_vowel,
    mnemonics,
    near_phrases,
    neighbours,
    parse_phrase,
    partial_phrases,
    phrase_distance,
)

HEY_PICO = parse_phrase("h_'eI p_'i:_k_oU")
ALEXA = parse_phrase("a#_l_'E_k_s_@")
STEPS = (1.5, 6.0)


def test_phonemes_keep_their_stress_and_pauses_are_left_out():
    assert [[p.symbol for p in word] for word in HEY_PICO] == [["h", "eI"], ["p", "i:", "k", "oU"]]
    assert [p.stress for p in HEY_PICO[1]] == ["", "'", "", ""]
    assert parse_phrase("_:_'E_k_s") == (parse_phrase("'E_k_s")[0],)
    assert parse_phrase("  ") == ()
    assert mnemonics(HEY_PICO) == "[[h|'eI p|'i:|k|oU]]"


@pytest.mark.parametrize(
    ("first", "second", "other"),
    [
        ("p", "b", "s"),
        ("s", "S", "m"),
        ("m", "n", "k"),
        ("v", "f", "N"),
        ("I", "i:", "aU"),
        ("E", "eI", "oU"),
        ("tS", "dZ", "w"),
    ],
)
def test_near_phonemes_are_nearer_than_others(first, second, other):
    assert 0.0 < distance(first, second) < distance(first, other)
    assert second in neighbours(first)
    assert other not in neighbours(first)


def test_a_distance_is_symmetric_and_zero_of_the_same_sound():
    for table in (CONSONANTS, VOWELS):
        for first in table:
            assert distance(first, first) == 0.0
            for second in table:
                assert distance(first, second) == distance(second, first)
                assert (distance(first, second) == 0.0) == (first == second)
    assert distance("t#", "t") == 0.0
    assert distance("a#", "@") == 0.0
    assert distance("a", "s") == MANY_STEPS
    assert neighbours("q") == ()


def test_neighbours_are_of_the_same_kind_and_ordered():
    for symbol in (*CONSONANTS, *VOWELS):
        found = neighbours(symbol, 5)
        steps = [distance(symbol, each) for each in found]
        assert steps == sorted(steps)
        assert min(steps) >= 0.5
        assert {is_vowel(each) for each in found} == {is_vowel(symbol)}


def test_the_distance_of_phrases_counts_edits_and_hears_stressed_vowels_more():
    assert phrase_distance(HEY_PICO, HEY_PICO) == 0.0
    assert phrase_distance(HEY_PICO, parse_phrase("h_'eI_p_'i:_k_oU")) == 0.0
    assert phrase_distance(HEY_PICO, HEY_PICO[1:]) == 4.0
    assert phrase_distance(HEY_PICO, parse_phrase("h_'eI t_'i:_k_oU")) == distance("p", "t")
    stressed = phrase_distance(ALEXA, parse_phrase("a#_l_'I_k_s_@"))
    assert stressed == pytest.approx(1.5 * distance("E", "I"))


@pytest.mark.parametrize("phrase", [HEY_PICO, ALEXA], ids=["hey pico", "alexa"])
def test_near_phrases_are_near_but_never_the_keyword(phrase):
    found = near_phrases(phrase, [HEY_PICO, ALEXA], 40, STEPS, np.random.default_rng(1))
    assert len(found) == len(set(found)) == 40
    assert found == near_phrases(phrase, [HEY_PICO, ALEXA], 40, STEPS, np.random.default_rng(1))
    for each in found:
        assert phrase_distance(phrase, each) <= STEPS[1]
        assert min(phrase_distance(k, each) for k in (HEY_PICO, ALEXA)) >= STEPS[0]
        assert any(is_vowel(p.symbol) for word in each for p in word)


def test_an_edit_never_takes_the_last_vowel_of_a_word():
    for seed in range(50):
        word = alter_phrase(parse_phrase("h_'eI"), 6, np.random.default_rng(seed))[0]
        assert any(is_vowel(p.symbol) for p in word)


def test_parts_of_a_phrase_are_its_words_beginnings_and_ends():
    parts = partial_phrases(HEY_PICO, [HEY_PICO], STEPS[0])
    assert HEY_PICO[:1] in parts
    assert HEY_PICO[1:] in parts
    assert parse_phrase("p_'i:") in parts
    assert HEY_PICO not in parts
    # A part that is a keyword itself is none of what must not be heard.
    assert HEY_PICO[1:] not in partial_phrases(HEY_PICO, [HEY_PICO, HEY_PICO[1:]], STEPS[0])


def test_accents_use_what_a_language_has():
    assert mnemonics(accented(parse_phrase("dZ_'A@_v_I_s"), "es")) == "[[j|'a|r|b|i|s]]"
    assert mnemonics(accented(parse_phrase("h_'eI"), "fr")) == "[['e|i]]"
    for language in FOREIGN:
        said = accented(parse_phrase("T_I_N D_'oU_z w_'3:_d_z"), language)
        symbols = {p.symbol for word in said for p in word}
        assert not symbols & {"T", "D", "3:", "I", "oU"} - (
            {"T", "D"} if language == "es" else set()
        )
