// SPDX-License-Identifier: Apache-2.0
//
// Whole records of synthetic patients, as another system exports them: one transaction each, references by urn:uuid. All of
// it must be there afterwards, lead to the one Patient, and be found by $everything.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Region, corpus } from './region.mjs';

const bundles = corpus('fhir/synthea/R4/SYNTHEA');

describe('synthetic records', { skip: bundles.skip }, () => {
  let region;
  let a;
  before(async () => {
    region = await Region.start({ empty: true, patients: 8 });
    a = region.party('hospital-a');
  });
  after(() => region?.stop());

  test('a transaction each', async (t) => {
    let resources = 0;
    const wrong = [];
    const files = readdirSync(bundles.path).filter((f) => f.endsWith('.json'));
    for (const file of files) {
      const sent = JSON.parse(readFileSync(join(bundles.path, file), 'utf8'));
      const answer = await a.post('', sent);
      if (answer.status !== 200) { wrong.push(`${file}: ${answer.status} ${answer.text.slice(0, 300)}`); continue; }
      const places = answer.json.entry.map((e) => e.response.location.split('/fhir/')[1].split('/_history/')[0]);
      assert.equal(places.length, sent.entry.length);
      resources += places.length;
      const patient = places[sent.entry.findIndex((e) => e.resource.resourceType === 'Patient')];
      if (!patient) continue; // hospitals and practitioners
      const all = await a.read(`/${patient}/$everything?_count=1000`);
      const seen = new Set(all.entry.map((e) => `${e.resource.resourceType}/${e.resource.id}`));
      const text = JSON.stringify(all);
      for (const place of places) if (!seen.has(place)) wrong.push(`${file}: ${place} is not in $everything`);
      if (/urn:uuid:/.test(text.replace(/"(url|system|value|instantiates\w+)":"urn:uuid:[^"]*"/g, ''))) wrong.push(`${file}: a urn:uuid is left`);
    }
    t.diagnostic(`${files.length - wrong.length} records passed, ${wrong.length} failed; ${resources} resources`);
    assert.deepEqual(wrong, []);
  });
});
