"""Running the sandbox, on loopback and nowhere else."""

import ipaddress

import uvicorn

from sandbox.app import Sandbox, create_app


def run(host: str = "127.0.0.1", port: int = 8001, *, app: Sandbox | None = None) -> None:
    """Serve until the process is told to stop. Raises ValueError for an address that others could reach."""
    server_for(host, port, app=app).run()


def server_for(host: str, port: int, *, app: Sandbox | None = None) -> uvicorn.Server:
    """The server, not yet started. Port 0 takes a free one."""
    if not is_loopback(host):
        raise ValueError(f'host "{host}": the sandbox lets anyone break its partners; use 127.0.0.1, ::1 or localhost')
    return uvicorn.Server(
        # No access log: what is sent to partners is personal data by habit, even where it is invented.
        uvicorn.Config(
            app or create_app(),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=1,  # a call that a fault delays by minutes must not hold up the end
        )
    )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
