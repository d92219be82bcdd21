// SPDX-License-Identifier: Apache-2.0
//
// Forms of bodies and answers: JSON and XML in and out, Accept, _format, _pretty, HEAD, Prefer, 304, parts of resources
// (_summary, _elements), Binary as content. What comes back must be the same resource in every form.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Region, assertOutcome, sleep } from './region.mjs';
import { breakGlass, observation, patient } from './resources.mjs';
import { assertSchema } from './schema.mjs';

const XML = 'application/fhir+xml';
const JSON_TYPE = 'application/fhir+json';
const NS = 'xmlns="http://hl7.org/fhir"';

let region;
let a;
let card;
let made;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  a = region.party('hospital-a');
  card = region.resident('resident-1').card;
  await a.create(patient(region.resident('resident-1'), { identifier: [{ system: region.localSystem('hospital-a'), value: '00012345' }] }));
  made = await a.create(observation(card, { note: [{ text: '再検 "≥" 𠮷野 <&>\n\t😀' }] }));
});
after(() => region?.stop());

const assertXml = (answer, status, pattern) => {
  assert.equal(answer.status, status, answer.text.slice(0, 600));
  assert.match(answer.headers['content-type'], /^application\/fhir\+xml; charset=utf-8$/);
  assert.match(answer.text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*<[A-Z]\w+ xmlns="http:\/\/hl7\.org\/fhir">/);
  if (pattern) assert.match(answer.text, pattern);
  assertSchema(answer.text);
  return answer.text;
};

