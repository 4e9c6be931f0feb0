"""The closed lists of values that rows hold, each with the French label that people read.

A value is stored and never changes; a label is shown and may. Partner codes are not here: a partner adds a code without
asking, so they are text with a table of known labels (clients/).
"""

from __future__ import annotations

from enum import StrEnum


class LabelledEnum(StrEnum):
    """A stored value with a French label: `MEMBER = "value", "Libellé"`."""

    label: str

    def __new__(cls, value: str, label: str) -> LabelledEnum:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


class UserKind(LabelledEnum):
    JOB_SEEKER = "job_seeker", "Candidat"
    EMPLOYER = "employer", "Employeur"
    PRESCRIBER = "prescriber", "Prescripteur"
    LABOR_INSPECTOR = "labor_inspector", "Inspecteur du travail"
    STAFF = "staff", "Équipe de la plateforme"
    PARTNER = "partner", "Partenaire"  # a machine client: never a row of `user`


class Title(LabelledEnum):
    M = "M", "Monsieur"
    MME = "MME", "Madame"


class CompanyKind(LabelledEnum):
    """Kinds of employers. The first five are SIAE in the sense of article L5132-4 of the Code du travail."""

    ACI = "ACI", "Atelier chantier d'insertion"
    AI = "AI", "Association intermédiaire"
    EI = "EI", "Entreprise d'insertion"
    EITI = "EITI", "Entreprise d'insertion par le travail indépendant"
    ETTI = "ETTI", "Entreprise de travail temporaire d'insertion"
    GEIQ = "GEIQ", "Groupement d'employeurs pour l'insertion et la qualification"
    EA = "EA", "Entreprise adaptée"
    EATT = "EATT", "Entreprise adaptée de travail temporaire"
    OPCS = "OPCS", "Organisation porteuse de la clause sociale"


class PrescriberKind(LabelledEnum):
    AFPA = "AFPA", "Agence nationale pour la formation professionnelle des adultes"
    ASE = "ASE", "Aide sociale à l'enfance"
    CAARUD = "CAARUD", "Centre d'accueil et d'accompagnement à la réduction des risques"
    CADA = "CADA", "Centre d'accueil de demandeurs d'asile"
    CAF = "CAF", "Caisse d'allocations familiales"
    CAP_EMPLOI = "CAP_EMPLOI", "Cap emploi"
    CAVA = "CAVA", "Centre d'adaptation à la vie active"
    CCAS = "CCAS", "Centre communal d'action sociale"
    CHRS = "CHRS", "Centre d'hébergement et de réinsertion sociale"
    CHU = "CHU", "Centre d'hébergement d'urgence"
    CIDFF = "CIDFF", "Centre d'information sur les droits des femmes et des familles"
    CPH = "CPH", "Centre provisoire d'hébergement"
    CSAPA = "CSAPA", "Centre de soins en addictologie"
    DEPT = "DEPT", "Service social du conseil départemental"
    E2C = "E2C", "École de la deuxième chance"
    EPIDE = "EPIDE", "Établissement pour l'insertion dans l'emploi"
    FT = "FT", "France Travail"
    HUDA = "HUDA", "Hébergement d'urgence pour demandeurs d'asile"
    ML = "ML", "Mission locale"
    MSA = "MSA", "Mutualité sociale agricole"
    OACAS = "OACAS", "Organisme d'accueil communautaire et d'activité solidaire"
    OCASF = "OCASF", "Organisme d'accompagnement social et familial"
    ODC = "ODC", "Organisation délégataire d'un conseil départemental"
    OHPD = "OHPD", "Organisme d'hébergement des personnes en difficulté"
    OIL = "OIL", "Opérateur d'intermédiation locative"
    ORIENTEUR = "Orienteur", "Orienteur"
    OTHER = "Autre", "Autre"
    PENSION = "PENSION", "Pension de famille ou résidence accueil"
    PIJ_BIJ = "PIJ_BIJ", "Point ou bureau information jeunesse"
    PJJ = "PJJ", "Protection judiciaire de la jeunesse"
    PLIE = "PLIE", "Plan local pour l'insertion et l'emploi"
    PREVENTION = "PREVENTION", "Service ou club de prévention"
    RS_FJT = "RS_FJT", "Résidence sociale ou foyer de jeunes travailleurs"
    SPIP = "SPIP", "Service pénitentiaire d'insertion et de probation"


