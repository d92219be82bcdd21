// SPDX-License-Identifier: Apache-2.0
//
// The audit chain: every answer has its row, refusals too; the resident sees them; nobody can change one unnoticed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CARD, Region, sql, tasuki } from './region.mjs';
import { breakGlass, condition, consent, observation, patient, recipient } from './resources.mjs';

let region;
let a;
let b;
let self;
let own;
const card = () => region.resident('resident-1').card;
const rows = () => sql(region, 'SELECT count(*) AS n FROM audit')[0].n;
const last = () => sql(region, 'SELECT * FROM audit ORDER BY seq DESC LIMIT 1')[0];
const verify = (dir = region.dir) => tasuki('audit', 'verify', '--dir', dir);

before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  a = region.party('hospital-a').as({ 'Tasuki-User': region.staff('hospital-a', 'doctor').id, 'Tasuki-Role': 'doctor' });
  b = region.party('hospital-b');
  self = region.party('resident-1');
  await a.create(patient(region.resident('resident-1')));
  await a.create(patient(region.resident('resident-2')));
  await a.create(observation(card()));
  await a.create(observation(region.resident('resident-2').card));
  own = (await self.search('/Patient')).resources[0].id;
});
after(async () => { if (region?.child.exitCode === null) await region.stop(); });

const history = async () => (await self.search(`/Patient/${own}/$access-history?_count=500`)).resources;
const event = (e) => e.subtype.find((s) => s.system === 'urn:tasuki:audit-event').code;
const facility = (e) => e.agent.map((g) => g.who?.display).find((d) => region.demo.facilities.some((f) => f.name === d));
const request = (e) => e.entity.find((x) => x.type?.code === 'XrequestId')?.what.identifier.value;

describe('each answer', () => {
  test('has its rows by the time it arrives, refused or not', async () => {
    const made = await a.create(observation(card()));
    const id = (await a.patient(card())).id;
    const calls = {
      read: [() => a.get(`/Observation/${made.id}`), 'read', 0],
      vread: [() => a.get(`/Observation/${made.id}/_history/1`), 'vread', 0],
      history: [() => a.get(`/Observation/${made.id}/_history`), 'history', 0],
      'search with results': [() => a.get('/Observation?_count=1'), 'search', 0],
      'search without results': [() => a.get('/Observation?code=none'), 'search', 0],
      'a count': [() => a.get('/Observation?_summary=count'), 'search', 0],
      summary: [() => a.get(`/Patient/${id}/$summary`), 'summary', 0],
      everything: [() => a.get(`/Patient/${id}/$everything`), 'everything', 0],
      'explain access': [() => a.get(`/Patient/${id}/$explain-access`), 'explain-access', 0],
      match: [() => a.post('/Patient/$match', { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: patient(region.resident('resident-1')) }] }), 'match', 0],
      create: [() => a.post('/Condition', condition(card())), 'create', 0],
      update: [() => a.put(`/Observation/${made.id}`, { ...made, status: 'amended' }), 'update', 0],
      delete: [() => a.del(`/Observation/${made.id}`), 'delete', 0],
      'hidden read': [() => b.get(`/Observation/${made.id}`), 'read', 1],
      'read of nothing': [() => a.get(`/Observation/${randomUUID()}`), 'read', 1],
      'bad search': [() => a.get('/Observation?colour=red'), 'search', 1],
      'bad create': [() => a.post('/Observation', { resourceType: 'Observation' }), 'create', 1],
      'bad path': [() => a.get('/Nonsense'), 'refused', 1],
      'bad header': [() => a.get('/Observation', { 'Tasuki-Purpose': 'X' }), 'search', 1],
      'refused emergency': [() => region.party('pharmacy-p').post('/Patient/$break-glass', breakGlass(card())), 'break-glass', 1],
      'access history': [() => self.get(`/Patient/${own}/$access-history`), 'access-history', 0],
      'nobody known': [() => region.party(undefined).get('/Observation'), 'search', 1],
    };
    for (const [name, [call, what, refused]] of Object.entries(calls)) {
      const before = rows();
      const answer = await call();
      const now = last();
      assert.ok(rows() > before, `${name}: a row`);
      assert.equal(now.event, what, name);
      assert.equal(now.request, answer.headers['x-request-id'], `${name}: the row names the request`);
      assert.equal(now.outcome === 0, !refused, `${name}: outcome ${now.outcome}`);
      if (refused) assert.ok(answer.status >= 400 && now.count === 0, name);
    }
  });

  test('about several residents has a row for each', async () => {
    const before = rows();
    const answer = await a.get('/Observation?_count=100');
    const people = new Set(answer.json.entry.map((e) => e.resource.subject.reference)).size;
    assert.ok(people >= 2);
    assert.equal(rows() - before, people);
    const said = sql(region, `SELECT person, count FROM audit WHERE request = '${answer.headers['x-request-id']}'`);
    assert.equal(said.reduce((sum, r) => sum + r.count, 0), answer.json.entry.length);
  });

  test('to the monitor or about the server itself has none', async () => {
    const before = rows();
    await a.get('/metadata');
    assert.equal(rows(), before);
  });

  test('holds ids only, no names and no values', () => {
    const all = JSON.stringify(sql(region, 'SELECT * FROM audit'));
    for (const r of region.demo.residents) assert.ok(!all.includes(r.name) && !all.includes(r.kana));
    assert.ok(!all.includes('高血圧症'));
  });

  test('hundreds at once have one row each', async () => {
    const before = rows();
    const answers = await Promise.all(Array.from({ length: 200 }, () => a.get('/Observation?code=none')));
    assert.equal(rows() - before, 200);
    const ids = new Set(sql(region, `SELECT request FROM audit WHERE seq > ${before}`).map((r) => r.request));
    for (const x of answers) assert.ok(ids.has(x.headers['x-request-id']));
  });
});

