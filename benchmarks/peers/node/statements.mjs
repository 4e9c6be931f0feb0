// The statements of the mercurius servers. $1 is always the company of the viewer, NULL for staff.
import { prepared } from "./database.mjs";

const TODAY = "(now() AT TIME ZONE 'Europe/Paris')::date";

const applied = (person) =>
  `EXISTS (SELECT 1 FROM job_application v WHERE v.job_seeker_id = ${person} AND v.company_id = $1)`;

// What a viewer of each kind may see, as conditions on the aliases that the statements give to rows.
const RULES = {
  employer: { jobSeeker: `${applied("s.id")} AND s.erased_at IS NULL`, approval: applied("p.job_seeker_id") },
  staff: { jobSeeker: "$1::uuid IS NULL AND s.erased_at IS NULL", approval: "$1::uuid IS NULL" },
};

const JOB_SEEKER = "s.id AS s_id, s.title, s.first_name, s.last_name, s.email";
const APPROVAL = `p.id AS p_id, p.number, p.start_at, p.end_at, p.job_seeker_id,
  CASE WHEN p.cancelled_at IS NOT NULL THEN 'CANCELLED' WHEN p.start_at > ${TODAY} THEN 'FUTURE'
    WHEN p.end_at >= ${TODAY} THEN 'VALID' ELSE 'EXPIRED' END AS approval_state`;
const APPLICATION = `a.id, upper(a.state) AS state, a.created_at, upper(a.sender_kind) AS sender_kind,
  a.job_seeker_id, a.approval_id, n.next_start_at, n.upcoming`;
const UPCOMING = `LEFT JOIN LATERAL (
  SELECT min(t.start_at) AS next_start_at, count(*)::int AS upcoming
  FROM participation q JOIN appointment t ON t.id = q.appointment_id
  WHERE q.job_seeker_id = a.job_seeker_id AND t.company_id = a.company_id AND q.status = 'unknown'
    AND q.removed_at IS NULL AND t.destroyed_at IS NULL AND t.start_at > now()) n ON TRUE`;
const NEWEST_APPLICATION = "a.created_at DESC, a.id DESC";
const NEWEST_APPROVAL = "p.start_at DESC, p.id DESC";

export const viewer = prepared(
  "viewer",
  `SELECT u.kind, m.company_id FROM "user" u
   LEFT JOIN membership m ON m.user_id = u.id AND m.ended_at IS NULL AND m.company_id = $2
   WHERE u.subject = $1 AND u.is_active`,
);

function statementsOf(kind) {
  const { jobSeeker, approval } = RULES[kind];
  const read = (name, text) => prepared(`${kind} ${name}`, text);
  // How many rows as text: with a parameter, PostgreSQL would plan these statements anew each time.
  const page = (name, textOf) => {
    const bySize = new Map();
    return (company, rows) => {
      if (!bySize.has(rows)) bySize.set(rows, read(`${name} ${rows}`, textOf(Math.trunc(rows))));
      return bySize.get(rows)(company);
    };
  };
  return {
    // One row a list entry, and nothing beside: what belongs to it is for loaders.
    applications: page(
      "applications",
      (rows) => `SELECT ${APPLICATION} FROM job_application a ${UPCOMING}
       WHERE a.company_id = $1 ORDER BY ${NEWEST_APPLICATION} LIMIT ${rows}`,
    ),
    approvals: page(
      "approvals",
      (rows) => `SELECT ${APPROVAL} FROM approval p WHERE ${approval} ORDER BY ${NEWEST_APPROVAL} LIMIT ${rows}`,
    ),
    // The same with the rows that they lead to. Whoever sees an application or an approval sees its job seeker.
    applicationsJoined: page(
      "applications joined",
      (rows) => `SELECT ${APPLICATION}, ${JOB_SEEKER}, ${APPROVAL} FROM job_application a
       JOIN "user" s ON s.id = a.job_seeker_id LEFT JOIN approval p ON p.id = a.approval_id ${UPCOMING}
       WHERE a.company_id = $1 ORDER BY ${NEWEST_APPLICATION} LIMIT ${rows}`,
    ),
    approvalsJoined: page(
      "approvals joined",
      (rows) => `SELECT ${APPROVAL}, ${JOB_SEEKER} FROM approval p JOIN "user" s ON s.id = p.job_seeker_id
       WHERE ${approval} ORDER BY ${NEWEST_APPROVAL} LIMIT ${rows}`,
    ),
    jobSeekers: read(
      "job seekers",
      `SELECT ${JOB_SEEKER}, f.birthdate FROM "user" s LEFT JOIN job_seeker_profile f ON f.id = s.id
       WHERE s.id = ANY($2::uuid[]) AND s.kind = 'job_seeker' AND ${jobSeeker}`,
    ),
    approvalsById: read(
      "approvals by id",
      `SELECT ${APPROVAL} FROM approval p WHERE p.id = ANY($2::uuid[]) AND ${approval}`,
    ),
    // Lists of several job seekers at once; $3: how many for each.
    currentApprovals: read(
      "current approvals",
      `SELECT ${APPROVAL} FROM approval p WHERE p.job_seeker_id = ANY($2::uuid[]) AND p.cancelled_at IS NULL
         AND p.start_at <= ${TODAY} AND p.end_at >= ${TODAY} AND ${approval}`,
    ),
    approvalsOf: read(
      "approvals of",
      `SELECT p.* FROM unnest($2::uuid[]) AS parent(id) CROSS JOIN LATERAL (
         SELECT ${APPROVAL} FROM approval p WHERE p.job_seeker_id = parent.id AND ${approval}
         ORDER BY ${NEWEST_APPROVAL} LIMIT $3) p`,
    ),
    applicationsOf: read(
      "applications of",
      `SELECT a.* FROM unnest($2::uuid[]) AS parent(id) CROSS JOIN LATERAL (
         SELECT ${APPLICATION} FROM job_application a ${UPCOMING}
         WHERE a.job_seeker_id = parent.id AND a.company_id = $1 ORDER BY ${NEWEST_APPLICATION} LIMIT $3) a`,
    ),
    participationsOf: read(
      "participations of",
      `SELECT q.* FROM unnest($2::uuid[]) AS parent(id) CROSS JOIN LATERAL (
         SELECT q.id, upper(q.status) AS status, q.updated_at, q.job_seeker_id, t.id AS t_id, t.start_at, t.reason
         FROM participation q JOIN appointment t ON t.id = q.appointment_id
         WHERE q.job_seeker_id = parent.id AND q.removed_at IS NULL AND t.destroyed_at IS NULL
           AND t.company_id = $1 AND ${applied("q.job_seeker_id")}
         ORDER BY t.start_at DESC, q.id DESC LIMIT $3) q`,
    ),
  };
}

export const STATEMENTS = { employer: statementsOf("employer"), staff: statementsOf("staff") };
