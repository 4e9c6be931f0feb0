"""Below HTTP: how a connection is cut in the middle of a call."""

from starlette.types import Receive, Send


async def cut_connection(receive: Receive, send: Send) -> None:
    """Reset the connection without an answer.

    ASGI has no word for that, so the transport is taken from uvicorn's request cycle, whose bound method `send` is.
    In process, where there is no connection, the caller gets a ConnectionResetError instead.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("the sandbox was asked to cut this connection, and there is none")
    transport.abort()
    # uvicorn would write a 500 into the dead connection, and log it, if we returned before it noticed.
    while (await receive())["type"] != "http.disconnect":
        pass
