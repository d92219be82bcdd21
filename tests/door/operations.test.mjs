// SPDX-License-Identifier: Apache-2.0
//
// Operations: $everything with dates of care, $lastn, $document, $meta and its changes, $ihe-pix, $convert. What each finds is
// compared with what reads and searches of the same caller find.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { CARD, INSURED, Region, assertOutcome } from './region.mjs';
import { byCard, condition, consent, observation, patient } from './resources.mjs';

const q = encodeURIComponent;
const LOINC = 'http://loinc.org';
let region;
let a;
let b;
let card;
let id;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  [a, b] = [region.party('hospital-a'), region.party('hospital-b')];
  card = region.resident('resident-1').card;
  id = (await a.create(patient(region.resident('resident-1'), { identifier: [{ system: region.localSystem('hospital-a'), value: '0077' }] }))).id;
});
after(() => region?.stop());

const parameters = (...parameter) => ({ resourceType: 'Parameters', parameter });
const ids = (bundle) => (bundle.entry ?? []).map((e) => `${e.resource.resourceType}/${e.resource.id}`);
async function pages(party, path) {
  const entries = [];
  let next = path;
  for (let n = 0; next; n++) {
    const bundle = await party.read(next);
    entries.push(...(bundle.entry ?? []));
    next = bundle.link.find((l) => l.relation === 'next')?.url;
    assert.ok(n < 100, 'paging does not end');
  }
  return entries;
}

describe('$everything', () => {
  test('start and end are dates of care; what has none is there', async () => {
    const resident = region.resident('resident-2');
    const mine = await a.create(patient(resident));
    const of = async (at) => (await a.create(observation(resident.card, { at }))).id;
    const [march, may] = [await of('2025-03-10'), await of('2025-05-10')];
    const undated = (await a.create(condition(resident.card))).id;
    const stay = (await a.create({
      resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      subject: byCard(resident.card), period: { start: '2025-02-01', end: '2025-04-01' },
    })).id;
    const found = async (query) => new Set(ids(await a.read(`/Patient/${mine.id}/$everything?${query}`)));
    const names = { march: `Observation/${march}`, may: `Observation/${may}`, undated: `Condition/${undated}`, stay: `Encounter/${stay}`, himself: `Patient/${mine.id}` };
    const expect = async (query, ...those) => {
      const set = await found(query);
      assert.deepEqual(Object.keys(names).filter((n) => set.has(names[n])).sort(), those.sort(), query);
    };
    await expect('', 'himself', 'march', 'may', 'stay', 'undated');
    await expect('start=2025-04-02', 'himself', 'may', 'undated');
    await expect('start=2025-03-11', 'himself', 'may', 'stay', 'undated');
    await expect('end=2025-03-10', 'himself', 'march', 'stay', 'undated');
    await expect('start=2025-03&end=2025-03', 'himself', 'march', 'stay', 'undated');
    await expect('start=2026&_type=Observation,Encounter');
    const posted = await a.post(`/Patient/${mine.id}/$everything`, parameters({ name: 'start', valueDate: '2025-04-02' }, { name: '_type', valueCode: 'Observation' }, { name: '_type', valueCode: 'Condition' }));
    assert.deepEqual(new Set(ids(posted.json)), new Set([names.may, names.undated]), posted.text);
    assertOutcome(await a.get(`/Patient/${mine.id}/$everything?start=soon`), 400, /start/);
    assertOutcome(await a.get(`/Patient/${mine.id}/$everything?end=2025&end=2026`), 400, /end/);
    assertOutcome(await a.get(`/Patient/${mine.id}/$everything?nonsense=1`), 400, /_since/);
  });

  test('pages hold no more than _count, himself included', async () => {
    for (let i = 0; i < 5; i++) await a.create(observation(card, { value: i }));
    const whole = ids(await a.read(`/Patient/${id}/$everything?_type=Patient,Observation`)).sort();
    for (const count of [1, 2, 3]) {
      const first = await a.read(`/Patient/${id}/$everything?_type=Patient,Observation&_count=${count}`);
      assert.ok(first.entry.filter((e) => e.search.mode === 'match').length <= count);
      const joined = (await pages(a, `/Patient/${id}/$everything?_type=Patient,Observation&_count=${count}`)).filter((e) => e.search.mode === 'match');
      assert.deepEqual(joined.map((e) => `${e.resource.resourceType}/${e.resource.id}`).sort(), whole, `${count}`);
    }
  });

  test('of an encounter', async () => {
    const encounter = await a.create({
      resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: byCard(card),
    });
    const inside = await a.create(observation(card, { encounter: { reference: `Encounter/${encounter.id}` } }));
    const outside = await a.create(observation(card));
    const got = ids(await a.read(`/Encounter/${encounter.id}/$everything`));
    assert.equal(got[0], `Encounter/${encounter.id}`);
    assert.ok(got.includes(`Observation/${inside.id}`) && got.includes(`Patient/${id}`));
    assert.ok(!got.includes(`Observation/${outside.id}`));
    assertOutcome(await b.get(`/Encounter/${encounter.id}/$everything`), 404);
    assertOutcome(await a.get(`/Encounter/${encounter.id}/$everything?start=2025`), 400);
  });
});

