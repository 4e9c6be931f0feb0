// One pool a process, as large as that of the other contenders. Where the database is, the PG* variables say.
import pg from "pg";

const asText = (text) => text;
const DATE = 1082;
const TIMESTAMP_WITH_TIME_ZONE = 1184;

export const pool = new pg.Pool({ max: 10 });

const types = {
  // Dates of JavaScript have milliseconds only; the database has microseconds, and the page shows them.
  getTypeParser: (oid, format) =>
    oid === DATE ? asText : oid === TIMESTAMP_WITH_TIME_ZONE ? isoInstant : pg.types.getTypeParser(oid, format),
};

/** PostgreSQL's `2026-03-02 09:00:00.5+00`, which the session's time zone makes UTC, as Traverse writes it. */
function isoInstant(text) {
  const seconds = text.slice(11, -3);
  // PostgreSQL leaves zeros at the end of a fraction out.
  const padded = seconds.length > 8 ? seconds.padEnd(15, "0") : seconds;
  return `${text.slice(0, 10)}T${padded}+00:00`;
}

/** A statement that each connection prepares once; the result is a function of its values. */
export function prepared(name, text) {
  return async (...values) => (await pool.query({ name, text, values, types })).rows;
}
