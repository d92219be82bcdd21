// SPDX-License-Identifier: Apache-2.0
//
// Bulk export from outside: who gets what, that it is as of one moment, that consent counts when a file is fetched, and that a
// job survives the program.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Region, assertOutcome, sql, until } from './region.mjs';
import { condition, consent, observation, patient } from './resources.mjs';

const ASYNC = { Prefer: 'respond-async' };
let region;
let a;
let b;
let operator;
let people;
let records;
const standing = {};

const connect = () => { [a, b, operator] = ['hospital-a', 'hospital-b', 'operator'].map((name) => region.party(name)); };

async function decide(key, provision) {
  const one = region.party(key);
  const body = consent(region.resident(key).card, provision);
  const answer = standing[key] ? await one.put(`/Consent/${standing[key]}`, { ...body, id: standing[key] }) : await one.post('/Consent', body);
  assert.ok([200, 201].includes(answer.status), answer.text);
  standing[key] = answer.json.id;
}

before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  connect();
  people = ['resident-1', 'resident-2', 'resident-3'].map((key) => region.resident(key));
  records = [];
  for (const person of people) {
    await a.create(patient(person));
    for (let i = 0; i < 4; i++) records.push(await a.create(observation(person.card, { value: i })));
    records.push(await a.create(condition(person.card)));
  }
  await b.create(patient(people[0]));
  await b.create(patient(people[1]));
  for (const person of people) await decide(person.key, { type: 'permit' });
});
after(() => region?.stop());

async function begin(party, path = '/$export', headers = {}) {
  const answer = await party.get(path, { ...ASYNC, ...headers });
  assert.equal(answer.status, 202, answer.text);
  return answer.headers['content-location'];
}

/** The manifest of a finished job, and its lines by type. */
async function finish(party, where, headers) {
  const answer = await until(async () => {
    const got = await party.get(where, headers);
    if (got.status === 202) {
      assert.ok(got.headers['x-progress'] && got.headers['retry-after']);
      return null;
    }
    return got;
  }, { what: 'the export' });
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers['content-type'], /^application\/json/);
  assert.ok(Date.parse(answer.headers.expires) > Date.now());
  return answer.json;
}

async function fetchAll(party, manifest, list = manifest.output, headers = {}) {
  const found = {};
  for (const file of list) {
    const answer = await party.get(file.url, { Accept: 'application/fhir+ndjson', ...headers });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['content-type'], /^application\/fhir\+ndjson/);
    const lines = answer.text.split('\n');
    assert.equal(lines.pop(), '', 'every line ends');
    found[file.type] = [...(found[file.type] ?? []), ...lines.map((line) => JSON.parse(line))];
  }
  return found;
}

const whole = async (party, path, headers) => {
  const manifest = await finish(party, await begin(party, path, headers), headers);
  return { manifest, found: await fetchAll(party, manifest, manifest.output, headers) };
};
const ids = (list) => (list ?? []).map((r) => r.id).sort();

describe('kick-off', () => {
  test('asynchronous or not at all', async () => {
    assertOutcome(await a.get('/$export'), 400, /respond-async/);
  });

  for (const [query, pattern] of [
    ['_type=Nonsense', /_type/], ['_since=yesterday', /_since/], ['_outputFormat=text/csv', /_outputFormat/], ['patient=x', /patient/],
    ['_typeFilter=Observation', /_typeFilter/], [`_typeFilter=${encodeURIComponent('Observation?nonsense=1')}`, /nonsense/],
  ]) {
    test(`${query} is refused`, async () => { assertOutcome(await a.get(`/$export?${query}`, ASYNC), 400, pattern); });
  }

  test('unknown parameters may be ignored on request', async () => {
    const where = await begin(a, '/$export?_elements=id', { Prefer: 'respond-async, handling=lenient' });
    await finish(a, where);
    assert.equal((await a.del(where)).status, 202);
    assert.equal((await a.get(where)).status, 404);
  });

  test('a resident and an emergency have none', async () => {
    assert.equal((await region.party('resident-1').get('/$export', ASYNC)).status, 403);
    assert.equal((await a.get('/$export', { ...ASYNC, 'Tasuki-Purpose': 'BTG' })).status, 403);
    assert.equal((await operator.get('/Patient/$export', ASYNC)).status, 403);
  });
});

