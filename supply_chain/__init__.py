"""What this server is made of beside its own code, and what must not be in that. For `make check`, not for servers."""
