// SPDX-License-Identifier: Apache-2.0
//
// Bodies that are broken, hostile or enormous, through the real door: each is refused in bounded time with an
// OperationOutcome that says where, and the server goes on as if nothing had been. Text that is not JSON is 400, JSON that is
// not the resource expected is 422.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Region, assertOutcome, corpus } from './region.mjs';
import { observation, patient } from './resources.mjs';

const QUICK_MS = 5_000; // with sanitizers, on a busy machine
let region;
let a;
let card;
before(async () => {
  region = await Region.start({ empty: true, patients: 6 });
  a = region.party('hospital-a');
  card = region.resident('resident-1').card;
  await a.create(patient(region.resident('resident-1')));
});
after(() => region?.stop());

/** POSTs BODY; the answer must be an OperationOutcome, soon. */
async function refused(body, status, pattern, path = '/Observation') {
  const began = Date.now();
  const answer = await a.request('POST', path, { body });
  assert.ok(Date.now() - began < QUICK_MS, `${Date.now() - began} ms`);
  return assertOutcome(answer, status, pattern);
}

const text = (resource, from, to) => {
  const plain = JSON.stringify(resource);
  assert.ok(plain.includes(from), `${from} in ${plain}`);
  return plain.replace(from, to);
};

const suite = corpus('torture/json-testsuite/test_parsing');
const files = (prefix) => readdirSync(suite.path).filter((name) => name.startsWith(prefix));

describe('the JSON test suite', { skip: suite.skip }, () => {
  test('every n_ file is refused with 400 and its place', async () => {
    const wrong = [];
    let count = 0;
    for (const name of files('n_')) {
      const began = Date.now();
      const answer = await a.request('POST', '/Observation', { body: readFileSync(join(suite.path, name)) });
      count++;
      const issue = answer.json?.issue?.[0];
      if (answer.status !== 400 || !issue?.details?.text || Date.now() - began > QUICK_MS) wrong.push(`${name}: ${answer.status}`);
      else if (readFileSync(join(suite.path, name)).length > 0 && !/line \d+ column \d+/.test(issue.expression?.[0] ?? '')) wrong.push(`${name}: no place`);
    }
    assert.deepEqual(wrong, []);
    assert.equal(count, 188);
    console.log(`n_: ${count} refused`);
  });

  test('y_ files are JSON but no resources: 422, never stored', async () => {
    const wrong = [];
    for (const name of files('y_')) {
      const answer = await a.request('POST', '/Observation', { body: readFileSync(join(suite.path, name)) });
      // Two forms that the standard leaves open are refused as text: names given twice, and NUL.
      const allowed = /duplicated_key|null_escape|escaped_null|U\+0000|nonCharacter/.test(name) ? [400, 422] : [422];
      if (!allowed.includes(answer.status)) wrong.push(`${name}: ${answer.status} ${answer.text.slice(0, 160)}`);
    }
    assert.deepEqual(wrong, []);
  });

  test('i_ files have a defined answer: 400 for text, 422 for JSON', async () => {
    const got = { 400: 0, 422: 0 };
    for (const name of files('i_')) {
      const answer = await a.request('POST', '/Observation', { body: readFileSync(join(suite.path, name)) });
      assert.ok([400, 422].includes(answer.status), `${name}: ${answer.status}`);
      if (/surrogate|utf-?8|overlong|UTF-?16|latin|truncated|lone/i.test(name) && !/BOM/.test(name)) assert.equal(answer.status, 400, name);
      if (/number/.test(name)) assert.equal(answer.status, 422, name);
      got[answer.status]++;
    }
    console.log(`i_: ${got[400]} are no JSON here, ${got[422]} are`);
  });
});

describe('text', () => {
  test('names given twice, also when one is escaped', async () => {
    await refused(text(observation(card), '"status":"final"', '"status":"final","status":"final"'), 400, /line 1 column/);
    await refused(text(observation(card), '"status":"final"', '"status":"final","\\u0073tatus":"final"'), 400);
  });

  test('unpaired surrogates, NUL, broken UTF-8', async () => {
    for (const bad of ['\\ud800', '\\udc00\\ud800', 'x\\ud83dx', '\\u0000'])
      await refused(text(observation(card, { note: [{ text: 'MARK' }] }), 'MARK', bad), 400, /line 1 column/);
    for (const bytes of [[0x00], [0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
      const [head, tail] = JSON.stringify(observation(card, { note: [{ text: 'MARK' }] })).split('MARK');
      await refused(Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(tail)]), 400);
    }
    await refused(text(observation(card, { note: [{ text: 'MARK' }] }), 'MARK', '\\u0001'), 422, /Observation\.note\[0\]\.text/);
  });

  test('nothing, something after the end, and other media types', async () => {
    await refused('', 400);
    await refused(`${JSON.stringify(observation(card))}{}`, 400);
    const form = await a.request('POST', '/Observation', { body: JSON.stringify(observation(card)), type: 'application/x-www-form-urlencoded' });
    assertOutcome(form, 415);
    const search = await a.request('POST', '/Observation/_search', { body: '{"status":"final"}', type: 'application/fhir+json' });
    assertOutcome(search, 415);
    const broken = await a.request('POST', '/Observation/_search', { body: 'status=%zz', type: 'application/x-www-form-urlencoded' });
    assertOutcome(broken, 400);
  });
});