describe('who gets what', () => {
  test('system: what the facility brought itself', async () => {
    const { manifest, found } = await whole(a, '/$export');
    assert.deepEqual(ids(found.Observation), ids(records.filter((r) => r.resourceType === 'Observation')));
    assert.deepEqual(ids(found.Condition), ids(records.filter((r) => r.resourceType === 'Condition')));
    assert.equal(found.Patient.length, 3);
    assert.equal(found.Consent, undefined, 'the residents\' own are not the facility\'s');
    assert.equal(manifest.requiresAccessToken, false);
    assert.ok(manifest.request.endsWith('/fhir/$export'));
    assert.ok(Date.parse(manifest.transactionTime) <= Date.now());
    assert.deepEqual(manifest.error, []);
    for (const file of manifest.output) assert.equal(file.count, found[file.type].length);
    for (const r of found.Observation) assert.deepEqual(r, await a.read(`/Observation/${r.id}`), 'what a read gives');
    assert.ok((await whole(b, '/$export')).found.Observation === undefined);
  });

  test('the operator: records of no person', async () => {
    const { found } = await whole(operator, '/$export');
    for (const type of Object.keys(found)) assert.ok(!['Patient', 'Observation', 'Condition', 'Consent'].includes(type), type);
  });

  test('Patient: of the facility\'s own patients, what consent shows', async () => {
    const { found } = await whole(b, '/Patient/$export?_type=Patient,Observation');
    assert.deepEqual(Object.keys(found).sort(), ['Observation', 'Patient']);
    assert.equal(found.Observation.length, 8, 'two of three residents are patients of hospital-b');
    assert.equal(found.Patient.length, 2, 'one Patient each');
    for (const p of found.Patient) assert.deepEqual(p, await b.read(`/Patient/${p.id}`));
    const subjects = new Set(found.Observation.map((o) => o.subject.reference));
    assert.deepEqual([...subjects].sort(), found.Patient.map((p) => `Patient/${p.id}`).sort());
  });

  test('Group: of its members', async () => {
    const member = await a.patient(people[2].card);
    const group = await a.create({ resourceType: 'Group', type: 'person', actual: true, member: [{ entity: { reference: `Patient/${member.id}` } }, { entity: { reference: `Patient/${(await a.patient(people[1].card)).id}` } }] });
    const { found } = await whole(a, `/Group/${group.id}/$export?_type=Observation`);
    assert.equal(found.Observation.length, 8);
    assert.ok(found.Observation.every((o) => o.subject.reference !== `Patient/${records[0].subject.reference}`));
    assert.equal((await b.get('/Group/no-such/$export', ASYNC)).status, 404);
  });

  test('_type, _typeFilter, _since; POST with Parameters', async () => {
    const filter = encodeURIComponent('Observation?value-quantity=gt1,Condition?code=none');
    assert.deepEqual((await whole(a, `/$export?_typeFilter=${filter}&_type=Observation,Condition`)).found.Observation.map((o) => o.valueQuantity.value).sort(), [2, 2, 2, 3, 3, 3]);
    const before_ = new Date().toISOString();
    await until(() => Date.now() > Date.parse(before_), { every: 1 }); // "since" is later than: not in the same millisecond
    const extra = await a.create(observation(people[0].card, { value: 77 }));
    const gone = await a.create(observation(people[0].card, { value: 78 }));
    assert.equal((await a.del(`/Observation/${gone.id}`)).status, 204);
    const answer = await a.post('/$export', { resourceType: 'Parameters', parameter: [{ name: '_since', valueInstant: before_ }, { name: '_type', valueString: 'Observation' }, { name: '_outputFormat', valueString: 'ndjson' }] }, ASYNC);
    assert.equal(answer.status, 202, answer.text);
    const manifest = await finish(a, answer.headers['content-location']);
    assert.deepEqual(ids((await fetchAll(a, manifest)).Observation), [extra.id]);
    const bundles = (await fetchAll(a, manifest, manifest.deleted)).Bundle;
    assert.deepEqual(bundles.map((x) => x.entry[0].request), [{ method: 'DELETE', url: `Observation/${gone.id}` }]);
    assert.equal((await a.del(`/Observation/${extra.id}`)).status, 204);
  });
});

