"""Who holds or awaits an advisory lock of this test process's database: others share the server."""

ADVISORY_LOCKS = """
SELECT FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
WAITING_FOR_A_LOCK = f"{ADVISORY_LOCKS} AND NOT granted"
