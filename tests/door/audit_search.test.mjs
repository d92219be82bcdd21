// SPDX-License-Identifier: Apache-2.0
//
// Searching the audit record (R4 auditevent.html#search, IHE ITI-81): every parameter finds exactly the events that say so
// themselves, in order, in pages, and for each reader only his own.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CARD, INSTITUTION, Region, assertOutcome, sleep } from './region.mjs';
import { breakGlass, condition, observation, patient } from './resources.mjs';

let region;
let a;
let operator;
let self;
let own;
let until;
let all;
let made;
const ids = (events) => events.map((e) => Number(e.id));
const codes = (concepts) => (concepts ?? []).flatMap((c) => c.coding ?? [c]);
const system = (s) => (c) => c.system === s;
const about = (e, ref) => (e.entity ?? []).some((x) => x.what?.reference === ref);

before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  a = region.party('hospital-a').as({ 'Tasuki-User': region.staff('hospital-a', 'doctor').id, 'Tasuki-Role': 'doctor' });
  const b = region.party('hospital-b');
  operator = region.party('operator');
  self = region.party('resident-1');
  const card = region.resident('resident-1').card;
  await a.create(patient(region.resident('resident-1')));
  await b.create(patient(region.resident('resident-2')));
  made = await a.create(observation(card));
  await a.put(`/Observation/${made.id}`, { ...made, status: 'amended' });
  await a.get(`/Observation/${made.id}`);
  await a.get(`/Observation/${made.id}/_history/1`);
  await b.get(`/Observation/${made.id}`);
  await b.get('/Observation?code=x');
  const gone = await b.create(condition(region.resident('resident-2').card));
  await b.del(`/Condition/${gone.id}`);
  await region.party('emergency-e').post('/Patient/$break-glass', breakGlass(card));
  await region.party('pharmacy-p').post('/Patient/$break-glass', breakGlass(card));
  own = (await self.search('/Patient')).resources[0].id;
  await self.get('/Observation');
  await region.party(undefined).get('/Patient');
  await sleep(5);
  until = new Date().toISOString();
  await sleep(5);
  all = (await operator.search(`/AuditEvent?date=lt${until}&_count=1000`)).resources;
  assert.ok(all.length > 12);
});
after(() => region?.stop());

const find = async (party, query) => party.search(`/AuditEvent?date=lt${until}&${query}`);

