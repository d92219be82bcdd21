// SPDX-License-Identifier: Apache-2.0
//
// FHIR R4 over HTTP as a client meets it: the interactions, every kind of search parameter, paging, refusals, and a
// CapabilityStatement that promises what the routes do.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { CARD, Region, assertOutcome } from './region.mjs';
import { byCard, condition, consent, observation, patient, vital } from './resources.mjs';

const q = encodeURIComponent;
let region;
let a;
let card;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  a = region.party('hospital-a');
  card = region.resident('resident-1').card;
  await a.create(patient(region.resident('resident-1'), { identifier: [{ system: region.localSystem('hospital-a'), value: '00012345' }] }));
});
after(() => region?.stop());

describe('one resource', () => {
  test('create answers 201 with Location, ETag, Last-Modified and the resource', async () => {
    const made = await a.post('/Observation', observation(card));
    assert.equal(made.status, 201, made.text);
    assert.match(made.headers.location, new RegExp(`^${region.urls.system}/Observation/[A-Za-z0-9.-]{1,64}/_history/1$`));
    assert.equal(made.headers.etag, 'W/"1"');
    assert.ok(Date.parse(made.headers['last-modified']));
    assert.match(made.headers['x-request-id'], /^[0-9a-f-]{36}$/);
    assert.match(made.headers['content-type'], /^application\/fhir\+json/);
    assert.equal(made.json.meta.versionId, '1');
    assert.match(made.json.meta.lastUpdated, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
  });

  test('a resource that names nobody is about whom its target is about', async () => {
    const about = (target) => ({
      resourceType: 'Provenance', target: [{ reference: target }], recorded: '2026-01-15T09:00:00+09:00',
      agent: [{ who: { display: '検査部' } }],
    });
    const made = await a.create(observation(card));
    const provenance = await a.create(about(`Observation/${made.id}`));
    assert.equal((await a.get(`/Provenance/${provenance.id}`)).status, 200);
    assert.equal((await region.party('hospital-b').get(`/Provenance/${provenance.id}`)).status, 404);
    assertOutcome(await a.post('/Provenance', about(`Observation/${randomUUID()}`)), 422, /Provenance/);
    assertOutcome(await region.party('hospital-b').post('/Provenance', about(`Observation/${made.id}`)), 422, /Provenance/);
  });

  test('what was sent comes back, digits and all', async () => {
    const sent = observation(card, { note: [{ text: '再検 "≥" 𠮷野 \\ 😀' }] });
    const text = JSON.stringify(sent).replace('"value":5.8', '"value":5.800');
    const made = await a.request('POST', '/Observation', { body: text });
    assert.equal(made.status, 201, made.text);
    const read = await a.get(`/Observation/${made.json.id}`);
    assert.match(read.text, /"value":5\.800[,}]/);
    assert.deepEqual(read.json.note, sent.note);
    assert.deepEqual(read.json.code, sent.code);
  });

  test('read, update, vread and history tell one story', async () => {
    const first = await a.create(observation(card, { value: 1 }));
    const changed = { ...first, valueQuantity: { ...first.valueQuantity, value: 2 } };
    const put = await a.put(`/Observation/${first.id}`, changed);
    assert.equal(put.status, 200, put.text);
    assert.equal(put.headers.etag, 'W/"2"');
    assert.equal((await a.read(`/Observation/${first.id}`)).valueQuantity.value, 2);
    assert.equal((await a.read(`/Observation/${first.id}/_history/1`)).valueQuantity.value, 1);
    assert.equal((await a.read(`/Observation/${first.id}/_history/2`)).valueQuantity.value, 2);
    assertOutcome(await a.get(`/Observation/${first.id}/_history/3`), 404);
    const history = await a.read(`/Observation/${first.id}/_history`);
    assert.equal(history.type, 'history');
    assert.equal(history.total, 2);
    assert.deepEqual(history.entry.map((e) => e.resource.meta.versionId), ['2', '1'], 'newest first');
    for (const e of history.entry) assert.ok(e.request.method && e.response.status);
  });

  test('delete answers 204, then 410; history keeps it; deleting again is no error', async () => {
    const made = await a.create(observation(card));
    const gone = await a.del(`/Observation/${made.id}`);
    assert.equal(gone.status, 204);
    assert.equal(gone.text, '');
    assertOutcome(await a.get(`/Observation/${made.id}`), 410);
    assert.equal((await a.read(`/Observation/${made.id}/_history/1`)).id, made.id);
    assertOutcome(await a.get(`/Observation/${made.id}/_history/2`), 410);
    assert.equal((await a.read(`/Observation/${made.id}/_history`)).total, 2);
    assert.equal((await a.del(`/Observation/${made.id}`)).status, 204);
    assert.equal((await a.read(`/Observation/${made.id}/_history`)).total, 2, 'no second marker');
    assert.equal((await a.search(`/Observation?_id=${made.id}`)).total, 0);
  });

  test('update of a deleted one brings it back', async () => {
    const made = await a.create(observation(card));
    await a.del(`/Observation/${made.id}`);
    const back = await a.put(`/Observation/${made.id}`, made);
    assert.ok([200, 201].includes(back.status), back.text);
    assert.equal((await a.read(`/Observation/${made.id}`)).meta.versionId, '3');
  });

  test('update under an id the client chose creates it', async () => {
    const id = randomUUID();
    const made = await a.put(`/Observation/${id}`, { ...observation(card), id });
    assert.equal(made.status, 201, made.text);
    assert.equal((await a.read(`/Observation/${id}`)).id, id);
  });

  test('If-Match guards against lost updates', async () => {
    const made = await a.create(observation(card));
    const put = (tag) => a.put(`/Observation/${made.id}`, { ...made, note: [{ text: tag }] }, { 'If-Match': tag });
    assertOutcome(await put('W/"2"'), 412);
    assertOutcome(await put('"x"'), 400, /If-Match/);
    assert.equal((await put('W/"1"')).status, 200);
    assertOutcome(await put('W/"1"'), 412);
    assertOutcome(await a.del(`/Observation/${made.id}`, { 'If-Match': 'W/"1"' }), 412);
    assert.equal((await a.del(`/Observation/${made.id}`, { 'If-Match': 'W/"2"' })).status, 204);
  });

  test('If-Match: * wants something to be there, If-None-Match: * nothing', async () => {
    const id = randomUUID();
    const put = (headers, value = 1) => a.put(`/Observation/${id}`, { ...observation(card, { value }), id }, headers);
    assertOutcome(await put({ 'If-Match': '*' }), 412);
    assert.equal((await put({ 'If-None-Match': '*' })).status, 201);
    assertOutcome(await put({ 'If-None-Match': '*' }, 2), 412);
    assert.equal((await put({ 'If-Match': '*' }, 3)).headers.etag, 'W/"2"');
    const ops = JSON.stringify([{ op: 'add', path: '/note', value: [{ text: 'x' }] }]);
    assert.equal((await a.request('PATCH', `/Observation/${id}`, { body: ops, type: 'application/json-patch+json', headers: { 'If-Match': '*' } })).headers.etag, 'W/"3"');
    assert.equal((await a.del(`/Observation/${id}`, { 'If-Match': '*' })).status, 204);
    assertOutcome(await put({ 'If-Match': '*' }), 412);
    assert.equal((await put({ 'If-None-Match': '*' })).status, 201);
  });

  test('what another facility recorded may be seen and not changed: 403', async () => {
    await region.party('resident-1').create(consent(card, { type: 'permit' }));
    const b = region.party('hospital-b');
    const made = await b.create(observation(card));
    assert.equal((await a.read(`/Observation/${made.id}`)).id, made.id);
    assertOutcome(await a.put(`/Observation/${made.id}`, { ...made, subject: byCard(card), status: 'amended' }), 403);
    assertOutcome(await a.del(`/Observation/${made.id}`), 403);
    const ops = JSON.stringify([{ op: 'replace', path: '/status', value: 'amended' }]);
    assertOutcome(await a.request('PATCH', `/Observation/${made.id}`, { body: ops, type: 'application/json-patch+json' }), 403);
    assert.equal((await b.read(`/Observation/${made.id}`)).meta.versionId, '1');
  });

  test('of two updates at once with the same If-Match one wins', async () => {
    const made = await a.create(observation(card));
    const answers = await Promise.all([1, 2, 3, 4].map((n) => a.put(`/Observation/${made.id}`, { ...made, note: [{ text: `${n}` }] }, { 'If-Match': 'W/"1"' })));
    assert.deepEqual(answers.map((x) => x.status).sort(), [200, 412, 412, 412]);
  });

  test('HEAD is GET without a body', async () => {
    const made = await a.create(observation(card));
    const [get, head] = [await a.get(`/Observation/${made.id}`), await a.request('HEAD', `/Observation/${made.id}`)];
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    for (const name of ['etag', 'content-type', 'content-length', 'last-modified']) assert.equal(head.headers[name], get.headers[name], name);
    assert.equal((await a.request('HEAD', `/Observation/${randomUUID()}`)).status, 404);
  });

  test('Prefer: return=minimal leaves the body out', async () => {
    const made = await a.post('/Observation', observation(card), { Prefer: 'return=minimal' });
    assert.equal(made.status, 201);
    assert.equal(made.text, '');
    assert.ok(made.headers.location);
  });
});