class InstitutionKind(LabelledEnum):
    DDETS_IAE = "DDETS_IAE", "DDETS, insertion par l'activité économique"
    DDETS_LOG = "DDETS_LOG", "DDETS, logement"
    DREETS_IAE = "DREETS_IAE", "DREETS, insertion par l'activité économique"
    DGEFP_IAE = "DGEFP_IAE", "DGEFP, insertion par l'activité économique"
    DIHAL = "DIHAL", "Délégation interministérielle à l'hébergement et à l'accès au logement"
    DRIHL = "DRIHL", "Direction régionale de l'hébergement et du logement"
    IAE_NETWORK = "IAE_NETWORK", "Réseau de l'insertion par l'activité économique"
    CONVERGENCE = "CONVERGENCE", "Convergence France"


class CertificationAuthority(LabelledEnum):
    """Who vouches for an identity. The stored values are those of the platform's own records."""

    API_PARTICULIER = "api_particulier", "API Particulier"
    FRANCE_TRAVAIL = "api_recherche_individu_certifie", "France Travail"


class CertificationResult(LabelledEnum):
    """How a question to API Particulier ended. The first three are definite answers."""

    CERTIFIED = "certified", "Identité certifiée"
    IDENTITY_ONLY = "identity_only", "Identité certifiée, sans dossier d'allocataire"
    IDENTITY_NOT_FOUND = "identity_not_found", "Identité non reconnue"
    PROVIDER_UNKNOWN = "provider_unknown", "Réponse inexploitable du fournisseur"
    RETRYABLE = "retryable", "Sans réponse, à réessayer"
    CONFIG_ERROR = "config_error", "Accès à API Particulier à corriger"


class ConsentPurpose(LabelledEnum):
    IDENTITY_CERTIFICATION = "identity_certification", "Certification de l'identité"


class LackOfNirReason(LabelledEnum):
    NO_NIR = "NO_NIR", "Sans numéro de sécurité sociale"
    NIR_ASSOCIATED_TO_OTHER = "NIR_ASSOCIATED_TO_OTHER", "Numéro associé à une autre personne"


class LackOfFranceTravailIdReason(LabelledEnum):
    FORGOTTEN = "FORGOTTEN", "Identifiant oublié"
    NOT_REGISTERED = "NOT_REGISTERED", "Non inscrit"


class JobApplicationState(LabelledEnum):
    NEW = "new", "Nouvelle candidature"
    PROCESSING = "processing", "Candidature à l'étude"
    POSTPONED = "postponed", "Candidature en attente"
    PRIOR_TO_HIRE = "prior_to_hire", "Action préalable à l'embauche"
    ACCEPTED = "accepted", "Candidature acceptée"
    REFUSED = "refused", "Candidature déclinée"
    CANCELLED = "cancelled", "Embauche annulée"
    OBSOLETE = "obsolete", "Embauché ailleurs"


class SenderKind(LabelledEnum):
    JOB_SEEKER = "job_seeker", "Candidat"
    PRESCRIBER = "prescriber", "Prescripteur"
    EMPLOYER = "employer", "Employeur"


class ApprovalState(LabelledEnum):
    """Computed, never stored: it changes with the calendar (Approval.state_on)."""

    FUTURE = "future", "À venir"
    VALID = "valid", "En cours de validité"
    EXPIRED = "expired", "Expiré"
    CANCELLED = "cancelled", "Annulé"


class NotificationStatus(LabelledEnum):
    """Where an approval stands in France Travail's eyes. Transitions: models/states.py."""

    PENDING = "notification_pending", "En attente"
    READY = "notification_ready", "Prête"
    SHOULD_RETRY = "notification_should_retry", "À réessayer"
    ERROR = "notification_error", "En erreur"
    SUCCESS = "notification_success", "Réussie"


