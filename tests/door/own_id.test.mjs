// SPDX-License-Identifier: Apache-2.0
//
// Ids that clients choose are each facility's own (decision 0025): whether a hidden record has one already cannot be told by
// anything, and facilities that number alike do not get in each other's way.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Region, assertOutcome, tasuki, withoutIds } from './region.mjs';
import { consent, observation, patient, recipient } from './resources.mjs';

let region;
let a;
let b;
let c;
let card;
let shared;
const JSON_PATCH = 'application/json-patch+json';
const put = (party, id, extra = {}, headers) => party.put(`/Observation/${id}`, { ...observation(shared, extra), id }, headers);

before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  [a, b, c] = ['hospital-a', 'hospital-b', 'clinic-c'].map((name) => region.party(name));
  card = region.resident('resident-1').card;
  shared = region.resident('resident-2').card;
  for (const [party, who] of [[a, 'resident-1'], [a, 'resident-2'], [b, 'resident-2']]) await party.create(patient(region.resident(who)));
  await region.party('resident-1').create(consent(card, { type: 'permit', provision: [{ type: 'deny', actor: recipient(region.facility('hospital-b').code) }] }));
  await region.party('resident-2').create(consent(shared, { type: 'permit' }));
});
after(() => region?.stop());

/** A record of hospital-a that hospital-b may not see, under an id of A's choosing or the server's. */
async function hidden(own) {
  if (!own) return (await a.create(observation(card, { value: 77 }))).id;
  const id = `own-${randomUUID()}`;
  assert.equal((await a.put(`/Observation/${id}`, { ...observation(card, { value: 77 }), id })).status, 201);
  return id;
}

/** An answer without what differs from one request to the next. */
const plain = (answer, id) => {
  const times = /"(lastUpdated|lastModified)":"[^"]*"/g;
  const bundle = /("resourceType":"Bundle",)"id":"[0-9a-f-]{36}"/g;
  const { date, 'x-request-id': request, 'last-modified': modified, ...headers } = answer.headers;
  delete headers['content-length'];
  return JSON.parse(JSON.stringify({ status: answer.status, headers, text: answer.text.replace(bundle, '$1').replace(times, '') }).replaceAll(id, 'ID'));
};

const story = [
  ['put', (id) => put(b, id)],
  ['read', (id) => b.get(`/Observation/${id}`)],
  ['HEAD', (id) => b.request('HEAD', `/Observation/${id}`)],
  ['vread', (id) => b.get(`/Observation/${id}/_history/1`)],
  ['search by id', (id) => b.get(`/Observation?_id=${id}`)],
  ['the same again', (id) => put(b, id)],
  ['if nothing is there', (id) => put(b, id, { value: 9 }, { 'If-None-Match': '*' })],
  ['another version', (id) => put(b, id, { value: 2 }, { 'If-Match': 'W/"1"' })],
  ['a stale one', (id) => put(b, id, { value: 3 }, { 'If-Match': 'W/"1"' })],
  ['patch', (id) => b.request('PATCH', `/Observation/${id}`, { body: JSON.stringify([{ op: 'replace', path: '/status', value: 'amended' }]), type: JSON_PATCH })],
  ['history', (id) => b.get(`/Observation/${id}/_history`)],
  ['meta', (id) => b.get(`/Observation/${id}/$meta`)],
  ['a report of it', (id) => b.put(`/DiagnosticReport/r-${id}`, { resourceType: 'DiagnosticReport', id: `r-${id}`, status: 'final', code: { text: 'x' }, result: [{ reference: `Observation/${id}` }] })],
  ['the report by it', (id) => b.get(`/DiagnosticReport?result=Observation/${id}&_summary=count`)],
  ['the report by what it says', (id) => b.get(`/DiagnosticReport?_id=r-${id}&result.status=amended&_summary=count`)],
  ['in a transaction', (id) => b.post('', { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: { ...observation(shared, { value: 5 }), id }, request: { method: 'PUT', url: `Observation/${id}` } }] })],
  ['delete', (id) => b.del(`/Observation/${id}`)],
  ['gone', (id) => b.get(`/Observation/${id}`)],
  ['its history', (id) => b.get(`/Observation/${id}/_history`)],
  ['delete again', (id) => b.del(`/Observation/${id}`)],
  ['back', (id) => put(b, id, { value: 8 })],
];