describe('what is refused', () => {
  test('an unknown element: 422 with the place', async () => {
    const issues = assertOutcome(await a.post('/Observation', { ...observation(card), colour: 'red' }), 422, /colour/);
    assert.match(issues[0].expression[0], /^Observation/);
    const deep = observation(card);
    deep.code.coding[0].kolor = 'x';
    assert.match(assertOutcome(await a.post('/Observation', deep), 422)[0].expression[0], /Observation\.code\.coding(\[0\])?/);
  });

  test('a missing or wrong element: 422 with the place', async () => {
    const { status, ...without } = observation(card);
    assert.match(JSON.stringify(assertOutcome(await a.post('/Observation', without), 422)), /Observation\.status/);
    for (const [name, change] of Object.entries({
      status: { status: 'done' }, effective: { effectiveDateTime: '2026-02-30' }, value: { valueQuantity: { value: 'high' } },
      subject: { subject: 'me' }, category: { category: { text: 'x' } }, issued: { issued: 'yesterday' },
    })) {
      const issues = assertOutcome(await a.post('/Observation', { ...observation(card), ...change }), 422);
      assert.match(issues[0].expression?.[0] ?? '', new RegExp(`Observation\\.${name}`), JSON.stringify(issues));
    }
    assertOutcome(await a.post('/Observation', { ...observation(card), valueString: 'two values' }), 422, /value/);
  });

  test('bytes that are no JSON: 400 with line and column', async () => {
    for (const body of ['{', '', '[1,]', '{"resourceType":"Observation",}', '{"a":1,"a":2}', 'null\u0000', '{"x":01}', '<Observation/>']) {
      const answer = await a.request('POST', '/Observation', { body });
      assert.ok([400, 422].includes(answer.status), `${body}: ${answer.status}`);
      assert.equal(answer.json.resourceType, 'OperationOutcome');
    }
    const issues = assertOutcome(await a.request('POST', '/Observation', { body: '{\n  "resourceType": oops}' }), 400);
    assert.match(JSON.stringify(issues), /line 2/);
    const bad = Buffer.concat([Buffer.from('{"resourceType":"Observation","x":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    assertOutcome(await a.request('POST', '/Observation', { body: bad }), 400);
    assertOutcome(await a.request('POST', '/Observation', { body: `${'['.repeat(5000)}${']'.repeat(5000)}` }), 400);
  });

  test('another type or id than the address says', async () => {
    assert.ok([400, 422].includes((await a.post('/Observation', condition(card))).status));
    const made = await a.create(observation(card));
    assertOutcome(await a.put(`/Observation/${made.id}`, { ...made, id: randomUUID() }), 400, /Observation\.id/);
  });

  test('a resource about nobody, or about two as equals', async () => {
    assertOutcome(await a.post('/Observation', observation(undefined)), 422, /Observation\.subject/);
    const [one, two] = ['resident-1', 'resident-2'].map((key) => ({ identifier: { system: CARD, value: region.resident(key).card } }));
    assertOutcome(await a.post('/Observation', observation(undefined, { performer: [one, two] })), 422, /performer/);
    const inside = { resourceType: 'Observation', id: 'o', status: 'final', code: { text: 'x' }, subject: two };
    assertOutcome(await a.post('/Observation', observation(card, { contained: [inside], hasMember: [{ reference: '#o' }] })), 422, /contained/);
  });

  test('other media types: 415 and 406', async () => {
    assertOutcome(await a.request('POST', '/Observation', { body: 'x', type: 'text/plain' }), 415);
    assertOutcome(await a.get('/Observation', { Accept: 'text/turtle' }), 406);
    assertOutcome(await a.get('/Observation?_format=ttl'), 406);
    for (const accept of ['application/json', 'application/fhir+json;fhirVersion=4.0', '*/*']) assert.equal((await a.get('/Observation?_count=0', { Accept: accept })).status, 200, accept);
    assert.equal((await a.get('/Observation?_format=json&_count=0')).status, 200);
  });

  test('unknown places and methods: 404 and 405', async () => {
    for (const path of ['/Observations', '/observation', '/Observation/x/y', '/Patient/x/$nothing', '/Observation/$lastn/x', '/Element']) {
      assertOutcome(await a.get(path), 404);
    }
    for (const [method, path] of [['POST', `/Observation/${randomUUID()}`], ['PUT', '/AuditEvent/1'], ['DELETE', '/metadata'], ['POST', '/AuditEvent']]) {
      const answer = await a.request(method, path, { body: method === 'DELETE' ? undefined : {} });
      assertOutcome(answer, 405);
      assert.ok(answer.headers.allow, `${method} ${path}: Allow`);
    }
  });

  test('a body over the limit: 413, and the next request is answered', async () => {
    const note = 'x'.repeat(11 * 1024 * 1024);
    try {
      assert.equal((await a.again().post('/Observation', observation(card, { note: [{ text: note }] }))).status, 413);
    } catch (error) {
      assert.match(`${error.code}`, /ECONNRESET|EPIPE/, 'refused before all of it was sent');
    }
    assert.equal((await a.get('/Observation?_count=0')).status, 200);
  });
});

describe('search', () => {
  const tag = `t${Date.now()}`;
  const made = [];
  before(async () => {
    for (let i = 0; i < 23; i++) {
      made.push(await a.create(observation(card, {
        value: i / 2,
        code: i % 2 ? '718-7' : '2093-3',
        unit: i % 2 ? 'g/dL' : 'mg/dL',
        at: `2025-0${1 + (i % 9)}-1${i % 10}T10:00:00+09:00`,
        status: i % 5 ? 'final' : 'amended',
        identifier: [{ system: 'urn:test', value: `${tag}-${String(i).padStart(2, '0')}` }],
        method: { text: tag },
        device: i % 3 ? undefined : { reference: 'Device/d1' },
      })));
    }
    await a.create({ ...condition(card), recordedDate: '2025-06-01' });
    await a.create({ ...condition(region.resident('resident-2').card, '糖尿病'), code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'E11' }] } });
  });

  const batch = Array.from({ length: 23 }, (_, i) => `urn:test|${tag}-${String(i).padStart(2, '0')}`).join(',');
  const among = (rest = '') => a.search(`/Observation?identifier=${q(batch)}${rest && `&${rest}`}`);
  const expect = async (rest, predicate) => {
    const want = made.filter(predicate).map((r) => r.id).sort();
    const got = await among(rest);
    assert.deepEqual(got.resources.map((r) => r.id).sort(), want, rest);
    assert.equal(got.total, want.length, `total of ${rest}`);
  };
  const when = (r) => Date.parse(r.effectiveDateTime);

  const cases = {
    'code=718-7': (r) => r.code.coding[0].code === '718-7',
    'code=http://loinc.org|718-7': (r) => r.code.coding[0].code === '718-7',
    'code=http://loinc.org|': () => true,
    'code=|718-7': () => false,
    'code=718-7,2093-3': () => true,
    'code:not=718-7': (r) => r.code.coding[0].code !== '718-7',
    'code=718-7&code=2093-3': () => false,
    'status=amended': (r) => r.status === 'amended',
    'category=laboratory': () => true,
    'date=2025-03': (r) => r.effectiveDateTime.startsWith('2025-03'),
    'date=eq2025-03-12': (r) => r.effectiveDateTime.startsWith('2025-03-12'),
    'date=ne2025-03': (r) => !r.effectiveDateTime.startsWith('2025-03'),
    'date=ge2025-05': (r) => when(r) >= Date.parse('2025-05-01T00:00:00+09:00'),
    'date=gt2025-05': (r) => when(r) >= Date.parse('2025-06-01T00:00:00+09:00'),
    'date=lt2025-05': (r) => when(r) < Date.parse('2025-05-01T00:00:00+09:00'),
    'date=le2025-05': (r) => when(r) < Date.parse('2025-06-01T00:00:00+09:00'),
    'date=sa2025-05-31': (r) => when(r) >= Date.parse('2025-06-01T00:00:00+09:00'),
    'date=eb2025-05-01': (r) => when(r) < Date.parse('2025-05-01T00:00:00+09:00'),
    'date=ge2025-03&date=lt2025-05': (r) => /^2025-0[34]/.test(r.effectiveDateTime),
    'value-quantity=gt5': (r) => r.valueQuantity.value > 5,
    'value-quantity=le2|http://unitsofmeasure.org|g/dL': (r) => r.valueQuantity.value <= 2 && r.valueQuantity.code === 'g/dL',
    'value-quantity=3.5': (r) => Math.abs(r.valueQuantity.value - 3.5) < 0.05,
    'value-quantity=lt1||mg/dL': (r) => r.valueQuantity.value < 1 && r.valueQuantity.code === 'mg/dL',
    'device=Device/d1': (r) => r.device !== undefined,
    'device:missing=true': (r) => r.device === undefined,
    'device:missing=false': (r) => r.device !== undefined,
    '_lastUpdated=ge2020': () => true,
    '_lastUpdated=lt2020': () => false,
  };
  for (const [rest, predicate] of Object.entries(cases)) {
    test(rest, () => expect(rest.split('&').map((p) => p.replace(/=(.*)$/, (_, v) => `=${q(v)}`)).join('&'), predicate));
  }

  test('by patient in every spelling', async () => {
    const id = (await a.patient(card)).id;
    for (const by of [`patient=${id}`, `patient=Patient/${id}`, `subject=Patient/${id}`, `subject:Patient=${id}`, `patient.identifier=${q(`${CARD}|${card}`)}`,
      `subject.identifier=${q(`${CARD}|${card}`)}`, `patient:identifier=${q(`${CARD}|${card}`)}`, `patient=${q(`${region.urls.system}/Patient/${id}`)}`]) {
      await expect(by, () => true);
    }
    await expect(`patient=${randomUUID()}`, () => false);
  });

  test('by _id, one and several, unknown ones left out', async () => {
    const some = made.slice(3, 6).map((r) => r.id);
    const got = await a.search(`/Observation?_id=${some.join(',')},${randomUUID()}`);
    assert.deepEqual(got.resources.map((r) => r.id).sort(), some.slice().sort());
    assert.equal(got.total, 3);
  });

  test('Patient by name, birth date, gender and identifiers', async () => {
    const r = region.resident('resident-1');
    const [family, given] = r.name.split(/[ 　]/);
    for (const by of [`family=${q(family)}`, `name=${q(family)}`, `given=${q(given)}`, `name:exact=${q(family)}`, `name:contains=${q(family.slice(1))}`, `birthdate=${r.birthDate}`,
      `birthdate=le${r.birthDate}&birthdate=ge${r.birthDate}`, `gender=${r.gender}`, `identifier=${q(`${CARD}|${card}`)}`, `identifier=${q(`${region.localSystem('hospital-a')}|00012345`)}`]) {
      const got = await a.search(`/Patient?${by}`);
      assert.equal(got.total, 1, by);
    }
    for (const by of ['family=nobody', 'birthdate=1800-01-01', 'gender=other', `name:exact=${q(family.slice(0, 1))}x`]) assert.equal((await a.search(`/Patient?${by}`)).total, 0, by);
  });

  test('sorted by date and by time of change, both ways', async () => {
    for (const [sort, key] of [['date', (r) => when(r)], ['_lastUpdated', (r) => Date.parse(r.meta.lastUpdated)]]) {
      const up = (await among(`_sort=${sort}&_count=5`)).resources.map(key);
      const down = (await among(`_sort=-${sort}&_count=4`)).resources.map(key);
      assert.deepEqual(up, up.slice().sort((x, y) => x - y), sort);
      assert.deepEqual(down, up.slice().sort((x, y) => y - x), `-${sort}`);
    }
    assertOutcome(await a.get('/Observation?_sort=colour'), 400, /_sort/);
  });

  test('pages of any size join without gap or repeat, under the same total', async () => {
    for (const size of [1, 2, 7, 22, 23, 24, 1000]) {
      const seen = [];
      let next = `/Observation?identifier=${q(batch)}&_count=${size}`;
      for (let pages = 0; next; pages++) {
        const bundle = await a.read(next);
        assert.equal(bundle.total, 23);
        assert.ok((bundle.entry ?? []).length <= size);
        for (const e of bundle.entry ?? []) {
          assert.equal(e.search.mode, 'match');
          assert.equal(e.fullUrl, `${region.urls.system}/Observation/${e.resource.id}`);
          seen.push(e.resource.id);
        }
        next = bundle.link.find((l) => l.relation === 'next')?.url;
        assert.ok(pages <= 23);
      }
      assert.equal(seen.length, 23, `_count=${size}`);
      assert.equal(new Set(seen).size, 23);
    }
  });

  test('a page is not disturbed by what is written behind it', async () => {
    const first = await a.read(`/Observation?identifier=${q(batch)}&_count=10&_sort=date`);
    await a.create(observation(card, { at: '2020-01-01T00:00:00+09:00', identifier: [{ system: 'urn:test', value: `${tag}-00` }] }));
    const rest = await a.search(first.link.find((l) => l.relation === 'next').url);
    const all = [...first.entry.map((e) => e.resource.id), ...rest.resources.map((r) => r.id)];
    assert.equal(new Set(all).size, all.length);
    for (const r of made) assert.ok(all.includes(r.id), 'none of the first ones is missed');
    const extra = (await among('date=2020')).resources;
    for (const r of extra) await a.del(`/Observation/${r.id}`);
  });

  test('_count=0, _summary=count and _total', async () => {
    for (const rest of ['_count=0', '_summary=count']) {
      const bundle = await a.read(`/Observation?identifier=${q(batch)}&${rest}`);
      assert.equal(bundle.total, 23);
      assert.equal(bundle.entry, undefined);
    }
    assert.equal((await a.read(`/Observation?identifier=${q(batch)}&_total=none`)).total, undefined);
    assert.equal((await a.read(`/Observation?identifier=${q(batch)}&_total=accurate`)).total, 23);
  });

  test('POST _search is GET', async () => {
    const answer = await a.request('POST', '/Observation/_search', { body: `identifier=${q(batch)}&code=718-7`, type: 'application/x-www-form-urlencoded' });
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    assert.equal(answer.json.total, made.filter((r) => r.code.coding[0].code === '718-7').length);
    assertOutcome(await a.request('POST', '/Observation/_search', { body: '{}', type: 'application/json' }), 415);
  });

  test('the self link says how the search was understood', async () => {
    const bundle = await a.read(`/Observation?identifier=${q(batch)}&code=718-7&_count=3`);
    const self = new URL(bundle.link.find((l) => l.relation === 'self').url);
    assert.equal(self.searchParams.get('code'), '718-7');
    assert.equal(self.searchParams.get('identifier'), batch);
  });

  test('what is not understood is refused and the valid is named', async () => {
    assertOutcome(await a.get('/Observation?colour=red'), 400, /value-quantity/);
    assertOutcome(await a.get('/Observation?code:sounds=x'), 400, /:missing/);
    assertOutcome(await a.get('/Observation?date=yesterday'), 400, /date/);
    assertOutcome(await a.get('/Observation?value-quantity=high'), 400);
    assertOutcome(await a.get('/Observation?_count=many'), 400, /_count/);
    assertOutcome(await a.get('/Observation?_total=some'), 400);
    assertOutcome(await a.get('/Observation?code='), 400);
    assertOutcome(await a.get('/Observation?_cursor=AAAA'), 400, /_cursor/);
    assertOutcome(await a.get(`/Observation/${made[0].id}?colour=red`), 400);
    const lenient = await a.search('/Observation?colour=red&_count=0', { Prefer: 'handling=lenient' });
    assert.ok(lenient.total >= 23);
  });

  test('strange characters are only characters', async () => {
    for (const value of ["' OR 1=1 --", '%', '_', '*', '"', '\\', '𠮷', '\u0001', '😀'.repeat(50), 'a'.repeat(3000)]) {
      const answer = await a.get(`/Patient?name=${q(value)}`);
      assert.ok([200, 400].includes(answer.status), `${value.slice(0, 12)}: ${answer.status}`);
      if (answer.status === 200) assert.equal(answer.json.total, 0, value.slice(0, 12));
    }
    assert.ok((await a.get('/Patient?name=%zz')).status === 400);
    assert.ok((await a.get('/Patient?name=%ff')).status < 500);
    assert.equal((await a.get(`/Patient?name=${'a'.repeat(9000)}`)).status, 414);
  });

});