describe('$lastn', () => {
  const own = (at, codes, more = {}) => a.create({
    ...observation(region.resident('resident-3').card, { at }),
    code: typeof codes === 'string' ? { text: codes } : { coding: codes.map((code) => ({ system: LOINC, code })) },
    ...more,
  });
  const ask = async (query) => (await a.read(`/Observation/$lastn?patient=${mine}&${query}`)).entry?.map((e) => e.resource.id) ?? [];
  let mine;
  const made = {};
  before(async () => {
    mine = (await a.create(patient(region.resident('resident-3')))).id;
    made.a1 = (await own('2025-01-01', ['a'])).id;
    made.a2 = (await own('2025-02-01', ['a'])).id;
    made.a3 = (await own('2025-03-01', ['a'])).id;
    made.b1 = (await own('2025-01-15', ['b'])).id;
    made.b2 = (await own('2025-02-15', ['b'])).id;
    made.t1 = (await own('2025-01-05', '血糖')).id;
    made.t2 = (await own('2025-01-06', '血糖')).id;
    made.u1 = (await own('2025-01-04', '血 糖')).id;
  });
  const expect = async (query, ...names) => assert.deepEqual((await ask(query)).map((x) => Object.keys(made).find((n) => made[n] === x)), names, query);

  test('the newest of each code, newest first', async () => {
    await expect('category=laboratory', 'a3', 'b2', 't2', 'u1');
    await expect('category=laboratory&max=2', 'a3', 'b2', 'a2', 'b1', 't2', 't1', 'u1');
    await expect(`code=${q(`${LOINC}|a`)}&max=2`, 'a3', 'a2');
    await expect('category=laboratory&date=lt2025-02-10', 'a2', 'b1', 't2', 'u1');
    await expect('category=vital-signs');
  });

  test('a tie brings both', async () => {
    const tie = await own('2025-03-01', ['a'], { note: [{ text: 'tie' }] });
    assert.equal((await ask(`code=${q(`${LOINC}|a`)}`)).length, 2);
    await a.del(`/Observation/${tie.id}`);
  });

  test('codes named together are one, transitively', async () => {
    const bridge = await own('2024-12-01', ['a', 'b']);
    await expect('category=laboratory', 'a3', 't2', 'u1');
    await expect('category=laboratory&max=3', 'a3', 'b2', 'a2', 't2', 't1', 'u1');
    await a.del(`/Observation/${bridge.id}`);
  });

  test('POST; what is required; nothing found', async () => {
    const posted = await a.post('/Observation/$lastn', parameters(
      { name: 'patient', valueReference: { reference: `Patient/${mine}` } }, { name: 'category', valueString: 'laboratory' }, { name: 'max', valuePositiveInt: 1 }));
    assert.equal(posted.status, 200, posted.text);
    assert.equal(posted.json.total, 4);
    assertOutcome(await a.get(`/Observation/$lastn?category=laboratory`), 400, /patient/);
    assertOutcome(await a.get(`/Observation/$lastn?patient=${mine}`), 400, /category/);
    assertOutcome(await a.get(`/Observation/$lastn?patient=${mine}&category=x&max=0`), 400, /max/);
    assertOutcome(await a.get(`/Observation/$lastn?patient=${mine}&category=x&nonsense=1`), 400, /nonsense/);
    const none = await b.read(`/Observation/$lastn?patient=${mine}&category=laboratory`);
    assert.deepEqual([none.total, none.entry], [0, undefined]);
  });
});

