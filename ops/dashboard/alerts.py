"""What is wrong now, and what to do about it: drawn from what the overview reads, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clients.breaker import BreakerState
from ops.dashboard import formatting
from services.operations.crons import CronView
from services.operations.due import DueKind, DueWork
from services.operations.pausing import Pauses
from services.operations.queues import QueueFigures, QueueUnavailable
from services.operations.workers import WorkerState, WorkerView
from services.partner_health import PartnerHealth
from services.webhooks.silence import Activity

# What is due for longer is not being done. Notifications rest from 22:00 to midnight, and then run every 5 minutes;
# certifications and invitations have rounds of their own.
LATE_AFTER = {
    DueKind.NOTIFICATIONS: timedelta(minutes=15),
    DueKind.WEBHOOK_EVENTS: timedelta(minutes=2),
    DueKind.MAILS: timedelta(minutes=10),
    DueKind.CERTIFICATIONS: timedelta(days=2),
    DueKind.CERTIFICATION_REQUESTS: timedelta(minutes=30),
    DueKind.GEOCODING: timedelta(minutes=30),
    DueKind.SURVEYS: timedelta(minutes=30),
    DueKind.INVITATIONS: timedelta(minutes=30),
}
_FEW_FAILURES = 0.2
_QUEUE_LATE_AFTER = timedelta(minutes=2)
# Two beats that did not come: seen, with the next look, within 15 seconds.
_QUIET_AFTER = timedelta(seconds=11)
_RECENTLY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Alert:
    """`tone`: bad or warning. `path`: the page to look at, if there is one."""

    tone: str
    what: str
    to_do: str
    path: str = ""


def alerts_of(
    *,
    due: Sequence[DueWork],
    queue: QueueFigures | QueueUnavailable,
    workers: Sequence[WorkerView],
    crons: Sequence[CronView],
    partners: Sequence[PartnerHealth],
    pauses: Pauses,
    webhooks: Sequence[Activity],
    emptied_at: datetime | None,
    now: datetime,
) -> list[Alert]:
    found = [
        *_of_workers(workers, now),
        *_of_queue(queue, now),
        *_of_emptying(emptied_at, now),
        *_of_partners(partners),
        *_of_pauses(pauses, now),
        *_of_webhooks(webhooks, now),
        *_of_due(due, now),
        *_of_crons(crons, now),
    ]
    return sorted(found, key=lambda alert: alert.tone != "bad")


def tone_of_due(work: DueWork, now: datetime) -> str:
    """The tone of a kind of work: by the age of the oldest, never by the number."""
    if work.oldest_due_at is None:
        return "good"
    age = now - work.oldest_due_at
    late_after = LATE_AFTER[work.kind]
    if age > 2 * late_after:
        return "bad"
    return "warning" if age > late_after else "good"


def _of_workers(workers: Sequence[WorkerView], now: datetime) -> list[Alert]:
    found: list[Alert] = []
    if not any(worker.state is WorkerState.ALIVE and now - worker.beat_at < _QUIET_AFTER for worker in workers):
        found.append(
            Alert(
                "bad",
                "Aucun worker n’est en vie : rien n’est envoyé ni traité.",
                "Démarrez-en un (traverse worker, ou le service qui le supervise). Rien n’est perdu.",
            )
        )
    for worker in workers:
        if worker.state is not WorkerState.STOPPED and _QUIET_AFTER < now - worker.beat_at < _RECENTLY:
            found.append(
                Alert(
                    "warning",
                    f"Le worker {worker.host}:{worker.pid} ne donne plus signe de vie depuis"
                    f" {formatting.duration(now - worker.beat_at)}.",
                    "Regardez s’il a été tué (mémoire, redémarrage) ; son travail est repris par un autre dès que ses"
                    " réservations expirent.",
                )
            )
        if worker.is_stuck:
            stuck = next(job for job in worker.jobs if job.is_stuck)
            found.append(
                Alert(
                    "bad",
                    f"Le worker {worker.host}:{worker.pid} est sur « {stuck.name} » depuis"
                    f" {formatting.duration(now - stuck.started_at)}.",
                    "Redémarrez ce worker ; si cela se reproduit, cherchez dans ses journaux l’appel sans retour.",
                )
            )
    return found


def _of_queue(queue: QueueFigures | QueueUnavailable, now: datetime) -> list[Alert]:
    if isinstance(queue, QueueUnavailable):
        return [
            Alert(
                "bad",
                "Valkey ne répond pas : les workers ne sont plus réveillés, les balayages seuls avancent.",
                "Vérifiez que Valkey est démarré et que REDIS_URL est juste (traverse doctor). Rien n’est perdu.",
            )
        ]
    if queue.oldest_due_at is not None and now - queue.oldest_due_at > _QUEUE_LATE_AFTER:
        return [
            Alert(
                "warning",
                f"Une tâche attend dans la file depuis {formatting.duration(now - queue.oldest_due_at)}.",
                "Les workers sont trop peu nombreux, ou occupés : voyez ce qu’ils font ci-dessous.",
            )
        ]
    return []


def _of_emptying(emptied_at: datetime | None, now: datetime) -> list[Alert]:
    if emptied_at is None or now - emptied_at > _RECENTLY:
        return []
    return [
        Alert(
            "warning",
            f"Valkey a été vidé, ou a redémarré sans ses données, il y a {formatting.duration(now - emptied_at)}.",
            "Rien n’est perdu : les balayages reprennent tout dans la minute. Cherchez qui l’a fait, et pourquoi.",
        )
    ]


def _of_partners(partners: Sequence[PartnerHealth]) -> list[Alert]:
    found: list[Alert] = []
    for health in partners:
        if health.breaker is not BreakerState.CLOSED:
            found.append(
                Alert(
                    "bad",
                    f"{health.partner.label} ne répond pas : les appels sont suspendus, un essai est fait de temps en"
                    " temps.",
                    "Consultez la page d’état du partenaire. Les envois reprennent d’eux-mêmes à son retour.",
                )
            )
        elif health.error_rate is not None and health.error_rate > _FEW_FAILURES:
            found.append(
                Alert(
                    "warning",
                    f"{health.partner.label} : {formatting.share(health.error_rate)} des appels échouent.",
                    "Suivez l’évolution ; si cela dure, prévenez le partenaire.",
                )
            )
    return found


def _of_pauses(pauses: Pauses, now: datetime) -> list[Alert]:
    refused = [
        Alert(
            "bad",
            f"{pause.partner.label} a refusé notre accès ({pause.code}) : plus rien ne lui est envoyé.",
            "Corrigez les identifiants, ici ou chez le partenaire, puis reprenez.",
            "/ops/queues",
        )
        for pause in pauses.automatic
    ]
    declared = [
        Alert(
            "warning",
            f"{pause.target.label} : suspendu depuis {formatting.duration(now - pause.paused_at)} par"
            f" {pause.author_name or 'un compte fermé'} ({pause.reason}).",
            "Reprenez quand le motif n’est plus.",
            "/ops/queues",
        )
        for pause in pauses.manual
    ]
    return refused + declared


def _of_webhooks(webhooks: Sequence[Activity], now: datetime) -> list[Alert]:
    return [
        Alert(
            "warning",
            f"{each.expectation.source.label} n’a rien envoyé ({each.expectation.model}) depuis"
            f" {formatting.duration(now - each.last_received_at)}, contre"
            f" {formatting.duration(each.expectation.within)} au plus d’ordinaire.",
            "Demandez au partenaire si ses envois échouent, et vérifiez l’adresse et le secret qu’il a."
            " Si le silence est attendu, mettez l’alerte en sommeil.",
            f"/ops/webhooks/alarms/{each.expectation.source.value}/{each.expectation.model}",
        )
        for each in webhooks
        if each.is_alarming and each.last_received_at is not None
    ]


def _of_due(due: Sequence[DueWork], now: datetime) -> list[Alert]:
    return [
        Alert(
            tone,
            f"{work.kind.label} : le plus ancien attend depuis {formatting.duration(now - work.oldest_due_at)}.",
            "Regardez si un worker est en vie et si le partenaire répond ; sinon, si cet envoi est suspendu.",
        )
        for work in due
        if work.oldest_due_at is not None and (tone := tone_of_due(work, now)) != "good"
    ]


def _of_crons(crons: Sequence[CronView], now: datetime) -> list[Alert]:
    found: list[Alert] = []
    for cron in crons:
        if cron.is_missed and cron.started_at is not None:
            found.append(
                Alert(
                    "warning",
                    f"La tâche planifiée « {cron.name} » n’est pas passée à l’heure ; la dernière fois il y a"
                    f" {formatting.duration(now - cron.started_at)}.",
                    "Regardez si un worker est en vie et si Valkey répond ; elle rattrapera ce qui est dû.",
                )
            )
        elif cron.succeeded is False:
            found.append(
                Alert(
                    "warning",
                    f"La tâche planifiée « {cron.name} » a échoué la dernière fois.",
                    "Cherchez « job_failed » avec ce nom dans les journaux du worker.",
                )
            )
    return found
