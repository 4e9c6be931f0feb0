"""What streams and the web server say to each other beside ASGI. Both sides work without: less politely."""

# In the lifespan's state: called when the server begins to stop, once for each connection, to end all streams.
DRAIN_STATE = "traverse.drain"
# Among a scope's extensions: cuts the connection, for a client that reads nothing, so that closing would wait for ever.
ABORT_EXTENSION = "traverse.abort"
# Among a socket's extensions: takes the bytes of a whole frame at once, and tells whether it did. It does not when the
# other end is behind or on its way out, where ASGI's `send` must wait or say so.
FRAME_EXTENSION = "traverse.frame"
