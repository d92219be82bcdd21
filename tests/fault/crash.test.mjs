// SPDX-License-Identifier: Apache-2.0
//
// Killed without warning in the middle of work, again and again: what was acknowledged is there, nothing is there twice, nothing
// is there by halves, and the audit chain holds; what the indexes find is what they find made anew. Single writes, transactions,
// conditional creates that race for the same criteria, patches that count up, and messages. (That an acknowledgement also survives a power cut is the business of
// synchronous=FULL and of the storage tests: kill -9 loses no page that the kernel has.)
//
// TASUKI_CRASH_ROUNDS sets the number of kills, TASUKI_CRASH_SEED repeats the moments of an earlier run.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Region, sleep, sql, tasuki } from '../door/region.mjs';
import { Sender, ackCode } from '../door/mllp.mjs';
import { observation, patient } from '../door/resources.mjs';
import { serve } from './serve.mjs';

const ROUNDS = Number(process.env.TASUKI_CRASH_ROUNDS ?? 100);
const SEED = Number(process.env.TASUKI_CRASH_SEED ?? Date.now() % 1_000_000);
const SYSTEM = 'urn:test:crash';
const WHOLE = 'urn:test:whole';
const RACE = 'urn:test:race';
const WRITERS = 4;
const SENDERS = 3;
const TRANSACTORS = 2;
const RACERS = 2;
const PATCHERS = 2;
const PART = 4; // entries of a transaction

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
const counters = []; // of each patcher: what was acknowledged, and whether one more was sent
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  await region.party('hospital-a').create(patient(region.resident('resident-1')));
  for (let i = 0; i < PATCHERS; i++) {
    counters.push({ id: `counter-${i}`, value: 0, sent: false });
    await region.party('hospital-a').put(`/Observation/counter-${i}`, observation(region.resident('resident-1').card, { id: `counter-${i}`, value: 0 }));
  }
  await region.stop({ keep: true });
});
after(async () => {
  if (!region) return;
  region.owned = true;
  if (region.child.exitCode === null && region.child.signalCode === null) await region.stop();
});

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
  const transact = async (client) => {
    while (work.going) {
      const n = ++serial;
      work.begun.add(n);
      const entry = Array.from({ length: PART }, (_, i) => ({
        fullUrl: `urn:uuid:00000000-0000-4000-8000-00000000000${i}`, request: { method: 'POST', url: 'Observation' },
        resource: observation(card, { value: n % 100, identifier: [{ system: WHOLE, value: `T${n}` }], ...(i && { hasMember: [{ reference: `urn:uuid:00000000-0000-4000-8000-00000000000${i - 1}` }] }) }),
      }));
      const answer = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry }).catch(() => undefined);
      if (!answer) return;
      assert.equal(answer.status, 200, answer.text);
      work.wholes.add(n);
    }
  };
  const race = async (client) => {
    for (let i = 0; work.going; i++) {
      const n = `R${work.round}-${i}`;
      work.raced.add(n);
      const answer = await client.request('POST', '/Observation', { body: observation(card, { identifier: [{ system: RACE, value: n }] }), headers: { 'If-None-Exist': `identifier=${RACE}|${n}` } }).catch(() => undefined);
      if (!answer) return;
      assert.ok([200, 201].includes(answer.status), answer.text);
      work.won.add(n);
    }
  };
  const patch = async (client, counter) => {
    while (work.going) {
      counter.sent = true;
      const operations = [{ op: 'test', path: '/valueQuantity/value', value: counter.value }, { op: 'replace', path: '/valueQuantity/value', value: counter.value + 1 }];
      const answer = await client.request('PATCH', `/Observation/${counter.id}`, { body: operations, type: 'application/json-patch+json' }).catch(() => undefined);
      if (!answer) return;
      assert.equal(answer.status, 200, answer.text);
      counter.value++;
      counter.sent = false;
    }
  };
  await Promise.all([...Array.from({ length: WRITERS }, () => post(party())), ...Array.from({ length: SENDERS }, send), ...Array.from({ length: TRANSACTORS }, () => transact(party())),
    ...Array.from({ length: RACERS }, () => race(party())), ...counters.map((counter) => patch(party(), counter))]);
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

/** How many resources have each of VALUES of SYSTEM as identifier. */
async function tally(party, system, values) {
  const seen = new Map();
  for (let at = 0; at < values.length; at += 100) {
    const some = values.slice(at, at + 100).map((v) => `${system}|${v}`).join(',');
    const answer = await party.request('POST', '/Observation/_search', { body: `identifier=${encodeURIComponent(some)}&_count=1000`, type: 'application/x-www-form-urlencoded' });
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    for (const { resource } of answer.json.entry ?? []) seen.set(resource.identifier[0].value, [...(seen.get(resource.identifier[0].value) ?? []), resource]);
  }
  return seen;
}