describe('job and files', () => {
  test('are the caller\'s own, for the purpose he named', async () => {
    const where = await begin(a);
    const manifest = await finish(a, where);
    for (const other of [b, operator]) {
      assert.equal((await other.get(where)).status, 404);
      assert.equal((await other.get(manifest.output[0].url)).status, 404);
      assert.equal((await other.del(where)).status, 404);
    }
    assert.equal((await a.get(where, { 'Tasuki-Purpose': 'HOPERAT' })).status, 404);
    assert.equal((await a.get(`${where}/99`)).status, 404);
    assert.equal((await a.del(where)).status, 202);
    assert.equal((await a.get(manifest.output[0].url)).status, 404);
    assert.ok(!existsSync(`${region.dir}/data/exports/${where.split('/').at(-1)}`), 'nothing is left on disk');
  });

  test('are as of one moment, whatever is written meanwhile', async () => {
    const where = await begin(a, '/$export?_type=Observation');
    const manifest = await finish(a, where);
    const changed = records[0];
    assert.equal((await a.put(`/Observation/${changed.id}`, { ...changed, valueQuantity: { ...changed.valueQuantity, value: 1000 } })).status, 200);
    const late = await a.create(observation(people[0].card, { value: 2000 }));
    const found = (await fetchAll(a, manifest)).Observation;
    assert.equal(found.find((o) => o.id === changed.id).valueQuantity.value, 0);
    assert.equal(found.find((o) => o.id === late.id), undefined);
    assert.equal((await a.del(`/Observation/${late.id}`)).status, 204);
  });

  test('consent counts when the file is fetched; a row of the audit record for each resident', async () => {
    const where = await begin(b, '/Patient/$export?_type=Observation');
    const manifest = await finish(b, where);
    assert.equal(manifest.output[0].count, 8);
    await decide('resident-2', { type: 'deny' });
    const seq = sql(region, 'SELECT max(seq) AS seq FROM audit')[0].seq;
    const found = (await fetchAll(b, manifest)).Observation;
    assert.equal(found.length, 4);
    const rows = sql(region, `SELECT person, count, purpose, outcome FROM audit WHERE event = 'export' AND seq > ${seq}`);
    assert.equal(rows.length, 1);
    assert.equal(rows[0].count, 4);
    assert.equal(rows[0].purpose, 'TREAT');
    await decide('resident-2', { type: 'permit' });
    assert.equal((await fetchAll(b, manifest)).Observation.length, 8);
  });

  test('no content lies on disk', () => {
    for (const job of readdirSync(`${region.dir}/data/exports`))
      for (const file of readdirSync(`${region.dir}/data/exports/${job}`))
        assert.match(file, /^\d+$/, 'lists only');
  });

  test('no more than eight at once', async () => {
    let answer;
    for (let i = 0; i < 9; i++) answer = await b.get('/$export', ASYNC);
    assertOutcome(answer, 503, /too many exports/);
    for (const row of sql(region, "SELECT e.id AS id FROM export_job e JOIN facility f ON f.id = e.facility WHERE f.key = 'hospital-b'"))
      assert.equal((await b.del(`/$export/${row.id}`)).status, 202);
  });

  test('go on after the program was killed', async () => {
    for (let n = 0; n < 4; n++) {
      const entry = Array.from({ length: 500 }, (_, i) => ({ resource: observation(people[i % 3].card, { value: 3000 + n * 500 + i }), request: { method: 'POST', url: 'Observation' } }));
      const answer = await a.post('', { resourceType: 'Bundle', type: 'transaction', entry });
      assert.equal(answer.status, 200, answer.text.slice(0, 400));
    }
    const where = await begin(a, '/$export?_type=Observation');
    await region.kill();
    await region.launch(['demo', '--dir', region.dir, '--port-base', String(region.base), '--patients', '8', '--empty']);
    connect();
    const manifest = await finish(a, where);
    const seq = sql(region, 'SELECT max(seq) AS seq FROM audit')[0].seq;
    const found = (await fetchAll(a, manifest)).Observation;
    assert.equal(found.length, 2012);
    assert.equal(new Set(ids(found)).size, 2012, 'each once');
    const rows = sql(region, `SELECT person, sum(count) AS n, count(*) AS pieces FROM audit WHERE event = 'export' AND seq > ${seq} GROUP BY person`);
    assert.equal(rows.length, 3);
    assert.equal(rows.reduce((sum, r) => sum + r.n, 0), 2012);
    assert.ok(rows.some((r) => r.pieces > 1), 'in several pieces');
  });
});
