"""Running the sandbox, on loopback and nowhere else."""

import uvicorn

from sandbox.app import Sandbox, create_app
from sandbox.loopback import is_loopback


def run(host: str = "127.0.0.1", port: int = 8001, *, app: Sandbox | None = None) -> None:
    """Serve until the process is told to stop, mails on the port after. Raises ValueError for an address of others."""
    server_for(host, port, app=app).run()


def server_for(host: str, port: int, *, app: Sandbox | None = None) -> uvicorn.Server:
    """The server, not yet started. Port 0 takes a free one, for mails as well."""
    if not is_loopback(host):
        raise ValueError(f'host "{host}": the sandbox lets anyone break its partners; use 127.0.0.1, ::1 or localhost')
    return uvicorn.Server(
        # No access log: what is sent to partners is personal data by habit, even where it is invented.
        uvicorn.Config(
            app or create_app(smtp_port=port + 1 if port else 0),
            host=host,
            port=port,
            # Its own configuration would take uvicorn's log from whoever runs the sandbox in a process of theirs.
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=1,  # a call that a fault delays by minutes must not hold up the end
        )
    )
