// SPDX-License-Identifier: Apache-2.0
//
// Leaving in good order: everything at once – reads, writes, searches, HL7 v2 messages, listeners to events, bulk exports being made
// and fetched, handshakes and half requests – and TERM in the middle of it or at its end. The program finishes what it acknowledged,
// leaves with code 0, and the sanitizers (no leak either) have nothing to say. Then it comes back and everything acknowledged is there.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { Sender, ackCode } from './mllp.mjs';
import { Listener, Receiver } from './receiver.mjs';
import { Region, sleep, sql, until } from './region.mjs';
import { consent, observation, patient } from './resources.mjs';
import { Wire } from './wire.mjs';

const SYSTEM = 'urn:test:leave';
const subscription = (endpoint) => ({
  resourceType: 'Subscription', status: 'requested', reason: 'leaving', criteria: 'Observation?code=4548-4',
  channel: { type: 'rest-hook', ...(endpoint && { endpoint }), payload: 'application/fhir+json' },
});
const adt = (n) => [
  `MSH|^~\\&|LEAVE|SEND|GW|RCV|20260101120000||ADT^A08^ADT_A01|L-${n}|P|2.5`,
  'EVN||20260101120000', `PID|0001||L${n % 30}^^^^PI||LEAVE^TEST^^^^^L^A||19650415|F`, 'PV1|0001|O', '',
].join('\r');

let home; // of the store, through all rounds
let region;
let receiver;
let listening;
let serial = 0;
const written = new Set();
const acked = new Set();
before(async () => {
  home = await Region.start({ empty: true, patients: 8 });
  const [a, b] = [home.party('hospital-a'), home.party('hospital-b')];
  receiver = await Receiver.start();
  await a.create(patient(home.resident('resident-1')));
  await home.party('resident-1').create(consent(home.resident('resident-1').card, { type: 'permit' }));
  await b.create(subscription(receiver.url));
  listening = (await b.create(subscription())).id;
  await home.stop({ keep: true });
});
after(async () => {
  await receiver?.stop();
  rmSync(home.dir, { recursive: true, force: true });
});

/** Everything at once, until WORK.going is false or the program is gone. */
function load(work) {
  const { card } = region.resident('resident-1');
  const secure = tls.createSecureContext(region.tls('hospital-a'));
  const busy = (body) => (async () => { while (work.going) await body().catch(() => sleep(20)); })();
  const [a, b] = [region.party('hospital-a'), region.party('hospital-b')];
  const write = async () => {
    const n = ++serial;
    const answer = await a.post('/Observation', observation(card, { value: n, identifier: [{ system: SYSTEM, value: `W${n}` }] }));
    if (answer.status === 201) { written.add(n); work.writes++; }
  };
  const send = (where, options) => async () => {
    const sender = await Sender.open(where, options);
    for (let ack = true; ack && work.going;) {
      const n = ++serial;
      ack = await sender.send(adt(n));
      if (ackCode(ack) === 'AA') { acked.add(n); work.messages++; }
    }
    sender.close();
  };
  const listen = async () => {
    const l = await new Listener(b, `/Subscription/${listening}/$events`).opened;
    work.listeners++;
    while (work.going && l.status === 200 && region.child.exitCode === null) await sleep(100);
    l.close();
  };
  const exporting = async () => {
    const answer = await a.get('/$export', { Prefer: 'respond-async' });
    if (answer.status !== 202) { await sleep(100); return; }
    work.exports++;
    const place = answer.headers['content-location'];
    let done = await a.get(place);
    for (; work.going && done.status === 202; done = await a.get(place)) await sleep(50);
    for (const file of done.json?.output ?? []) if ((await a.request('GET', file.url)).status === 200) work.files++;
    await a.del(place);
  };
  const rude = async () => {
    const wires = await Promise.all([Wire.open(region.ports.system, { secure }), Wire.open(region.ports.system), Wire.open(region.ports.mllp)]);
    wires[0].send('POST /fhir/Observation HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{');
    wires[1].send('\x16\x03\x01');
    wires[2].send('\x0bMSH|');
    await sleep(200);
    for (const wire of wires) wire.destroy();
  };
  const search = () => a.get(`/Observation?identifier=${SYSTEM}|&_count=200&_include=*`);
  return Promise.all([busy(write), busy(write), busy(send(region.ports.mllp)), busy(send(region.ports.mllps, region.tls('hospital-a'))),
    busy(listen), busy(listen), busy(exporting), busy(rude), busy(search), busy(search)]);
}

const begin = async () => { region = await Region.start({ dir: home.dir }); };

describe('TERM', () => {
  for (const [what, end] of [['in the middle', false], ['in the middle again', false], ['at the end', true]]) {
    test(`${what} of everything: code 0, no leak, nothing acknowledged is lost`, { timeout: 240_000 }, async (t) => {
      await begin();
      const work = { going: true, writes: 0, messages: 0, listeners: 0, exports: 0, files: 0 };
      const loading = load(work);
      await until(() => work.writes > 50 && work.messages > 50 && work.listeners > 1 && work.exports > 0, { ms: 120_000, what: 'all at work' }).catch((error) => {
        work.going = false;
        region.kill();
        throw new Error(`${error.message}: ${JSON.stringify(work)}\n${region.tail()}`);
      });
      if (end) {
        work.going = false;
        await loading;
      }
      const stopping = region.stop({ keep: true }); // asserts code 0 and silence of the sanitizers
      await region.exited;
      work.going = false;
      await Promise.all([stopping, loading]);
      t.diagnostic(JSON.stringify(work));
    });
  }

  test('what was acknowledged is there', async () => {
    await begin();
    const there = new Set(sql(region, "SELECT control_id AS id FROM inbox WHERE control_id LIKE 'L-%'").map((r) => Number(r.id.slice(2))));
    for (const n of acked) assert.ok(there.has(n), `message ${n}`);
    const found = await region.party('hospital-a').search(`/Observation?identifier=${SYSTEM}|&_count=1000`);
    const values = new Set(found.resources.map((r) => Number(r.identifier[0].value.slice(1))));
    for (const n of written) assert.ok(values.has(n), `write ${n}`);
    await region.stop({ keep: true });
  });
});