describe('depth and size', () => {
  test('nesting beyond the limit is refused at once, however deep', async () => {
    await refused('['.repeat(100_000), 400);
    await refused('{"a":'.repeat(100_000), 400);
    const nested = (n) => { let e = { url: 'u:x', valueCode: 'x' }; for (let i = 0; i < n; i++) e = { url: 'u:x', extension: [e] }; return e; };
    await refused(JSON.stringify(observation(card, { extension: [nested(40)] })), 400, /line 1 column/);
    const kept = await a.post('/Observation', observation(card, { extension: [nested(20)] }));
    assert.equal(kept.status, 201, kept.text.slice(0, 300));
  });

  test('a text of 9 MB is too long for a string, a body over 10 MiB too large', async () => {
    await refused(JSON.stringify(observation(card, { note: [{ text: 'x' }], valueQuantity: undefined, valueString: 'あ'.repeat(3_000_000) })), 422, /Observation\.value\.ofType\(string\)/);
    const large = await a.request('POST', '/Observation', { body: `{"x":"${'x'.repeat(10 * 1024 * 1024)}"}` }).catch((error) => error);
    if (!(large instanceof Error)) assert.equal(large.status, 413); // the server may close before all is sent
  });

  test('many nulls beside many members', async () => {
    const members = Array.from({ length: 300_000 }, (_, i) => `"x${i}":1`).join(',');
    await refused(`{"resourceType":"Observation","note":[{"text":"x"}],"contained":[{"resourceType":"Patient","name":[{"given":[${'null,'.repeat(300_000)}null],${members}}]}]}`, 422);
  });

  test('many members, many findings: few are told', async () => {
    const issues = await refused(JSON.stringify({ resourceType: 'Observation', ...Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`x${i}`, 1])) }), 422);
    assert.ok(issues.length <= 50, String(issues.length));
  });
});

describe('numbers', () => {
  const place = /Observation\.value\.ofType\(Quantity\)\.value/;
  const withValue = (literal) => text(observation(card, { value: 123456 }), '"value":123456', `"value":${literal}`);

  test('beyond what can be compared: refused with the place', async () => {
    for (const literal of ['1e999999', '-1e999999', '1e-999999', `1${'0'.repeat(70)}`, '1e301', `0.${'1'.repeat(100)}`])
      await refused(withValue(literal), 422, place);
    for (const literal of ['01', '+1', '.5', '1.', 'NaN', 'Infinity', '0x10', '1e']) await refused(withValue(literal), 400, /line 1 column/);
  });

  test('within: kept digit for digit', async () => {
    for (const literal of ['1.000', '1E-22', '-0', '1.0e+245', '123456789012345678901234567890.1']) {
      const made = await a.request('POST', '/Observation', { body: withValue(literal) });
      assert.equal(made.status, 201, made.text.slice(0, 300));
      const read = await a.get(`/Observation/${made.json.id}`);
      assert.ok(read.text.includes(`"value":${literal},`), `${literal}: ${read.text.slice(0, 600)}`);
    }
  });
});

test('the rules of R4 hold at the door, with the expression', async () => {
  for (const [resource, expression] of [
    [observation(card, { dataAbsentReason: { text: 'x' } }), 'Observation'],
    [observation(card, { effectiveDateTime: undefined, effectivePeriod: { start: '2026-02-01', end: '2026-01-01' } }), 'Observation.effective.ofType(Period)'],
    [observation(card, { performer: [{ reference: 'Nobody/1' }] }), 'Observation.performer[0].reference'],
    [observation(card, { contained: [{ resourceType: 'Device', id: 'd' }] }), 'Observation.contained[0]'],
    [observation(card, { code: { coding: [{ system: 'http://loinc.org', code: 'a  b' }] } }), 'Observation.code.coding[0].code'],
    [observation(card, { text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="x"/></div>' } }), 'Observation.text.div'],
  ]) {
    const issues = await refused(JSON.stringify(resource), 422);
    assert.deepEqual(issues.map((i) => i.expression?.[0]), [expression]);
  }
});

test('after all this the server still answers', async () => {
  const made = await a.post('/Observation', observation(card));
  assert.equal(made.status, 201, made.text);
});
