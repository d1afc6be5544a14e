"""The whole product in a browser with no token: the real bot and the real worker around a model of Discord."""
