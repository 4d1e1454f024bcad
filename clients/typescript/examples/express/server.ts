// A small application that asks the sidecar before it answers.
//
//     npm run example
//
// with the sidecar of `make run` at the top of the repository.

import { Client } from "authz-client";
import { callerOf, contextOf, Guard } from "authz-client/express";
import express from "express";

const client = Client.connect(
  process.env["AUTHZ_ADDRESS"] ?? "unix:../../.dev/authz.sock",
);
const guard = new Guard(client);
const app = express();

app.get(
  "/v2/clusters/:id",
  guard.requires<express.Request<{ id: string }>>(({ params }) => ({
    visible: { kind: "cluster", id: params.id },
  })),
  (request, response) => {
    const { userId, currentPrincipalId } = contextOf(request);
    response.json({ id: request.params.id, userId, currentPrincipalId });
  },
);

// A list is not judged row by row: the filter goes into the application's own query.
app.get("/v2/clusters", guard.resolves(), async (request, response) => {
  const columns = { OWNER_PRINCIPAL_ID: "c.owner_id", ID: "c.id" };
  const { sql } = await client.getListFilter(callerOf(request), "cluster", {
    sql: { columns, placeholders: "DOLLAR" },
  });
  response.json({
    query: `select * from clusters c where ${sql?.text ?? "FALSE"}`,
  });
});

const server = app.listen(
  Number(process.env["PORT"] ?? 3000),
  "127.0.0.1",
  () => {
    console.log("listening on", server.address());
  },
);
