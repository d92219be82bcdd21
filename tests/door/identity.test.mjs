// SPDX-License-Identifier: Apache-2.0
//
// Who asks and about whom: certificates, pairwise Patient ids, cards, local and insurer numbers, request headers.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CARD, INSURED, LOCAL, Party, Region, assertOutcome, tasuki, until, withoutIds } from './region.mjs';
import { byCard, consent, observation, patient } from './resources.mjs';

const q = encodeURIComponent;
let region;
before(async () => { region = await Region.start({ patients: 12 }); });
after(() => region?.stop());

const identifiers = (resource) => resource.identifier ?? [];

describe('a Patient', () => {
  test('has another id for every reader, always the same for one', async () => {
    const card = region.resident('resident-1').card;
    const ids = {};
    for (const name of ['hospital-a', 'hospital-b', 'emergency-e']) {
      const party = region.party(name);
      ids[name] = (await party.patient(card)).id;
      assert.equal((await party.patient(card)).id, ids[name]);
      assert.equal((await party.read(`/Patient/${ids[name]}`)).id, ids[name]);
    }
    ids.self = (await region.party('resident-1').search('/Patient')).resources[0].id;
    assert.equal(new Set(Object.values(ids)).size, 4, JSON.stringify(ids));
  });

  test('an id of another organisation is as unknown as one that never was', async () => {
    const card = region.resident('resident-1').card;
    const id = (await region.party('hospital-a').patient(card)).id;
    const b = region.party('hospital-b');
    const never = [...id].reverse().join('');
    const foreign = await b.get(`/Patient/${id}`);
    assert.equal(foreign.status, 404);
    assert.equal(withoutIds(foreign, id), withoutIds(await b.get(`/Patient/${never}`), never));
    assert.equal((await b.search(`/Observation?patient=${id}`)).total, 0);
  });

  test('is found by card number, and references lead to it', async () => {
    const card = region.resident('resident-1').card;
    const a = region.party('hospital-a');
    const found = await a.search(`/Patient?identifier=${q(`${CARD}|${card}`)}`);
    assert.equal(found.total, 1);
    assert.ok(identifiers(found.resources[0]).some((i) => i.system === CARD && i.value === card));
    const one = (await a.search(`/Observation?patient.identifier=${q(`${CARD}|${card}`)}&_count=5`)).resources[0];
    assert.equal(one.subject.reference, `Patient/${found.resources[0].id}`);
    assert.equal((await a.search(`/Patient?identifier=${q(`${CARD}|220100000000`)}`)).total, 0);
  });

  test('shows a local number only to the facility that issued it', async () => {
    const r = region.resident('resident-1');
    for (const name of ['hospital-a', 'hospital-b', 'emergency-e', 'clinic-c']) {
      const shown = identifiers(await region.party(name).patient(r.card)).filter((i) => i.system.startsWith(LOCAL));
      const own = r.localNumbers[name];
      assert.deepEqual(shown.map((i) => i.value), own ? [own] : [], name);
      for (const i of shown) assert.equal(i.system, region.localSystem(name));
    }
    const number = r.localNumbers['hospital-a'];
    const find = (name) => region.party(name).search(`/Patient?identifier=${q(`${region.localSystem('hospital-a')}|${number}`)}`);
    assert.equal((await find('hospital-a')).total, 1);
    assert.equal((await find('hospital-b')).total, 0, 'another facility cannot search by it');
    for (const other of [`identifier:of-type=${q(`http://terminology.hl7.org/CodeSystem/v2-0203|PI|${number}`)}`, `_content=${number}`])
      for (const name of ['hospital-a', 'hospital-b'])
        assert.equal((await region.party(name).search(`/Patient?${other}`)).total, 0, `${name}: ${other}`);
  });

  test('carries another facility\'s local number in no answer at all', async () => {
    const r = region.resident('resident-1');
    const b = region.party('hospital-b');
    const id = (await b.patient(r.card)).id;
    const everything = await b.get(`/Patient/${id}/$everything`);
    assert.equal(everything.status, 200);
    assert.ok(!everything.text.includes(region.localSystem('hospital-a')));
    assert.ok(!everything.text.includes(`"${r.localNumbers['hospital-a']}"`));
  });

  test('shows insurer numbers only to those entitled', async () => {
    const r = region.resident('resident-1');
    const shown = async (name) => identifiers(await region.party(name).patient(r.card)).filter((i) => i.system === INSURED);
    assert.equal((await shown('emergency-e')).length, 0);
    const values = [...await shown('hospital-a'), ...await shown('hospital-b')].map((i) => i.value);
    for (const value of values) assert.match(value, /^\d{8}:[^:]*:[^:]+:\d*$/);
    if (typeof r.insurance === 'string') {
      const find = (name) => region.party(name).search(`/Patient?identifier=${q(`${INSURED}|${r.insurance}`)}`);
      assert.equal((await find('hospital-a')).total, 1);
      assert.equal((await find('emergency-e')).total, 0);
    }
  });

  test('with a card links the facility\'s own number to the person', async () => {
    const r = region.resident('resident-2');
    const b = region.party('hospital-b');
    const local = { system: region.localSystem('hospital-b'), value: '7654321' };
    const made = await b.post('/Patient', patient(r, { identifier: [local] }));
    assert.equal(made.status, 201, made.text);
    const found = await b.search(`/Patient?identifier=${q(`${local.system}|${local.value}`)}`);
    assert.equal(found.total, 1);
    assert.equal(found.resources[0].id, (await b.patient(r.card)).id);
    assert.ok(!JSON.stringify(await region.party('hospital-a').patient(r.card)).includes('7654321'));
  });

  test('with an unknown card is refused and leaves nothing', async () => {
    const b = region.party('hospital-b');
    const unknown = patient({ ...region.resident('resident-1'), card: '220199999990' });
    assertOutcome(await b.post('/Patient', unknown), 422);
    assertOutcome(await b.post('/Observation', observation('220199999990')), 422, /Observation\.subject/);
  });

  test('$match goes by identifiers, never by name and birth date alone', async () => {
    const r = region.resident('resident-1');
    const a = region.party('hospital-a');
    const ask = (resource) => a.post('/Patient/$match', { resourceType: 'Parameters', parameter: [{ name: 'resource', resource }] });
    const sure = await ask(patient(r));
    assert.equal(sure.status, 200, sure.text);
    assert.equal(sure.json.entry?.length, 1);
    const { identifier, ...nameless } = patient(r);
    assert.equal((await ask(nameless)).json.entry?.length ?? 0, 0);
  });
});

describe('$match without a number', () => {
  const GRADE = 'http://hl7.org/fhir/StructureDefinition/match-grade';
  let a;
  let whole;
  const parameters = (resource, ...more) => ({ resourceType: 'Parameters', parameter: [{ name: 'resource', resource }, ...more] });
  const grades = (answer) => (answer.json.entry ?? []).map((e) => [e.resource.id, e.search.extension.find((x) => x.url === GRADE).valueCode, e.search.score]);
  const ask = async (party, resource, ...more) => {
    const answer = await party.post('/Patient/$match', parameters(resource, ...more));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.total, answer.json.entry?.length ?? 0);
    return grades(answer);
  };
  const without = (...names) => Object.fromEntries(Object.entries(whole).filter(([k]) => !names.includes(k)));
  before(async () => {
    a = region.party('hospital-a');
    const { id, meta, identifier, ...rest } = await a.patient(region.resident('resident-1').card);
    whole = rest;
  });

  test('is certain when five fields agree, probable with four, nobody with fewer', async () => {
    const { id } = await a.patient(region.resident('resident-1').card);
    const [kanji] = whole.name;
    const table = [
      [whole, [[id, 'certain', 1]]],
      [without('telecom'), [[id, 'certain', 1]]],
      [without('birthDate'), [[id, 'certain', 1]]],
      [without('telecom', 'address'), [[id, 'probable', 0.8]]],
      [{ ...without('telecom', 'address'), name: [kanji] }, []],
      [{ resourceType: 'Patient', name: [kanji], birthDate: whole.birthDate }, []],
      [{ ...whole, gender: whole.gender === 'male' ? 'female' : 'male' }, []],
      [{ ...whole, birthDate: '1911-01-01' }, []],
      [{ resourceType: 'Patient' }, []],
    ];
    for (const [asked, want] of table) assert.deepEqual(await ask(a, asked), want, JSON.stringify(asked).slice(0, 120));
  });

  test('can be held to certain ones, and asked with the Patient alone', async () => {
    const only = { name: 'onlyCertainMatches', valueBoolean: true };
    assert.deepEqual(await ask(a, without('telecom', 'address'), only), []);
    assert.equal((await ask(a, whole, only)).length, 1);
    assert.deepEqual(grades(await a.post('/Patient/$match', whole)), await ask(a, whole));
    for (const bad of [{ name: 'colour', valueString: 'red' }, { name: 'count', valueInteger: 0 }]) assertOutcome(await a.post('/Patient/$match', parameters(whole, bad)), 400);
    assertOutcome(await a.post('/Patient/$match', { resourceType: 'Observation' }), 422);
  });

  test('with a number that leads to nobody is never certain', async () => {
    const [found] = await ask(a, { ...whole, identifier: [{ system: CARD, value: '220199999990' }] });
    assert.equal(found[1], 'probable');
  });

  test('finds nobody whom the caller may not see, by number or by fields', async () => {
    const hidden = await a.patient(region.resident('resident-3').card);
    const { id, meta, ...asked } = hidden;
    assert.equal((await ask(a, asked)).length, 1);
    const b = region.party('hospital-b');
    assert.deepEqual(await ask(b, asked), []);
    const { identifier, ...fields } = asked;
    assert.deepEqual(await ask(b, fields), []);
  });
});

describe('a caller', () => {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: region.dir, stdio: 'pipe' });

  test('with a certificate of the CA that is registered to nobody is refused with 401', async () => {
    assert.ok(existsSync(join(region.dir, 'pki/ca.key')));
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'stranger.key');
    openssl('req', '-new', '-key', 'stranger.key', '-subj', '/CN=hospital-a', '-out', 'stranger.csr');
    openssl('x509', '-req', '-in', 'stranger.csr', '-CA', 'pki/ca.pem', '-CAkey', 'pki/ca.key', '-set_serial', '0x7777', '-days', '30', '-out', 'stranger.pem');
    const tls = { ca: readFileSync(join(region.dir, 'pki/ca.pem')), cert: readFileSync(join(region.dir, 'stranger.pem')), key: readFileSync(join(region.dir, 'stranger.key')) };
    const stranger = new Party(region.urls.system, tls);
    region.agents.push(stranger.agent);
    assertOutcome(await stranger.get('/Patient'), 401);
    assertOutcome(await stranger.post('/Observation', observation(region.resident('resident-1').card)), 401);
    assertOutcome(await stranger.get('/no-such-place'), 401);
  });

  test('with a certificate of another CA, or with none, gets no connection on the system listener', async () => {
    const bare = new Party(region.urls.system, region.tls(undefined));
    region.agents.push(bare.agent);
    await assert.rejects(bare.get('/Patient'));
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=hospital-a', '-days', '30', '-keyout', 'self.key', '-out', 'self.pem');
    const self = new Party(region.urls.system, { ca: readFileSync(join(region.dir, 'pki/ca.pem')), cert: readFileSync(join(region.dir, 'self.pem')), key: readFileSync(join(region.dir, 'self.key')) });
    region.agents.push(self.agent);
    await assert.rejects(self.get('/Patient'));
  });

  test('without a card sees the portal\'s front page and no record', async () => {
    const guest = region.party(undefined);
    assertOutcome(await guest.get('/Patient'), 401);
    const page = await guest.get(region.urls.portal, { Accept: 'text/html' });
    assert.equal(page.status, 200);
    assert.match(page.headers['content-security-policy'], /default-src 'none'/);
  });

  test('with TLS older than 1.2 gets no connection', async () => {
    const old = new Party(region.urls.system, { ...region.tls('hospital-a'), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' });
    region.agents.push(old.agent);
    await assert.rejects(old.get('/metadata'));
  });

  test('that says something unknown about itself is told what is valid', async () => {
    const a = region.party('hospital-a');
    assertOutcome(await a.get('/Patient', { 'Tasuki-Purpose': 'CURIOSITY' }), 400, /TREAT/);
    assertOutcome(await a.get('/Patient', { 'Tasuki-Role': 'king' }), 400, /doctor/);
    assertOutcome(await a.get('/Patient', { 'Tasuki-User': 'nobody-here' }), 400, /Tasuki-User/);
    const doctor = region.staff('hospital-a', 'doctor').id;
    assert.equal((await a.get('/Patient', { 'Tasuki-User': doctor, 'Tasuki-Role': 'doctor', 'Tasuki-Purpose': 'TREAT' })).status, 200);
    assertOutcome(await a.get('/Patient', { 'Tasuki-User': doctor, 'Tasuki-Role': 'pharmacist' }), 403);
    assertOutcome(await a.get('/Patient', { 'Tasuki-User': region.staff('hospital-b', 'doctor').id }), 400);
  });

  test('of a kind that does not treat may not claim to', async () => {
    assertOutcome(await region.party('insurer-i').get('/Patient', { 'Tasuki-Purpose': 'TREAT' }), 403);
    assertOutcome(await region.party('city-m').get('/Patient', { 'Tasuki-Purpose': 'TREAT' }), 403);
  });

  test('that is a resident sees himself and nobody else', async () => {
    const two = region.party('resident-2');
    const found = await two.search('/Patient');
    assert.ok(found.total >= 1);
    const card = region.resident('resident-2').card;
    for (const p of found.resources) assert.ok(identifiers(p).some((i) => i.system === CARD && i.value === card));
    assert.equal(await two.patient(region.resident('resident-1').card), undefined);
    for (const o of (await two.search('/Observation?_count=500')).resources) assert.equal(o.subject.reference, `Patient/${found.resources[0].id}`);
  });
});

