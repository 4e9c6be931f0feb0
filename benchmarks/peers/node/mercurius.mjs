// Mercurius with its JIT, in one of two ways: loaders for what belongs to a row, as its documentation advises, or
// (MERCURIUS_READS=joined) lists whose statement already joins it. Everything else is the same.
import { readFile } from "node:fs/promises";
import Fastify from "fastify";
import mercurius from "mercurius";
import { STATEMENTS, viewer as findViewer } from "./statements.mjs";
import { claimsOf } from "./viewer.mjs";

const joined = process.env.MERCURIUS_READS === "joined";
const MOST_ROWS = 100;

async function viewerOf(request) {
  const claims = claimsOf(request.headers.authorization);
  const [found] = await findViewer(claims.sub, claims.org ?? null);
  const isEmployer = found?.kind === "employer" && found.company_id !== null;
  if (!isEmployer && found?.kind !== "staff") {
    throw new Error("token: its account is unknown, closed, or not a member of the company");
  }
  return { company: found.company_id, read: STATEMENTS[found.kind] };
}

const globalId = (type, key) => Buffer.from(`${type}:${key}`).toString("base64");

function keyOf(id, type) {
  const [name, key] = Buffer.from(id, "base64").toString().split(":");
  if (name !== type) {
    throw new Error(`id: that of a ${type} is expected`);
  }
  return key;
}

function rowsOf(first) {
  const rows = first ?? 20;
  if (rows < 1 || rows > MOST_ROWS) {
    throw new Error(`first: from 1 to ${MOST_ROWS} expected`);
  }
  return rows;
}

// -- from rows to the objects of the schema

const connection = (nodes) => ({ edges: nodes.map((node) => ({ node })) });

const jobSeeker = (row) => ({
  id: globalId("JobSeeker", row.s_id),
  key: row.s_id,
  title: row.title,
  firstName: row.first_name,
  lastName: row.last_name,
  email: row.email,
  birthdate: row.birthdate,
});

const approval = (row) => ({
  id: globalId("Approval", row.p_id),
  key: row.p_id,
  number: row.number,
  startAt: row.start_at,
  endAt: row.end_at,
  state: row.approval_state,
  jobSeekerKey: row.job_seeker_id,
  jobSeeker: joined && row.s_id ? jobSeeker(row) : undefined,
});

const application = (row) => ({
  id: globalId("JobApplication", row.id),
  state: row.state,
  createdAt: row.created_at,
  senderKind: row.sender_kind,
  nextAppointmentStartAt: row.next_start_at,
  upcomingParticipationsCount: row.upcoming,
  jobSeekerKey: row.job_seeker_id,
  approvalKey: row.approval_id,
  jobSeeker: joined && row.s_id ? jobSeeker(row) : undefined,
  approval: joined && row.p_id ? approval(row) : null,
});

const participation = (row) => ({
  id: globalId("Participation", row.id),
  status: row.status,
  updatedAt: row.updated_at,
  appointment: { id: globalId("Appointment", row.t_id), startAt: row.start_at, reason: row.reason },
});

// -- loaders

// Without the cache of a loader: it would write each object out as JSON to find it again.
const loader = (load) => ({ loader: load, opts: { cache: false } });

/** One object an entry, found by a key that the entry names. */
const toOne = (key, statement, object, rowKey) =>
  loader(async (queries, { viewer }) => {
    const keys = [...new Set(queries.map(({ obj }) => obj[key]).filter(Boolean))];
    const rows = keys.length ? await viewer.read[statement](viewer.company, keys) : [];
    const found = new Map(rows.map((row) => [row[rowKey], object(row)]));
    return queries.map(({ obj }) => found.get(obj[key]) ?? null);
  });

/** One list an entry, each as long as the first entry asks: all entries of a list ask for the same. */
const toMany = (statement, object) =>
  loader(async (queries, { viewer }) => {
    const keys = queries.map(({ obj }) => obj.key);
    const rows = await viewer.read[statement](viewer.company, keys, rowsOf(queries[0].params.first));
    const lists = new Map(keys.map((key) => [key, []]));
    for (const row of rows) {
      lists.get(row.job_seeker_id).push(object(row));
    }
    return keys.map((key) => connection(lists.get(key)));
  });

const lists = {
  JobSeeker: {
    currentApproval: toOne("key", "currentApprovals", approval, "job_seeker_id"),
    approvals: toMany("approvalsOf", approval),
    jobApplications: toMany("applicationsOf", application),
    participations: toMany("participationsOf", participation),
  },
};
const loaders = joined
  ? lists
  : {
      ...lists,
      JobApplication: {
        jobSeeker: toOne("jobSeekerKey", "jobSeekers", jobSeeker, "s_id"),
        approval: toOne("approvalKey", "approvalsById", approval, "p_id"),
      },
      Approval: { jobSeeker: toOne("jobSeekerKey", "jobSeekers", jobSeeker, "s_id") },
    };

const resolvers = {
  Query: {
    async jobSeeker(_, { id }, { viewer }) {
      const [row] = await viewer.read.jobSeekers(viewer.company, [keyOf(id, "JobSeeker")]);
      return row ? jobSeeker(row) : null;
    },
    async jobApplications(_, { first }, { viewer }) {
      const read = joined ? viewer.read.applicationsJoined : viewer.read.applications;
      return connection((await read(viewer.company, rowsOf(first))).map(application));
    },
    async approvals(_, { first }, { viewer }) {
      const read = joined ? viewer.read.approvalsJoined : viewer.read.approvals;
      return connection((await read(viewer.company, rowsOf(first))).map(approval));
    },
  },
};

const app = Fastify();
app.register(mercurius, {
  schema: await readFile(new URL("schema.graphql", import.meta.url), "utf8"),
  resolvers,
  loaders,
  jit: 1,
  context: async (request) => ({ viewer: await viewerOf(request) }),
});
await app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
process.once("SIGTERM", () => process.exit(0));
