"""What stands around a passage, cut to what a model reads: nearest first, halves shared, facts about what was used."""

from hypothesis import given
from hypothesis import strategies as st

from bot.story.surroundings import surround

BEFORE = [(1, "Once there was a fox."), (2, "She ran away. She hid.")]
AFTER = [(4, "It rained. She woke."), (5, "The end.")]


def fitted(before, after, room):
    around = surround(before, after, room)
    return around.fit((len(around.before), len(around.after)), room, len)


def test_everything_is_there_where_it_fits():
    around = fitted(BEFORE, AFTER, 200)
    assert around.before == "Once there was a fox.\n\nShe ran away. She hid."
    assert around.after == "It rained. She woke.\n\nThe end."
    assert (around.passages_before, around.passages_after, around.passages_left_out) == ((1, 2), (4, 5), ())
    assert (around.tokens_before, around.tokens_after) == (len(around.before), len(around.after))


def test_the_nearest_sentences_stay_and_each_side_has_its_half():
    around = fitted(BEFORE, AFTER, 25)
    assert (around.before, around.after) == ("She hid.", "It rained.")
    assert (around.passages_before, around.passages_after, around.passages_left_out) == ((2,), (4,), (1,))


def test_what_one_side_leaves_the_other_takes():
    assert fitted([], AFTER, 30).after == "It rained. She woke.\n\nThe end."
    assert fitted(BEFORE, [], 24).before == "She ran away. She hid."
    assert fitted([], [], 10).before == fitted([], [], 10).after == ""


def test_markers_are_no_text():
    assert fitted([(1, "He <|end|> ran.")], [], 100).before == "He   ran."


told = st.lists(st.text("ab. \n", min_size=1, max_size=60).map(lambda text: f"x{text}"), max_size=6)


@given(told, told, st.integers(0, 150))
def test_whatever_stands_around_the_room_holds_and_the_texts_are_what_is_nearest(before, after, room):
    around = fitted(list(enumerate(before)), list(enumerate(after, start=100)), room)
    assert around.tokens_before + around.tokens_after <= room
    assert (len(around.before), len(around.after)) <= (around.tokens_before, around.tokens_after)
    assert "\n\n".join(text.strip() for text in before).endswith(around.before)
    assert "\n\n".join(text.strip() for text in after).startswith(around.after)
    assert sorted([*around.passages_left_out, *around.passages_before]) == list(range(len(before)))
    assert around.passages_after == tuple(range(100, 100 + len(around.passages_after)))
    assert bool(around.before) == bool(around.passages_before)
