// SPDX-License-Identifier: Apache-2.0
//
// node-hl7-client as a command, like mllp_send: node_client.mjs PORT FILE sends the framed messages of FILE one after the other and
// prints each MSA. Ends when the connection does; the client itself would try for ever.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const kit = createRequire(new URL('../door/package.json', import.meta.url))('node-hl7-client');
const messages = readFileSync(process.argv[3], 'latin1').split('\x0b').slice(1).map((m) => m.slice(0, m.indexOf('\x1c')));
const client = new kit.Client({ host: '127.0.0.1' });
const leave = (code) => process.stdout.write('', () => process.exit(code));
let answered;
const outbound = client.createOutbound({ port: Number(process.argv[2]) }, async (answer) => answered?.(answer.getMessage().toString()));
for (const event of ['client.error', 'error', 'client.close', 'close', 'connection']) outbound.on(event, () => {});
process.on('unhandledRejection', () => leave(1));

for (const text of messages) {
  const answer = new Promise((done) => { answered = done; setTimeout(done, 4_000); });
  await outbound.sendMessage(new kit.Message({ text }));
  const msa = /MSA\|\w\w\|[^|\r]+/.exec((await answer) ?? '');
  if (!msa) leave(1);
  process.stdout.write(`${msa?.[0]}\n`);
}
leave(0);
