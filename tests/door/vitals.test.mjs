// SPDX-License-Identifier: Apache-2.0
//
// Values measured at home: by the resident himself with his card, and by a gateway for him; repeated without harm, checked for
// sense, and never about somebody else.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CARD, Region, assertOutcome } from './region.mjs';
import { byCard, condition, consent, observation, patient, pressure, vital } from './resources.mjs';

const KINDS = {
  'body weight': (at) => vital('29463-7', 61.4, 'kg', { at }),
  temperature: (at) => vital('8310-5', 36.5, 'Cel', { at }),
  steps: (at) => vital('41950-7', 8123, '/d', { at }),
  'oxygen saturation': (at) => vital('59408-5', 97, '%', { at }),
  pulse: (at) => vital('8867-4', 68, '/min', { at }),
  'blood pressure': (at) => pressure(128, 82, { at }),
};
let region;
let five;
let gateway;
const card = () => region.resident('resident-5').card;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  five = region.party('resident-5');
  gateway = region.party('gateway-v');
});
after(() => region?.stop());

describe('the resident', () => {
  for (const [name, make] of Object.entries(KINDS)) {
    test(`records ${name}, and the same twice is one`, async () => {
      const first = await five.post('/Observation', make('2026-02-01T07:00:00+09:00'));
      assert.equal(first.status, 201, first.text);
      assert.ok(first.json.meta.tag.some((t) => t.code === 'patient-generated'), 'marked as measured at home');
      const again = await five.post('/Observation', make('2026-02-01T07:00:00+09:00'));
      assert.ok([200, 201].includes(again.status));
      assert.equal(again.json.id, first.json.id);
      assert.equal(again.json.meta.versionId, '1', 'nothing changed');
      const code = first.json.code.coding[0].code;
      assert.equal((await five.search(`/Observation?code=${code}`)).total, 1);
      assert.equal((await five.post('/Observation', make('2026-02-02T07:00:00+09:00'))).status, 201);
      assert.equal((await five.search(`/Observation?code=${code}`)).total, 2, 'another morning is another value');
    });
  }

  test('names nobody and means himself', async () => {
    const own = (await five.search('/Observation')).resources;
    const ids = new Set(own.map((o) => o.subject.reference));
    assert.equal(ids.size, 1);
    assert.match([...ids][0], /^Patient\/[A-Za-z0-9.-]+$/);
  });

  test('cannot write about another', async () => {
    const other = region.resident('resident-1').card;
    assertOutcome(await five.post('/Observation', { ...pressure(120, 80), subject: byCard(other) }), 403);
    const unknown = await five.post('/Observation', { ...pressure(120, 80), subject: byCard('220199999990') });
    assert.ok(unknown.status >= 400 && unknown.status < 500);
    assert.equal((await region.party('resident-1').search('/Observation')).total, 0);
  });

  test('cannot write what is for others to write', async () => {
    for (const resource of [condition(card()), patient(region.resident('resident-5'))]) assertOutcome(await five.post(`/${resource.resourceType}`, resource), 403);
  });

  test('corrects and deletes his own, not a hospital\'s', async () => {
    const made = await five.create(vital('29463-7', 99, 'kg', { at: '2026-02-03T07:00:00+09:00' }));
    const put = await five.put(`/Observation/${made.id}`, { ...made, valueQuantity: { ...made.valueQuantity, value: 60 } });
    assert.equal(put.status, 200, put.text);
    assert.equal((await five.del(`/Observation/${made.id}`)).status, 204);
    const theirs = await region.party('hospital-a').create(observation(card()));
    const refused = await five.del(`/Observation/${theirs.id}`);
    assert.ok(refused.status >= 400 && refused.status < 500, `${refused.status}`);
    assert.equal((await five.get(`/Observation/${theirs.id}`)).status, 200);
  });
});