describe('$document', () => {
  test('the Composition, and all it leads to', async () => {
    const organization = await a.create({ resourceType: 'Organization', name: '検査センター' });
    const lab = await a.create(observation(card, { performer: [{ reference: `Organization/${organization.id}` }] }));
    const composition = await a.create({
      resourceType: 'Composition', status: 'final', type: { coding: [{ system: LOINC, code: '60591-5' }] }, date: '2026-01-01',
      title: '退院時要約', author: [{ display: '担当医' }], subject: { reference: `Patient/${id}` },
      section: [{ title: '検査', entry: [{ reference: `Observation/${lab.id}` }, { reference: `Observation/${randomUUID()}` }] }],
    });
    const bundle = await a.read(`/Composition/${composition.id}/$document?persist=false`);
    assert.equal(bundle.type, 'document');
    assert.ok(bundle.identifier.value && bundle.timestamp);
    assert.deepEqual(ids(bundle), [`Composition/${composition.id}`, `Patient/${id}`, `Observation/${lab.id}`, `Organization/${organization.id}`]);
    assert.deepEqual(bundle.entry.map((e) => e.fullUrl), ids(bundle).map((x) => `${region.urls.system}/${x}`));
    assert.equal((await a.post(`/Composition/${composition.id}/$document`)).status, 200);
    assertOutcome(await a.get(`/Composition/${composition.id}/$document?persist=true`), 501, /persist/);
    assertOutcome(await b.get(`/Composition/${composition.id}/$document`), 404);
    const stored = await a.create({ ...bundle, id: undefined });
    assert.equal(stored.type, 'document', 'what was made can be kept by the client');
  });
});

describe('$meta', () => {
  const tag = (code, more = {}) => ({ system: 'urn:example:tags', code, ...more });
  const meta = async (path) => (await a.read(path)).parameter?.[0].valueMeta;

  test('add and delete are sets, and make versions', async () => {
    const made = await a.create(observation(card, { meta: { tag: [tag('one', { display: 'eins' })] } }));
    const path = `/Observation/${made.id}`;
    assert.deepEqual((await meta(`${path}/$meta`)).tag, [tag('one', { display: 'eins' })]);
    const change = (name, valueMeta) => a.post(`${path}/$${name}`, parameters({ name: 'meta', valueMeta }));
    const added = await change('meta-add', { tag: [tag('one'), tag('two')], profile: ['http://example.org/p'] });
    assert.equal(added.status, 200, added.text);
    assert.equal(added.headers.etag, 'W/"2"');
    assert.deepEqual(added.json.parameter[0].valueMeta.tag, [tag('one', { display: 'eins' }), tag('two')]);
    assert.deepEqual((await a.read(path)).meta.profile, ['http://example.org/p']);
    assert.equal((await a.search(`/Observation?_tag=${q('urn:example:tags|two')}`)).total, 1);
    const removed = await change('meta-delete', { tag: [tag('one'), tag('three')] });
    assert.deepEqual(removed.json.parameter[0].valueMeta.tag, [tag('two')]);
    assert.deepEqual((await meta(`${path}/_history/1/$meta`)).tag, [tag('one', { display: 'eins' })]);
    const again = await a.post(`${path}/$meta-delete`, parameters({ name: 'meta', valueMeta: { tag: [tag('one')] } }), { Prefer: 'return=minimal' });
    assert.deepEqual(again.json.parameter[0].valueMeta.tag, [tag('two')]);
    assert.equal(again.headers.etag, 'W/"3"', 'nothing changed');
    assertOutcome(await a.post(`${path}/$meta-add`, parameters({ name: 'tag', valueCoding: tag('x') })), 400);
    assertOutcome(await a.post(`${path}/$meta-add`, parameters({ name: 'meta', valueString: 'x' })), 422);
    assertOutcome(await b.post(`${path}/$meta-add`, parameters({ name: 'meta', valueMeta: { tag: [tag('x')] } })), 404);
    assertOutcome(await b.get(`${path}/$meta`), 404);
  });

  test('of a type and of everything: what is in use, to this reader', async () => {
    await a.create(condition(card)).then((c) => a.post(`/Condition/${c.id}/$meta-add`, parameters({ name: 'meta', valueMeta: { tag: [tag('condition')] } })));
    const codes = (m) => new Set((m?.tag ?? []).map((t) => t.code));
    assert.ok(codes(await meta('/Condition/$meta')).has('condition'));
    assert.ok(!codes(await meta('/Observation/$meta')).has('condition'));
    const all = codes(await meta('/$meta'));
    assert.ok(all.has('condition') && all.has('two'));
    assert.ok(!codes((await b.read('/$meta')).parameter?.[0].valueMeta).has('condition'));
  });
});

