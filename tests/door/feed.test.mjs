// SPDX-License-Identifier: Apache-2.0
//
// Outgoing feeds from outside: who is told what, in which order, and what happens when the receiver is away, slow, refuses, talks nonsense,
// when the program is killed, and when the resident changes his mind.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { serve } from '../fault/serve.mjs';
import { Sender, ackCode } from './mllp.mjs';
import { MllpReceiver, ack, segments } from './mllp_receiver.mjs';
import { ROOT, Region, freePorts, sleep, sql, tasuki, until } from './region.mjs';
import { consent, observation, patient } from './resources.mjs';

const ONE = 'resident-1';
const NUMBER = 'C-0000042'; // of resident-1 at clinic-c

let region;
let a;
let b;
let c;
let one;
let receiver;
let standing;

const card = (key = ONE) => region.resident(key).card;
const conf = () => ['--config', join(region.dir, 'tasuki.conf')];
const feed = () => JSON.parse(tasuki('feed', 'list', '--json', ...conf()).out)[0];
const letters = (...more) => JSON.parse(tasuki('feed', 'show', 'clinic', '--json', ...more, ...conf()).out);
const row = (key) => sql(region, `SELECT * FROM feed WHERE name = '${key ?? 'clinic'}'`)[0];

function connect() {
  [a, b, c, one] = ['hospital-a', 'hospital-b', 'clinic-c', ONE].map((name) => region.party(name));
}

async function decide(provision) {
  const body = consent(card(), provision);
  const answer = standing ? await one.put(`/Consent/${standing}`, { ...body, id: standing }) : await one.post('/Consent', body);
  assert.ok([200, 201].includes(answer.status), answer.text);
  standing = answer.json.id;
}

/** Stops it, writes the section, starts it again. */
async function configure(lines, name = 'clinic') {
  const path = join(region.dir, 'tasuki.conf');
  const old = readFileSync(path, 'utf8').split(`\n[feed ${name}]`)[0];
  await region.stop({ keep: true });
  writeFileSync(path, `${old}\n[feed ${name}]\n${Object.entries(lines).map(([key, value]) => `${key} = ${value}`).join('\n')}\n`);
  assert.equal(tasuki('check-config', path).out.trim(), 'ok');
  await serve(region);
  connect();
}

const plain = (extra = {}) => ({ facility: 'clinic-c', host: '127.0.0.1', port: receiver.port, tls: 'off', application: 'EHR', receiver: 'CLINIC-C', 'answer-seconds': 8, ...extra });

before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  connect();
  receiver = await MllpReceiver.start();
  await a.create(patient(region.resident(ONE), { identifier: [{ system: region.localSystem('hospital-a'), value: 'A-77' }] }));
  await c.create(patient(region.resident(ONE), { identifier: [{ system: region.localSystem('clinic-c'), value: NUMBER }] }));
  await a.create(patient(region.resident('resident-2')));
  await decide({ type: 'permit' });
  await configure(plain());
  await until(() => row(), { what: 'the feed has begun' });
});
after(async () => {
  await receiver?.stop();
  if (region?.child.exitCode === null && region.child.signalCode === null) { region.owned = true; await region.stop(); }
});
beforeEach(() => {
  receiver.got.length = 0;
  receiver.answer = (m) => ack(m.bytes, 'AA');
});

const lab = (value, extra = {}, party = a) => party.create(observation(card(), { value, ...extra }));
/** OBX-5 of everything that came. */
const values = () => receiver.got.flatMap((m) => segments(m.text, 'OBX').map((o) => Number(o[5])));
const settled = (count) => until(() => row().sent >= count && !row().until, { what: `${count} sent, ${JSON.stringify(row())}` });

