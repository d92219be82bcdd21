// SPDX-License-Identifier: Apache-2.0
//
// Administration beside a running server: what the commands change holds from the next request on.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Region, assertOutcome, sql, tasuki } from './region.mjs';
import { observation, patient } from './resources.mjs';

let region;
let a;
let b;
let card;
const run = (...args) => tasuki(...args, '--dir', region.dir);
const ok = (...args) => {
  const done = run(...args);
  assert.equal(done.code, 0, `${args.join(' ')}: ${done.err}`);
  return done.out;
};

before(async () => {
  region = await Region.start({ empty: true, patients: 6 });
  [a, b] = [region.party('hospital-a'), region.party('hospital-b')];
  card = region.resident('resident-1').card;
  await a.create(patient(region.resident('resident-1')));
});
after(() => region?.stop());

describe('a facility', () => {
  test('that is disabled is nobody, until it is enabled again', async () => {
    assert.equal((await b.get('/Observation')).status, 200);
    ok('facility', 'disable', 'hospital-b');
    assertOutcome(await b.get('/Observation'), 401);
    assert.equal(JSON.parse(ok('facility', 'list', '--json')).find((f) => f.key === 'hospital-b').active, 'no');
    assert.equal((await a.get('/Observation')).status, 200);
    ok('facility', 'enable', 'hospital-b');
    assert.equal((await b.get('/Observation')).status, 200);
    assert.equal(run('facility', 'disable', 'nobody').code, 4);
    assert.equal(run('facility', 'disable', 'operator').code, 5, 'who could enable it?');
    assert.equal(run('facility', 'disable').code, 2);
    const events = sql(region, "SELECT event, entity FROM audit WHERE event LIKE 'facility-%able' AND outcome = 0");
    assert.deepEqual(events.map((e) => `${e.event} ${e.entity}`), ['facility-disable Organization/hospital-b', 'facility-enable Organization/hospital-b']);
  });
});

describe('staff', () => {
  const as = (user) => a.get('/Observation', { 'Tasuki-User': user });
  const listed = (...args) => JSON.parse(ok('staff', 'list', '--json', ...args)).filter((s) => s.user === 'new-1');

  test('may be named while they are listed', async () => {
    assertOutcome(await as('new-1'), 400);
    ok('staff', 'add', '--facility', 'hospital-a', '--user', 'new-1', '--name', '青木 花', '--role', 'nurse');
    assert.equal((await as('new-1')).status, 200);
    assert.deepEqual(listed(), [{ facility: 'hospital-a', user: 'new-1', role: 'nurse', name: '青木 花' }]);
    assert.deepEqual(listed('--facility', 'hospital-b'), []);
    ok('staff', 'remove', '--facility', 'hospital-a', '--user', 'new-1');
    assertOutcome(await as('new-1'), 400);
    assert.deepEqual(listed(), []);
    assert.equal(run('staff', 'remove', '--facility', 'hospital-a', '--user', 'new-1').code, 4);
    assert.equal(run('staff', 'list', '--facility', 'nobody').code, 4);
    assert.equal(run('staff', 'remove', '--user', 'x').code, 2);
  });
});