describe('revocation', () => {
  test('shuts out an open connection and new ones within seconds', async () => {
    const c = region.party('clinic-c');
    assert.equal((await c.get('/Patient?_count=1')).status, 200);
    const revoked = tasuki('cert', 'revoke', 'clinic-c', '--dir', region.dir);
    assert.equal(revoked.code, 0, revoked.err + revoked.out);
    const shutOut = async (party) => {
      try {
        return (await party.get('/Patient?_count=1')).status === 401;
      } catch {
        return true;
      }
    };
    await until(() => shutOut(c), { ms: 10_000, what: 'the open connection is refused' });
    await until(() => shutOut(c.again()), { ms: 10_000, what: 'a new connection is refused' });
    assert.equal(await shutOut(c), true, 'and stays refused');
    assert.equal((await region.party('hospital-a').get('/Patient?_count=1')).status, 200, 'others are not touched');
  });
});

describe('a consent', () => {
  test('is registered only for one\'s own patients', async () => {
    const r = region.resident('resident-4');
    assert.equal(r.localNumbers['emergency-e'], undefined, 'resident-4 was never seen there');
    assertOutcome(await region.party('emergency-e').post('/Consent', consent(r.card, { type: 'permit' })), 403);
    const own = await region.party('resident-4').post('/Consent', consent(r.card, { type: 'permit', period: { end: '2020-01-01' } }));
    assert.equal(own.status, 201, own.text);
    assert.equal(own.json.patient.identifier, undefined);
    assert.notDeepEqual(own.json.patient, byCard(r.card));
  });
});