describe('what is told to whom', () => {
  test('a new result of another facility, under the receiver\'s own number', async () => {
    const before = row().sent;
    await lab(6.1, { note: [{ text: '空腹時' }], referenceRange: [{ text: '4.6-6.2' }] });
    const [m] = await receiver.wait(1);
    const [msh] = segments(m.text, 'MSH');
    assert.deepEqual([msh[2], msh[3], msh[4], msh[5], msh[8], msh[11], msh[17]], ['TASUKI', region.facility('hospital-a').code, 'EHR', 'CLINIC-C', 'ORU^R01^ORU_R01', '2.5', '~ISO IR87']);
    assert.match(msh[9], /^[0-9A-Z]{20}$/);
    const [pid] = segments(m.text, 'PID');
    const code = region.facility('clinic-c').code;
    assert.equal(pid[3], `${NUMBER}^^^${code}&1.2.392.100495.20.3.51.1${code}&ISO^PI`);
    assert.ok(!m.text.includes('A-77') && !m.text.includes(card()), 'no other number');
    assert.match(pid[5], new RegExp(region.resident(ONE).name.split(/[ 　]/)[0]), 'Japanese in ISO-2022-JP');
    const [obx] = segments(m.text, 'OBX');
    assert.deepEqual([obx[2], obx[3].split('^')[0], obx[5], obx[7], obx[11]], ['NM', '4548-4', '6.1', '4.6-6.2', 'F']);
    assert.equal(segments(m.text, 'NTE')[0][3], '空腹時');
    await settled(before + 1);
    const [disclosed] = sql(region, 'SELECT event, outcome, count, query FROM audit WHERE event = \'feed\' ORDER BY seq DESC LIMIT 1');
    assert.equal(disclosed.outcome, 0);
    assert.match(disclosed.query, new RegExp(`feed clinic mllp://127\\.0\\.0\\.1:\\d+ ${m.id}`));
  });

  test('a report with all its results in one message, again when one is corrected', async () => {
    const results = [];
    for (const [code, value] of [['2345-7', 98], ['2160-0', 0.8]]) results.push(await lab(value, { code }));
    await receiver.wait(2);
    receiver.got.length = 0;
    const report = await a.create({
      resourceType: 'DiagnosticReport', status: 'final', code: { text: '生化学' }, subject: results[0].subject,
      effectiveDateTime: '2026-01-15T09:00:00+09:00', result: results.map((r) => ({ reference: `Observation/${r.id}` })),
      identifier: [{ system: 'urn:tasuki:local:x:order', value: '20260115001' }], conclusion: '異常なし',
    });
    const [first] = await receiver.wait(1);
    const [obr] = segments(first.text, 'OBR');
    assert.match(obr[2], new RegExp(`^${region.facility('hospital-a').code}-20260115001\\^`));
    assert.equal(obr[25], 'F');
    assert.deepEqual(segments(first.text, 'OBX').map((o) => o[5]), ['98', '0.8']);
    assert.equal(segments(first.text, 'NTE')[0][3], '異常なし');
    const wrong = await a.read(`/Observation/${results[0].id}`);
    assert.equal((await a.put(`/Observation/${wrong.id}`, { ...wrong, status: 'corrected', valueQuantity: { ...wrong.valueQuantity, value: 89 } })).status, 200);
    const second = (await receiver.wait(2))[1];
    assert.deepEqual(segments(second.text, 'OBX').map((o) => [o[5], o[11]]), [['89', 'C'], ['0.8', 'F']], 'the whole report, one corrected');
    assert.equal(segments(second.text, 'OBR')[0][2], obr[2], 'the same order');
    assert.notEqual(second.id, first.id);
    assert.equal((await a.del(`/Observation/${results[1].id}`)).status, 204);
    const third = (await receiver.wait(3))[2];
    assert.deepEqual(segments(third.text, 'OBX').map((o) => [o[3].split('^')[0], o[5] ?? '', o[11]]), [['2345-7', '89', 'C'], ['2160-0', '', 'D']], 'withdrawn, without its value');
    assert.equal((await a.del(`/DiagnosticReport/${report.id}`)).status, 204);
    const fourth = (await receiver.wait(4))[3];
    assert.equal(segments(fourth.text, 'OBR')[0][25], 'X');
  });

  test('what came as HL7 v2 goes out as one message, what its next version no longer has is withdrawn', async () => {
    const sender = await Sender.open(region.ports.mllp);
    const oul = (id, results) => ['MSH|^~\\&|LIS|A|GW|R|20260115100000||OUL^R22^OUL_R22|' + id + '|P|2.5||||||UNICODE UTF-8', 'PID|0001||A-77^^^^PI', 'SPM|1|S77||023^血清^JC10|||||||||||||20260115090000',
      'OBR||000000077000001||E002^生化学的検査^99O03|||20260115090000', 'ORC|SC|000000077000001',
      ...results.map(([code, name, value], i) => `OBX|${i + 1}|NM|${code}^${name}^JC10||${value}|g/dl^g/dl^ISO+|6.7-8.3|H|||F|||20260115090000`)].join('\r') + '\r';
    const protein = ['3A010000002327101', '総蛋白', '7.20'];
    const albumin = ['3A015000002327101', 'アルブミン', '4.1'];
    assert.equal(ackCode(await sender.send(oul('F1', [protein, albumin]))), 'AA');
    const [first] = await receiver.wait(1);
    assert.equal(segments(first.text, 'OBR').length, 1);
    assert.deepEqual(segments(first.text, 'OBX').map((o) => [o[3], o[5], o[6], o[7], o[8], o[11], o[14]]),
      [protein, albumin].map(([code, name, value]) => [`${code}^${name}^JC10`, value, 'g/dl^g/dl^ISO+', '6.7-8.3', 'H', 'F', '20260115090000']));
    assert.equal(segments(first.text, 'SPM')[0][4], '023^血清^JC10');
    assert.match(segments(first.text, 'OBR')[0][2], /^\d{10}-000000077000001\^/);
    assert.equal(ackCode(await sender.send(oul('F2', [['3A010000002327101', '総蛋白', '7.30']]))), 'AA');
    const second = (await receiver.wait(2))[1];
    assert.deepEqual(segments(second.text, 'OBX').map((o) => [o[3].split('^')[1], o[5] ?? '', o[11]]), [['総蛋白', '7.30', 'F'], ['アルブミン', '', 'D']]);
    assert.equal(segments(second.text, 'OBR').length, 1);
    await sleep(300);
    assert.equal(receiver.got.length, 2, 'one message each');
    sender.close();
  });

  test('nothing of the facility itself, of a resident it does not treat, or of another category', async () => {
    await lab(5.0, {}, c);
    await a.create(observation(card('resident-2'), { value: 5.1 }));
    await a.create({ ...observation(card(), { value: 5.2 }), category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }] });
    await lab(5.3);
    await receiver.wait(1);
    await sleep(300);
    assert.deepEqual(values(), [5.3]);
  });

  test('nothing without consent, and nothing of it later', async () => {
    await decide({ type: 'deny' });
    await lab(7.1);
    await sleep(500);
    await decide({ type: 'permit' });
    await lab(7.2);
    await receiver.wait(1);
    await sleep(300);
    assert.deepEqual(values(), [7.2]);
  });
});

