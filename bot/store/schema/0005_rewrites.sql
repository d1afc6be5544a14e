-- Rewrites name the passage that they replace, which may stand in the middle of canon. The new version stands beside the
-- old one; what followed the old one follows the new one as copies, because a passage never changes its parent. So the
-- old branch stays whole below the old passage, and the round's base_head_id is its end.

ALTER TABLE rounds ADD COLUMN passage_id INTEGER REFERENCES passages (id);
ALTER TABLE rounds ADD COLUMN style TEXT NOT NULL DEFAULT 'fresh'
    CHECK (style IN ('fresh', 'light')) CHECK (style = 'fresh' OR kind = 'rewrite');

-- Until now a rewrite was always of the last passage.
UPDATE rounds SET passage_id = base_head_id WHERE kind = 'rewrite';

CREATE INDEX rounds_by_passage ON rounds (passage_id);

CREATE TRIGGER rewrites_name_their_passage BEFORE INSERT ON rounds
WHEN (NEW.kind = 'rewrite') <> (NEW.passage_id IS NOT NULL)
    OR (NEW.passage_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM passages
        WHERE id = NEW.passage_id AND story_id = NEW.story_id AND parent_id IS NEW.parent_id))
BEGIN
    SELECT RAISE(ABORT, 'a rewrite names the passage it replaces, whose parent a winner will follow');
END;

DROP TRIGGER rounds_keep_their_question;
CREATE TRIGGER rounds_keep_their_question BEFORE UPDATE ON rounds
WHEN (OLD.id, OLD.story_id, OLD.kind, OLD.settings, OLD.hint, OLD.opened_by, OLD.guild_id, OLD.parent_id,
      OLD.base_head_id, OLD.seed, OLD.reroll, OLD.interaction_id, OLD.opened_at, OLD.passage_id, OLD.style)
    IS NOT
     (NEW.id, NEW.story_id, NEW.kind, NEW.settings, NEW.hint, NEW.opened_by, NEW.guild_id, NEW.parent_id,
      NEW.base_head_id, NEW.seed, NEW.reroll, NEW.interaction_id, NEW.opened_at, NEW.passage_id, NEW.style)
BEGIN
    SELECT RAISE(ABORT, 'a round keeps what it asked and the settings it began with');
END;

DROP TRIGGER candidates_join_open_rounds;
CREATE TRIGGER candidates_join_open_rounds BEFORE INSERT ON candidates
WHEN NOT EXISTS (
    SELECT 1 FROM rounds
    WHERE id = NEW.round_id AND state = 'open' AND (NEW.passage_id IS NULL OR passage_id = NEW.passage_id))
BEGIN
    SELECT RAISE(ABORT, 'a candidate joins an open round; an incumbent is the passage that the round would replace');
END;

-- A copy names its original (never another copy, so that its round is one step away) and the round that made it.
ALTER TABLE passages ADD COLUMN copy_of INTEGER REFERENCES passages (id) CHECK (copy_of < id);
ALTER TABLE passages ADD COLUMN copied_in INTEGER REFERENCES rounds (id)
    CHECK ((copy_of IS NULL) = (copied_in IS NULL)) CHECK (copied_in IS NULL OR round_id IS NULL);

CREATE UNIQUE INDEX one_copy_of_a_passage_per_round ON passages (copy_of, copied_in) WHERE copy_of IS NOT NULL;
CREATE INDEX passages_by_copying_round ON passages (copied_in) WHERE copied_in IS NOT NULL;

DROP TRIGGER passages_are_immutable;
CREATE TRIGGER passages_are_immutable BEFORE UPDATE ON passages
WHEN OLD.token_count IS NOT NULL
    OR (OLD.id, OLD.story_id, OLD.parent_id, OLD.text, OLD.source, OLD.author_user_id, OLD.round_id, OLD.created_at,
        OLD.copy_of, OLD.copied_in)
        IS NOT
        (NEW.id, NEW.story_id, NEW.parent_id, NEW.text, NEW.source, NEW.author_user_id, NEW.round_id, NEW.created_at,
        NEW.copy_of, NEW.copied_in)
BEGIN
    SELECT RAISE(ABORT, 'a passage never changes; only its token count is filled in, once');
END;

CREATE TRIGGER copies_say_what_their_originals_say BEFORE INSERT ON passages
WHEN NEW.copy_of IS NOT NULL AND (
    NEW.parent_id IS NULL
    OR NOT EXISTS (
        SELECT 1 FROM passages AS original
        WHERE original.id = NEW.copy_of AND original.copy_of IS NULL
            AND (original.story_id, original.text, original.source, original.author_user_id)
                IS (NEW.story_id, NEW.text, NEW.source, NEW.author_user_id))
    OR NOT EXISTS (
        SELECT 1 FROM rounds
        WHERE id = NEW.copied_in AND story_id = NEW.story_id AND kind = 'rewrite' AND state = 'closed'))
BEGIN
    SELECT RAISE(ABORT, 'a copy is made by the close of a rewrite, and says what its original says');
END;
