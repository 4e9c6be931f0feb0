"""Global ids: one spelling each, and every other spelling refused."""

from __future__ import annotations

import base64
from binascii import b2a_base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.errors import BadUserInput
from resolvers.global_ids import GlobalID, decode, decode_as, encode, encoding
from resolvers.reading import entity_names

KEY = UUID("7f4d3c1e-aaaa-4000-8000-000000000001")
names = st.sampled_from(sorted(entity_names() or {"Company", "JobSeeker"}))


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@given(names, st.uuids())
def test_an_id_names_its_row(type_name: str, key: UUID):
    assert decode(encode(type_name, key)) == GlobalID(type_name, key)


@given(names, st.uuids())
def test_generated_code_writes_the_same_ids(type_name: str, key: UUID):
    written = eval(encoding(type_name, "key"), {"b2a_base64": b2a_base64, "key": key})  # noqa: S307 (what is tested)

    assert written == encode(type_name, key)


def test_an_id_is_that_of_relay():
    assert base64.b64decode(encode("Company", KEY)) == f"Company:{KEY}".encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Company",
        f"Company:{KEY}",
        base64_of("Company"),
        base64_of("Company:"),
        base64_of("Company:1"),
        base64_of(f"Company:{KEY}:"),
        base64_of(f"Company: {KEY}"),
        base64_of(f"Company:{str(KEY).upper()}"),
        base64_of(f"Company:{KEY.hex}"),
        base64_of(f"Company:{{{KEY}}}"),
        base64_of(f"Company:urn:uuid:{KEY}"),
        encode("Company", KEY).rstrip("="),
        encode("Company", KEY) + "=",
        encode("Company", KEY) + "\n",
        " " + encode("Company", KEY),
        encode("Company", KEY).replace("=", "%3D") + "%",
        base64.b64encode(b"\xff\xfe:" + str(KEY).encode()).decode(),
        "é",
        "\x00",
    ],
)
def test_another_spelling_is_no_id(text: str):
    with pytest.raises(BadUserInput):
        decode(text)


@given(st.text(max_size=120))
def test_no_text_is_an_accident(text: str):
    with pytest.raises(BadUserInput):
        decode(text)


def test_an_id_of_another_type_is_told_apart():
    with pytest.raises(BadUserInput) as refused:
        decode_as(encode("JobSeeker", KEY), "Company", argument="companyId")

    assert refused.value.message == "companyId: the id of a JobSeeker, that of a Company is expected"


def test_the_name_of_a_made_up_type_is_cut():
    with pytest.raises(BadUserInput) as refused:
        decode_as(encode("X" * 10_000, KEY), "Company")

    assert len(refused.value.message) < 120