describe('a receiver that', () => {
  test('is away gets all of it in order when it is back', async () => {
    const { port } = receiver;
    await receiver.stop();
    for (const v of [1.1, 1.2, 1.3]) await lab(v);
    await until(() => row().failures >= 1, { what: 'a failure is noted' });
    const disclosures = sql(region, 'SELECT count(*) AS n FROM audit WHERE event = \'feed\'')[0].n;
    await sleep(1_200);
    assert.equal(sql(region, 'SELECT count(*) AS n FROM audit WHERE event = \'feed\'')[0].n, disclosures, 'nothing left, nothing was disclosed');
    await receiver.listen(port);
    await until(() => receiver.got.length > 0, { what: 'delivery', ms: 30_000 });
    await until(() => !row().until && values().includes(1.3), { what: 'all' });
    assert.deepEqual([...new Set(values())], [1.1, 1.2, 1.3]);
    assert.equal(row().failures, 0);
  });

  test('is slow is waited for, then sent the same message with the same MSH-10', async () => {
    let silent = true;
    receiver.answer = (m) => (silent ? undefined : ack(m.bytes, 'AA'));
    await lab(2.1);
    await until(() => row().failures >= 1, { what: 'a failure is noted', ms: 40_000 });
    assert.match(feed().reason, /no answer in time/);
    silent = false;
    await receiver.wait(2);
    await until(() => !row().until, { what: 'settled' });
    assert.equal(new Set(receiver.got.map((m) => m.id)).size, 1);
    assert.equal(new Set(receiver.got.map((m) => m.bytes.toString('hex'))).size, 1);
  });

  for (const code of ['AE', 'AR', 'CE', 'CR']) {
    test(`refuses with ${code}: a dead letter, and the queue goes on`, async () => {
      const had = letters().length;
      receiver.answer = (m, n) => (n === 1 ? ack(m.bytes, code, { more: 'ERR||OBX^1^3|204^Unknown key identifier^HL70357|E||||no such item\r' }) : ack(m.bytes, 'AA'));
      await lab(3.1);
      await receiver.wait(1);
      await lab(3.2);
      await receiver.wait(2);
      await until(() => letters().length === had + 1, { what: 'a letter' });
      const letter = letters().at(-1);
      assert.deepEqual([letter.code, letter.message, letter.state], [code, receiver.got[0].id, 'waiting']);
      assert.match(letter.reason, /204: no such item/);
      assert.equal(row().failures, 0);
      receiver.got.length = 0;
      receiver.answer = (m) => ack(m.bytes, 'AA');
      assert.equal(tasuki('feed', 'retry', 'clinic', String(letter.letter), ...conf()).code, 0);
      await receiver.wait(1);
      assert.deepEqual(values(), [3.1]);
      await until(() => letters('--all').find((l) => l.letter === letter.letter).state === 'sent', { what: 'sent' });
    });
  }

  test('answers nonsense, or to another message, is not believed', async () => {
    const said = [
      () => Buffer.from('this is no HL7'),
      () => ({ raw: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }),
      (m) => ack(m.bytes, 'AA', { id: 'ANOTHER' }),
      () => 'close',
    ];
    for (const [i, answer] of said.entries()) {
      receiver.got.length = 0;
      let first = true;
      receiver.answer = (m) => { const wrong = first; first = false; return wrong ? answer(m) : ack(m.bytes, 'AA'); };
      const sent = row().sent;
      await lab(4 + i / 10);
      await receiver.wait(2);
      assert.equal(receiver.got[0].id, receiver.got[1].id);
      await settled(sent + 1);
      assert.equal(row().sent, sent + 1);
    }
  });

  test('refuses what an operator then drops', async () => {
    receiver.answer = (m) => ack(m.bytes, 'AR');
    await lab(3.9);
    await until(() => letters().some((l) => l.code === 'AR'), { what: 'a letter' });
    const letter = letters().at(-1);
    assert.equal(tasuki('feed', 'drop', 'clinic', String(letter.letter), ...conf()).code, 0);
    assert.ok(!letters().some((l) => l.letter === letter.letter));
    assert.equal(tasuki('feed', 'drop', 'clinic', '999999', ...conf()).code, 4);
    assert.equal(tasuki('feed', 'drop', 'nobody', ...conf()).code, 4);
  });
});