describe('$ihe-pix', () => {
  const ask = (party, source, ...systems) => party.get(`/Patient/$ihe-pix?sourceIdentifier=${q(source)}${systems.map((s) => `&targetSystem=${q(s)}`).join('')}`);
  const said = (answer) => (answer.json.parameter ?? []).map((p) => p.valueReference?.reference ?? `${p.valueIdentifier.system}|${p.valueIdentifier.value}`).sort();

  test('from the card to the own number and back', async () => {
    const local = `${region.localSystem('hospital-a')}|0077`;
    const from = await ask(a, `${CARD}|${card}`);
    assert.equal(from.status, 200, from.text);
    assert.deepEqual(said(from), [`Patient/${id}`, local].sort());
    assert.deepEqual(said(await ask(a, local)), [`Patient/${id}`, `${CARD}|${card}`].sort());
    assert.deepEqual(said(await ask(a, local, CARD)), [`Patient/${id}`, `${CARD}|${card}`].sort());
    assert.deepEqual(said(await ask(a, local, INSURED)), [], 'none known');
    const posted = await a.post('/Patient/$ihe-pix', parameters({ name: 'sourceIdentifier', valueString: local }, { name: 'targetSystem', valueUri: CARD }));
    assert.deepEqual(said(posted), [`Patient/${id}`, `${CARD}|${card}`].sort());
  });

  test('nothing of others', async () => {
    const local = `${region.localSystem('hospital-a')}|0077`;
    assertOutcome(await ask(b, local), 404);
    assertOutcome(await ask(b, `${CARD}|${card}`), 404);
    assertOutcome(await ask(a, `${CARD}|999999999999`), 404);
    assertOutcome(await a.get('/Patient/$ihe-pix'), 400, /sourceIdentifier/);
    assertOutcome(await ask(a, card), 400, /system\|value/);
    assertOutcome(await ask(a, 'urn:example:other|1'), 400, /sourceIdentifier/);
    assertOutcome(await ask(a, `${CARD}|${card}`, 'urn:example:other'), 403, /targetSystem/);
    assert.ok(!(await ask(a, `${CARD}|${card}`)).text.includes(INSURED));
  });
});

describe('$convert', () => {
  test('JSON to XML and back, digit for digit', async () => {
    const text = JSON.stringify(observation(undefined)).replace('"value":5.8', '"value":5.800');
    const xml = await a.request('POST', '/$convert', { body: text, headers: { Accept: 'application/fhir+xml' } });
    assert.equal(xml.status, 200, xml.text);
    assert.match(xml.text, /<value value="5\.800"\/>/);
    const json = await a.request('POST', '/$convert', { body: xml.text, type: 'application/fhir+xml' });
    assert.deepEqual(json.json, JSON.parse(text));
    assert.match(json.text, /5\.800/);
    const wrapped = await a.post('/$convert', parameters({ name: 'input', resource: observation(undefined) }));
    assert.equal(wrapped.json.resourceType, 'Observation');
    assertOutcome(await a.post('/$convert', { resourceType: 'Observation' }), 422);
    assertOutcome(await a.post('/$convert', { resourceType: 'Nonsense' }), 422);
    assertOutcome(await region.party(undefined).post('/$convert', observation(undefined)), 401);
  });
});

describe('under consent', () => {
  test('another hospital gets what it may see', async () => {
    const given = await region.party('resident-1').create(consent(card, { type: 'permit' }));
    const theirs = (await b.patient(card)).id;
    const all = ids(await b.read(`/Patient/${theirs}/$everything`));
    assert.ok(all.includes(`Patient/${theirs}`) && all.some((x) => x.startsWith('Observation/')));
    const pix = await b.get(`/Patient/$ihe-pix?sourceIdentifier=${q(`${CARD}|${card}`)}`);
    assert.deepEqual(pix.json.parameter.map((p) => p.valueReference?.reference), [`Patient/${theirs}`], 'no number of the other hospital');
    await region.party('resident-1').del(`/Consent/${given.id}`);
    assertOutcome(await b.get(`/Patient/$ihe-pix?sourceIdentifier=${q(`${CARD}|${card}`)}`), 404);
  });
});
