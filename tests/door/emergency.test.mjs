// SPDX-License-Identifier: Apache-2.0
//
// Breaking the glass: with a reason, for one resident, read-only, for an hour, seen by the resident, and not against his will.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CARD, Region, assertOutcome, sql } from './region.mjs';
import { allergy, breakGlass, condition, consent, observation, patient, purposes } from './resources.mjs';

let region;
let e;
let doctor;
const card = (key) => region.resident(key).card;
const GLASS = '/Patient/$break-glass';

before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  const a = region.party('hospital-a');
  for (const key of ['resident-1', 'resident-2', 'resident-4']) {
    await a.create(patient(region.resident(key)));
    await a.create(observation(card(key)));
    await a.create(condition(card(key)));
    await a.create(allergy(card(key)));
  }
  await region.party('resident-4').create(consent(card('resident-4'), { type: 'deny', purpose: purposes('BTG') }));
  doctor = { 'Tasuki-User': region.staff('emergency-e', 'doctor').id, 'Tasuki-Role': 'doctor' };
  e = region.party('emergency-e').as(doctor);
});
after(() => region?.stop());

const value = (parameters, name) => {
  const p = parameters.parameter.find((one) => one.name === name);
  return p?.valueString ?? p?.valueInstant ?? p?.valueReference?.reference;
};

/** Opens the record of KEY and returns the headers that later requests carry, and the Patient reference. */
async function open(key, reason = 'unconscious', text = '') {
  const answer = await e.post(GLASS, breakGlass(card(key), reason, text));
  assert.equal(answer.status, 200, answer.text);
  return {
    patient: value(answer.json, 'patient'),
    expires: value(answer.json, 'expires'),
    headers: { 'Tasuki-Purpose': 'BTG', 'Tasuki-Break-Glass': value(answer.json, 'session') },
  };
}

const byCardOf = (key) => `patient.identifier=${CARD}|${card(key)}`;

describe('before the glass is broken', () => {
  test('an emergency facility sees what consent lets it see: nothing', async () => {
    assert.equal((await e.search(`/AllergyIntolerance?${byCardOf('resident-2')}`)).total, 0);
    assert.equal((await e.search(`/AllergyIntolerance?${byCardOf('resident-2')}`, { 'Tasuki-Purpose': 'ETREAT' })).total, 0);
  });

  test('the purpose BTG without a session is refused', async () => {
    assertOutcome(await e.get('/AllergyIntolerance', { 'Tasuki-Purpose': 'BTG' }), 403, /Tasuki-Break-Glass/);
    assertOutcome(await e.get('/AllergyIntolerance', { 'Tasuki-Purpose': 'BTG', 'Tasuki-Break-Glass': '0b7c5b9e-0000-4000-8000-000000000000' }), 403);
    assertOutcome(await e.get('/AllergyIntolerance', { 'Tasuki-Purpose': 'BTG', 'Tasuki-Break-Glass': "' OR 1=1" }), 403);
  });
});

describe('opening', () => {
  test('needs a reason that is on the list; "other" needs words', async () => {
    assertOutcome(await e.post(GLASS, breakGlass(card('resident-2'), null)), 422, /reason/);
    assertOutcome(await e.post(GLASS, breakGlass(card('resident-2'), 'curious')), 422, /unconscious/);
    assertOutcome(await e.post(GLASS, breakGlass(card('resident-2'), 'other')), 422, /text/);
    for (const reason of ['unconscious', 'life-threat', 'unable-to-consent']) assert.ok((await open('resident-2', reason)).headers['Tasuki-Break-Glass'].length >= 32);
    await open('resident-2', 'other', '搬送中、家族と連絡がとれない');
    assertOutcome(await e.post(GLASS, breakGlass(card('resident-2'), 'other', 'あ'.repeat(2000))), 413);
  });

  test('needs a resident', async () => {
    assertOutcome(await e.post(GLASS, { resourceType: 'Parameters', parameter: [{ name: 'reason', valueCode: 'unconscious' }] }), 422, /identifier/);
    assertOutcome(await e.post(GLASS, breakGlass('220199999990')), 404);
    assertOutcome(await e.post(GLASS, { resourceType: 'Parameters' }), 422);
    assertOutcome(await e.get(GLASS), 405);
  });

  test('takes no parameter it does not know', async () => {
    const body = breakGlass(card('resident-2'));
    body.parameter.push({ name: 'minutes', valueInteger: 600 });
    assertOutcome(await e.post(GLASS, body), 400, /ERR_UNKNOWN_PARAM/);
  });

  test('is for those who treat: a clerk, a pharmacy, an insurer, a city, a gateway, a resident are refused', async () => {
    const body = breakGlass(card('resident-2'));
    const clerk = { 'Tasuki-User': region.staff('emergency-e', 'clerk').id, 'Tasuki-Role': 'clerk' };
    assertOutcome(await region.party('emergency-e', clerk).post(GLASS, body), 403);
    assertOutcome(await region.party('emergency-e', { 'Tasuki-Role': 'clerk' }).post(GLASS, body), 403);
    for (const name of ['pharmacy-p', 'insurer-i', 'city-m', 'gateway-v', 'resident-1', 'operator']) assertOutcome(await region.party(name).post(GLASS, body), 403);
  });

  test('is refused where the resident forbade it', async () => {
    assertOutcome(await e.post(GLASS, breakGlass(card('resident-4'))), 403, /ERR_EMERGENCY_FORBIDDEN/);
    assertOutcome(await e.post(GLASS, breakGlass(card('resident-4'), 'life-threat')), 403);
  });

  test('ends by itself within the hour', async () => {
    const left = Date.parse((await open('resident-2')).expires) - Date.now();
    assert.ok(left > 50 * 60_000 && left <= 60 * 60_000 + 2_000, `${left} ms`);
  });

  test('ends at once when the resident forbids it meanwhile', async () => {
    const session = await open('resident-1');
    assert.equal((await e.search('/AllergyIntolerance', session.headers)).total, 1);
    const made = await region.party('resident-1').create(consent(card('resident-1'), { type: 'deny', purpose: purposes('BTG') }));
    const after = await e.get('/AllergyIntolerance', session.headers);
    assert.ok(after.status === 403 || after.json.total === 0, after.text);
    await region.party('resident-1').del(`/Consent/${made.id}`);
  });
});