class NotificationEndpoint(LabelledEnum):
    """Which call of France Travail gave a code: the same code means different things in the two."""

    RECHERCHE_INDIVIDU = "rech_individu", "Recherche individu certifié"
    MISE_A_JOUR_PASS_IAE = "maj_pass", "Mise à jour du PASS IAE"


class PreliminaryCheck(LabelledEnum):
    """Why no call is made at all."""

    STARTS_IN_FUTURE = "STARTS_IN_FUTURE", "Le PASS IAE débute dans le futur"
    NO_JOB_APPLICATION = "NO_JOB_APPLICATION", "PASS IAE lié à aucune candidature acceptée"
    INVALID_SIAE_KIND = "INVALID_SIAE_KIND", "Type de structure invalide"
    MISSING_USER_DATA = "MISSING_USER_DATA", "Données de la personne manquantes, notification non tentée"


class Delivery(LabelledEnum):
    """What became of a request: only NOT_SENT and REFUSED say for certain that it had no effect."""

    NOT_SENT = "not_sent", "Non envoyée"
    UNKNOWN = "unknown", "Issue inconnue"
    REFUSED = "refused", "Refusée"
    ACCEPTED = "accepted", "Acceptée"


class ParticipationStatus(LabelledEnum):
    UNKNOWN = "unknown", "Statut à préciser"
    SEEN = "seen", "RDV honoré"
    ABSENT = "absent", "Absence non excusée au RDV"
    CANCELLED = "cancelled", "RDV annulé"


class CancelledBy(LabelledEnum):
    JOB_SEEKER = "job_seeker", "RDV annulé à l’initiative de l’usager"
    SERVICE = "service", "RDV annulé à l’initiative du service"


class InvitationKind(LabelledEnum):
    SMS = "sms", "SMS"
    EMAIL = "email", "E-mail"
    POSTAL = "postal", "Courrier"


class InvitationStatus(LabelledEnum):
    SENT = "sent", "Envoyée"
    DELIVERED = "delivered", "Délivrée"
    NOT_DELIVERED = "not_delivered", "Non délivrée"
    OPENED = "opened", "Ouverte"


class InvitationAttemptState(LabelledEnum):
    """Where a call to RDV-Insertion stands. UNKNOWN: it may have taken effect, so it is looked for and not repeated."""

    SENDING = "sending", "En cours d'envoi"
    UNKNOWN = "unknown", "Issue inconnue"
    ACCEPTED = "accepted", "Acceptée"
    REFUSED = "refused", "Refusée"
    NOT_SENT = "not_sent", "Non envoyée"
    ABANDONED = "abandoned", "Issue jamais connue"


class DiagorienteRecipient(LabelledEnum):
    JOB_SEEKER = "job_seeker", "Candidat"
    PRESCRIBER = "prescriber", "Prescripteur"


class DiagorienteStatus(LabelledEnum):
    """Computed from the two dates of a job application."""

    NOT_SENT = "not_sent", "Non envoyée"
    SENT = "sent", "Envoyée"
    OPENED = "opened", "Ouverte"


class SurveyKind(LabelledEnum):
    POST_HIRING_EMPLOYER = "post_hiring_employer", "Post-embauche, employeur"
    POST_HIRING_JOB_SEEKER = "post_hiring_job_seeker", "Post-embauche, candidat"
    PRESCRIBER_SATISFACTION = "prescriber_satisfaction", "Satisfaction, prescripteur"


class SurveyStatus(LabelledEnum):
    AVAILABLE = "available", "Disponible"
    SENT = "sent", "Envoyée"
    ANSWERED = "answered", "Répondue"


class MailTemplate(LabelledEnum):
    DIAGORIENTE_PRESCRIBER = "diagoriente_prescriber", "Invitation Diagoriente, à qui a envoyé la candidature"
    DIAGORIENTE_JOB_SEEKER = "diagoriente_job_seeker", "Invitation Diagoriente, au candidat"
    SURVEY_EMPLOYER = "survey_employer", "Enquête post-embauche, à l'employeur"
    SURVEY_JOB_SEEKER = "survey_job_seeker", "Enquête post-embauche, au candidat"
    SURVEY_PRESCRIBER = "survey_prescriber", "Enquête de satisfaction, au prescripteur"


