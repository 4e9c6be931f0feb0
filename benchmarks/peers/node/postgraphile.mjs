// PostGraphile over the views of ../postgraphile.sql, as its documentation advises: claims in the settings of the
// transaction, prepared statements, production mode.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { pool } from "./database.mjs";
import { claimsOf } from "./viewer.mjs";

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: ["postgraphile"] })],
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
  grafast: {
    context(request) {
      const claims = claimsOf(request.node?.req.headers.authorization);
      return { pgSettings: { "jwt.claims.sub": claims.sub, "jwt.claims.org": claims.org ?? "" } };
    },
  },
};

const server = createServer();
const service = postgraphile(preset).createServ(grafserv);
await service.addTo(server);
server.listen(Number(process.argv[2]), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));
