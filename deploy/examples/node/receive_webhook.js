// Receive webhooks and verify them, with Node's own modules alone.
// WEBHOOK_SECRET=whsec_… PORT=8088 node receive_webhook.js

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const TOLERANCE_S = 300;
const key = Buffer.from(process.env.WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
// In a service: a table, written in the transaction of your own work, kept for 30 days.
const known = new Set();

// Tell whether this body, byte for byte as it came, was signed with the secret just now.
function isOurs(body, headers) {
  const timestamp = Number(headers["webhook-timestamp"]);
  if (!(Math.abs(Date.now() / 1000 - timestamp) <= TOLERANCE_S)) return false; // NaN too
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`;
  const digest = createHmac("sha256", key).update(signed).update(body).digest("base64");
  const right = Buffer.from(`v1,${digest}`);
  const given = (headers["webhook-signature"] ?? "").split(" "); // two while a secret is rotated
  return given
    .map((one) => Buffer.from(one))
    .some((one) => one.length === right.length && timingSafeEqual(one, right));
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks); // the raw bytes: verify first, parse afterwards
  if (!isOurs(body, request.headers)) {
    response.writeHead(400).end();
    return;
  }
  const name = request.headers["webhook-id"];
  if (!known.has(name)) {
    known.add(name);
    const { data } = JSON.parse(body);
    // Here your own work starts, unless the user connected again after the disconnect.
    console.log("told", name, "ended", data.disconnected_at);
  }
  response.writeHead(204).end(); // 2xx also to what is known
});

server.listen(Number(process.env.PORT ?? 8088), "127.0.0.1", () => {
  console.log("listening", server.address().port);
});
