// SPDX-License-Identifier: Apache-2.0
//
// Subscriptions from outside: what is delivered, in which order, to whom, and what happens when the receiver fails, the
// program is killed, or the resident changes his mind.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { Receiver } from './receiver.mjs';
import { Region, assertOutcome, sleep, sql, tasuki, until } from './region.mjs';
import { consent, observation, patient } from './resources.mjs';

let region;
let a;
let b;
let one;
let receiver;
let standing;

const connect = () => { [a, b, one] = ['hospital-a', 'hospital-b', 'resident-1'].map((name) => region.party(name)); };
const argv = () => ['demo', '--dir', region.dir, '--port-base', String(region.base), '--patients', '8', '--empty'];
const card = () => region.resident('resident-1').card;
const LAB = 'Observation?code=http://loinc.org|4548-4';
const conf = () => ['--config', `${region.dir}/tasuki.conf`];

before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  connect();
  receiver = await Receiver.start();
  await a.create(patient(region.resident('resident-1')));
  await decide({ type: 'permit' });
});
after(async () => {
  await receiver?.stop();
  await region?.stop();
});

async function decide(provision) {
  const body = consent(card(), provision);
  const answer = standing ? await one.put(`/Consent/${standing}`, { ...body, id: standing }) : await one.post('/Consent', body);
  assert.ok([200, 201].includes(answer.status), answer.text);
  standing = answer.json.id;
}

const subscription = (endpoint, extra = {}, channel = {}) => ({
  resourceType: 'Subscription',
  status: 'requested',
  reason: 'results for our clinic',
  criteria: LAB,
  channel: { type: 'rest-hook', ...(endpoint ? { endpoint } : {}), payload: 'application/fhir+json', ...channel },
  ...extra,
});

/** Writes it and waits until the server made it active. */
async function subscribe(party, body) {
  const made = await party.create(body);
  await until(async () => (await party.read(`/Subscription/${made.id}`)).status === 'active', { what: 'active' });
  return made.id;
}

const off = async (party, id) => {
  const now = await party.read(`/Subscription/${id}`);
  assert.equal((await party.put(`/Subscription/${id}`, { ...now, status: 'off', error: undefined })).status, 200);
};
const lab = (value) => a.create(observation(card(), { value }));
const values = () => receiver.got.map((g) => g.json.valueQuantity.value);

describe('what may be asked for', () => {
  const refused = [
    ['active is the server\'s word', { status: 'active' }, {}, /Subscription\.status/],
    ['a channel that is not there', {}, { type: 'email' }, /channel\.type/],
    ['an unknown parameter', { criteria: 'Observation?nonsense=1' }, {}, /criteria/],
    ['an unknown type', { criteria: 'Nonsense?x=1' }, {}, /criteria/],
    ['a result parameter', { criteria: 'Observation?_count=3' }, {}, /criteria/],
    ['the audit record', { criteria: 'AuditEvent?date=2026' }, {}, /criteria/],
    ['a place that is not on the list', {}, { endpoint: 'https://evil.example/hook' }, /channel\.endpoint/],
    ['a neighbour in the network', {}, { endpoint: 'http://10.0.0.1/' }, /channel\.endpoint/],
    ['no loopback by another name', {}, { endpoint: 'http://127.0.0.1@10.0.0.1/' }, /channel\.endpoint/],
    ['something that is no URL', {}, { endpoint: 'file:///etc/passwd' }, /channel\.endpoint/],
    ['a header that frames', {}, { header: ['Content-Length: 3'] }, /channel\.header/],
    ['a header with two lines', {}, { header: ['X: a\r\nY: b'] }, /channel\.header|Subscription/],
    ['a payload we do not print', {}, { payload: 'text/csv' }, /channel\.payload/],
  ];
  for (const [what, extra, channel, pattern] of refused) {
    test(`${what}: 422`, async () => {
      assertOutcome(await b.post('/Subscription', subscription('http://127.0.0.1:1/', extra, channel)), 422, pattern);
    });
  }

  test('by a facility only, and nobody else sees it', async () => {
    assert.equal((await one.post('/Subscription', subscription('http://127.0.0.1:1/'))).status, 403);
    const id = await subscribe(b, subscription(null));
    assert.equal((await a.get(`/Subscription/${id}`)).status, 404);
    assert.equal((await a.search('/Subscription')).resources.length, 0);
    assert.equal((await a.del(`/Subscription/${id}`)).status, 404);
    assert.equal((await b.del(`/Subscription/${id}`)).status, 204);
    assert.equal(sql(region, 'SELECT count(*) AS n FROM subscription')[0].n, 0);
  });
});

