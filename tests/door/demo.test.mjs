// SPDX-License-Identifier: Apache-2.0
//
// The sample region itself: what it prints, what it leaves in its folder, that it is the same every time, and how it ends.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CARD, Region, tasuki } from './region.mjs';

const FACILITIES = ['hospital-a', 'hospital-b', 'clinic-c', 'emergency-e', 'pharmacy-p', 'insurer-i', 'city-m', 'gateway-v', 'operator'];
const RESIDENTS = [1, 2, 3, 4, 5].map((n) => `resident-${n}`);

const fetchOps = (region, path) => new Promise((done, fail) => {
  http.get(region.urls.ops + path, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => done({ status: answer.statusCode, text }));
  }).on('error', fail);
});

/** The check digit (Luhn, as on payment cards) of the first eleven digits. */
function luhn(digits) {
  let sum = 0;
  [...digits].reverse().forEach((c, i) => {
    const d = Number(c) * (i % 2 === 0 ? 2 : 1);
    sum += d > 9 ? d - 9 : d;
  });
  return String((10 - (sum % 10)) % 10);
}

describe('the sample region', () => {
  let region;
  before(async () => { region = await Region.start({ patients: 12, args: ['--seed', '7'] }); });
  after(async () => { if (region?.child.exitCode === null) await region.stop(); });

  test('prints one ready line with its addresses and folder', () => {
    assert.equal(region.out, `${region.readyLine}\n`, 'stdout is data: one line');
    assert.equal(region.readyDir, region.dir);
    assert.deepEqual(Object.values(region.ports), [0, 1, 2, 3, 4].map((i) => region.base + i));
  });

  test('demo.json lists facilities, residents and staff as the contract says', () => {
    const { facilities, residents, staff } = region.demo;
    for (const key of FACILITIES) {
      const f = facilities.find((one) => one.key === key);
      assert.ok(f, key);
      assert.match(f.code, /^\d{10}$/);
      assert.ok(f.name && f.id !== undefined);
    }
    assert.equal(residents.length, 12);
    assert.deepEqual(residents.slice(0, 5).map((r) => r.key), RESIDENTS, 'story residents first');
    for (const r of residents) {
      assert.match(r.card, /^\d{12}$/);
      assert.equal(r.card[11], luhn(r.card.slice(0, 11)), 'check digit');
      assert.match(r.birthDate, /^\d{4}-\d\d-\d\d$/);
      assert.ok(['male', 'female'].includes(r.gender));
      assert.ok(r.name && r.kana && r.insurance);
      assert.equal(typeof r.localNumbers, 'object');
    }
    assert.equal(new Set(residents.map((r) => r.card)).size, residents.length, 'cards are unique');
    for (const r of residents.slice(0, 5)) assert.ok(r.story.length > 5, `${r.key} has a story`);
    for (const s of staff) assert.ok(s.facility && s.id && s.name && s.role);
    for (const role of ['doctor', 'nurse', 'clerk', 'paramedic', 'pharmacist', 'system']) assert.ok(staff.some((s) => s.role === role), role);
  });

  test('has a key pair for each party, keys readable by their owner only', () => {
    const pki = join(region.dir, 'pki');
    assert.ok(existsSync(join(pki, 'ca.pem')));
    for (const name of [...FACILITIES, ...RESIDENTS]) {
      assert.match(readFileSync(join(pki, `${name}.pem`), 'utf8'), /BEGIN CERTIFICATE/);
      assert.equal(statSync(join(pki, `${name}.key`)).mode & 0o077, 0, `${name}.key`);
    }
    for (const name of ['tasuki.conf', 'data', 'log', 'inbox/hospital-a']) assert.ok(existsSync(join(region.dir, name)), name);
    assert.equal(tasuki('check-config', join(region.dir, 'tasuki.conf')).code, 0);
  });

  test('answers the monitor', async () => {
    for (const path of ['/livez', '/readyz', '/metrics', '/version']) assert.equal((await fetchOps(region, path)).status, 200, path);
    assert.equal((await fetchOps(region, '/nothing')).status, 404);
    const metrics = (await fetchOps(region, '/metrics')).text;
    assert.match(metrics, /^# TYPE tasuki_\w+ (counter|gauge)$/m);
    for (const r of region.demo.residents) assert.ok(!metrics.includes(r.card), 'no card number in metrics');
  });

  test('the story residents have the records that their stories tell', async () => {
    const a = region.party('hospital-a');
    const of = async (party, type, key) => (await party.search(`/${type}?patient.identifier=${CARD}|${region.resident(key).card}`)).resources;
    const b = region.party('hospital-b');
    assert.ok((await of(b, 'Observation', 'resident-1')).length > 0, 'hospital-b sees the results of resident-1');
    const substances = (await of(a, 'AllergyIntolerance', 'resident-2')).map((x) => JSON.stringify(x.code));
    assert.ok(substances.some((s) => /ペニシリン|penicillin/i.test(s)), substances.join());
    const drugs = (await of(a, 'MedicationRequest', 'resident-2')).map((x) => JSON.stringify(x));
    assert.ok(drugs.some((s) => /ワルファリン|ワーファリン|warfarin/i.test(s)), 'takes warfarin');
    assert.ok((await of(a, 'Condition', 'resident-3')).length > 0);
    assert.equal((await of(b, 'Condition', 'resident-3')).length, 0, 'resident-3 denies hospital-b');
    const pressures = await region.party('resident-5').search('/Observation?code=85354-9');
    assert.ok(pressures.total >= 20, `resident-5 has ${pressures.total} blood pressures`);
  });

  test('TERM ends it with exit code 0', async () => {
    await region.stop({ keep: true });
    assert.equal(region.err.includes('Sanitizer'), false);
  });

  test('the same folder opens again with what it had', async () => {
    const again = await Region.start({ dir: region.dir });
    try {
      assert.deepEqual(again.demo, region.demo);
      const seen = await again.party('hospital-a').patient(again.resident('resident-1').card);
      assert.ok(seen, 'resident-1 is still there');
    } finally {
      await again.stop();
    }
  });
});

describe('other ways to start it', () => {
  test('the same seed makes the same people; another seed others, but the same five stories', async () => {
    const made = [];
    for (const seed of ['42', '42', '43']) {
      const region = await Region.start({ patients: 8, empty: true, args: ['--seed', seed] });
      made.push(region.demo);
      await region.stop();
    }
    assert.deepEqual(made[0], made[1]);
    assert.deepEqual(made[0].residents.slice(0, 5), made[2].residents.slice(0, 5));
    assert.notDeepEqual(made[0].residents.slice(5), made[2].residents.slice(5));
  });

  test('--empty has parties and no records', async () => {
    const region = await Region.start({ empty: true, patients: 8 });
    try {
      const a = region.party('hospital-a');
      for (const type of ['Patient', 'Observation', 'Condition', 'Consent']) assert.equal((await a.search(`/${type}`)).total, 0, type);
      assert.deepEqual(readdirSync(join(region.dir, 'inbox/hospital-a')).filter((f) => f !== 'rejected'), []);
    } finally {
      await region.stop();
    }
  });

  test('a port that is taken ends it with 1 and says which', async () => {
    const region = await Region.start({ empty: true, patients: 5 });
    const dir = mkdtempSync(join(tmpdir(), 'tasuki-taken-'));
    try {
      const second = tasuki('demo', '--dir', dir, '--port-base', String(region.base), '--patients', '5', '--empty');
      assert.equal(second.code, 1);
      assert.equal(second.out, '');
      assert.match(second.err, new RegExp(`in use.*${region.base}`));
    } finally {
      rmSync(dir, { recursive: true, force: true });
      await region.stop();
    }
  });

  test('wrong use of the program is told apart by exit code', () => {
    assert.equal(tasuki('version').code, 0);
    assert.equal(tasuki('help').code, 0);
    assert.equal(tasuki('no-such-verb').code, 2);
    assert.equal(tasuki('demo', '--no-such-option').code, 2);
    assert.equal(tasuki('check-config', '/nonexistent/tasuki.conf').code, 1);
  });
});
