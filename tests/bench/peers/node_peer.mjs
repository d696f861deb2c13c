// Node: amqplib and undici, acked when all have answered.
import { createHmac } from "node:crypto";
import amqp from "amqplib";
import { Agent, request } from "undici";

const hooks = JSON.parse(process.env.BENCH_HOOKS).map(([url, platform, secret]) => ({
  url, platform, secret: Buffer.from(secret, "base64"),
}));
const dispatcher = new Agent({ connections: 128, pipelining: 1 });
const connection = await amqp.connect(process.env.BENCH_AMQP_URL);
const channel = await connection.createChannel();
await channel.prefetch(200);
await channel.assertQueue(process.env.BENCH_QUEUE, { durable: true });

async function post(hook, event) {
  const body = JSON.stringify({ ...event, platform_id: hook.platform });
  const id = `${event.id}.${hook.platform}`;
  const now = String(Math.floor(Date.now() / 1000));
  const mark = createHmac("sha256", hook.secret).update(`${id}.${now}.${body}`).digest("base64");
  const answer = await request(hook.url, {
    method: "POST",
    dispatcher,
    body,
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": now,
      "webhook-signature": `v1,${mark}`,
    },
  });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(String(answer.statusCode));
}

await channel.consume(process.env.BENCH_QUEUE, async (message) => {
  const event = JSON.parse(message.content);
  await Promise.all(hooks.map((hook) => post(hook, event)));
  channel.ack(message);
});
console.log("ready");