test('consent withdrawn while the receiver is away: not sent, and the queue goes on', async () => {
  const { port } = receiver;
  receiver.answer = () => 'close';
  await lab(8.1);
  await receiver.wait(1);
  await receiver.stop();
  await decide({ type: 'deny' });
  receiver.got.length = 0;
  receiver.answer = (m) => ack(m.bytes, 'AA');
  await receiver.listen(port);
  tasuki('feed', 'retry', 'clinic', ...conf());
  await until(() => !row().until, { what: 'given up' });
  await decide({ type: 'permit' });
  await lab(8.2);
  await receiver.wait(1);
  await sleep(300);
  assert.deepEqual(values(), [8.2]);
});

test('killed in the middle: nothing is lost, order is kept, a repeat is the same message', async () => {
  const total = 40;
  receiver.answer = async (m, n) => { await sleep(n % 3 ? 0 : 15); return ack(m.bytes, 'AA'); };
  let written = 0;
  const writing = (async () => {
    for (let i = 1; i <= total; i++) {
      for (;;) {
        const answer = await a.post('/Observation', observation(card(), { value: 100 + i })).catch(() => undefined);
        if (answer?.status === 201) break;
        await sleep(50);
      }
      written = i;
    }
  })();
  for (let kill = 1; kill <= 2; kill++) {
    await until(() => written >= (total * kill) / 3, { what: 'progress', every: 5 });
    region.child.kill('SIGKILL');
    await region.exited;
    await serve(region);
  }
  await writing;
  await until(() => values().includes(100 + total) && !row().until, { what: 'all of them', ms: 60_000 });
  const firsts = [...new Set(values())].filter((v) => v > 100);
  assert.deepEqual(firsts, Array.from({ length: total }, (_, i) => 101 + i), 'all, in the order they were written');
  const bodies = new Map();
  for (const m of receiver.got) {
    assert.equal(bodies.get(m.id) ?? m.text, m.text, 'one MSH-10, one content');
    bodies.set(m.id, m.text);
  }
});