describe('the form of an answer', () => {
  test('Accept with weights, _format over Accept', async () => {
    const path = `/Observation/${made.id}`;
    for (const accept of [XML, 'application/xml', 'text/xml', `${XML}, */*;q=0.1`, `${JSON_TYPE};q=0.5, ${XML}`, `${XML};fhirVersion=4.0`]) {
      assertXml(await a.get(path, { Accept: accept }), 200, /<valueQuantity><value value="5\.8"\/>/);
    }
    for (const accept of ['*/*', 'application/json', 'text/json', `${XML};q=0.5, ${JSON_TYPE}`, 'application/*']) {
      const answer = await a.get(path, { Accept: accept });
      assert.equal(answer.headers['content-type'], `${JSON_TYPE}; charset=utf-8`, accept);
      assert.deepEqual(answer.json.note, made.note);
    }
    for (const format of ['xml', 'text/xml', 'application/xml', 'application/fhir%2Bxml', 'application/fhir+xml']) {
      assertXml(await a.get(`${path}?_format=${format}`), 200);
    }
    for (const format of ['json', 'text/json', 'application/json', 'application/fhir%2Bjson']) {
      assert.ok((await a.get(`${path}?_format=${format}`, { Accept: XML })).json, format);
      assert.ok((await a.get(`${path}?_format=${format}`, { Accept: 'text/turtle' })).json, format);
    }
    assertOutcome(await a.get(`${path}?_format=ttl`), 406, /_format/);
    assertOutcome(await a.get(path, { Accept: 'text/turtle' }), 406);
    assertOutcome(await a.get(path, { Accept: `${JSON_TYPE};fhirVersion=5.0` }), 406);
  });

  test('every kind of answer in XML', async () => {
    const xml = { Accept: XML };
    const id = (await a.patient(card)).id;
    assertXml(await a.get('/metadata', xml), 200, /<CapabilityStatement /);
    assertXml(await a.get('/Observation?code=4548-4', xml), 200, /<Bundle .*<entry>.*<resource><Observation>/s);
    assertXml(await a.get(`/Observation/${made.id}/_history`, xml), 200, /<type value="history"\/>/);
    assertXml(await a.get(`/Observation/${made.id}/_history/1`, xml), 200);
    assertXml(await a.get(`/Patient/${id}`, xml), 200, /<identifier><system value="urn:tasuki:clinic-card"\/>/);
    assertXml(await a.get(`/Patient/${id}/$everything`, xml), 200);
    assertXml(await a.get(`/Patient/${id}/$summary`, xml), 200, /<Composition>.*<div xmlns="http:\/\/www\.w3\.org\/1999\/xhtml"/s);
    assertXml(await a.get(`/Patient/${id}/$explain-access`, xml), 200, /<Parameters /);
    assertXml(await a.request('POST', '/Patient/$match', { body: `<Parameters ${NS}><parameter><name value="resource"/><resource><Patient><identifier>`
      + `<system value="urn:tasuki:clinic-card"/><value value="${card}"/></identifier></Patient></resource></parameter></Parameters>`, type: XML, headers: xml }), 200, /<score value="1"\/>/);
    const glass = await region.party('emergency-e').as({ ...xml, 'Tasuki-Purpose': 'BTG' }).request('POST', '/Patient/$break-glass', { body: breakGlass(card) });
    assertXml(glass, 200, /<name value="session"\/>/);
    const operator = region.party('operator');
    const event = (await operator.search('/AuditEvent?_count=5')).resources[0];
    assertXml(await operator.get('/AuditEvent?_count=5', xml), 200, /<AuditEvent>/);
    assertXml(await operator.get(`/AuditEvent/${event.id}`, xml), 200);
    const self = region.party('resident-1');
    const own = (await self.patient(card)).id;
    assertXml(await self.get(`/Patient/${own}/$access-history`, xml), 200, /<AuditEvent>/);
    assertXml(await a.get('/Observation/nobody', xml), 404, /<OperationOutcome .*<code value="not-found"\/>/s);
    assertXml(await a.get('/Nothing/1', xml), 404);
    assertXml(await a.get('/Observation?nonsense=1', xml), 400);
    assertXml(await a.request('PUT', '/metadata', { headers: xml }), 405);
  });

  test('_pretty really indents', async () => {
    const json = await a.get(`/Observation/${made.id}?_pretty=true`);
    assert.equal(json.text, `${JSON.stringify(json.json, null, 2)}\n`);
    const xml = await a.get(`/Observation/${made.id}?_pretty=true&_format=xml`);
    assertXml(xml, 200, /\n  <valueQuantity>\n    <value value="5\.8"\/>\n/);
    const bundle = await a.get('/Observation?_pretty=true&code=4548-4');
    assert.match(bundle.text, /^\{\n  "resourceType": "Bundle",\n/);
    assert.match((await a.get('/Observation/nobody?_pretty=true')).text, /^\{\n  "resourceType": "OperationOutcome",\n/);
    assert.doesNotMatch((await a.get(`/Observation/${made.id}?_pretty=false`)).text, /\n/);
    assertOutcome(await a.get(`/Observation/${made.id}?_pretty=maybe`), 400, /_pretty/);
  });

  test('HEAD is GET without the body', async () => {
    for (const path of [`/Observation/${made.id}`, `/Observation/${made.id}?_format=xml`, '/metadata', '/Observation/nobody', `/Observation/${made.id}/_history/1`]) {
      const get = await a.get(path);
      const head = await a.request('HEAD', path);
      assert.equal(head.status, get.status, path);
      assert.equal(head.text, '');
      for (const name of ['content-type', 'content-length', 'etag', 'last-modified']) {
        if (name !== 'content-length' || get.status === 200) assert.equal(head.headers[name], get.headers[name], `${path} ${name}`);
      }
    }
  });

  test('a page is still a page', async () => {
    const id = (await a.patient(card)).id;
    const page = await a.get(`/Patient/${id}/$summary`, { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' });
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match((await a.get(`/Patient/${id}/$summary?_format=html`)).headers['content-type'], /^text\/html/);
  });
});

describe('a body in XML', () => {
  const body = (value) => `<?xml version="1.0" encoding="UTF-8"?><!-- sent --><Observation ${NS}><text><status value="generated"/>`
    + `<div xmlns="http://www.w3.org/1999/xhtml"><p class="x">a&#160;<br /></p></div></text><status value="final"/>`
    + `<code><coding id="c"><system value="http://loinc.org"/><code value="4548-4"/></coding></code>`
    + `<subject><identifier><system value="urn:tasuki:clinic-card"/><value value="${card}"/></identifier></subject>`
    + `<effectiveDateTime value="2026-01-15T09:00:00+09:00"><extension url="urn:x"><valueDecimal value="1.50"/></extension></effectiveDateTime>`
    + `<valueQuantity><value value="${value}"/></valueQuantity></Observation>`;

  test('is the same resource as in JSON, digits and all', async () => {
    const xml = await a.request('POST', '/Observation', { body: body('5.800'), type: `${XML}; charset=utf-8; fhirVersion=4.0` });
    assert.equal(xml.status, 201, xml.text);
    const read = await a.get(`/Observation/${xml.json.id}`);
    assert.match(read.text, /"value":5\.800[,}]/);
    assert.equal(read.json.text.div, '<div xmlns="http://www.w3.org/1999/xhtml"><p class="x">a&#160;<br /></p></div>');
    assert.deepEqual(read.json._effectiveDateTime, { extension: [{ url: 'urn:x', valueDecimal: 1.5 }] });
    assert.equal(read.json.code.coding[0].id, 'c');
    const again = await a.get(`/Observation/${xml.json.id}`, { Accept: XML });
    const put = await a.request('PUT', `/Observation/${xml.json.id}`, { body: again.text, type: XML });
    assert.equal(put.status, 200, put.text);
    assert.equal(put.headers.etag, 'W/"1"', 'the same body writes no new version');
  });

  test('what is wrong is told by its place', async () => {
    const post = (text, type = XML) => a.request('POST', '/Observation', { body: text, type });
    assertOutcome(await post('<!DOCTYPE x [<!ENTITY a "b">]><Observation/>'), 400, /DOCTYPE/);
    assertOutcome(await post(`<Observation ${NS}>`), 400);
    assertOutcome(await post(`<Observation ${NS}><color value="x"/></Observation>`), 422, /Observation\.color/);
    assertOutcome(await post(`<Observation ${NS}><status value=""/></Observation>`), 422, /Observation\.status/);
    assertOutcome(await post(body('x')), 422, /Observation\.value\.ofType\(Quantity\)\.value/);
    assertOutcome(await post('<Observation/>'), 422, /http:\/\/hl7\.org\/fhir/);
    assertOutcome(await post(`<Patient ${NS}/>`), 422);
    assertOutcome(await post('{}'), 400);
    assertOutcome(await post(JSON.stringify(observation(card)), 'text/plain'), 415);
    const packed = { body: gzipSync(JSON.stringify(observation(card))), headers: { 'Content-Encoding': 'gzip' } };
    assertOutcome(await a.request('POST', '/Observation', packed), 415, /Content-Encoding/);
    assertOutcome(await post(body('1'), `${XML}; charset=shift_jis`), 415);
    assertOutcome(await post(body('1'), `${XML}; fhirVersion=3.0`), 415);
    const inXml = await a.request('POST', '/Observation', { body: `<Observation ${NS}/>`, type: XML, headers: { Accept: XML } });
    assertXml(inXml, 422, /<expression value="Observation\.status"\/>/);
  });

  test('a large answer takes the long way and is whole', async () => {
    const text = '長'.repeat(300_000);
    const large = await a.create(observation(card, { note: [{ text }] }));
    const [xml, pretty] = await Promise.all([a.get(`/Observation/${large.id}?_format=xml`), a.get(`/Observation/${large.id}?_pretty=true`)]);
    assertXml(xml, 200);
    assert.ok(xml.text.includes(`<text value="${text}"/>`));
    assert.equal(pretty.json.note[0].text, text);
  });
});

describe('clients that leave', () => {
  test('while a large answer is made over', async () => {
    const large = await a.create(observation(card, { note: [{ text: 'x'.repeat(1_000_000) }] }));
    const asked = [1, 5, 10, 20, 40].map(async (ms) => {
      const own = a.again();
      const answer = own.get(`/Observation/${large.id}?_format=xml`).catch(() => undefined);
      await sleep(ms);
      own.agent.destroy();
      return answer;
    });
    await Promise.all(asked);
    assertXml(await a.get(`/Observation/${large.id}?_format=xml`), 200);
  });
});

describe('preferences and conditions', () => {
  test('Prefer: return=', async () => {
    const post = (prefer) => a.post('/Observation', observation(card), { Prefer: prefer });
    const minimal = await post('return=minimal');
    assert.deepEqual([minimal.status, minimal.text], [201, '']);
    assert.ok(minimal.headers.location && minimal.headers.etag);
    assert.equal((await post('return=representation')).json.resourceType, 'Observation');
    const outcome = await post('handling=strict, return=OperationOutcome');
    assertOutcome(outcome, 201);
    assert.equal(outcome.json.issue[0].severity, 'information');
    const deleted = await a.del(minimal.headers.location.replace(/\/_history.*/, ''), { Prefer: 'return=OperationOutcome' });
    assertOutcome(deleted, 200);
    const glass = await region.party('emergency-e').as({ 'Tasuki-Purpose': 'BTG' })
      .post('/Patient/$break-glass', breakGlass(card), { Prefer: 'return=OperationOutcome' });
    assert.notEqual(glass.json?.issue?.[0]?.severity, 'information', 'an operation answers with what it is for');
  });

  test('a read of what the client has already is 304', async () => {
    const first = await a.get(`/Observation/${made.id}`);
    const path = `/Observation/${made.id}`;
    const ask = (headers) => a.get(path, headers);
    const same = await ask({ 'If-None-Match': first.headers.etag });
    assert.deepEqual([same.status, same.text], [304, '']);
    assert.equal(same.headers.etag, first.headers.etag);
    assert.equal((await ask({ 'If-None-Match': 'W/"9", "1"' })).status, 304);
    assert.equal((await ask({ 'If-None-Match': '*' })).status, 304);
    assert.equal((await ask({ 'If-None-Match': 'W/"9"' })).status, 200);
    assert.equal((await ask({ 'If-Modified-Since': first.headers['last-modified'] })).status, 304);
    assert.equal((await ask({ 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' })).status, 200);
    assert.equal((await ask({ 'If-Modified-Since': 'yesterday' })).status, 200);
    assert.equal((await ask({ 'If-None-Match': 'W/"9"', 'If-Modified-Since': first.headers['last-modified'] })).status, 200);
    assert.equal((await a.get('/Observation/nobody', { 'If-None-Match': '*' })).status, 404);
    const b = region.party('hospital-b');
    assert.equal((await b.get(path, { 'If-None-Match': '*' })).status, 404, 'who may not see it learns nothing');
  });
});

describe('entries of a Bundle', () => {
  for (const type of ['batch', 'transaction']) {
    test(`a ${type} in XML, its reads conditional and in part`, async () => {
      const entry = (url, more = '') => `<entry><request><method value="GET"/><url value="${url}"/>${more}</request></entry>`;
      const answer = await a.request('POST', '/', {
        type: XML,
        headers: { Accept: XML },
        body: `<Bundle ${NS}><type value="${type}"/>${entry(`Observation/${made.id}`, '<ifNoneMatch value="W/&quot;1&quot;"/>')}`
          + `${entry(`Observation/${made.id}?_summary=text`)}${entry(`Observation/${made.id}`)}</Bundle>`,
      });
      const text = assertXml(answer, 200, new RegExp(`<type value="${type}-response"/>`));
      assert.deepEqual([...text.matchAll(/<response><status value="(\d+)/g)].map((m) => m[1]), ['304', '200', '200'], text);
      assert.equal(text.match(/<Observation>/g).length, 2);
      assert.equal(text.match(/SUBSETTED/g).length, 1);
    });
  }
});

describe('parts of a resource', () => {
  const subsetted = (r) => assert.ok(r.meta.tag.some((t) => t.code === 'SUBSETTED'), JSON.stringify(r.meta));

  test('_summary and _elements of a read', async () => {
    const path = `/Observation/${made.id}`;
    const summary = await a.read(`${path}?_summary=true`);
    subsetted(summary);
    assert.ok(summary.valueQuantity && summary.code && !summary.note);
    const text = await a.read(`${path}?_summary=text`);
    assert.deepEqual(Object.keys(text).sort(), ['code', 'id', 'meta', 'resourceType', 'status']);
    const elements = await a.read(`${path}/_history/1?_elements=value,Observation.subject.reference`);
    assert.deepEqual(Object.keys(elements).sort(), ['code', 'id', 'meta', 'resourceType', 'status', 'subject', 'valueQuantity']);
    assert.deepEqual(await a.read(`${path}?_summary=false`), made);
    assertXml(await a.get(`${path}?_summary=data&_format=xml`), 200, /<code value="SUBSETTED"\/>/);
    assertOutcome(await a.get(`${path}?_summary=count`), 400, /_summary/);
    assertOutcome(await a.get(`${path}?_elements=color`), 400, /_elements/);
    assertOutcome(await a.get(`${path}?_summary=text&_elements=code`), 400);
    const whole = await a.read(path);
    assert.equal(whole.meta.tag, undefined, 'the stored resource is not touched');
  });
});

describe('Binary', () => {
  const bytes = Buffer.from([0x25, 0x50, 0x44, 0x46, 0, 0xff, 0x0a]);

  const fetch = (path, headers) => a.request('GET', path, { headers });

  test('content goes in and comes out as it is', async () => {
    const sent = await a.request('POST', '/Binary', { body: bytes, type: 'application/pdf' });
    assert.equal(sent.status, 201, sent.text);
    assert.equal(sent.json.contentType, 'application/pdf');
    assert.equal(sent.json.data, bytes.toString('base64'));
    const raw = await fetch(`/Binary/${sent.json.id}`, { Accept: 'application/pdf' });
    assert.equal(raw.status, 200);
    assert.equal(raw.headers['content-type'], 'application/pdf');
    assert.equal(raw.headers['content-length'], String(bytes.length));
    assert.equal(raw.headers['x-content-type-options'], 'nosniff');
    assert.match(raw.headers['content-security-policy'], /sandbox/);
    assert.match(raw.headers['content-disposition'], /^attachment/);
    assert.equal((await fetch(`/Binary/${sent.json.id}`, { Accept: 'text/html' })).headers['content-type'], 'application/pdf');
    // Only who names a FHIR form, or says nothing, gets the resource (R4 binary.html#rest).
    assert.equal((await fetch(`/Binary/${sent.json.id}`, { Accept: '*/*' })).headers['content-type'], 'application/pdf');
    assert.equal((await fetch(`/Binary/${sent.json.id}`, { Accept: '*/*, application/fhir+json' })).json.resourceType, 'Binary');
    assert.equal((await fetch(`/Binary/${sent.json.id}`, { Accept: '' })).json.resourceType, 'Binary');
    assertXml(await fetch(`/Binary/${sent.json.id}`, { Accept: XML }), 200, /<contentType value="application\/pdf"\/>/);
    const put = await a.request('PUT', `/Binary/${sent.json.id}`, { body: 'やあ', type: 'text/plain; charset=utf-8' });
    assert.equal(put.status, 200, put.text);
    const text = await fetch(`/Binary/${sent.json.id}`, { Accept: 'text/plain' });
    assert.equal(text.text, 'やあ');
    assert.equal(text.headers.etag, 'W/"2"');
  });

  test('the security context is kept', async () => {
    const id = (await a.patient(card)).id;
    const sent = await a.request('POST', '/Binary', { body: bytes, type: 'image/png', headers: { 'X-Security-Context': `Patient/${id}` } });
    assert.equal(sent.status, 201, sent.text);
    assert.equal(sent.json.securityContext.reference, `Patient/${id}`);
  });

  test('a type that could break out of its field is not repeated', async () => {
    const bad = await a.create({ resourceType: 'Binary', contentType: 'text/html', data: Buffer.from('<script>').toString('base64') });
    const raw = await fetch(`/Binary/${bad.id}`, { Accept: 'text/html' });
    assert.equal(raw.headers['content-type'], 'text/html');
    assert.match(raw.headers['content-security-policy'], /sandbox/, 'a page of theirs is not a page of ours');
  });

  test('other types take no other bodies', async () => {
    assertOutcome(await a.request('POST', '/Observation', { body: bytes, type: 'application/pdf' }), 415);
  });
});

describe('a region full of records', () => {
  test('everything of its residents is valid in XML', async () => {
    const full = await Region.start({ patients: 12 });
    try {
      const documents = [];
      for (const resident of full.demo.residents.slice(0, 5)) {
        const self = full.party(resident.key);
        const id = (await self.patient(resident.card)).id;
        for (const path of [`/Patient/${id}/$everything`, `/Patient/${id}/$summary`, `/Patient/${id}`]) {
          const [xml, json] = [await self.get(path, { Accept: XML }), await self.get(path)];
          assert.equal(xml.status, 200, xml.text.slice(0, 300));
          assert.equal(xml.text.match(/<resource>/g)?.length, json.json.entry?.length, path);
          documents.push(xml.text);
        }
      }
      assertSchema(...documents);
    } finally {
      await full.stop();
    }
  });
});