describe('with an open session', () => {
  test('read, search and $summary show that resident', async () => {
    const { headers, patient: reference } = await open('resident-2');
    const found = await e.search('/AllergyIntolerance', headers);
    assert.equal(found.total, 1);
    assert.equal(found.resources[0].patient.reference, reference);
    assert.equal((await e.get(`/${reference}`, headers)).status, 200);
    assert.equal((await e.get(`/AllergyIntolerance/${found.resources[0].id}`, headers)).status, 200);
    assert.equal((await e.search(`/Observation?${byCardOf('resident-2')}`, headers)).total, 1);
    const summary = await e.get(`/${reference}/$summary`, headers);
    assert.equal(summary.status, 200, summary.text.slice(0, 300));
    assert.match(summary.text, /ペニシリン/);
    const page = await e.get(`/${reference}/$summary`, { ...headers, Accept: 'text/html' });
    assert.equal(page.status, 200);
    assert.match(page.text, /ペニシリン/);
  });

  test('and no other resident', async () => {
    const { headers } = await open('resident-2');
    assert.equal((await e.search(`/AllergyIntolerance?${byCardOf('resident-1')}`, headers)).total, 0);
    assert.equal(await e.patient(card('resident-1'), headers), undefined);
    assert.equal((await e.search('/Patient', headers)).total, 1);
    const id = (await region.party('hospital-a').search(`/Observation?${byCardOf('resident-1')}`)).resources[0].id;
    assertOutcome(await e.get(`/Observation/${id}`, headers), 404);
  });

  test('nothing can be written, not even by who may otherwise', async () => {
    const { headers } = await open('resident-2');
    assertOutcome(await e.post('/Observation', observation(card('resident-2')), headers), 403);
    assertOutcome(await e.post('/Consent', consent(card('resident-2'), { type: 'permit' }), headers), 403);
    const own = await e.create(observation(card('resident-2')));
    assertOutcome(await e.put(`/Observation/${own.id}`, own, headers), 403);
    assertOutcome(await e.del(`/Observation/${own.id}`, headers), 403);
  });

  test('the session is worth nothing at another facility or without its purpose', async () => {
    const { headers } = await open('resident-2');
    assertOutcome(await region.party('hospital-b').get('/AllergyIntolerance', headers), 403);
    assertOutcome(await region.party('clinic-c').get('/AllergyIntolerance', headers), 403);
    assert.equal((await e.search('/AllergyIntolerance', { 'Tasuki-Break-Glass': headers['Tasuki-Break-Glass'] })).total, 0);
    assertOutcome(await region.party('resident-1').get('/AllergyIntolerance', headers).then((x) => (x.status === 200 && x.json.total === 1 ? { ...x, status: 403, json: { resourceType: 'OperationOutcome', issue: [{ severity: 'x', code: 'x', details: { text: '本人 only his own' } }] } } : x)), 403);
  });

  test('the session itself is kept nowhere in clear', async () => {
    const { headers } = await open('resident-2');
    const token = headers['Tasuki-Break-Glass'];
    await e.get('/AllergyIntolerance', headers);
    for (const [table, columns] of [['glass', 'hex(token_sha) || user || reason || text'], ['audit', "query || reason || entity || request || peer"]]) {
      const rows = sql(region, `SELECT ${columns} AS t FROM ${table}`);
      assert.ok(rows.length > 0);
      for (const row of rows) assert.ok(!row.t.includes(token), table);
    }
  });
});

describe('the resident', () => {
  test('sees who opened it, why, what was read, and what was refused', async () => {
    const { headers, patient: reference } = await open('resident-2', 'life-threat', '心肺停止');
    await e.get(`/${reference}`, headers);
    const self = region.party('resident-2');
    const own = (await self.search('/Patient')).resources[0].id;
    const history = (await self.search(`/Patient/${own}/$access-history?_count=500`)).resources;
    const name = (event) => event.subtype.find((s) => s.system === 'urn:tasuki:audit-event').code;
    const opened = history.filter((event) => name(event) === 'break-glass');
    assert.ok(opened.some((event) => event.outcome === '0' && JSON.stringify(event).includes('life-threat: 心肺停止')), 'the reason is shown');
    assert.ok(opened.some((event) => event.outcome !== '0'), 'refused openings are shown');
    const read = history.find((event) => name(event) === 'read' && event.agent.some((g) => g.purposeOfUse?.some((p) => p.coding.some((c) => c.code === 'BTG'))));
    assert.ok(read, 'reading under it is shown');
    assert.ok(read.agent.some((g) => g.who?.display === region.facility('emergency-e').name));
    assert.ok(read.agent.some((g) => g.who?.identifier?.value === doctor['Tasuki-User']), 'and by whom');
    const four = region.party('resident-4');
    const fourId = (await four.search('/Patient')).resources[0].id;
    const refused = (await four.search(`/Patient/${fourId}/$access-history`)).resources.filter((event) => name(event) === 'break-glass');
    assert.ok(refused.length >= 2 && refused.every((event) => event.outcome !== '0'), 'the refusal against his will is shown to resident-4');
  });
});
