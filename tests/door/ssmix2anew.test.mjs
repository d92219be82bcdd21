// SPDX-License-Identifier: Apache-2.0
//
// What the standard storage can say, said anew: every kind of data goes in as a message, becomes resources, is written from
// these alone (`export ssmix2 --anew`), passes the nine checks without an error, and read into an empty region makes the same
// resources, element by element. What may differ is listed here, each with its reason; nothing else may.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BINARY, Region, corpus, tasuki } from './region.mjs';
import { files, holdings, plain, put } from './storage.mjs';

const cases = JSON.parse(readFileSync(new URL('../cases/ssmix2/kinds.json', import.meta.url), 'utf8'));
const samples = corpus('japan/ssmix2-nho-sample/sampleData');
const place = mkdtempSync(join(tmpdir(), 'tasuki-anew-'));
after(() => rmSync(place, { recursive: true, force: true }));

/** What a way out and in again may change. */
const PERMITTED = [
  { type: 'Provenance', why: 'tells of the message that was read: that is another one' },
  { type: 'Patient', path: 'identifier.type', why: 'PID-3 is written with its type (PI), as the standard shows it; some senders leave it out' },
  { type: 'ImagingStudy', path: 'identifier', order: true, why: 'IPC has its numbers in fixed places: the order among them is its' },
];

const sorted = (value) => (Array.isArray(value) ? [...value].sort((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1)) : value);

/** VALUE with what PATH leads to taken out, or put in order. */
function relaxed(value, [name, ...rest], order) {
  if (Array.isArray(value)) return value.map((item) => relaxed(item, [name, ...rest], order));
  if (value === null || typeof value !== 'object' || !(name in value)) return value;
  const { [name]: inner, ...others } = value;
  if (rest.length > 0) return { ...others, [name]: relaxed(inner, rest, order) };
  return order ? { ...others, [name]: sorted(inner) } : others;
}

const comparable = (resource) => {
  let out = plain(resource);
  for (const p of PERMITTED) if (p.type === resource.resourceType && p.path) out = relaxed(out, p.path.split('.'), p.order);
  return JSON.stringify(plain(out));
};

/** Where two texts part. */
function where(x, y) {
  let at = 0;
  while (at < x.length && x[at] === y[at]) at += 1;
  return [x, y].map((text, i) => `${'-+'[i]} …${text.slice(Math.max(0, at - 80), at + 300)}`).join('\n');
}

function assertSame(one, other) {
  const whole = new Set(PERMITTED.filter((p) => !p.path).map((p) => p.type));
  let compared = 0;
  for (const type of new Set([...Object.keys(one), ...Object.keys(other)])) {
    if (whole.has(type)) continue;
    const [x, y] = [one, other].map((all) => (all[type] ?? []).map(comparable).sort());
    const lost = x.filter((text) => !y.includes(text));
    const gained = y.filter((text) => !x.includes(text));
    if (lost.length + gained.length > 0) assert.fail(`${type}: ${lost.length} lost, ${gained.length} gained\n${where(lost[0] ?? '', gained[0] ?? '')}`);
    assert.equal(y.length, x.length, `${type}: how many`);
    compared += x.length;
  }
  return compared;
}

/** The patient number that a resource is about, by ALL's Patients. */
function numberOf(resource, all) {
  const reference = (resource.subject ?? resource.patient ?? resource.beneficiary)?.reference;
  const patient = resource.resourceType === 'Patient' ? resource : (all.Patient ?? []).find((p) => reference?.endsWith(p.id));
  return patient?.identifier?.[0].value;
}
const split = (all, keep) => Object.fromEntries(Object.entries(all).map(([type, list]) => [type, list.filter((r) => keep(numberOf(r, all)))]));
const without = (all, numbers) => split(all, (number) => !numbers.includes(number));
const withOnly = (all, numbers) => split(all, (number) => numbers.includes(number));

