"""A multipart form, as the partner reads it."""

import httpx
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from clients.http import CallPolicy, PartnerHTTP, PartnerRequest, Upload
from tests.unit.clients.partner import BASE, READ, SECRET

UPLOAD = Upload(file_name="things.csv", content=f"nir\n{SECRET}\n".encode(), content_type="text/csv")


async def test_files_and_repeated_fields_arrive_as_parts_of_one_form():
    seen: list[tuple[str, object]] = []

    async def receive(request: Request) -> JSONResponse:
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    seen.append((name, (value.filename, value.content_type, await value.read())))
                else:
                    seen.append((name, value))
        return JSONResponse({"name": "lamp"})

    app = Starlette(routes=[Route("/things", receive, methods=["POST"])])
    request = PartnerRequest(
        method="POST", url="/things", form={"columns": ["one", "two"], "kind": "lamp"}, files={"data": UPLOAD}
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as http:
        partner = PartnerHTTP("partner", http, CallPolicy(deadline_seconds=5))

        thing = await partner.call("put_things", request, READ)

    assert thing.name == "lamp"
    assert seen == [
        ("columns", "one"),
        ("columns", "two"),
        ("kind", "lamp"),
        ("data", ("things.csv", "text/csv", UPLOAD.content)),
    ]
    assert SECRET not in repr(request)
