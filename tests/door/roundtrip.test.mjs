// SPDX-License-Identifier: Apache-2.0
//
// Every official example, as JSON and as XML: PUT, then GET gives the same resource, but for meta.versionId, meta.lastUpdated
// and the ids of Patients, which are the reader's own. Numbers are compared digit for digit, XML with HL7's schema too.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Region, corpus } from './region.mjs';
import { assertSchema } from './schema.mjs';

const examples = corpus('fhir/r4-examples');

// Not examples of R4: see tests/unit/mappers/fhir_corpus_test.c.
const BROKEN = new Map(JSON.parse(readFileSync(new URL('../cases/fhir/broken-examples.json', import.meta.url), 'utf8')));

/** JSON.parse that keeps each number's literal, as a string that no text can equal. */
const literal = (text) => JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g,
  (token) => (token[0] === '"' ? token : JSON.stringify(`\u0000number ${token}`))));

class Ids {
  there = new Map();
  back = new Map();

  /** One id of theirs for one of ours, both ways. */
  pair(sent, got, place) {
    if (!this.there.has(sent)) this.there.set(sent, got);
    if (!this.back.has(got)) this.back.set(got, sent);
    assert.equal(this.there.get(sent), got, `${place}: Patient/${sent} is Patient/${got} now`);
    assert.equal(this.back.get(got), sent, `${place}: Patient/${got} stands for two`);
  }
}

const PATIENT = /^Patient\/([A-Za-z0-9.-]+)((?:\/_history\/\d+)?)$/;
const WIRE = /^[0-9a-f]{32}$/;

/** Compares SENT with GOT; answers where they differ, or undefined. */
function differs(sent, got, ids, place = '') {
  if (typeof sent === 'string' && typeof got === 'string') {
    const [, from, version] = PATIENT.exec(sent) ?? [];
    const [, to, same] = PATIENT.exec(got) ?? [];
    if (from && to && version === same && WIRE.test(to) && place.endsWith('.reference')) return void ids.pair(from, to, place);
  }
  if (typeof sent !== 'object' || sent === null) return Object.is(sent, got) ? undefined : `${place}: ${JSON.stringify(sent)} -> ${JSON.stringify(got)}`;
  if (typeof got !== 'object' || got === null || Array.isArray(sent) !== Array.isArray(got)) return `${place}: ${JSON.stringify(got)}`;
  for (const key of new Set([...Object.keys(sent), ...Object.keys(got)])) {
    const found = differs(sent[key], got[key], ids, `${place}.${key}`);
    if (found) return found;
  }
  return undefined;
}

function withoutVersion(resource) {
  const { versionId, lastUpdated, ...meta } = resource.meta ?? {};
  const copy = { ...resource, meta };
  if (Object.keys(meta).length === 0) delete copy.meta;
  return copy;
}

describe('official examples', { skip: examples.skip }, () => {
  let region;
  let a;
  const ids = new Ids();
  before(async () => {
    region = await Region.start({ empty: true, patients: 8 });
    a = region.party('hospital-a');
  });
  after(() => region?.stop());

  test('PUT then GET gives the same', async (t) => {
    const wrong = [];
    const again = [];
    let passed = 0;
    let skipped = 0;
    for (const file of readdirSync(examples.path).sort()) {
      if (!file.endsWith('.json') || BROKEN.has(file)) { skipped += file.endsWith('.json'); continue; }
      const text = readFileSync(join(examples.path, file), 'utf8');
      const sent = literal(text);
      if (!sent.resourceType) { skipped++; continue; }
      const path = `/${sent.resourceType}/${sent.id}`;
      const put = await a.request('PUT', path, { body: text });
      if (put.status !== 201 && put.status !== 200) { wrong.push(`${file}: PUT ${put.status} ${put.text.slice(0, 300)}`); continue; }
      const got = await a.get(path, { Accept: 'application/fhir+json' });
      if (got.status !== 200) { wrong.push(`${file}: GET ${got.status}`); continue; }
      const is = withoutVersion(literal(got.text));
      if (sent.resourceType === 'Patient') { ids.pair(sent.id, is.id, file); is.id = sent.id; }
      const found = differs(withoutVersion(sent), is, ids);
      again.push([path, text]);
      if (found) wrong.push(`${file}${found}`);
      else passed++;
    }
    for (const [path, text] of again) {
      const put = await a.request('PUT', path, { body: text });
      if (put.status !== 200 || put.json.meta.versionId !== '1') wrong.push(`${path} again: ${put.status} ${put.text.slice(0, 300)}`);
    }
    t.diagnostic(`${passed} passed, ${wrong.length} failed, ${skipped} skipped`);
    assert.deepEqual(wrong, []);
    assert.ok(passed > 500);
  });

  test('GET in XML, PUT that elsewhere, GET there in JSON', async (t) => {
    const wrong = [];
    const documents = [];
    const theirs = new Ids();
    const other = await Region.start({ empty: true, patients: 8 });
    const b = other.party('hospital-a');
    try {
      for (const file of readdirSync(examples.path).sort()) {
        if (!file.endsWith('.json') || BROKEN.has(file)) continue;
        const sent = literal(readFileSync(join(examples.path, file), 'utf8'));
        if (!sent.resourceType) continue;
        const path = `/${sent.resourceType}/${sent.id}`;
        const here = await a.get(path, { Accept: 'application/fhir+xml' });
        documents.push(here.text);
        const body = here.text.replace(/[0-9a-f]{32}/g, (id) => ids.back.get(id) ?? id);
        const put = await b.request('PUT', path, { body, type: 'application/fhir+xml' });
        if (put.status !== 201 && put.status !== 200) { wrong.push(`${file}: PUT ${put.status} ${put.text.slice(0, 300)}`); continue; }
        const is = withoutVersion(literal((await b.get(path)).text));
        if (sent.resourceType === 'Patient') { theirs.pair(sent.id, is.id, file); is.id = sent.id; }
        const found = differs(withoutVersion(sent), is, theirs);
        if (found) wrong.push(`${file}${found}`);
      }
    } finally {
      await other.stop();
    }
    t.diagnostic(`${documents.length - wrong.length} passed, ${wrong.length} failed`);
    assert.deepEqual(wrong, []);
    assert.ok(documents.length > 500);
    assertSchema(...documents);
  });
});