describe('a parameter finds what says so itself', () => {
  const action = (e) => e.action;
  const table = {
    'action=C': (e) => action(e) === 'C',
    'action=R,U': (e) => ['R', 'U'].includes(action(e)),
    'action:not=R': (e) => action(e) !== 'R',
    'action=http://hl7.org/fhir/audit-event-action|D': (e) => action(e) === 'D',
    'action=http://example.org|D': () => false,
    'outcome=0': (e) => e.outcome === '0',
    'outcome=4': (e) => e.outcome === '4',
    'outcome:not=0': (e) => e.outcome !== '0',
    'type=rest': () => true,
    'type=http://terminology.hl7.org/CodeSystem/audit-event-type|rest': () => true,
    'type=110112': () => false,
    'subtype=read': (e) => codes(e.subtype).some((c) => c.code === 'read'),
    'subtype=http://hl7.org/fhir/restful-interaction|search-type': (e) => codes(e.subtype).filter(system('http://hl7.org/fhir/restful-interaction')).some((c) => c.code === 'search-type'),
    'subtype=urn:tasuki:audit-event|break-glass': (e) => codes(e.subtype).filter(system('urn:tasuki:audit-event')).some((c) => c.code === 'break-glass'),
    'subtype=vread&action=R': (e) => codes(e.subtype).some((c) => c.code === 'vread') && action(e) === 'R',
    'subtype=read&subtype=update': () => false,
    'agent-role=doctor': (e) => e.agent.some((g) => codes(g.role).some((c) => c.code === 'doctor')),
    'agent-role=nurse': () => false,
    'entity-type=1': (e) => (e.entity ?? []).some((x) => x.type?.code === '1'),
    'entity-type=XrequestId': (e) => (e.entity ?? []).some((x) => x.type?.code === 'XrequestId'),
    'entity-role=24': (e) => (e.entity ?? []).some((x) => x.role?.code === '24'),
    'entity-role=4': (e) => (e.entity ?? []).some((x) => x.role?.code === '4'),
    'agent=Organization/hospital-b': (e) => e.agent.some((g) => g.who?.reference === 'Organization/hospital-b'),
    'agent=hospital-a,hospital-b': (e) => e.agent.some((g) => /^Organization\/hospital-[ab]$/.test(g.who?.reference ?? '')),
    'agent=Organization/nobody': () => false,
    'address=127.0.0.1': () => true,
    'address=192.0.2.7': () => false,
    'agent-name=x': () => false,
    'altid=x': () => false,
    'policy=http://example.org/p': () => false,
    'site=x': () => false,
    'source=Device/x': () => false,
    'entity-name=x': () => false,
  };
  for (const [query, keep] of Object.entries(table)) {
    test(query, async () => {
      const found = await find(operator, query);
      assert.deepEqual(ids(found.resources), ids(all.filter(keep)));
      assert.equal(found.total, found.resources.length);
    });
  }

  test('whom it is about, who did it and what was touched', async () => {
    const code = region.facility('hospital-b').code;
    const user = region.staff('hospital-a', 'doctor').id;
    const card = region.resident('resident-1').card;
    const hers = all.filter((e) => (e.entity ?? []).some((x) => x.type?.code === '1'));
    const one = (await operator.search(`/AuditEvent?entity=Observation/${made.id}&_sort=date`)).resources[0];
    const ref = one.entity.find((x) => x.type?.code === '1').what.reference;
    const cases = {
      [`agent:identifier=${INSTITUTION}|${code}`]: (e) => e.agent.some((g) => g.who?.identifier?.value === code),
      [`agent.identifier=${INSTITUTION}|${code}`]: (e) => e.agent.some((g) => g.who?.identifier?.value === code),
      [`agent:identifier=${user}`]: (e) => e.agent.some((g) => g.who?.identifier?.value === user),
      [`agent=${ref}`]: (e) => e.agent.some((g) => g.who?.reference === ref),
      [`entity=Observation/${made.id}`]: (e) => (e.entity ?? []).some((x) => x.what?.reference?.startsWith(`Observation/${made.id}`)),
      [`entity=Observation/${made.id}/_history/1`]: (e) => about(e, `Observation/${made.id}/_history/1`),
      [`entity=${ref}`]: (e) => about(e, ref),
      [`patient=${ref}`]: (e) => about(e, ref),
      [`patient=${ref}&action=E`]: (e) => about(e, ref) && e.action === 'E',
      'entity=Observation/nothing': () => false,
      'patient=Patient/nobody': () => false,
    };
    assert.ok(hers.length > 3);
    for (const [query, keep] of Object.entries(cases)) assert.deepEqual(ids((await find(operator, query)).resources), ids(all.filter(keep)), query);
    const byCard = (await find(operator, `patient:identifier=${CARD}|${card}`)).total;
    assert.equal((await find(operator, `patient.identifier=${CARD}|${card}`)).total, byCard);
  });

  test('times, by every prefix, and ids', async () => {
    const at = all[Math.floor(all.length / 2)].recorded;
    const ms = (e) => Date.parse(e.recorded);
    const t = Date.parse(at);
    const cases = {
      '': (e) => ms(e) === t, ne: (e) => ms(e) !== t, gt: (e) => ms(e) > t, lt: (e) => ms(e) < t, ge: (e) => ms(e) >= t,
      le: (e) => ms(e) <= t, sa: (e) => ms(e) > t, eb: (e) => ms(e) < t, ap: () => true,
    };
    for (const name of ['date', '_lastUpdated'])
      for (const [prefix, keep] of Object.entries(cases)) {
        const found = (await find(operator, `${name}=${prefix}${encodeURIComponent(at)}`)).resources;
        assert.deepEqual(ids(found), ids(all.filter(keep)), `${name}=${prefix}`);
      }
    const some = [all[2].id, all[5].id];
    assert.deepEqual(ids((await find(operator, `_id=${some.join(',')},nothing`)).resources), some.map(Number));
    assert.deepEqual(ids((await find(operator, `date=ge${encodeURIComponent(all[5].recorded)}&date=le${encodeURIComponent(all[2].recorded)}`)).resources),
      ids(all.filter((e) => ms(e) >= ms(all[5]) && ms(e) <= ms(all[2]))));
  });
});

