from __future__ import annotations

from bot.service.steering import ENDS, MAX_PHRASE_CHARS, MAX_PHRASES, phrases_to_ban, still_wanted


def test_a_long_word_is_banned_as_it_is_and_a_short_one_with_what_ends_it() -> None:
    phrases = phrases_to_ban(["Toadstool", "gnu"])
    assert phrases[0] == "toadstool"
    assert phrases[1:] == tuple(f" gnu{end}" for end in ENDS)
    assert not any(phrase in "a gnutella cognurse" for phrase in phrases)
    assert any(phrase in "the gnu, of course" for phrase in phrases)


def test_no_more_and_no_longer_phrases_than_a_request_takes() -> None:
    phrases = phrases_to_ban([f"word number {number}" for number in range(3 * MAX_PHRASES)])
    assert len(phrases) == MAX_PHRASES
    assert phrases_to_ban(["x" * (MAX_PHRASE_CHARS + 1), " ", "toadstool"]) == ("toadstool",)


def test_a_word_of_the_hint_that_is_banned_is_not_asked_for() -> None:
    assert still_wanted(["Toadstools", "fox"], phrases_to_ban(["toadstool"])) == ("fox",)
    assert still_wanted(["Toadstools", "fox"], ()) == ("Toadstools", "fox")
