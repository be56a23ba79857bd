"""One module a relay: how it is started, and how peers join a room of it."""
