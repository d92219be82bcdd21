// SPDX-License-Identifier: Apache-2.0
//
// Listening to a Subscription: events as they happen, going on after a break, ending when the right to listen ends.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Listener } from './receiver.mjs';
import { Region, sleep, sql, until } from './region.mjs';
import { consent, observation, patient } from './resources.mjs';

let region;
let a;
let b;
let id;
let last;

const card = () => region.resident('resident-1').card;
const lab = (value) => a.create(observation(card(), { value }));
const path = () => `/Subscription/${id}/$events`;
const values = (listener) => listener.events.map((e) => e.json.valueQuantity.value);

before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  [a, b] = ['hospital-a', 'hospital-b'].map((name) => region.party(name));
  await a.create(patient(region.resident('resident-1')));
  const one = region.party('resident-1');
  await one.create(consent(card(), { type: 'permit' }));
  id = (await b.create({
    resourceType: 'Subscription', status: 'requested', reason: 'listening', criteria: 'Observation?code=4548-4',
    channel: { type: 'rest-hook', payload: 'application/fhir+json' },
  })).id;
  await until(async () => (await b.read(`/Subscription/${id}`)).status === 'active');
});
after(() => region?.stop());

test('refused: no such thing, another facility, another format', async () => {
  for (const [party, where, headers, status] of [
    [b, '/Subscription/no-such/$events', {}, 404], [a, path(), {}, 404],
    [b, path(), { Accept: 'application/fhir+json' }, 406], [b, path(), { 'Last-Event-ID': 'x' }, 400], [b, path(), { 'Last-Event-ID': '12' }, 400],
  ]) {
    const l = await new Listener(party, where, headers).opened;
    assert.equal(l.status, status, `${where} ${JSON.stringify(headers)}`);
    l.close();
  }
});

test('events come in order, each audited, and a heartbeat keeps the stream', async () => {
  const l = await new Listener(b, path()).opened;
  assert.equal(l.status, 200);
  assert.match(l.headers['content-type'], /^text\/event-stream/);
  for (let i = 0; i < 5; i++) await lab(i);
  await l.wait(5);
  assert.deepEqual(values(l), [0, 1, 2, 3, 4]);
  assert.equal(new Set(l.events.map((e) => e.id)).size, 5);
  assert.ok(l.events.every((e) => /^[\w-]{32}$/.test(e.id)), 'no number that counts what others write');
  assert.equal(sql(region, "SELECT count(*) AS n FROM audit WHERE event = 'notify'")[0].n, 5);
  last = l.events[2].id;
  l.close();
});

test('Last-Event-ID goes on after what was seen', async () => {
  await lab(5);
  const l = await new Listener(b, path(), { 'Last-Event-ID': last }).opened;
  await l.wait(3);
  assert.deepEqual(values(l), [3, 4, 5]);
  l.close();
});

test('two listeners get the same', async () => {
  const both = await Promise.all([new Listener(b, path()).opened, new Listener(b, path()).opened]);
  await sleep(200);
  await lab(6);
  await Promise.all(both.map((l) => l.wait(1)));
  assert.deepEqual(both.map(values), [[6], [6]]);
  both.forEach((l) => l.close());
});

test('turned off: the stream ends', async () => {
  const l = await new Listener(b, path()).opened;
  const now = await b.read(`/Subscription/${id}`);
  assert.equal((await b.put(`/Subscription/${id}`, { ...now, status: 'off' })).status, 200);
  await until(() => l.ended, { what: 'the end' });
  const again = await new Listener(b, path()).opened;
  assert.equal(again.status, 409);
  again.close();
});
