"""The use cases: what members and moderators can do with stories. No discord, no SQL and no HTTP of its own."""
