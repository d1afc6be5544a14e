-- A story's style: the genre or mood that its starter named ("fable"), empty where none was named.
ALTER TABLE stories ADD COLUMN style TEXT NOT NULL DEFAULT '';
