// SPDX-License-Identifier: Apache-2.0
//
// Killed without warning in the middle of work, again and again: what was acknowledged is there, nothing is there twice, nothing
// is there by halves, and the audit chain holds. (That an acknowledgement also survives a power cut is the business of
// synchronous=FULL and of the storage tests: kill -9 loses no page that the kernel has.)
//
// TASUKI_CRASH_ROUNDS sets the number of kills, TASUKI_CRASH_SEED repeats the moments of an earlier run.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BINARY, Region, sleep, sql, tasuki } from '../door/region.mjs';
import { Sender, ackCode } from '../door/mllp.mjs';
import { observation, patient } from '../door/resources.mjs';

const ROUNDS = Number(process.env.TASUKI_CRASH_ROUNDS ?? 100);
const SEED = Number(process.env.TASUKI_CRASH_SEED ?? Date.now() % 1_000_000);
const SYSTEM = 'urn:test:crash';
const WRITERS = 4;
const SENDERS = 3;

/** A small repeatable generator (mulberry32). */
let state = SEED;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

let region;
let serial = 0;
let kept = 0;
let killed = 0;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  await region.party('hospital-a').create(patient(region.resident('resident-1')));
  await region.stop({ keep: true });
});
after(async () => {
  if (!region) return;
  region.owned = true;
  if (region.child.exitCode === null && region.child.signalCode === null) await region.stop();
});

const ready = () => new Promise((done) => {
  const call = http.get(`${region.urls.ops}/readyz`, (answer) => { answer.resume(); done(answer.statusCode === 200); });
  call.on('error', () => done(false));
  call.setTimeout(1_000, () => { call.destroy(); done(false); });
});

/** Starts the server on the region that is there; it must come up whatever it was killed in. */
async function serve() {
  region.err = '';
  const child = spawn(BINARY, ['serve', '--config', join(region.dir, 'tasuki.conf')], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0:exitcode=99' } });
  region.child = child;
  region.exited = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })));
  child.stderr.setEncoding('utf8').on('data', (text) => { region.err += text; });
  for (let i = 0; i < 1_500; i++) {
    if (await ready()) return;
    assert.equal(child.exitCode, null, `does not start again: ${region.tail()}`);
    await sleep(20);
  }
  assert.fail(`not ready in 30 s: ${region.tail()}`);
}

const adt = (n) => [
  `MSH|^~\\&|CRASH|SEND|GW|RCV|20260101120000||ADT^A08^ADT_A01|K${n}|P|2.5`,
  'EVN||20260101120000', `PID|0001||K${n}^^^^PI||CRASH^TEST^^^^^L^A||19650415|F`, 'PV1|0001|O', '',
].join('\r');

/** Works until the server is gone; notes what was sent and what was acknowledged. */
async function load(work) {
  const party = () => region.party('hospital-a');
  const card = region.resident('resident-1').card;
  const post = async (client) => {
    while (work.going) {
      const n = ++serial;
      work.posted.add(n);
      const body = observation(card, { value: n % 100, identifier: [{ system: SYSTEM, value: `H${n}` }] });
      const answer = await client.post('/Observation', body).catch(() => undefined);
      if (!answer) return;
      assert.equal(answer.status, 201, answer.text);
      work.posts.add(n);
    }
  };
  const send = async () => {
    const sender = await Sender.open(region.ports.mllp).catch(() => undefined);
    while (sender && work.going) {
      const n = ++serial;
      work.sentMessages.add(n);
      const ack = await sender.send(adt(n));
      if (!ack) return;
      assert.equal(ackCode(ack), 'AA', ack.toString());
      work.acks.add(n);
    }
  };
  await Promise.all([...Array.from({ length: WRITERS }, () => post(party())), ...Array.from({ length: SENDERS }, send)]);
}

