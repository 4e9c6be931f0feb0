"""A partner's client: follows the appointments of its companies, and misses none whatever happens in between."""