test('a feed that was off for days walks the log piece by piece', async () => {
  await region.stop({ keep: true });
  const days = 3 * 86_400_000 * 4096;
  execFileSync('sqlite3', [join(region.dir, 'data/tasuki.db'), `UPDATE feed SET position = position - ${days}`]);
  await serve(region);
  connect();
  await lab(12.5);
  await until(() => values().includes(12.5) && !row().until, { what: 'the newest', ms: 60_000 });
  assert.equal(row().failures, 0);
});

describe('over TLS', () => {
  const pki = (name) => readFileSync(join(region.dir, 'pki', name));
  const secure = (port, extra = {}) => plain({ port, tls: 'on', certificate: 'pki/operator.pem', key: 'pki/operator.key', ca: 'pki/ca.pem', charset: 'utf-8', ...extra });
  let guarded;

  before(async () => {
    guarded = await MllpReceiver.start({ tls: { key: pki('server.key'), cert: pki('server.pem'), ca: pki('ca.pem'), requestCert: true, rejectUnauthorized: true } });
  });
  after(() => guarded.stop());

  test('with a certificate of its own the receiver knows who sends', async () => {
    await configure(secure(guarded.port));
    await lab(9.1, { note: [{ text: '𠮷野家' }] });
    await guarded.wait(1);
    const [m] = guarded.got;
    assert.equal(segments(m.text, 'MSH')[0][17], 'UNICODE UTF-8');
    assert.equal(segments(m.text, 'NTE')[0][3], '𠮷野家');
    assert.equal(guarded.peers[0], 'operator');
    await until(() => !row().until, { what: 'settled' });
  });

  for (const [what, extra] of [['without one it is turned away, and nothing is told', { certificate: '', key: '' }], ['a receiver whose authority is not known is told nothing', { ca: '' }]]) {
    test(what, async () => {
      guarded.got.length = 0;
      const disclosed = () => sql(region, 'SELECT count(*) AS n FROM audit WHERE event = \'feed\' AND outcome = 0')[0].n;
      await configure(secure(guarded.port, extra));
      const had = disclosed();
      await lab(9.2);
      await until(() => row().failures >= 2, { what: 'failures' });
      assert.equal(guarded.got.length, 0);
      if (!extra.ca && extra.ca !== undefined) assert.equal(disclosed(), had);
      await configure(secure(guarded.port));
      await guarded.wait(1);
      await until(() => !row().until, { what: 'settled' });
    });
  }
});

