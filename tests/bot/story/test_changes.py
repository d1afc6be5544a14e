"""Which words a rewrite has changed."""

from hypothesis import given
from hypothesis import strategies as st

from bot.story.changes import changed_words

WORDS = st.lists(st.sampled_from("abcd"), max_size=20)


def test_words_that_stand_elsewhere_or_are_new_are_changed():
    assert changed_words("the old fox ran home".split(), "the grey fox ran".split()) == [1]
    assert changed_words([], ["a", "b"]) == [0, 1]
    assert changed_words(["a", "b"], []) == []


@given(WORDS, WORDS)
def test_what_is_not_changed_stands_in_the_old_text_in_the_same_order(old, new):
    changed = changed_words(old, new)
    assert changed == sorted(set(changed))
    same = [word for index, word in enumerate(new) if index not in changed]
    rest = iter(old)
    assert all(word in rest for word in same)
    assert changed_words(new, new) == []