/** Into one region, out of it anew, into another; what both hold is the same. */
async function goRound(name, root, gone = []) {
  const regions = [await Region.start({ empty: true, patients: 8 }), await Region.start({ empty: true, patients: 8 })];
  const run = (region, ...args) => {
    const answer = spawnSync(BINARY, [...args, '--dir', region.dir, '--facility', 'hospital-a', '--lang', 'en'], { encoding: 'utf8' });
    assert.equal(answer.status, 0, answer.stderr + answer.stdout);
    return answer;
  };
  try {
    const out = join(place, `${name}-out`);
    run(regions[0], 'import', 'ssmix2', root);
    const written = run(regions[0], 'export', 'ssmix2', out, '--anew');
    const checked = JSON.parse(tasuki('validate', 'ssmix2', out, '--json').out);
    assert.deepEqual(checked.findings.filter((f) => f.severity === 'error'), []);
    assert.deepEqual(checked.checks.filter((c) => Number(c.failed) > 0), []);
    run(regions[1], 'import', 'ssmix2', out);
    const held = await Promise.all(regions.map((region) => holdings(region.party('hospital-a'))));
    const [one, other] = held.map((all) => without(all, gone));
    return { compared: assertSame(one, other), out, written, left: withOnly(held[1], gone) };
  } finally {
    await Promise.all(regions.map((region) => region.stop()));
  }
}

describe('every kind of data, written anew', () => {
  const number = (n) => String(10_000_001 + n);
  const takenBack = cases.map((row, n) => (row.flag === 0 ? number(n) : null)).filter(Boolean);
  let result;
  before(async () => {
    const root = join(place, 'kinds');
    cases.forEach((row, n) => {
      const patient = number(n);
      const text = row.segments.map((s) => s.replace('|00012345^', `|${patient}^`)).join('\r');
      put(root, { patient, kind: row.kind, date: row.date, order: row.order, sent: `202611061030${String(n).padStart(2, '0')}000`, flag: 1 }, `${text}\r`);
    });
    result = await goRound('kinds', root, takenBack);
  });

  test('makes the same resources', () => {
    assert.ok(result.compared >= 100, `${result.compared} resources`);
  });

  test('each under the kind, the care date and the order number of the one that came', () => {
    const names = new Set(files(result.out).map((path) => path.split('/').at(-1)));
    cases.forEach((row, n) => {
      const begins = `${number(n)}_${row.date}_${row.kind}_${row.order}_`;
      const found = [...names].find((name) => name.startsWith(begins));
      assert.ok(found, `${begins}: ${[...names].filter((name) => name.startsWith(number(n))).join(' ')}`);
      assert.ok(found.endsWith(`_${row.flag}`), found);
    });
  });

  test('what was taken back is deleted where it is read, as flag 0 says', () => {
    assert.equal(takenBack.length, 3);
    for (const [type, list] of Object.entries(result.left)) if (type !== 'Provenance') assert.equal(list.length, type === 'Patient' ? 3 : 0, type);
  });

  test('nothing is left out', () => {
    assert.doesNotMatch(result.written.stderr, /left out/);
  });
});

describe('the public samples, written anew', { skip: samples.skip }, () => {
  test('make the same resources', async () => {
    const root = join(place, 'samples');
    let taken = 0;
    for (const path of files(samples.path)) {
      const id = path.split('/')[2];
      if (id !== '9999013') continue;
      // Several of them name other patients than their folders do: all are one patient's here.
      const text = readFileSync(join(samples.path, path), 'latin1').split('\r').map((s) => s.replace(/^(PID\|[^|]*\|[^|]*\|)[^|^]*/, `$1${id}`)).join('\r');
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text, 'latin1');
      taken += 1;
    }
    assert.equal(taken, 19);
    const { compared, out } = await goRound('samples', root);
    assert.ok(compared >= 95, `${compared} resources`);
    assert.ok(new Set(files(out).map((path) => path.split('/')[4])).size >= 17, 'kinds');
  });
});
