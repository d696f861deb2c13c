// Publish a disconnect event from Node: AMQP_URL=… node publish_event.js EMAIL [GOOGLE_ID]
// Needs amqplib: npm ci

import { randomUUID } from "node:crypto";

import amqp from "amqplib";

const [email, googleId = null] = process.argv.slice(2);
const now = new Date().toISOString();
const event = {
  // Keep the id with the change that it tells of: publish again under the same one after a failure,
  // and the platforms are still told once.
  id: `evt_${randomUUID().replaceAll("-", "")}`,
  event_type: "user.calendar.disconnected",
  timestamp: now,
  api_version: "v1",
  data: {
    user_email: email,
    google_id: googleId, // a string: real ones exceed Number.MAX_SAFE_INTEGER
    provider: "google",
    disconnected_at: now,
    reason: "user_requested",
  },
};

const connection = await amqp.connect(process.env.AMQP_URL);
try {
  const channel = await connection.createConfirmChannel();
  let returned = false;
  channel.on("return", () => { returned = true; }); // comes before the confirm
  const message = Buffer.from(JSON.stringify(event));
  channel.publish("calendar.events", event.event_type, message, {
    persistent: true,
    mandatory: true,
    contentType: "application/json",
    messageId: event.id,
  });
  await channel.waitForConfirms();
  if (returned) throw new Error("no queue took the event: run `fanout migrate`, publish again");
} finally {
  await connection.close();
}
console.log(event.id);