/** How often each of VALUES is found by identifier, asked of the server as a client would. */
async function found(party, values) {
  const seen = new Map();
  for (let at = 0; at < values.length; at += 200) {
    const some = values.slice(at, at + 200).map((n) => `${SYSTEM}|H${n}`).join(',');
    const answer = await party.request('POST', '/Observation/_search', { body: `identifier=${encodeURIComponent(some)}&_count=1000`, type: 'application/x-www-form-urlencoded' });
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    assert.equal(answer.json.total, (answer.json.entry ?? []).length);
    for (const { resource } of answer.json.entry ?? []) {
      const n = Number(resource.identifier[0].value.slice(1));
      seen.set(n, (seen.get(n) ?? 0) + 1);
      assert.equal(resource.valueQuantity.value, n % 100);
    }
  }
  return seen;
}

async function check(work, round) {
  const say = (n) => `round ${round} of seed ${SEED}: number ${n}`;
  const seen = await found(region.party('hospital-a'), [...work.posted]);
  for (const n of work.posts) assert.equal(seen.get(n), 1, `${say(n)} was acknowledged by 201`);
  for (const [n, count] of seen) assert.equal(count, 1, `${say(n)} is there ${count} times`);
  const list = [...work.sentMessages].map((n) => `'K${n}'`).join(',') || "''";
  const inbox = new Map(sql(region, `SELECT control_id AS id, count(*) AS n FROM inbox WHERE control_id IN (${list}) GROUP BY 1`).map((r) => [r.id, r.n]));
  const charts = new Map(sql(region, `SELECT local_no AS id, count(r.rid) AS n FROM chart c LEFT JOIN record r ON r.chart = c.id AND r.type = 'Patient' WHERE local_no IN (${list}) GROUP BY 1`).map((r) => [r.id, r.n]));
  for (const n of work.acks) assert.equal(inbox.get(`K${n}`), 1, `${say(n)} was acknowledged by AA`);
  for (const n of work.sentMessages) {
    assert.ok((inbox.get(`K${n}`) ?? 0) <= 1, say(n));
    assert.equal(charts.get(`K${n}`) ?? 0, inbox.get(`K${n}`) ?? 0, `${say(n)} is remembered and filed together or not at all`);
  }
  kept += work.posts.size + work.acks.size;
  if (!work.acks.size) return;
  // A sender that got no answer sends again: what had been filed is not filed twice.
  const sender = await Sender.open(region.ports.mllp);
  for (const n of work.sentMessages) if (!work.acks.has(n)) assert.equal(ackCode(await sender.send(adt(n))), 'AA', say(n));
  sender.close();
}

describe(`killed ${ROUNDS} times under load`, () => {
  test('nothing acknowledged is lost, nothing is doubled', { timeout: 900_000 }, async (t) => {
    t.diagnostic(`seed ${SEED}`);
    await serve();
    for (let round = 1; round <= ROUNDS; round++) {
      const work = { going: true, posted: new Set(), posts: new Set(), sentMessages: new Set(), acks: new Set() };
      const doing = load(work);
      await sleep(60 + random() * 340);
      await region.kill();
      killed++;
      work.going = false;
      await doing;
      region.agents.length = 0;
      await serve();
      await check(work, round);
      if (round % 20 === 0) {
        const proof = tasuki('audit', 'verify', '--dir', region.dir);
        assert.equal(proof.code, 0, `round ${round} of seed ${SEED}: ${proof.out}${proof.err}`);
        t.diagnostic(`${round} kills, ${kept} acknowledged, all there`);
      }
    }
    assert.ok(kept > ROUNDS * 5, `only ${kept} acknowledgements in ${ROUNDS} rounds: there was no load`);
  });

  test('the audit has a row for every acknowledgement, and the chain holds', async () => {
    const created = sql(region, "SELECT count(*) AS n FROM audit WHERE outcome = 0 AND event IN ('create', 'intake')")[0].n;
    assert.ok(created >= kept, `${created} rows, ${kept} acknowledgements`);
    assert.equal(sql(region, "SELECT max(seq) - count(*) AS gap FROM audit")[0].gap, 0, 'numbers without gap');
    assert.equal(sql(region, 'PRAGMA integrity_check')[0].integrity_check, 'ok');
    const proof = tasuki('audit', 'verify', '--dir', region.dir);
    assert.equal(proof.code, 0, proof.out + proof.err);
    assert.equal(killed, ROUNDS);
  });

  test('and it still ends in order', async () => {
    region.owned = true;
    await region.stop();
  });
});