describe('the resident\'s own view', () => {
  test('shows accesses within seconds, with who, why and outcome', async () => {
    await self.create(consent(card(), { type: 'permit', provision: [{ type: 'deny', actor: recipient(region.facility('clinic-c').code) }] }));
    const one = (await b.search(`/Observation?patient.identifier=${CARD}|${card()}`)).resources[0];
    const seen = await b.get(`/Observation/${one.id}`, { 'Tasuki-Purpose': 'TREAT' });
    const denied = await region.party('clinic-c').get(`/Observation/${one.id}`);
    const searched = await region.party('clinic-c').get(`/Condition?patient.identifier=${CARD}|${card()}`);
    assert.deepEqual([seen.status, denied.status, searched.json.total], [200, 404, 0]);
    const events = await history();
    const of = (answer) => events.find((e) => request(e) === answer.headers['x-request-id']);
    assert.equal(event(of(seen)), 'read');
    assert.equal(of(seen).outcome, '0');
    assert.equal(facility(of(seen)), region.facility('hospital-b').name);
    assert.ok(of(denied), 'the refused read is shown');
    assert.equal(of(denied).outcome, '4');
    assert.equal(facility(of(denied)), region.facility('clinic-c').name);
    assert.ok(of(searched), 'the search in vain is shown');
    assert.ok(of(seen).agent.some((g) => g.purposeOfUse?.some((p) => p.coding[0].code === 'TREAT')));
  });

  test('is complete and holds nobody else', async () => {
    const reply = await self.get(`/Patient/${own}/$access-history?_count=1`);
    const person = sql(region, `SELECT person FROM audit WHERE request = '${reply.headers['x-request-id']}'`)[0].person;
    const before = sql(region, `SELECT count(*) AS n FROM audit WHERE person = ${person}`)[0].n;
    const events = await history();
    assert.ok(events.length >= before, `${events.length} shown, ${before} rows`);
    for (const e of events) for (const x of e.entity) if (x.what?.reference?.startsWith('Patient/')) assert.equal(x.what.reference, `Patient/${own}`);
    assert.equal(new Set(events.map((e) => e.id)).size, events.length);
  });

  test('is for him alone', async () => {
    const two = region.party('resident-2');
    assert.equal((await two.get(`/Patient/${own}/$access-history`)).status, 404);
    assert.equal((await b.get(`/Patient/${(await b.patient(card())).id}/$access-history`)).status, 403);
    const theirs = (await b.search('/AuditEvent?_count=500')).resources;
    for (const e of theirs) assert.equal(facility(e), region.facility('hospital-b').name, 'a facility reads what it did itself');
    const foreign = (await history())[0].id;
    const two404 = await two.get(`/AuditEvent/${foreign}`);
    assert.equal(two404.status, 404);
  });

  test('cannot be written by anybody', async () => {
    const body = { resourceType: 'AuditEvent' };
    for (const party of [a, self, region.party('operator')]) {
      assert.equal((await party.post('/AuditEvent', body)).status, 405);
      assert.equal((await party.put('/AuditEvent/1', body)).status, 405);
      assert.equal((await party.del('/AuditEvent/1')).status, 405);
    }
  });

  test('is an AuditEvent by the book', async () => {
    for (const e of (await history()).slice(0, 40)) {
      assert.equal(e.type.code, 'rest');
      assert.match(e.action, /^[CRUDE]$/);
      assert.match(e.outcome, /^(0|4|8|12)$/);
      assert.ok(e.recorded && e.agent.length >= 2 && e.source.observer);
      assert.ok(e.agent.every((g) => typeof g.requestor === 'boolean'));
    }
  });
});