describe('an id that a hidden record has', () => {
  for (const own of [true, false])
    test(`answers as a free one would, all along (${own ? 'chosen' : 'made here'})`, async () => {
      const taken = await hidden(own);
      const free = own ? `own-${randomUUID()}` : randomUUID();
      const before = (await a.get(`/Observation/${taken}`)).text;
      for (const [name, step] of story) {
        const [x, y] = [plain(await step(taken), taken), plain(await step(free), free)];
        assert.deepEqual(x, y, name);
        assert.ok(x.status < 400 || ['if nothing is there', 'a stale one', 'gone'].includes(name), `${name}: ${x.status} ${x.text}`);
      }
      assert.equal((await a.get(`/Observation/${taken}`)).text, before, 'what was hidden is as it was');
    });

  test('works the other way round as well', async () => {
    const id = `later-${randomUUID()}`;
    assert.equal((await b.put(`/Basic/${id}`, { resourceType: 'Basic', id, code: { text: 'b' } })).status, 201);
    assert.equal((await a.put(`/Basic/${id}`, { resourceType: 'Basic', id, code: { text: 'a' } })).status, 201);
    for (const [party, text] of [[a, 'a'], [b, 'b']]) {
      assert.equal((await party.read(`/Basic/${id}`)).code.text, text);
      assert.deepEqual((await party.search(`/Basic?_id=${id}`)).resources.map((r) => [r.id, r.code.text]), [[id, text]]);
    }
    assertOutcome(await c.get(`/Basic/${id}`), 404);
  });

  test('by residents, whose records lie together', async () => {
    const id = `mine-${randomUUID()}`;
    const body = { resourceType: 'QuestionnaireResponse', id, status: 'completed' };
    const [one, two] = ['resident-1', 'resident-2'].map((name) => region.party(name));
    assert.equal((await one.put(`/QuestionnaireResponse/${id}`, body)).status, 201);
    assert.equal((await two.put(`/QuestionnaireResponse/${id}`, { ...body, status: 'in-progress' })).status, 201);
    assert.equal((await one.read(`/QuestionnaireResponse/${id}`)).status, 'completed');
    assert.equal((await two.read(`/QuestionnaireResponse/${id}`)).status, 'in-progress');
  });
});

describe('a third who sees both', () => {
  test('has two records with two ids, and references lead to the right one', async () => {
    const id = await hidden(true);
    await put(b, id, { value: 2 });
    const report = `r-${randomUUID()}`;
    await b.put(`/DiagnosticReport/${report}`, { resourceType: 'DiagnosticReport', id: report, status: 'final', code: { text: 'x' }, subject: observation(shared).subject, result: [{ reference: `Observation/${id}` }] });
    assert.equal((await c.read(`/Observation/${id}`)).valueQuantity.value, 77, 'the first keeps the id');
    const bundle = await c.read(`/DiagnosticReport?_id=${report}&_include=DiagnosticReport:result`);
    const [match, included] = bundle.entry.map((e) => e.resource);
    assert.equal(included.valueQuantity.value, 2);
    assert.equal(match.result[0].reference, `Observation/${included.id}`);
    assert.notEqual(included.id, id);
    assert.equal((await c.read(`/Observation/${included.id}`)).valueQuantity.value, 2);
    assert.equal((await b.read(`/Observation/${included.id}`)).id, id, 'its source knows it by both');
    assert.equal(tasuki('reindex', '--dir', region.dir).code, 0);
    for (const party of [b, c]) assert.equal((await party.search(`/DiagnosticReport?result.value-quantity=2&_id=${report}`)).total, 1, 'indexes made anew say the same');
    assert.equal((await b.search(`/DiagnosticReport?result=Observation/${id}&_id=${report}`)).total, 1);
  });

  test('what may be seen is not taken: 403', async () => {
    const made = await a.create(observation(shared));
    assertOutcome(await put(b, made.id), 403);
    assert.equal(withoutIds(await a.get(`/Observation/${made.id}`)), withoutIds(await a.get(`/Observation/${made.id}`)));
  });
});

describe('two facilities that number alike', () => {
  test('bring their records under the same ids', async () => {
    const other = region.party('emergency-e');
    for (const [party, value] of [[a, 1], [other, 2]])
      for (const n of [1, 2, 3]) {
        const id = `n${n}`;
        assert.equal((await party.put(`/Observation/${id}`, { ...observation(undefined, { value }), id })).status, 201, `${n}`);
      }
    for (const [party, value] of [[a, 1], [other, 2]])
      for (const n of [1, 2, 3]) assert.equal((await party.read(`/Observation/n${n}`)).valueQuantity.value, value);
  });
});
