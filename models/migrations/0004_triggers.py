"""Rules that must hold for every writer, raw SQL included, and so live in the database."""

from tortoise import migrations

from models.migration_steps import Step, in_one_operation

# A change of dates is news for France Travail, whatever was said before. Setting the status in the same statement would
# hide which of the two was meant.
REARM_NOTIFICATION = """
CREATE FUNCTION approval_rearm_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.pe_notification_status IS DISTINCT FROM OLD.pe_notification_status THEN
        RAISE EXCEPTION 'approval %: dates and pe_notification_status changed in one statement; change the dates alone',
            OLD.number USING ERRCODE = 'check_violation', CONSTRAINT = 'approval_dates_apart_from_status';
    END IF;
    NEW.pe_notification_status := 'notification_pending';
    NEW.next_attempt_at := NULL;
    RETURN NEW;
END $$
"""
REARM_NOTIFICATION_TRIGGER = """
CREATE TRIGGER approval_rearm_notification BEFORE UPDATE ON approval FOR EACH ROW
WHEN (NEW.start_at IS DISTINCT FROM OLD.start_at OR NEW.end_at IS DISTINCT FROM OLD.end_at)
EXECUTE FUNCTION approval_rearm_notification()
"""

# France Travail's id was given for one identity: another name, birthdate or NIR makes it worthless.
FORGET_AFTER_NAME = """
CREATE FUNCTION user_forget_certification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE job_seeker_profile SET pe_obfuscated_nir = NULL, pe_last_certification_attempt_at = NULL
        WHERE user_id = NEW.id;
    DELETE FROM identity_certification
        WHERE jobseeker_profile_id = NEW.id AND certifier = 'api_recherche_individu_certifie';
    RETURN NULL;
END $$
"""
FORGET_AFTER_NAME_TRIGGER = """
CREATE TRIGGER user_forget_certification AFTER UPDATE OF first_name, last_name ON "user" FOR EACH ROW
WHEN (NEW.kind = 'job_seeker'
    AND (NEW.first_name IS DISTINCT FROM OLD.first_name OR NEW.last_name IS DISTINCT FROM OLD.last_name))
EXECUTE FUNCTION user_forget_certification()
"""
FORGET_AFTER_IDENTITY = """
CREATE FUNCTION profile_forget_certification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.pe_obfuscated_nir := NULL;
    NEW.pe_last_certification_attempt_at := NULL;
    DELETE FROM identity_certification
        WHERE jobseeker_profile_id = NEW.user_id AND certifier = 'api_recherche_individu_certifie';
    RETURN NEW;
END $$
"""
# By the fingerprint: the sealed NIR differs at each writing.
FORGET_AFTER_IDENTITY_TRIGGER = """
CREATE TRIGGER profile_forget_certification BEFORE UPDATE ON job_seeker_profile FOR EACH ROW
WHEN (NEW.birthdate IS DISTINCT FROM OLD.birthdate OR NEW.nir_fingerprint IS DISTINCT FROM OLD.nir_fingerprint)
EXECUTE FUNCTION profile_forget_certification()
"""

# QuerySet.update() and raw SQL do not move `auto_now`.
TOUCH = """
CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END $$
"""


def _touch(table: str) -> Step:
    return Step(
        f'CREATE TRIGGER {table}_touch BEFORE UPDATE ON "{table}" FOR EACH ROW EXECUTE FUNCTION touch_updated_at()',
        f'DROP TRIGGER {table}_touch ON "{table}"',
    )


class Migration(migrations.Migration):
    dependencies = [("models", "0003_indexes")]

    operations = [
        in_one_operation(
            Step(REARM_NOTIFICATION, "DROP FUNCTION approval_rearm_notification()"),
            Step(REARM_NOTIFICATION_TRIGGER, "DROP TRIGGER approval_rearm_notification ON approval"),
            Step(FORGET_AFTER_NAME, "DROP FUNCTION user_forget_certification()"),
            Step(FORGET_AFTER_NAME_TRIGGER, 'DROP TRIGGER user_forget_certification ON "user"'),
            Step(FORGET_AFTER_IDENTITY, "DROP FUNCTION profile_forget_certification()"),
            Step(FORGET_AFTER_IDENTITY_TRIGGER, "DROP TRIGGER profile_forget_certification ON job_seeker_profile"),
            Step(TOUCH, "DROP FUNCTION touch_updated_at()"),
            _touch("approval"),
            _touch("company"),
            _touch("job_application"),
            _touch("user"),
        )
    ]