describe('the chain', () => {
  test('proves itself beside the running server', () => {
    const proof = verify();
    assert.equal(proof.code, 0, proof.err + proof.out);
  });

  test('the database itself refuses to change a row', () => {
    const db = join(region.dir, 'data/tasuki.db');
    for (const statement of ['UPDATE audit SET outcome = 0', 'DELETE FROM audit']) {
      assert.throws(() => execFileSync('sqlite3', [db, statement], { stdio: 'pipe' }), /append-only/);
    }
  });

  test('finds every kind of tampering in a stopped copy', async () => {
    await region.stop({ keep: true });
    assert.equal(verify().code, 0);
    const total = Number(execFileSync('sqlite3', [join(region.dir, 'data/tasuki.db'), 'SELECT count(*) FROM audit'], { encoding: 'utf8' }));
    const middle = Math.floor(total / 2);
    const free = 'DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; ';
    const deeds = {
      'a changed outcome': `UPDATE audit SET outcome = outcome + 1 WHERE seq = ${middle}`,
      'a changed actor': `UPDATE audit SET actor = 'hospital-z' WHERE seq = ${middle}`,
      'a changed time': `UPDATE audit SET at_ms = at_ms - 1 WHERE seq = ${middle}`,
      'a changed person': `UPDATE audit SET person = 2 WHERE seq = (SELECT max(seq) FROM audit WHERE person = 1)`,
      'a person taken out': `UPDATE audit SET person = NULL WHERE seq = (SELECT max(seq) FROM audit WHERE person IS NOT NULL)`,
      'a changed hash': `UPDATE audit SET hash = randomblob(32) WHERE seq = ${middle}`,
      'the first row changed': "UPDATE audit SET reason = 'x' WHERE seq = 1",
      'the last row changed': `UPDATE audit SET reason = 'x' WHERE seq = ${total}`,
      'a row taken out': `DELETE FROM audit WHERE seq = ${middle}`,
      'a row taken out and the rest moved up': `DELETE FROM audit WHERE seq = ${middle}; UPDATE audit SET seq = -seq WHERE seq > ${middle}; UPDATE audit SET seq = -seq - 1 WHERE seq < 0`,
      'two rows changed over': `UPDATE audit SET seq = -1 WHERE seq = ${middle}; UPDATE audit SET seq = ${middle} WHERE seq = ${middle + 1}; UPDATE audit SET seq = ${middle + 1} WHERE seq = -1`,
      'the last row taken out': `DELETE FROM audit WHERE seq = ${total}`,
      'the last ten rows taken out': `DELETE FROM audit WHERE seq > ${total - 10}`,
      'the tail and its checkpoints taken out': `DELETE FROM audit WHERE seq > ${middle}; DELETE FROM audit_checkpoint WHERE seq > ${middle}`,
      'all taken out': 'DELETE FROM audit; DELETE FROM audit_checkpoint',
    };
    for (const [name, deed] of Object.entries(deeds)) {
      const copy = mkdtempSync(join(tmpdir(), 'tasuki-audit-'));
      cpSync(region.dir, copy, { recursive: true });
      execFileSync('sqlite3', [join(copy, 'data/tasuki.db'), free + deed]);
      const proof = verify(copy);
      rmSync(copy, { recursive: true, force: true });
      assert.notEqual(proof.code, 0, `${name} was not found: ${proof.out}`);
      assert.ok(proof.code < 128, `${name}: ${proof.err.slice(-500)}`);
    }
  });

  test('its heads lie outside the store as well', () => {
    const logs = readdirSync(join(region.dir, 'log'));
    assert.ok(logs.length > 0);
    const heads = logs.map((f) => readFileSync(join(region.dir, 'log', f), 'utf8')).join('\n');
    assert.match(heads, /[0-9a-f]{64}/);
    rmSync(region.dir, { recursive: true, force: true });
  });
});