describe('operations', () => {
  test('$everything holds all that a search finds, once', async () => {
    const id = (await a.patient(card)).id;
    const bundle = await a.read(`/Patient/${id}/$everything`);
    const seen = (bundle.entry ?? []).map((e) => `${e.resource.resourceType}/${e.resource.id}`);
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(seen.includes(`Patient/${id}`));
    for (const type of ['Observation', 'Condition']) {
      const found = await a.search(`/${type}?patient=${id}&_count=1000`);
      for (const r of found.resources) assert.ok(seen.includes(`${type}/${r.id}`), r.id);
    }
  });

  test('$summary is a document that begins with its Composition', async () => {
    const id = (await a.patient(card)).id;
    const bundle = await a.read(`/Patient/${id}/$summary`);
    assert.equal(bundle.type, 'document');
    assert.equal(bundle.entry?.[0].resource.resourceType, 'Composition');
    assert.ok(bundle.identifier && bundle.timestamp);
    const urls = new Set(bundle.entry.map((e) => e.fullUrl));
    for (const section of bundle.entry[0].resource.section) {
      assert.ok(section.title && section.code);
      for (const e of section.entry ?? []) assert.ok(urls.has(e.reference) || [...urls].some((u) => u.endsWith(`/${e.reference}`)), e.reference);
    }
    const page = await a.get(`/Patient/${id}/$summary`, { Accept: 'text/html' });
    assert.equal(page.status, 200);
    assert.match(page.headers['content-type'], /text\/html/);
  });
});

