// SPDX-License-Identifier: Apache-2.0
//
// The gate: nobody sees what the resident did not permit, and what he may not see looks as if it never was.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { CARD, Region, assertOutcome, sql, withoutIds } from './region.mjs';
import { allergy, condition, consent, observation, patient, purposes, recipient } from './resources.mjs';

const OWN = 7;
let region;
let a;
let b;
let c;
let one;
let records;
let standing;

before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  [a, b, c, one] = ['hospital-a', 'hospital-b', 'clinic-c', 'resident-1'].map((name) => region.party(name));
  const r = region.resident('resident-1');
  await a.create(patient(r));
  records = [];
  for (let i = 0; i < OWN; i++) records.push(await a.create(observation(r.card, { value: 5 + i, at: `2026-01-0${i + 1}T09:00:00+09:00` })));
  records.push(await a.create(condition(r.card)), await a.create(allergy(r.card)));
});
after(() => region?.stop());

const card = (key = 'resident-1') => region.resident(key).card;
const code = (key) => region.facility(key).code;
const about = (party, type = 'Observation', headers = undefined) => party.search(`/${type}?patient.identifier=${encodeURIComponent(`${CARD}|${card()}`)}`, headers);

/** The resident's one consent: made, replaced, withdrawn. */
async function decide(provision, extra) {
  const body = consent(card(), provision, extra);
  const answer = standing ? await one.put(`/Consent/${standing}`, { ...body, id: standing }) : await one.post('/Consent', body);
  assert.ok([200, 201].includes(answer.status), answer.text);
  standing = answer.json.id;
}

async function sees(party, headers) {
  const found = await about(party, 'Observation', headers);
  assert.equal(found.total, found.resources.length, 'the total is what can be walked');
  const bySummary = await party.read(`/Observation?_summary=count&patient.identifier=${CARD}|${card()}`, headers);
  assert.equal(bySummary.total, found.total, '_summary=count agrees');
  assert.equal((await party.search(`/Observation?patient.identifier=${CARD}|${card()}&_count=2`, headers)).resources.length, found.total, 'small pages agree');
  return found.total;
}

describe('without consent', () => {
  test('the facility that wrote it sees it', async () => {
    assert.equal(await sees(a), OWN);
    for (const r of records) assert.equal((await a.get(`/${r.resourceType}/${r.id}`)).status, 200);
  });

  test('another facility sees nothing, in no way of asking', async () => {
    assert.equal(await sees(b), 0);
    assert.equal(await b.patient(card()), undefined);
    const id = records[0].id;
    const ways = [
      `/Observation?_id=${id}`, '/Observation', '/Observation?code=4548-4', '/Observation?value-quantity=gt1', '/Observation?date=ge2000',
      '/Observation?status=final', '/Observation?code:not=x', '/Observation?code:missing=false', '/Observation?_lastUpdated=ge2000',
      '/Condition?code=I10', '/AllergyIntolerance', '/Patient', `/Patient?name=${encodeURIComponent(region.resident('resident-1').name.split(/[ 　]/)[0])}`,
      `/Patient?birthdate=${region.resident('resident-1').birthDate}`,
    ];
    for (const way of ways) {
      const found = await b.search(way);
      assert.equal(found.total, 0, way);
      assert.equal(found.resources.length, 0, way);
    }
  });

  test('the refusal is the same as for an id that never was', async () => {
    for (const r of records) {
      const never = randomUUID();
      for (const suffix of ['', '/_history', '/_history/1']) {
        const hidden = await b.get(`/${r.resourceType}/${r.id}${suffix}`);
        const absent = await b.get(`/${r.resourceType}/${never}${suffix}`);
        assert.equal(hidden.status, 404, suffix);
        assert.equal(withoutIds(hidden, r.id), withoutIds(absent, never));
        const names = (answer) => Object.keys(answer.headers).sort().filter((h) => h !== 'date');
        assert.deepEqual(names(hidden), names(absent), 'headers too');
        assert.equal(hidden.headers['content-length'], absent.headers['content-length']);
      }
      const [x, y] = [await b.del(`/${r.resourceType}/${r.id}`), await b.del(`/${r.resourceType}/${never}`)];
      assert.equal(withoutIds(x, r.id), withoutIds(y, never), 'delete');
    }
  });

  test('an id that is taken cannot be told by trying to write there', async () => {
    const r = records[0];
    const before = (await a.get(`/Observation/${r.id}`)).text;
    const answer = await b.put(`/Observation/${r.id}`, { ...observation(card('resident-2'), { value: 9 }), id: r.id });
    assert.equal(answer.status, 201, 'as for a free one (decision 0025, own_id.test.mjs)');
    assert.equal(answer.json.valueQuantity.value, 9);
    assert.equal((await a.get(`/Observation/${r.id}`)).text, before, 'nothing was overwritten');
    assertOutcome(await b.put(`/Observation/${r.id}`, r), 422, /subject/);
    assert.equal((await b.del(`/Observation/${r.id}`)).status, 204);
  });

  test('no answer says when hidden data changed', async () => {
    const before = withoutIds(await b.get('/Observation?_summary=count'));
    await a.create(observation(card('resident-2'), { value: 9 }));
    assert.equal(withoutIds(await b.get('/Observation?_summary=count')), before);
  });
});

