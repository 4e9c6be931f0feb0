-- What PostGraphile serves: views of the tables as employers and staff see them, named as the pages of the benchmark are.
-- Who asks is in the settings of the transaction, which PostGraphile fills from the verified token.
DROP SCHEMA IF EXISTS postgraphile CASCADE;
CREATE SCHEMA postgraphile;

-- The company of the token, if its account is a member of it; NULL for everybody else.
CREATE FUNCTION postgraphile.viewer_company() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT m.company_id FROM public."user" u
    JOIN public.membership m ON m.user_id = u.id AND m.ended_at IS NULL
    WHERE u.subject = current_setting('jwt.claims.sub', true) AND u.is_active AND u.kind = 'employer'
        AND m.company_id = nullif(current_setting('jwt.claims.org', true), '')::uuid
$$;
CREATE FUNCTION postgraphile.viewer_is_staff() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM public."user" u
        WHERE u.subject = current_setting('jwt.claims.sub', true) AND u.is_active AND u.kind = 'staff'
    )
$$;
COMMENT ON FUNCTION postgraphile.viewer_company() IS '@behavior -*';
COMMENT ON FUNCTION postgraphile.viewer_is_staff() IS '@behavior -*';

-- In the views, the viewer is asked for by sub-selects: once a statement, not once a row. Of what staff may see, there is
-- what a page of the benchmark shows them: with an OR, PostgreSQL would not come to the applications by their company.
CREATE VIEW postgraphile.job_seekers AS
SELECT u.id, u.title, u.first_name, u.last_name, u.email, p.birthdate
FROM public."user" u LEFT JOIN public.job_seeker_profile p ON p.id = u.id
WHERE u.kind = 'job_seeker' AND u.erased_at IS NULL AND ((SELECT postgraphile.viewer_is_staff()) OR EXISTS (
    SELECT 1 FROM public.job_application v
    WHERE v.job_seeker_id = u.id AND v.company_id = (SELECT postgraphile.viewer_company())
));

CREATE VIEW postgraphile.approvals AS
SELECT a.id, a.number, a.start_at, a.end_at, a.cancelled_at, a.job_seeker_id,
    CASE
        WHEN a.cancelled_at IS NOT NULL THEN 'CANCELLED'
        WHEN a.start_at > (now() AT TIME ZONE 'Europe/Paris')::date THEN 'FUTURE'
        WHEN a.end_at >= (now() AT TIME ZONE 'Europe/Paris')::date THEN 'VALID'
        ELSE 'EXPIRED'
    END AS state
FROM public.approval a
WHERE (SELECT postgraphile.viewer_is_staff()) OR EXISTS (
    SELECT 1 FROM public.job_application v
    WHERE v.job_seeker_id = a.job_seeker_id AND v.company_id = (SELECT postgraphile.viewer_company())
);

CREATE VIEW postgraphile.job_applications AS
SELECT a.id, upper(a.state) AS state, a.created_at, upper(a.sender_kind) AS sender_kind, a.job_seeker_id, a.approval_id,
    n.next_appointment_start_at, n.upcoming_participations_count
FROM public.job_application a
LEFT JOIN LATERAL (
    SELECT min(t.start_at) AS next_appointment_start_at, count(*)::int AS upcoming_participations_count
    FROM public.participation q JOIN public.appointment t ON t.id = q.appointment_id
    WHERE q.job_seeker_id = a.job_seeker_id AND t.company_id = a.company_id AND q.status = 'unknown'
        AND q.removed_at IS NULL AND t.destroyed_at IS NULL AND t.start_at > now()
) n ON TRUE
WHERE a.company_id = (SELECT postgraphile.viewer_company());

CREATE VIEW postgraphile.appointments AS
SELECT t.id, t.start_at, t.reason FROM public.appointment t
WHERE t.company_id = (SELECT postgraphile.viewer_company()) AND t.destroyed_at IS NULL;

CREATE VIEW postgraphile.participations AS
SELECT q.id, upper(q.status) AS status, q.updated_at, q.job_seeker_id, q.appointment_id, t.start_at
FROM public.participation q JOIN public.appointment t ON t.id = q.appointment_id
WHERE q.removed_at IS NULL AND t.destroyed_at IS NULL AND t.company_id = (SELECT postgraphile.viewer_company())
    AND EXISTS (
        SELECT 1 FROM public.job_application v WHERE v.job_seeker_id = q.job_seeker_id AND v.company_id = t.company_id
    );

CREATE FUNCTION postgraphile.job_seekers_current_approval(seeker postgraphile.job_seekers)
RETURNS postgraphile.approvals LANGUAGE sql STABLE AS $$
    SELECT a.* FROM postgraphile.approvals a
    WHERE a.job_seeker_id = seeker.id AND a.cancelled_at IS NULL AND a.state = 'VALID'
$$;

-- Views have no keys of their own that PostGraphile could find.
COMMENT ON VIEW postgraphile.job_seekers IS E'@primaryKey id';
COMMENT ON VIEW postgraphile.approvals IS
    E'@primaryKey id\n@foreignKey (job_seeker_id) references postgraphile.job_seekers (id)|@fieldName jobSeeker|@foreignFieldName approvals';
COMMENT ON VIEW postgraphile.job_applications IS
    E'@primaryKey id\n@foreignKey (job_seeker_id) references postgraphile.job_seekers (id)|@fieldName jobSeeker|@foreignFieldName jobApplications\n@foreignKey (approval_id) references postgraphile.approvals (id)|@fieldName approval';
COMMENT ON VIEW postgraphile.appointments IS E'@primaryKey id';
COMMENT ON VIEW postgraphile.participations IS
    E'@primaryKey id\n@foreignKey (job_seeker_id) references postgraphile.job_seekers (id)|@fieldName jobSeeker|@foreignFieldName participations\n@foreignKey (appointment_id) references postgraphile.appointments (id)|@fieldName appointment';
COMMENT ON COLUMN postgraphile.job_seekers.id IS '@notNull';
COMMENT ON COLUMN postgraphile.approvals.id IS '@notNull';
COMMENT ON COLUMN postgraphile.job_applications.id IS '@notNull';
COMMENT ON COLUMN postgraphile.appointments.id IS '@notNull';
COMMENT ON COLUMN postgraphile.participations.id IS '@notNull';