describe('rest-hook', () => {
  test('the resource, as the subscriber would read it, in order, audited', async () => {
    receiver.got = [];
    const id = await subscribe(b, subscription(`${receiver.url}/hook?x=1`, {}, { header: ['Authorization: Bearer s3cret'] }));
    const made = [];
    for (let i = 0; i < 10; i++) made.push(await lab(i));
    await a.create(observation(card(), { code: '2345-7', value: 99 }));
    await receiver.wait(10);
    await sleep(300);
    assert.deepEqual(values(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(receiver.got[0].path, '/hook?x=1');
    assert.equal(receiver.got[0].headers.authorization, 'Bearer s3cret');
    assert.match(receiver.got[0].headers['content-type'], /application\/fhir\+json/);
    assert.deepEqual(receiver.got[3].json, await b.read(`/Observation/${made[3].id}`), 'what a read gives');
    assert.equal(receiver.connections, 1, 'one connection for all');
    const rows = sql(region, "SELECT event, door, count, entity FROM audit WHERE event = 'notify' ORDER BY seq");
    assert.equal(rows.length, 10);
    assert.ok(rows.every((r) => r.door === 'push' && r.count === 1));
    assert.equal(rows[0].entity, `Observation/${made[0].id}`);
    await off(b, id);
  });

  test('without a payload, only that there is something', async () => {
    receiver.got = [];
    const id = await subscribe(b, subscription(`${receiver.url}/ping`, {}, { payload: undefined }));
    await lab(20);
    await receiver.wait(1);
    assert.equal(receiver.got[0].text, '');
    assert.equal(receiver.got[0].headers['content-length'], '0');
    await off(b, id);
  });

  test('off: nothing more; requested again: from then on', async () => {
    receiver.got = [];
    const id = await subscribe(b, subscription(`${receiver.url}/`));
    await off(b, id);
    await lab(30);
    await sleep(300);
    const now = await b.read(`/Subscription/${id}`);
    assert.equal((await b.put(`/Subscription/${id}`, { ...now, status: 'requested' })).status, 200);
    await until(async () => (await b.read(`/Subscription/${id}`)).status === 'active');
    await lab(31);
    await receiver.wait(1);
    assert.deepEqual(values(), [31]);
    await off(b, id);
  });

  test('over TLS, if the certificate is good for the name', async () => {
    const key = await Receiver.start({ key: region.tls('hospital-b').key, cert: region.tls('hospital-b').cert });
    const id = await subscribe(b, subscription(`${key.url}/`));
    await lab(40);
    await until(() => /certificate|TLS|unsuitable|mismatch/i.test(sql(region, `SELECT reason FROM subscription WHERE id = '${id}'`)[0].reason), { what: 'refused' });
    assert.equal(key.got.length, 0, 'a client\'s certificate is no server\'s');
    await off(b, id);
    await key.stop();
  });
});

describe('when the receiver fails', () => {
  test('it is tried again, later and later, in order', async () => {
    receiver.got = [];
    receiver.answer = (one_, n) => (n <= 2 ? 503 : 200);
    const id = await subscribe(b, subscription(`${receiver.url}/`));
    await lab(50);
    await lab(51);
    await receiver.wait(4);
    assert.deepEqual(values(), [50, 50, 50, 51]);
    const gaps = receiver.got.slice(1, 3).map((g, i) => g.at - receiver.got[i].at);
    assert.ok(gaps[0] >= 900 && gaps[1] >= 1800, `${gaps}`);
    receiver.answer = () => 200;
    await off(b, id);
  });

  test('a redirect is not followed', async () => {
    receiver.got = [];
    receiver.answer = (got, n) => (n === 1 ? 302 : 200);
    const id = await subscribe(b, subscription(`${receiver.url}/`));
    await lab(60);
    await receiver.wait(2);
    assert.deepEqual(receiver.got.map((g) => g.path), ['/', '/']);
    receiver.answer = () => 200;
    await off(b, id);
  });

  test('a slow receiver holds nobody else up', async () => {
    const slow = await Receiver.start();
    slow.answer = () => 0;
    receiver.got = [];
    const first = await subscribe(b, subscription(`${slow.url}/`));
    const second = await subscribe(b, subscription(`${receiver.url}/`));
    await lab(70);
    await receiver.wait(1);
    assert.equal((await b.get('/metadata')).status, 200);
    await off(b, first);
    await off(b, second);
    await slow.stop();
  });

  test('too often: error with the reason; retry goes on where it stood, --skip after it', async () => {
    receiver.got = [];
    receiver.answer = () => 500;
    const id = await subscribe(b, subscription(`${receiver.url}/`));
    await lab(80);
    await receiver.wait(1);
    await until(() => sql(region, `SELECT failures FROM subscription WHERE id = '${id}'`)[0].failures >= 1);
    const listed = JSON.parse(tasuki('subscription', 'list', '--json', ...conf()).out).find((row) => row.id === id);
    assert.equal(listed.facility, 'hospital-b');
    assert.equal(listed.status, 'active');
    assert.match(listed.reason, /500/);
    assert.notEqual(listed.stuck, '');
    assert.equal(tasuki('subscription', 'retry', id, '--skip', ...conf()).code, 0);
    receiver.answer = () => 200;
    await lab(81);
    await until(() => values().includes(81), { what: 'after the one that was skipped' });
    assert.ok(receiver.got.filter((g) => g.json.valueQuantity.value === 80).length >= 1);
    assert.equal(tasuki('subscription', 'retry', 'no-such', ...conf()).code, 4);
    await off(b, id);
  });
});

describe('a receiver that never takes it', () => {
  test('after the twelfth failure the status is error, with the reason; requested goes on from there', async () => {
    receiver.got = [];
    receiver.answer = () => 500;
    const id = await subscribe(b, subscription(`${receiver.url}/`));
    await lab(85);
    const failures = () => sql(region, `SELECT failures FROM subscription WHERE id = '${id}'`)[0].failures;
    await until(() => failures() === 1);
    // as if it had failed eleven times: the waits before that are minutes
    execFileSync('sqlite3', ['-cmd', '.timeout 5000', `${region.dir}/data/tasuki.db`, `UPDATE subscription SET failures = 11 WHERE id = '${id}'`]);
    const now = await until(async () => {
      const read = await b.read(`/Subscription/${id}`);
      return read.status === 'error' && read;
    }, { what: 'error' });
    assert.match(now.error, /500/);
    const count = receiver.got.length;
    await lab(86);
    await sleep(500);
    assert.equal(receiver.got.length, count, 'nothing more is tried');
    receiver.answer = () => 200;
    assert.equal((await b.put(`/Subscription/${id}`, { ...now, status: 'requested', error: undefined })).status, 200);
    await until(() => values().includes(86));
    assert.deepEqual(values().slice(count), [85, 86], 'nothing is lost');
    await off(b, id);
  });
});

describe('consent decides when it is sent', () => {
  test('withdrawn meanwhile: not sent, also not on the next attempt', async () => {
    receiver.got = [];
    let open;
    receiver.answer = (got, n) => (n === 1 ? new Promise((done) => { open = done; }) : 200);
    const id = await subscribe(b, subscription(`${receiver.url}/`));
    await lab(90);
    await receiver.wait(1);
    await lab(91);
    await decide({ type: 'deny' });
    open(503);
    await sleep(2500);
    assert.deepEqual(values(), [90], 'what was sent before is all');
    await decide({ type: 'permit' });
    await lab(92);
    await receiver.wait(2);
    assert.deepEqual(values(), [90, 92], 'and what he could not see in its turn does not come later');
    receiver.answer = () => 200;
    await off(b, id);
  });
});

describe('over the program\'s end', () => {
  test('killed in the middle of deliveries: all of them, in order, at least once', async () => {
    receiver.got = [];
    receiver.answer = async () => { await sleep(30); return 200; };
    await subscribe(b, subscription(`${receiver.url}/`));
    const wanted = [];
    for (let i = 100; i < 130; i++) {
      await lab(i);
      wanted.push(i);
    }
    await receiver.wait(5);
    await region.kill();
    await sleep(200);
    await region.launch(argv());
    connect();
    await lab(130);
    wanted.push(130);
    await until(() => values().includes(130), { what: 'the last', ms: 30_000 });
    const first = [...new Set(values())];
    assert.deepEqual(first, wanted);
    assert.ok(values().length <= wanted.length + 1, 'at most the one under way came twice');
    receiver.answer = () => 200;
  });

  test('a certificate that is revoked gets nothing more', async () => {
    receiver.got = [];
    assert.equal(tasuki('cert', 'revoke', 'hospital-b', ...conf()).code, 0);
    await lab(140);
    await until(() => sql(region, 'SELECT state FROM subscription WHERE state = 2').length > 0, { what: 'error' });
    assert.equal(receiver.got.length, 0);
  });
});