describe('with consent', () => {
  test('for everybody, all care facilities see all, exactly', async () => {
    await decide({ type: 'permit' });
    assert.equal(await sees(b), OWN);
    assert.equal(await sees(c), OWN);
    assert.equal((await about(b, 'Condition')).total, 1);
    assert.equal((await about(b, 'AllergyIntolerance')).total, 1);
    for (const r of records) assert.equal((await b.get(`/${r.resourceType}/${r.id}`)).status, 200);
  });

  test('others of the region are still hidden', async () => {
    const all = await b.search('/Observation');
    assert.equal(all.total, OWN, 'resident-2 gave no consent');
  });

  test('an exception for one facility wins over the rule', async () => {
    await decide({ type: 'permit', provision: [{ type: 'deny', actor: recipient(code('hospital-b')) }] });
    assert.equal(await sees(b), 0);
    assert.equal(await sees(c), OWN);
    assert.equal(await sees(a), OWN, 'the source keeps its own');
  });

  test('a rule to deny with an exception to permit opens one facility only', async () => {
    await decide({ type: 'deny', provision: [{ type: 'permit', actor: recipient(code('hospital-b')) }] });
    assert.equal(await sees(b), OWN);
    assert.equal(await sees(c), 0);
  });

  test('counts only for its purposes', async () => {
    await decide({ type: 'permit', purpose: purposes('HPAYMT') });
    assert.equal(await sees(b), 0);
    assert.equal(await sees(b, { 'Tasuki-Purpose': 'HPAYMT' }), OWN);
    assert.equal(await sees(b, { 'Tasuki-Purpose': 'ETREAT' }), 0);
  });

  test('counts only in its period', async () => {
    await decide({ type: 'permit', period: { end: '2025-12-31' } });
    assert.equal(await sees(b), 0, 'expired');
    await decide({ type: 'permit', period: { start: '2099-01-01' } });
    assert.equal(await sees(b), 0, 'not begun');
    await decide({ type: 'permit', period: { start: '2025-01-01', end: '2099-12-31' } });
    assert.equal(await sees(b), OWN);
  });

  test('is gone with the next request after it was revoked', async () => {
    await decide({ type: 'permit' });
    assert.equal(await sees(b), OWN);
    await decide({ type: 'permit' }, { status: 'inactive' });
    assert.equal(await sees(b), 0, 'inactive');
    await decide({ type: 'permit' });
    assert.equal(await sees(b), OWN);
    assert.equal((await one.del(`/Consent/${standing}`)).status, 204);
    assert.equal(await sees(b), 0, 'deleted');
    standing = undefined;
  });

  test('a page begun under consent does not go on without it', async () => {
    await decide({ type: 'permit' });
    const first = await b.read('/Observation?_count=2');
    const next = first.link.find((l) => l.relation === 'next').url;
    assert.equal((await b.get(next)).status, 200);
    await decide({ type: 'deny' });
    const after = await b.get(next);
    assert.ok(after.status >= 400 || (after.json.entry ?? []).length === 0, after.text.slice(0, 300));
  });

  test('a cursor is worth nothing in other hands', async () => {
    await decide({ type: 'permit' });
    const next = (await b.read('/Observation?_count=2')).link.find((l) => l.relation === 'next').url;
    assertOutcome(await c.get(next), 400, /_cursor/);
    assertOutcome(await b.get(next.replace('_count=2', '_count=3')), 400, /_cursor/);
    assertOutcome(await b.get(next, { 'Tasuki-Purpose': 'HPAYMT' }), 400, /_cursor/);
  });

  test('$explain-access says what may be seen and why', async () => {
    await decide({ type: 'permit', provision: [{ type: 'deny', actor: recipient(code('hospital-b')) }] });
    const id = (await c.patient(card())).id;
    const explained = await c.read(`/Patient/${id}/$explain-access`);
    const laboratory = explained.parameter.find((p) => p.name === 'laboratory');
    assert.equal(laboratory.part.find((p) => p.name === 'permitted').valueBoolean, true);
    assert.match(laboratory.part.find((p) => p.name === 'rule').valueString, /同意/);
  });
});

describe('a consent that cannot be interpreted', () => {
  const bad = {
    'no provision': [undefined, {}, /Consent\.provision/],
    'no type': [{ purpose: purposes('TREAT') }, {}, /type/],
    'an empty rule': [{}, {}, /Consent\.provision/],
    'a rule\'s modifier we do not know': [{ type: 'permit', modifierExtension: [{ url: 'urn:x', valueBoolean: true }] }, {}, /modifierExtension/],
    'unknown purpose': [{ type: 'permit', purpose: [{ system: 'urn:x', code: 'TREAT' }] }, {}, /purpose/],
    'unknown facility': [{ type: 'permit', actor: recipient('9999999999') }, {}, /actor/],
    'a class we cannot enforce': [{ type: 'deny', class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }] }, {}, /class/],
    'a security label': [{ type: 'deny', securityLabel: [{ code: 'R' }] }, {}, /securityLabel/],
    'a data period': [{ type: 'permit', dataPeriod: { start: '2026-01-01' } }, {}, /dataPeriod/],
    'exceptions of exceptions': [{ type: 'permit', provision: [{ type: 'deny', provision: [{ type: 'permit' }] }] }, {}, /exceptions/],
    'another scope': [{ type: 'permit' }, { scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }] } }, /scope/],
    'a date that is none': [{ type: 'permit', period: { start: '2026-13-01' } }, {}, /./],
    'a modifier we do not know': [{ type: 'permit' }, { modifierExtension: [{ url: 'urn:x', valueBoolean: true }] }, /modifierExtension/],
  };
  for (const [name, [provision, extra, pattern]] of Object.entries(bad)) {
    test(`${name}: 422, and nothing is stored`, async () => {
      const count = () => sql(region, "SELECT (SELECT count(*) FROM record) AS records, (SELECT count(*) FROM consent_rule) AS rules")[0];
      const before = count();
      assertOutcome(await one.post('/Consent', consent(card(), provision, extra)), 422, pattern);
      assert.deepEqual(count(), before);
    });
  }
});