describe('export patient', () => {
  const exported = (who, party) => run('export', 'patient', region.resident(who).card, '--facility', party);

  test('is all that the facility may see, no more, and is recorded', async () => {
    const { id } = await a.patient(card);
    for (let n = 0; n < 5; n++) await a.create(observation(card, { value: n }));
    const everything = await a.search(`/Patient/${id}/$everything`);
    const bundle = JSON.parse(exported('resident-1', 'hospital-a').out);
    assert.deepEqual([bundle.resourceType, bundle.type], ['Bundle', 'collection']);
    assert.deepEqual(bundle.entry.map((e) => e.resource).sort((x, y) => x.id.localeCompare(y.id)), everything.resources.sort((x, y) => x.id.localeCompare(y.id)));
    assert.deepEqual(new Set(bundle.entry.map((e) => e.fullUrl)), new Set(bundle.entry.map((e) => `${region.urls.system}/${e.resource.resourceType}/${e.resource.id}`)));
    const rows = sql(region, "SELECT actor FROM audit WHERE door = 'command' AND event = 'transaction' AND outcome = 0 AND person IS NOT NULL");
    assert.ok(rows.length > 0 && rows.every((r) => r.actor === 'hospital-a'));
  });

  test('of somebody hidden or nobody is not found', () => {
    for (const [who, party] of [['resident-1', 'hospital-b'], ['resident-2', 'hospital-a'], ['resident-1', 'nobody']]) {
      const done = exported(who, party);
      assert.deepEqual([done.code, done.out], [4, ''], `${who} ${party}: ${done.err}`);
    }
    assert.equal(run('export', 'patient', card).code, 2);
  });
});

describe('import fhir', () => {
  test('without a facility takes in what is of nobody, as the operator', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tasuki-import-'));
    const file = (name, resource) => { const path = join(dir, name); writeFileSync(path, JSON.stringify(resource)); return path; };
    try {
      assert.equal(run('import', 'fhir', file('o.json', { resourceType: 'Organization', name: '県医師会' })).code, 0);
      assert.equal((await b.search(`/Organization?name=${encodeURIComponent('県医師会')}`)).total, 1);
      const refused = run('import', 'fhir', file('x.json', observation(card)));
      assert.deepEqual([refused.code, /ERR_FORBIDDEN/.test(refused.out)], [5, true], refused.out);
      assert.equal(run('import', 'fhir', file('y.json', observation(card)), '--facility', 'hospital-a').code, 0);
    } finally { rmSync(dir, { recursive: true, force: true }); }
  });
});

describe('consent set', () => {
  const total = async (party) => (await party.search(`/Observation?patient.identifier=urn:tasuki:clinic-card|${card}`)).total;
  const set = (...args) => run('consent', 'set', card, '--facility', 'hospital-a', ...args);

  test('records what was agreed to on paper, and replaces it', async () => {
    await a.create(observation(card));
    const all = await total(a);
    assert.equal(await total(b), 0);
    assert.equal(set('--type', 'permit').code, 0);
    assert.equal(await total(b), all);
    assert.equal(set('--type', 'deny', '--for', 'hospital-b').code, 0);
    assert.equal(await total(b), 0, 'deny beats permit');
    assert.equal(await total(region.party('clinic-c')), all);
    assert.equal(set('--type', 'withdraw', '--for', 'hospital-b').code, 0);
    assert.equal(await total(b), all);
    assert.equal(set('--type', 'permit', '--until', '2020-12-31').code, 0);
    assert.equal(await total(b), 0, 'the same Consent, now over');
    const held = (await a.search('/Consent')).resources;
    assert.deepEqual(held.map((c) => c.status).sort(), ['active', 'inactive']);
  });

  test('refuses what it cannot mean', () => {
    assert.equal(set('--type', 'maybe').code, 2);
    assert.equal(set('--type', 'permit', '--purpose', 'FUN').code, 2);
    assert.equal(run('consent', 'set', card, '--type', 'permit').code, 2);
    assert.equal(set('--type', 'deny', '--for', 'nobody').code, 4);
    assert.equal(run('consent', 'set', '220199999990', '--facility', 'hospital-a', '--type', 'deny').code, 4);
    assert.equal(run('consent', 'set', card, '--facility', 'nobody', '--type', 'deny').code, 4);
    assert.equal(run('consent', 'set', card, '--facility', 'clinic-c', '--type', 'permit').code, 5, 'not a patient there');
    assert.equal(run('consent', 'set', card, '--facility', 'pharmacy-p', '--type', 'permit').code, 5, 'a pharmacy takes none down');
    assert.equal(set('--type', 'permit', '--until', 'tomorrow').code, 3);
  });
});
