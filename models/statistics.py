"""What is left of rows about people once these are gone: numbers, by coarse traits, of nobody in particular."""

from __future__ import annotations

from datetime import date

from tortoise import fields

from models.base import Model


class CancelledApprovalStatistic(Model):
    """How many cancelled approvals were alike. Months and kinds only: no number, no company, no person."""

    cancelled_month: date = fields.DateField(description="its first day, in Europe/Paris")
    start_month: date = fields.DateField(description="its first day")
    end_month: date = fields.DateField(description="its first day")
    origin_siae_kind = fields.CharField(max_length=32)
    origin_sender_kind = fields.CharField(max_length=32)
    origin_prescriber_organization_kind = fields.CharField(max_length=32)
    was_announced = fields.BooleanField(description="France Travail acknowledged the cancellation")
    number = fields.IntField()

    class Meta:
        table = "cancelled_approval_statistic"