class MailState(LabelledEnum):
    """What became of a mail. UNCONFIRMED: it may have arrived, so it is not sent again by itself."""

    PENDING = "pending", "À envoyer"
    SENT = "sent", "Remis"
    UNCONFIRMED = "unconfirmed", "Remise non confirmée"
    FAILED = "failed", "Non remis"


class Partner(LabelledEnum):
    FRANCE_TRAVAIL = "france_travail", "France Travail"
    API_PARTICULIER = "api_particulier", "API Particulier"
    BAN = "ban", "Base Adresse Nationale"
    API_GEO = "api_geo", "API Géo"
    SIRENE = "sirene", "API Sirene"
    DATA_INCLUSION = "data_inclusion", "data·inclusion"
    RDV_INSERTION = "rdv_insertion", "RDV-Insertion"
    DIAGORIENTE = "diagoriente", "Diagoriente"
    TALLY = "tally", "Tally"
    METABASE = "metabase", "Metabase"


class WebhookEventStatus(LabelledEnum):
    RECEIVED = "received", "Reçu"
    PROCESSED = "processed", "Traité"
    IGNORED = "ignored", "Ignoré"
    UNMATCHED = "unmatched", "Sans correspondance"
    FAILED = "failed", "En échec"


class AppointmentEventKind(LabelledEnum):
    CREATED = "created", "Créé"
    UPDATED = "updated", "Modifié"
    MOVED = "moved", "Déplacé"
    CANCELLED = "cancelled", "Annulé"
    DELETED = "deleted", "Supprimé"


class PartnerScope(LabelledEnum):
    """What a machine client may do; listed in its row, checked at each request."""

    READ_APPOINTMENTS = "appointments:read", "Lire les rendez-vous"
    READ_PARTICIPATIONS = "participations:read", "Lire les participations"


class WorkQueue(LabelledEnum):
    """Kinds of work that workers take up by themselves, and that operators may pause."""

    NOTIFICATIONS = "notifications", "Notifications à France Travail"
    CERTIFICATIONS = "certifications", "Certification par France Travail"
    CERTIFICATION_REQUESTS = "certification_requests", "Questions à API Particulier"
    GEOCODING = "geocoding", "Géocodage"
    MAILS = "mails", "Courriels"
    SURVEYS = "surveys", "Enquêtes"
    WEBHOOKS = "webhooks", "Traitement des webhooks"
    INVITATIONS = "invitations", "Invitations RDV-Insertion"


class AuditAction(LabelledEnum):
    SIGNED_IN = "signed_in", "Connexion"
    SIGNED_OUT = "signed_out", "Déconnexion"
    NOTIFICATION_RETRIED = "notification_retried", "Notification relancée"
    WEBHOOK_REPLAYED = "webhook_replayed", "Webhook rejoué"
    WEBHOOK_REVEALED = "webhook_revealed", "Corps d’un webhook consulté"
    RUN_BEGUN = "run_begun", "Traitement groupé lancé"
    RUN_CANCELLED = "run_cancelled", "Traitement groupé annulé"
    PAUSED = "paused", "Mise en pause"
    RESUMED = "resumed", "Reprise"
    PARTNER_RETRIED = "partner_retried", "Pause automatique levée"
    ALARM_SILENCED = "alarm_silenced", "Alerte mise en sommeil"
    ALARM_RESTORED = "alarm_restored", "Alerte réveillée"


class OperationKind(LabelledEnum):
    RETRY_NOTIFICATIONS = "retry_notifications", "Relance de notifications"
    REPLAY_WEBHOOKS = "replay_webhooks", "Relecture de webhooks"


class OperationState(LabelledEnum):
    WAITING = "waiting", "En attente"
    RUNNING = "running", "En cours"
    FINISHED = "finished", "Terminé"
    CANCELLED = "cancelled", "Annulé"
    FAILED = "failed", "En échec"
