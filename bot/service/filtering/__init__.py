"""What may be said where: the rules that a server's moderators tune, from the database to each verdict."""