describe('the CapabilityStatement', () => {
  test('needs no registration and says R4', async () => {
    const statement = await region.party('hospital-a').read('/metadata');
    assert.equal(statement.resourceType, 'CapabilityStatement');
    assert.equal(statement.fhirVersion, '4.0.1');
    assert.equal(statement.kind, 'instance');
    assert.equal((await region.party(undefined).get('/metadata')).status, 200);
  });

  test('promises what the routes do', async () => {
    const { rest: [rest] } = await a.read('/metadata');
    const never = randomUUID();
    for (const r of rest.resource.filter((_, i) => i % 7 === 0 || ['Patient', 'Observation', 'AuditEvent', 'Consent'].includes(_.type))) {
      const claims = new Set((r.interaction ?? []).map((i) => i.code));
      const ask = {
        'search-type': ['GET', `/${r.type}?_count=1`], read: ['GET', `/${r.type}/${never}`], vread: ['GET', `/${r.type}/${never}/_history/1`],
        'history-instance': ['GET', `/${r.type}/${never}/_history`], create: ['POST', `/${r.type}`], update: ['PUT', `/${r.type}/${never}`], delete: ['DELETE', `/${r.type}/${never}`],
      };
      for (const [interaction, [method, path]] of Object.entries(ask)) {
        const { status } = await a.request(method, path, { body: ['POST', 'PUT'].includes(method) ? { resourceType: r.type } : undefined });
        if (claims.has(interaction)) assert.ok(![405, 501].includes(status) && status < 500, `${interaction} of ${r.type}: ${status}`);
        else assert.ok([404, 405, 501].includes(status), `${interaction} of ${r.type} is not promised and answers ${status}`);
      }
    }
  });

  test('promises only search parameters that are understood', async () => {
    const { rest: [rest] } = await a.read('/metadata');
    const sample = { date: '2026', number: '1', quantity: '1', token: 'x', string: 'x', reference: 'x', uri: 'urn:x', composite: 'x$y', special: 'x' };
    for (const type of ['Patient', 'Observation', 'Condition', 'MedicationRequest', 'AllergyIntolerance', 'Encounter', 'DiagnosticReport', 'Consent', 'Procedure', 'AuditEvent']) {
      const params = rest.resource.find((r) => r.type === type).searchParam ?? [];
      assert.ok(params.length > 0, type);
      for (const p of params) {
        const answer = await a.get(`/${type}?${p.name}=${q(sample[p.type])}&_count=1`);
        assert.ok(answer.status < 500 && !answer.text.includes('ERR_UNKNOWN_PARAM'), `${type}?${p.name}: ${answer.status} ${answer.text.slice(0, 200)}`);
      }
    }
  });

  test('promises only operations that exist', async () => {
    const { rest: [rest] } = await a.read('/metadata');
    const names = rest.resource.flatMap((r) => (r.operation ?? []).map((o) => [r.type, o.name]));
    assert.ok(names.length >= 5);
    for (const [type, name] of names) {
      const tried = await Promise.all([a.post(`/${type}/$${name}`, {}), a.get(`/${type}/${randomUUID()}/$${name}`)]);
      assert.ok(tried.some((t) => t.status !== 405 && !t.text.includes('ERR_UNKNOWN_TYPE')), `${type}/$${name}`);
    }
  });
});

