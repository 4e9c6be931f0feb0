"""Filters of models' fields are made when they are named: the same that Tortoise makes of all when it declares them."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import pytest
import tortoise.filters
from tortoise.exceptions import FieldError
from tortoise.fields.relational import RelationalField

import models
from models.field_filters import FieldFilters
from tests.factories import make_approval

pytestmark = pytest.mark.usefixtures("database")
MODELS: list[Any] = [getattr(models, name) for name in models.__all__]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
async def test_every_filter_of_a_column_is_the_one_that_tortoise_makes(model: Any):
    meta = model._meta
    override = meta.db.executor_class.get_overridden_filter_func
    columns = {name: field for name, field in meta.fields_map.items() if not isinstance(field, RelationalField)}

    for name, field in {**columns, "pk": meta.pk}.items():
        source = field.source_field or field.model_field_name
        expected = cast("Any", tortoise.filters).get_filters_for_field(name, field, source)
        for key, filter_info in expected.items():
            operator = override(filter_info["operator"], filter_info) or filter_info["operator"]

            assert key in meta.filters
            assert _comparable(meta.filters[key]) == _comparable({**filter_info, "operator": operator})


async def test_a_name_of_no_column_has_no_filter():
    filters = cast("Any", models.Approval)._meta.filters

    assert "nothing" not in filters
    assert "end_at__nothing" not in filters
    assert "job_seeker" not in filters  # a relation: its column is named job_seeker_id
    assert filters.get("end_at__nothing") is None
    with pytest.raises(KeyError):
        filters["end_at__nothing"]


async def test_only_what_was_asked_for_is_kept():
    filters = FieldFilters(cast("Any", models.Approval)._meta)
    filters.clear()

    assert "end_at__gte" in filters

    assert list(filters) == ["end_at__gte"]


async def test_rows_are_found_by_columns_relations_and_keys():
    approval = await make_approval()

    found = [
        await models.Approval.filter(pk=approval.id).count(),
        await models.Approval.filter(end_at__gte=date(2000, 1, 1), id__in=[approval.id]).count(),
        await models.Approval.filter(job_seeker=approval.job_seeker_id).count(),
        await models.Approval.filter(job_seeker__last_name__isnull=False).count(),
        await models.Approval.filter(end_at__year=1999).count(),
    ]

    assert found == [1, 1, 1, 1, 0]


async def test_an_unknown_name_is_refused_as_before():
    with pytest.raises(FieldError):
        await models.Approval.filter(nothing__gte=1).count()


def _comparable(filter_info: Any) -> Any:
    operator = filter_info["operator"]
    # A partial equals no other.
    parts = (operator.func, operator.keywords) if hasattr(operator, "func") else operator
    return {**filter_info, "operator": parts}
