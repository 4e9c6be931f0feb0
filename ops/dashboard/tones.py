"""Which colour says what: good, warning, bad, info, or none. A word always stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from models.enums import (
    CertificationResult,
    MailState,
    NotificationStatus,
    OperationState,
    SurveyStatus,
    WebhookEventStatus,
)

_TONES: Mapping[Enum, str] = MappingProxyType(
    {
        NotificationStatus.PENDING: "neutral",
        NotificationStatus.READY: "info",
        NotificationStatus.SHOULD_RETRY: "warning",
        NotificationStatus.ERROR: "bad",
        NotificationStatus.SUCCESS: "good",
        WebhookEventStatus.RECEIVED: "info",
        WebhookEventStatus.PROCESSED: "good",
        WebhookEventStatus.IGNORED: "neutral",
        WebhookEventStatus.UNMATCHED: "warning",
        WebhookEventStatus.FAILED: "bad",
        MailState.PENDING: "info",
        MailState.SENT: "good",
        MailState.UNCONFIRMED: "warning",
        MailState.FAILED: "bad",
        SurveyStatus.AVAILABLE: "info",
        SurveyStatus.SENT: "neutral",
        SurveyStatus.ANSWERED: "good",
        OperationState.WAITING: "info",
        OperationState.RUNNING: "info",
        OperationState.FINISHED: "good",
        OperationState.CANCELLED: "neutral",
        OperationState.FAILED: "bad",
        CertificationResult.CERTIFIED: "good",
        CertificationResult.IDENTITY_ONLY: "good",
        CertificationResult.IDENTITY_NOT_FOUND: "neutral",
        CertificationResult.PROVIDER_UNKNOWN: "warning",
        CertificationResult.RETRYABLE: "warning",
        CertificationResult.CONFIG_ERROR: "bad",
    }
)


def tone_of(value: Enum) -> str:
    return _TONES.get(value, "neutral")