describe('a gateway', () => {
  for (const [name, make] of Object.entries(KINDS)) {
    test(`sends ${name} for a card, and the same twice is one`, async () => {
      const body = { ...make('2026-03-01T07:00:00+09:00'), subject: byCard(card()) };
      const first = await gateway.post('/Observation', body);
      assert.equal(first.status, 201, first.text);
      const again = await gateway.post('/Observation', body);
      assert.equal(again.json.id, first.json.id);
      assert.equal((await five.search(`/Observation?_id=${first.json.id}`)).total, 1, 'the resident sees it');
    });
  }

  test('may repeat under its own identifier; a second value under it is an update', async () => {
    const body = (value) => ({ ...vital('8867-4', value, '/min'), subject: byCard(card()), identifier: [{ system: 'urn:device:1', value: 'm-77' }] });
    const first = await gateway.create(body(70));
    const second = await gateway.create(body(71));
    assert.equal(second.id, first.id);
    assert.equal(second.meta.versionId, '2');
  });

  test('sends a hundred at once, all kept once', async () => {
    const body = (i) => ({ ...vital('8867-4', 60 + (i % 20), '/min', { at: `2026-04-01T07:${String(i % 50).padStart(2, '0')}:00+09:00` }), subject: byCard(card()), identifier: [{ system: 'urn:device:2', value: `m-${i % 50}` }] });
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => gateway.post('/Observation', body(i))));
    for (const x of answers) assert.ok([200, 201].includes(x.status), x.text);
    assert.equal(new Set(answers.map((x) => x.json.id)).size, 50);
  });

  test('sees no hospital record and writes nothing else', async () => {
    await region.party('hospital-a').create(condition(card()));
    assert.equal((await gateway.search('/Condition')).total, 0);
    assertOutcome(await gateway.post('/Condition', condition(card())), 403);
    assertOutcome(await gateway.get('/Observation', { 'Tasuki-Purpose': 'TREAT' }), 403);
  });

  test('for an unknown card is refused', async () => {
    assertOutcome(await gateway.post('/Observation', { ...pressure(120, 80), subject: byCard('220199999990') }), 422, /subject/);
  });
});

describe('what cannot be', () => {
  const wrong = {
    'a systolic pressure of 500': [pressure(500, 80), /component\[0\]/],
    'a diastolic above the systolic pressure': [pressure(80, 120), /diastolic/],
    'a temperature of 60': [vital('8310-5', 60, 'Cel'), /valueQuantity/],
    'a weight below nothing': [vital('29463-7', -3, 'kg'), /valueQuantity/],
    'a saturation of 101': [vital('59408-5', 101, '%'), /valueQuantity/],
    'a million steps': [vital('41950-7', 1_000_000, '/d'), /valueQuantity/],
    'a weight in pounds': [vital('29463-7', 130, '[lb_av]'), /kg/],
    'a temperature in Fahrenheit': [vital('8310-5', 98, '[degF]'), /Cel/],
    'tomorrow': [pressure(120, 80, { at: new Date(Date.now() + 86_400_000).toISOString() }), /effectiveDateTime/],
    'no time': [{ ...pressure(120, 80), effectiveDateTime: undefined }, /effectiveDateTime/],
    'no value': [{ ...vital('29463-7', 60, 'kg'), valueQuantity: undefined }, /valueQuantity/],
    'a pressure without parts': [{ ...pressure(120, 80), component: undefined }, /component/],
    'half a pressure': [{ ...pressure(120, 80), component: pressure(120, 80).component.slice(0, 1) }, /component|8462-4/],
  };
  for (const [name, [body, pattern]] of Object.entries(wrong)) {
    test(`${name} is refused with the place`, async () => {
      const count = async () => (await five.search('/Observation?_count=0')).total;
      const before = await count();
      assertOutcome(await five.post('/Observation', body), 422, pattern);
      assertOutcome(await gateway.post('/Observation', { ...body, subject: byCard(card()) }), 422, pattern);
      assert.equal(await count(), before);
    });
  }
});

describe('under consent', () => {
  test('a physician sees home values', async () => {
    const c = region.party('clinic-c');
    assert.equal((await c.search(`/Observation?code=85354-9&patient.identifier=${CARD}|${card()}`)).total, 0);
    await five.create(consent(card(), { type: 'permit' }));
    const found = await c.search(`/Observation?code=85354-9&patient.identifier=${CARD}|${card()}`);
    assert.ok(found.total >= 3);
    for (const o of found.resources) assert.ok(o.meta.tag.some((t) => t.code === 'patient-generated'));
  });
});