describe('the answer', () => {
  test('comes in pages that keep the question', async () => {
    const want = ids(all.filter((e) => e.outcome === '0'));
    for (const [query, order] of [['outcome=0', want], ['outcome=0&_sort=-date', want], ['outcome=0&_sort=_id', [...want].reverse()], ['_sort=date', ids(all).reverse()]]) {
      const found = await find(operator, `${query}&_count=3`);
      assert.deepEqual(ids(found.resources), order, query);
    }
    const first = await operator.read(`/AuditEvent?date=lt${until}&outcome=0&_count=${want.length}`);
    assert.deepEqual(first.link.map((l) => l.relation), ['self'], 'the last page leads nowhere');
    assert.match(first.link[0].url, /outcome=0/);
  });

  test('can be only a number, a summary, or without a total', async () => {
    for (const query of ['_summary=count', '_count=0']) {
      const found = await operator.read(`/AuditEvent?date=lt${until}&${query}`);
      assert.deepEqual([found.total, found.entry], [all.length, undefined], query);
    }
    assert.equal((await operator.read('/AuditEvent?_total=none&_count=1')).total, undefined);
    const [slim] = (await operator.read('/AuditEvent?_elements=action&_count=1')).entry;
    assert.ok(slim.resource.action && !slim.resource.entity && slim.resource.meta.tag.some((t) => t.code === 'SUBSETTED'));
  });

  test('by POST is the same', async () => {
    const form = await operator.request('POST', '/AuditEvent/_search', { body: `date=lt${until}&action=C`, type: 'application/x-www-form-urlencoded' });
    assert.deepEqual(ids(form.json.entry.map((e) => e.resource)), ids(all.filter((e) => e.action === 'C')));
  });

  test('holds for each reader only his own', async () => {
    const mine = (await find(self, '_count=1000')).resources;
    assert.ok(mine.length > 3 && mine.every((e) => about(e, `Patient/${own}`)));
    assert.deepEqual(ids((await find(self, 'outcome=4')).resources), ids(mine.filter((e) => e.outcome === '4')));
    assert.deepEqual(ids((await find(self, 'agent=hospital-a')).resources), ids(mine.filter((e) => e.agent.some((g) => g.who?.reference === 'Organization/hospital-a'))));
    const others = all.filter((e) => !ids(mine).includes(Number(e.id)));
    assert.equal((await find(self, `_id=${others.map((e) => e.id).join(',')}`)).total, 0);
    assert.equal((await find(a, 'agent=hospital-b')).total, 0, 'a facility reads what it did itself');
  });

  test('does not tell a facility of somebody whom it was not shown', async () => {
    const b = region.party('hospital-b');
    const card = region.resident('resident-1').card;
    const never = '220199999990';
    const observed = (await b.create(observation(region.resident('resident-2').card))).id;
    const asks = {
      search: (c) => b.get(`/Patient?identifier=${CARD}|${c}`),
      'search beside another': (c) => b.get(`/Patient?identifier=${CARD}|${region.resident('resident-2').card},${CARD}|${c}`),
      match: (c) => b.post('/Patient/$match', { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: { resourceType: 'Patient', identifier: [{ system: CARD, value: c }] } }] }),
      read: (c) => b.get(`/Observation/${c === card ? made.id : '00000000-0000-7000-8000-000000000000'}`),
      history: (c) => b.get(`/Observation/${c === card ? made.id : '00000000-0000-7000-8000-000000000000'}/_history`),
      pix: (c) => b.get(`/Patient/$ihe-pix?sourceIdentifier=${CARD}|${c}`),
      'compartment of a known one': () => b.get(`/Observation/${observed}`),
    };
    /** What B's own record says of what it just did: as many events, the same in each but for numbers, times and what was asked. */
    const told = async (ask, c) => {
      const [last] = (await b.read('/AuditEvent?_count=1')).entry;
      await ask(c);
      const events = (await b.search(`/AuditEvent?_sort=date&_count=100`)).resources.filter((e) => Number(e.id) > Number(last.resource.id));
      return events.filter((e) => !codes(e.subtype).some((s) => s.code === 'access-history'))
        .map((e) => [e.action, e.outcome, e.entity.map((x) => [x.type?.code, x.role?.code, x.detail])]);
    };
    for (const [name, ask] of Object.entries(asks)) assert.deepEqual(await told(ask, card), await told(ask, never), name);
    const asked = async (c, query) => (await b.search(`/AuditEvent?${query.replace('CARD', `${CARD}|${c}`)}`)).total;
    for (const query of ['patient:identifier=CARD', 'patient.identifier=CARD', 'entity:identifier=CARD', 'agent:identifier=CARD', 'patient:identifier=CARD&outcome=0'])
      assert.equal(await asked(card, query), await asked(never, query), query);
    const hers = (await self.search('/AuditEvent?agent=hospital-b&_count=100')).resources;
    assert.ok(hers.filter((e) => codes(e.subtype).some((s) => s.code === 'search-type')).length >= 2, 'she reads that somebody looked for her');
  });

  test('refuses what it does not know', async () => {
    for (const query of ['colour=red', 'action:exact=C', 'agent:foo=x', 'action.identifier=x', 'date:not=2026', '_include=AuditEvent:agent'])
      assertOutcome(await operator.get(`/AuditEvent?${query}`), 400, /ERR_UNKNOWN_PARAM/);
    for (const query of ['date=yesterday', 'action=', '_sort=type', '_summary=some', '_total=some', '_count=x', '_cursor=x', 'patient='])
      assertOutcome(await operator.get(`/AuditEvent?${query}`), 400);
    const lenient = await operator.get('/AuditEvent?colour=red&action=C&_count=1', { Prefer: 'handling=lenient' });
    assert.equal(lenient.status, 200);
    assert.ok(!lenient.json.link[0].url.includes('colour'));
  });
});
