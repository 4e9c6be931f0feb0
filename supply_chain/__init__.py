"""What this server is made of beside its own code, and what must not be in that: run by `make check`, not by servers."""