/** Transactions are there whole or not at all, races have one winner, counters stand where they were acknowledged or one beyond. */
async function checkJoint(work, say) {
  const party = region.party('hospital-a');
  const wholes = await tally(party, WHOLE, [...work.begun].map((n) => `T${n}`));
  for (const n of work.begun) {
    const parts = wholes.get(`T${n}`) ?? [];
    assert.ok(parts.length === PART || (parts.length === 0 && !work.wholes.has(n)), `${say(n)}: ${parts.length} parts of a transaction${work.wholes.has(n) ? ' that was acknowledged' : ''}`);
    const ids = new Set(parts.map((r) => r.id));
    for (const r of parts) for (const m of r.hasMember ?? []) assert.ok(ids.has(m.reference.slice('Observation/'.length)), `${say(n)}: a reference out of the transaction`);
  }
  const raced = await tally(party, RACE, [...work.raced]);
  for (const n of work.raced) {
    const count = raced.get(n)?.length ?? 0;
    assert.ok(count === 1 || (count === 0 && !work.won.has(n)), `${say(n)}: ${count} of a conditional create`);
  }
  for (const counter of counters) {
    const now = await party.read(`/Observation/${counter.id}`);
    const value = now.valueQuantity.value;
    assert.ok(value === counter.value || (counter.sent && value === counter.value + 1), `${say(counter.id)}: ${value}, acknowledged ${counter.value}`);
    assert.equal(now.meta.versionId, String(value + 1), `${say(counter.id)}: each patch is one version`);
    const history = await party.read(`/Observation/${counter.id}/_history?_count=3`);
    assert.deepEqual(history.entry.map((e) => e.resource.valueQuantity.value), [value, value - 1, value - 2].filter((v) => v >= 0), say(counter.id));
    counter.value = value;
    counter.sent = false;
  }
  kept += work.wholes.size + work.won.size;
}

async function check(work, round) {
  const say = (n) => `round ${round} of seed ${SEED}: number ${n}`;
  await checkJoint(work, say);
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
    await serve(region);
    for (let round = 1; round <= ROUNDS; round++) {
      const set = () => new Set();
      const work = { going: true, round, posted: set(), posts: set(), sentMessages: set(), acks: set(), begun: set(), wholes: set(), raced: set(), won: set() };
      const doing = load(work);
      await sleep(60 + random() * 340);
      await region.kill();
      killed++;
      work.going = false;
      await doing;
      region.agents.length = 0;
      await serve(region);
      await check(work, round);
      if (round % 20 === 0) {
        const proof = tasuki('audit', 'verify', '--dir', region.dir);
        assert.equal(proof.code, 0, `round ${round} of seed ${SEED}: ${proof.out}${proof.err}`);
        t.diagnostic(`${round} kills, ${kept} acknowledged, all there; counters at ${counters.map((c) => c.value)}`);
      }
    }
    assert.ok(kept > ROUNDS * 5, `only ${kept} acknowledgements in ${ROUNDS} rounds: there was no load`);
  });

  test('the audit has a row for every acknowledgement, and the chain holds', async () => {
    const created = sql(region, "SELECT count(*) AS n FROM audit WHERE outcome = 0 AND event IN ('create', 'intake', 'transaction')")[0].n;
    assert.ok(created >= kept, `${created} rows, ${kept} acknowledgements`);
    assert.equal(sql(region, "SELECT max(seq) - count(*) AS gap FROM audit")[0].gap, 0, 'numbers without gap');
    assert.equal(sql(region, 'PRAGMA integrity_check')[0].integrity_check, 'ok');
    const proof = tasuki('audit', 'verify', '--dir', region.dir);
    assert.equal(proof.code, 0, proof.out + proof.err);
    assert.equal(killed, ROUNDS);
  });

  test('the indexes find what they find when they are made anew', async () => {
    const ask = async () => {
      const party = region.party('hospital-a');
      const answers = [];
      for (const path of ['/Observation?_summary=count', '/Observation?value-quantity=lt5&_count=500', '/Observation?_sort=-value-quantity,_id&_count=300', '/Observation?has-member.value-quantity=7&_count=200', '/Observation?identifier:not=x&_summary=count', '/Patient?name=CRASH&_count=200', `/Observation?identifier=${RACE}|&_count=500`,
        `/Observation?identifier=${WHOLE}|&_sort=_id&_count=500`, '/Patient?_has:Observation:subject:code=4548-4', '/Observation?_content=crash&_summary=count']) {
        const { total, entry = [] } = await party.read(path);
        answers.push(`${path}: ${total} ${entry.map((e) => e.resource.id)}`);
      }
      return answers;
    };
    const before = await ask();
    await region.stop({ keep: true });
    const made = tasuki('reindex', '--dir', region.dir);
    assert.equal(made.code, 0, made.out + made.err);
    region.agents.length = 0;
    await serve(region);
    assert.deepEqual(await ask(), before);
  });

  test('and it still ends in order', async () => {
    region.owned = true;
    await region.stop();
  });
});