/** The client brings its own fetch, which takes client certificates; Node's own would be preferred and does not. */
function loadKitClient() {
  for (const name of ['fetch', 'Headers', 'Request', 'Response']) delete globalThis[name];
  try {
    return createRequire(import.meta.url)('fhir-kit-client');
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

describe('an independent client', () => {
  test('fhir-kit-client creates, reads, searches, walks pages, updates and deletes', async (t) => {
    const Client = loadKitClient();
    if (!Client) return t.skip('fhir-kit-client is not installed (npm ci in tests/door)');
    const client = new Client({ baseUrl: region.urls.system, requestOptions: region.tls('hospital-a') });
    const capability = await client.capabilityStatement();
    assert.equal(capability.fhirVersion, '4.0.1');
    const kit = `kit-${Date.now()}`;
    const body = (n) => observation(card, { value: n, identifier: [{ system: 'urn:kit', value: kit }] });
    const first = await client.create({ resourceType: 'Observation', body: body(1) });
    for (let n = 2; n <= 5; n++) await client.create({ resourceType: 'Observation', body: body(n) });
    assert.equal((await client.read({ resourceType: 'Observation', id: first.id })).id, first.id);
    let page = await client.search({ resourceType: 'Observation', searchParams: { identifier: `urn:kit|${kit}`, _count: 2 } });
    const seen = [];
    while (page) {
      seen.push(...(page.entry ?? []).map((e) => e.resource.id));
      page = page.link.some((l) => l.relation === 'next') ? await client.nextPage({ bundle: page }) : undefined;
    }
    assert.equal(new Set(seen).size, 5);
    const changed = await client.update({ resourceType: 'Observation', id: first.id, body: { ...first, status: 'amended' } });
    assert.equal(changed.status, 'amended');
    assert.equal((await client.history({ resourceType: 'Observation', id: first.id })).total, 2);
    assert.equal((await client.vread({ resourceType: 'Observation', id: first.id, version: '1' })).status, 'final');
    await client.delete({ resourceType: 'Observation', id: first.id });
    await assert.rejects(client.read({ resourceType: 'Observation', id: first.id }), (error) => error.response?.status === 410);
    await assert.rejects(client.search({ resourceType: 'Observation', searchParams: { colour: 'red' } }), (error) => error.response?.status === 400);
    return undefined;
  });
});

describe('many at once', () => {
  test('two hundred reads and writes on eight connections are all answered', async () => {
    await region.party('resident-1').create(consent(card, { type: 'permit' }));
    const b = region.party('hospital-b');
    const id = (await a.create(vital('8867-4', 66, '/min', { subject: { identifier: { system: CARD, value: card } } }))).id;
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 4 ? (i % 2 ? a : b).get(`/Observation/${id}`) : a.post('/Observation', observation(card, { value: i })))));
    assert.deepEqual([...new Set(answers.map((x) => x.status))].sort(), [200, 201]);
    assert.equal(new Set(answers.map((x) => x.headers['x-request-id'])).size, 200);
  });
});