describe('receivers that are not ours', () => {
  async function told(port, seen, charset) {
    await configure(plain({ port, charset, 'answer-seconds': 20 }));
    const { sent } = row();
    const had = letters().length;
    for (const v of [11.1, 11.2, 11.3, 11.4]) { await lab(v); await until(() => !row().until && row().position, { what: 'settled' }); }
    await until(() => row().sent > sent && !row().until && seen().length > 0, { what: JSON.stringify(row()) });
    assert.equal(letters().length, had);
    assert.ok(seen().every((id) => /^[0-9A-Z]{20}$/.test(id)), seen().join());
  }

  test('node-hl7-server', async (t) => {
    const [major, minor] = process.versions.node.split('.').map(Number);
    if (major * 100 + minor < 2008) return t.skip('node-hl7-server needs a newer Node.js');
    const { Server } = await import('node-hl7-server');
    const seen = [];
    const server = new Server({ bindAddress: '127.0.0.1' });
    const port = (await freePorts()) + 1;
    const inbound = server.createInbound({ port }, async (request, response) => {
      seen.push(request.getMessage().get('MSH.10').toString());
      await response.sendResponse('AA');
    });
    await once(inbound, 'listen');
    try {
      await told(port, () => seen, 'utf-8');
    } finally {
      await inbound.close();
    }
    return undefined;
  });

  test('the asyncio server of python3-hl7, in ISO-2022-JP', async (t) => {
    const program = join(ROOT, 'tests/door/hl7_receiver.py');
    if (spawnSync('python3', ['-c', 'import hl7.mllp']).status !== 0) return t.skip('python3-hl7 is not installed');
    const child = spawn('python3', [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
    try {
      await until(() => out.includes('\n'), { what: 'its port' });
      await told(Number(out.split('\n')[0]), () => out.trim().split('\n').slice(1), 'iso-2022-jp');
    } finally {
      child.kill();
    }
    return undefined;
  });
});

test('another region takes it in, under its own clinic', async () => {
  const other = await Region.start({ empty: true, patients: 5 });
  try {
    const there = other.party('clinic-c');
    await there.create(patient(other.resident('resident-3'), { identifier: [{ system: other.localSystem('clinic-c'), value: NUMBER }] }));
    const pki = (name) => join(other.dir, 'pki', name);
    await configure(plain({ port: other.ports.mllps, tls: 'on', certificate: pki('clinic-c.pem'), key: pki('clinic-c.key'), ca: pki('ca.pem'), 'answer-seconds': 20 }));
    const results = [];
    for (const [code, value] of [['2345-7', 101], ['2160-0', 1.1]]) results.push({ id: (await lab(value, { code })).id, code });
    await a.create({
      resourceType: 'DiagnosticReport', status: 'final', code: { text: '生化学' }, subject: { identifier: { system: 'urn:tasuki:clinic-card', value: card() } },
      category: [{ coding: [{ system: 'http://loinc.org', code: 'LP29693-6' }] }],
      effectiveDateTime: '2026-01-15T09:00:00+09:00', result: results.map((r) => ({ reference: `Observation/${r.id}` })),
    });
    const found = async (code) => (await there.search(`/Observation?code=http://loinc.org|${code}`)).resources.map((o) => [o.status, o.valueQuantity?.value]);
    const inReport = async () => (await there.search('/DiagnosticReport?_include=DiagnosticReport:result')).resources;
    await until(async () => (await inReport()).some((r) => r.resourceType === 'DiagnosticReport' && r.code.text === '生化学'), { what: 'the report' });
    assert.ok((await found('2345-7')).some(([status, value]) => status === 'final' && value === 101));
    const report = (await inReport()).find((r) => r.code?.text === '生化学');
    assert.equal(report.result.length, 2);
    const who = (await there.search(`/Patient?identifier=${encodeURIComponent(`${other.localSystem('clinic-c')}|${NUMBER}`)}`)).resources;
    assert.equal(who.length, 1);
    assert.equal(report.subject.reference, `Patient/${who[0].id}`);
    const told = async () => Promise.all((await there.read(`/DiagnosticReport/${report.id}`)).result.map((r) => there.read(`/${r.reference}`)));
    const wrong = await a.read(`/Observation/${results[0].id}`);
    assert.equal((await a.put(`/Observation/${wrong.id}`, { ...wrong, status: 'corrected', valueQuantity: { ...wrong.valueQuantity, value: 99 } })).status, 200);
    await until(async () => (await told()).some((o) => o.status === 'corrected' && o.valueQuantity.value === 99), { what: 'the correction' });
    assert.equal((await told()).length, 2);
    assert.equal((await a.del(`/Observation/${results[1].id}`)).status, 204);
    await until(async () => (await told()).length === 1, { what: 'the withdrawal' });
    assert.equal(letters().length, 0, JSON.stringify(letters()));
    assert.equal(tasuki('intake', 'rejected', '--json', '--config', join(other.dir, 'tasuki.conf')).out.trim(), '[]');
  } finally {
    await other.stop();
  }
});

test('figures', async () => {
  const metrics = await fetch(`${region.urls.ops}/metrics`).then((r) => r.text());
  assert.match(metrics, /tasuki_feed_sent_total\{feed="clinic"\} [1-9]/);
  for (const name of ['lag_seconds', 'refused_total', 'dead_letters', 'failures', 'connected']) assert.match(metrics, new RegExp(`tasuki_feed_${name}\\{feed="clinic"\\} \\d`));
  assert.equal(feed().facility, 'clinic-c');
  assert.equal(tasuki('audit', 'verify', ...conf()).code, 0);
  assert.ok(!readFileSync(join(region.dir, 'log/tasuki.log'), 'utf8').includes(NUMBER), 'no patient number in the log');
});
