// SPDX-License-Identifier: Apache-2.0
//
// What may not be seen looks as if it had never been, in every way of asking. Two regions of one seed get the same visible
// records; one of them also what is hidden from the reader: another facility's records that consent denies, restricted, withheld
// and private ones, versions and deletions of them, between the visible ones in time, and pointed at by visible ones. Each
// request is put to both, and the answers must be the same to the byte, once ids and times that differ by nature are named alike.
// (Not asked: AuditEvent, whose numbers count all accesses of the region; and what the region made of its own parties before, in
// an order by chance.)
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Listener } from './receiver.mjs';
import { CARD, Region, until } from './region.mjs';
import { breakGlass, condition, consent, observation, patient, recipient } from './resources.mjs';

const LOINC = 'http://loinc.org';
const coding = (system, code) => ({ coding: [{ system, code }] });
const ref = (reference) => ({ reference });
const mark = (value) => [{ system: 'urn:x', value }];
const div = (text) => ({ status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${text}</div>` });
const RESTRICTED = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }] };
const WITHHELD = { tag: [{ system: 'http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication', code: 'UNINFORMED' }] };
const ENCOUNTER = { resourceType: 'Encounter', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' } };
const ASYNC = { Prefer: 'respond-async' };

/** One of the two regions. FULL: the one with what is hidden. */
class World {
  static async make(full) {
    const w = new World();
    w.full = full;
    w.region = await Region.start({ empty: true, patients: 12 });
    w.start = new Date().toISOString();
    const party = (name) => w.region.party(name);
    Object.assign(w, { a: party('hospital-a'), b: party('hospital-b'), e: party('emergency-e'), one: party('resident-1'), three: party('resident-3') });
    await w.fill();
    return w;
  }

  card(n) { return this.region.resident(`resident-${n}`).card; }

  async put(party, resource) {
    const answer = await party.put(`/${resource.resourceType}/${resource.id}`, resource);
    assert.ok([200, 201].includes(answer.status), `${resource.resourceType}/${resource.id}: ${answer.text.slice(0, 500)}`);
  }

  /** Hidden from the reader: only in the full region. */
  async hide(...resources) {
    if (!this.full) return;
    for (const resource of resources) await this.put(this.a, resource);
  }

  async fill() {
    const { a, b } = this;
    const about = (n) => ({ subject: { identifier: { system: CARD, value: this.card(n) } } });
    const obs = (n, id, value, more = {}) => observation(n && this.card(n), { id, value, identifier: mark(id), ...more });
    const lastName = (n, family) => patient(this.region.resident(`resident-${n}`), { name: [{ family, given: ['秘'] }], telecom: [{ system: 'phone', value: `090-000-${family.length}` }] });

    await this.region.party('resident-1').create(consent(this.card(1), { type: 'permit', provision: [{ type: 'deny', actor: recipient(this.region.facility('hospital-b').code) }] }));
    await this.region.party('resident-2').create(consent(this.card(2), { type: 'permit' }));
    await this.put(a, { resourceType: 'Organization', id: 'oa', name: '大学病院' });
    await this.put(b, { resourceType: 'Practitioner', id: 'pb', name: [{ family: '医師' }] });

    if (this.full) await a.create(lastName(1, '隠田'));
    await this.hide(obs(1, 'h1', 1), { ...ENCOUNTER, id: 'h2', identifier: mark('h2'), ...about(1), serviceProvider: ref('Organization/oa'), participant: [{ individual: ref('Practitioner/pb') }] });
    await a.create(lastName(2, '見田'));
    await this.put(a, obs(2, 'v1', 5));
    await this.hide(
      { ...condition(this.card(1), '隠された病名'), id: 'h3', identifier: mark('h3'), encounter: ref('Encounter/h2'), asserter: ref('Practitioner/pb'), text: div('隠された病名') },
      { resourceType: 'DiagnosticReport', id: 'h4', status: 'final', code: coding(LOINC, '58410-2'), ...about(1), result: [ref('Observation/h1')] },
      obs(1, 'h1', 2), obs(1, 'h5', 8, { meta: { tag: [{ system: 'urn:tag', code: 'hidden' }], profile: ['http://example.org/hidden'], source: 'urn:src:hidden' }, hasMember: [ref('Observation/b1')], performer: [ref('Practitioner/pb')] }),
      { ...obs(0, 'h6', 3), meta: { tag: [{ system: 'urn:tag', code: 'private' }] } },
      { resourceType: 'List', id: 'h7', status: 'current', mode: 'working', ...about(1), entry: [{ item: ref('Observation/b1') }] },
    );
    await b.create(patient(this.region.resident('resident-1')));
    this.p1 = (await b.patient(this.card(1))).id;
    this.p2 = (await b.patient(this.card(2))).id;
    await this.put(a, { ...ENCOUNTER, id: 'v2', ...about(2), serviceProvider: ref('Organization/oa') });
    for (const r of [
      obs(1, 'b1', 6, { hasMember: [ref('Observation/h1')], encounter: ref('Encounter/h2') }),
      { resourceType: 'DiagnosticReport', id: 'b2', status: 'final', code: coding(LOINC, '58410-2'), ...about(1), encounter: ref('Encounter/h2'), result: [ref('Observation/h1'), ref('Observation/b1')] },
      { resourceType: 'List', id: 'b3', status: 'current', mode: 'working', ...about(1), entry: [{ item: ref('Observation/h1') }, { item: ref('Condition/h3') }, { item: ref('Observation/b1') }] },
      { resourceType: 'Provenance', id: 'b4', target: [ref('Observation/h1'), ref('Observation/b1')], recorded: '2026-03-02T10:00:00+09:00', agent: [{ who: ref('Practitioner/pb') }] },
      { resourceType: 'Composition', id: 'b5', status: 'final', type: coding(LOINC, '11503-0'), ...about(1), encounter: ref('Encounter/h2'), date: '2026-03-02', author: [ref('Practitioner/pb')], title: '書', section: [{ title: '一', entry: [ref('Observation/h1'), ref('Observation/b1'), ref('Condition/h3')] }] },
      { ...ENCOUNTER, id: 'b6', ...about(1), partOf: ref('Encounter/h2') },
      { resourceType: 'Group', id: 'b7', type: 'person', actual: true, member: [{ entity: ref(`Patient/${this.p1}`) }, { entity: ref(`Patient/${this.p2}`) }] },
    ]) await this.put(b, r);
    if (this.full) await a.create(lastName(5, '五番'));
    await this.hide(obs(5, 'h8', 4), obs(1, 'h9', 4), obs(0, 'h6', 7));
    if (this.full) await a.del('/Observation/h9');
    await this.put(a, obs(2, 'v1', 6));
    await this.put(a, obs(2, 'v3', 7, { at: '2026-01-16T09:00:00+09:00', hasMember: [ref('Observation/h1')] }));
    // For the resident and the emergency centre: what is withheld, private and restricted.
    await this.put(a, obs(3, 'v4', 1));
    await this.hide(obs(3, 'w1', 9, { meta: WITHHELD, hasMember: [ref('Observation/v4')] }), obs(3, 'w2', 9, { meta: WITHHELD }));
    if (this.full) await a.del('/Observation/w2');
    await this.put(a, obs(3, 'v5', 2, { at: '2026-01-17T09:00:00+09:00', hasMember: [ref('Observation/w1')] }));
    await this.put(a, obs(4, 'v6', 1));
    await this.hide(obs(4, 'r1', 9, { meta: RESTRICTED }), { resourceType: 'Coverage', id: 'r2', status: 'active', beneficiary: about(4).subject, payor: [ref('Organization/oa')] });
    await this.put(a, obs(4, 'v7', 2, { at: '2026-01-17T09:00:00+09:00', hasMember: [ref('Observation/r1')] }));
  }

  /** The answer with what differs by nature named alike: ids that the server made, times, cursors, the address. */
  same(answer) {
    const names = new Map();
    const name = (id) => names.get(id) ?? names.set(id, `ID${names.size}`).get(id);
    const fields = Object.entries(answer.headers)
      .filter(([field]) => !['date', 'x-request-id', 'content-length', 'keep-alive'].includes(field))
      .map(([field, value]) => `${field}: ${value}`).sort().join('\n');
    return `${answer.status}\n${fields}\n${answer.text}`
      .replaceAll(this.region.urls.system, 'BASE').replaceAll(this.region.urls.portal, 'BASE/')
      .replaceAll(this.card(1), 'CARD1').replaceAll(encodeURIComponent(this.start), 'START').replaceAll(this.start, 'START').replace(/_cursor=[\w-]+/g, '_cursor=C')
      .replace(/\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT/g, 'T').replace(/\d{4}-\d\d-\d\dT[\d:]{8}\.\d+(\+09:00|Z)/g, 'T')
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}/g, name);
  }
}

let worlds;
before(async () => {
  worlds = [await World.make(true), await World.make(false)];
});
after(async () => {
  for (const w of worlds ?? []) await w.region.stop();
});

/** Puts one request to both worlds, with the pages behind it; ASK: (world, path) -> answer. */
async function alike(path, ask) {
  const said = [];
  for (const w of worlds) {
    const inserted = path.replaceAll('{p1}', w.p1).replaceAll('{p2}', w.p2).replaceAll('{start}', w.start).replace(/\{card(\d)\}/g, (_, n) => encodeURIComponent(`${CARD}|${w.card(n)}`));
    const pages = [];
    for (let next = inserted; next;) {
      const answer = await ask(w, next);
      pages.push(w.same(answer));
      next = answer.json?.link?.find?.((l) => l.relation === 'next')?.url;
      assert.ok(pages.length < 60, `pages without end: ${path}`);
    }
    said.push(pages.join('\n---\n'));
  }
  assert.ok(!/^5\d\d/.test(said[0]), said[0].slice(0, 500));
  let at = 0;
  while (at < said[0].length && said[0][at] === said[1][at]) at++;
  assert.ok(said[0] === said[1], `${path}: differs\n${said[0].slice(Math.max(0, at - 200), at + 300)}\nand without the hidden\n${said[1].slice(Math.max(0, at - 200), at + 300)}`);
}

const SEARCHES = [
  'Observation', 'Observation?_count=2', 'Observation?_count=1&_sort=-_lastUpdated', 'Observation?_sort=_lastUpdated', 'Observation?_sort=-date,code&_count=1', 'Observation?_sort=value-quantity',
  'Observation?_sort=_id', 'Observation?_summary=count', 'Observation?_total=accurate&_count=0', 'Observation?_total=estimate', 'Observation?_total=none&_count=1', 'Observation?identifier=urn:x|h1',
  'Observation?identifier:not=urn:x|b1', 'Observation?code:missing=false', 'Observation?subject:missing=true', 'Observation?_tag=private', 'Observation?_tag=hidden', 'Observation?_tag:missing=false', 'Observation?_profile=http://example.org/hidden',
  'Observation?_source=urn:src:hidden', 'Observation?_security:missing=false', 'Observation?_id=h1,h5,h6,h9,b1', 'Observation?_lastUpdated=ge2020', 'Observation?value-quantity=le4', 'Observation?date=ge2020&_count=1',
  'Condition?_text=隠された', 'Condition?_content=病名', 'Observation?_content=h1', 'Condition?code:text=隠', 'Patient?name=隠田', 'Patient?family:exact=五番', 'Patient?phone:missing=false', 'Patient?_sort=family', 'Patient?_sort=-_lastUpdated', 'Patient?_summary=count',
  'Patient?identifier={card1}', 'Patient?identifier={card5}', 'Patient?identifier={card7}', 'Observation?patient.identifier={card5}', 'Observation?patient.identifier={card1}', 'Observation?patient.name=隠田',
  'Observation?subject=Patient/{p1}', 'Observation?patient={p1}&_include=Observation:*', 'Observation?_include=Observation:has-member', 'Observation?_include=Observation:encounter&_include:iterate=Encounter:service-provider',
  'Observation?_id=b1&_include=*', 'Observation?_id=b1&_revinclude=*', 'Observation?_id=b1&_revinclude=Observation:has-member', 'Observation?_id=b1&_revinclude=List:item&_revinclude=DiagnosticReport:result', 'Observation?_id=v1,v3&_revinclude=*&_include=*&_include:iterate=*',
  'DiagnosticReport?_include=DiagnosticReport:result&_include=DiagnosticReport:encounter', 'Provenance?_include=Provenance:target', 'List?_include=List:item', 'Organization?_id=oa&_revinclude=Encounter:service-provider', 'Organization?_id=oa&_revinclude:iterate=*',
  'Practitioner?_revinclude=Condition:asserter&_revinclude=Observation:performer', 'Patient?_revinclude=Observation:subject', 'Patient?_id={p1}&_revinclude=*',
  'DiagnosticReport?result.identifier=urn:x|h1', 'DiagnosticReport?result:Observation.value-quantity=gt0', 'Provenance?target:Observation.code=4548-4', 'Provenance?target:Observation.identifier=urn:x|h1', 'List?item:Condition.code:text=隠された', 'List?item:Observation.value-quantity=le3',
  'DiagnosticReport?encounter.service-provider.name=大学', 'Encounter?part-of.identifier=urn:x|h2', 'Encounter?part-of:Encounter.service-provider=Organization/oa', 'Observation?has-member.identifier=urn:x|h1', 'Observation?has-member=Observation/h1', 'Observation?has-member:missing=false',
  'Observation?encounter:Encounter.participant.name=医師', 'Composition?entry:Observation.code=4548-4', 'Composition?encounter.class=AMB',
  'Practitioner?_has:Condition:asserter:code:text=隠された', 'Practitioner?_has:Observation:performer:code=4548-4', 'Organization?_has:Encounter:service-provider:class=AMB&_has:Encounter:service-provider:_id=h2', 'Patient?_has:Observation:patient:identifier=urn:x|h1',
  'Patient?_has:Condition:patient:code=I10', 'Patient?_has:Observation:patient:_has:Provenance:target:agent=Practitioner/pb', 'Observation?_has:DiagnosticReport:result:code=58410-2', 'Observation?_has:List:item:_id=h7', 'Observation?_has:Observation:has-member:identifier=urn:x|h5',
  'Observation?_list=b3', 'Condition?_list=b3', 'Observation?_list=h7', 'Observation?_list=never',
  'Patient/{p1}/Observation', 'Patient/{p1}/*', 'Patient/{p1}/Condition?_count=1', 'Encounter/h2/Observation', 'Encounter/h2/*', 'Encounter/b6/*', 'Practitioner/pb/Observation', 'Practitioner/pb/*', 'Practitioner/pb/Condition?_summary=count',
  '?_type=Observation,Condition,Encounter', '?_type=Observation,Condition&_count=1&_sort=-_lastUpdated', '?_id=h1,h3,b1', '?_lastUpdated=gt2020&_summary=count', '?_content=隠された',
  'Group?member=Patient/{p1}', 'Group?_include=Group:member', 'ValueSet', 'Consent', 'Consent?patient={p1}', 'Coverage', 'Subscription', 'Observation?code:in=ValueSet/h1', 'Observation?unknown=h1',
];

const READS = [
  ...['Observation/h1', 'Observation/h5', 'Observation/h6', 'Observation/h9', 'Observation/never', 'Condition/h3', 'Encounter/h2', 'Patient/h1', 'Patient/{p1}', 'Patient/{p2}', 'Observation/b1', 'Observation/v1'].flatMap((r) => [r, `${r}/_history`, `${r}/_history?_count=1`, `${r}/_history/1`, `${r}/_history/2`, `${r}/_history/3`, `${r}/$meta`]),
  '_history?_since={start}', '_history?_since={start}&_count=1', '_history?_since={start}&_count=3', 'Observation/_history', 'Observation/_history?_count=2', 'Patient/_history', 'Condition/_history', 'Encounter/_history?_at=2099', 'Observation/_history?_since=2099-01-01T00:00:00Z',
  '$meta', 'Observation/$meta', 'Condition/$meta', 'metadata',
  'Patient/{p1}/$everything', 'Patient/{p1}/$everything?_count=1', 'Patient/{p1}/$everything?_type=Observation,Condition', 'Patient/{p1}/$everything?_since=2020-01-01T00:00:00Z', 'Patient/{p1}/$everything?start=2025-01-01&end=2027-01-01', 'Patient/{p2}/$everything', 'Encounter/h2/$everything', 'Encounter/b6/$everything',
  'Patient/{p1}/$summary', 'Patient/{p1}/$explain-access', 'Patient/{p1}/$access-history', 'Observation/$lastn?patient=Patient/{p1}&category=laboratory', 'Observation/$lastn?patient=Patient/{p2}&category=laboratory&max=3', 'Observation/$lastn?patient=Patient/{p1}&code=4548-4&max=5',
  'Composition/b5/$document', 'Composition/h1/$document', 'ValueSet/h1/$expand', 'Patient/$ihe-pix?sourceIdentifier={card1}', 'Patient/$ihe-pix?sourceIdentifier={card5}', 'Patient/$ihe-pix?sourceIdentifier={card7}', 'Subscription/h1/$events', 'Observation/h1/$validate',
];

describe('another facility learns nothing of what consent denies and what is private', () => {
  test('the table asks what it should: the hidden is there, and its source finds it', async () => {
    const [w, never] = worlds;
    assert.equal((await w.a.search('/Observation?identifier=urn:x|h1,urn:x|h5,urn:x|h6,urn:x|h8')).total, 4);
    assert.equal((await never.a.search('/Observation?identifier=urn:x|h1,urn:x|h5,urn:x|h6,urn:x|h8')).total, 0);
    assert.equal((await w.b.search('/Observation')).total, 3);
  });

  for (const path of SEARCHES) {
    test(`GET ${path}`, () => alike(`/${path.replace(/[^\x20-\x7e]+/g, encodeURIComponent)}`, (w, p) => w.b.get(p)));
  }
  test('POST _search, XML, HEAD, other purposes', async () => {
    await alike('/Observation/_search', (w) => w.b.request('POST', '/Observation/_search', { body: `_include=*&_revinclude=*&_has:DiagnosticReport:result:code=58410-2`, type: 'application/x-www-form-urlencoded' }));
    for (const path of ['/Observation?_sort=date&_include=*', '/Patient', '/_history?_since={start}']) {
      await alike(path, (w, p) => w.b.get(p, { Accept: 'application/fhir+xml' }));
      await alike(path, (w, p) => w.b.request('HEAD', p));
      for (const purpose of ['ETREAT', 'HPAYMT', 'HOPERAT', 'COVERAGE']) await alike(path, (w, p) => w.b.get(p, { 'Tasuki-Purpose': purpose }));
    }
  });
  for (const path of READS) test(`GET ${path}`, () => alike(`/${path}`, (w, p) => w.b.get(p)));

  test('conditional reads', async () => {
    for (const headers of [{ 'If-None-Match': 'W/"1"' }, { 'If-Modified-Since': 'Fri, 01 Jan 2027 00:00:00 GMT' }, { 'If-Match': 'W/"2"' }]) {
      for (const path of ['/Observation/h1', '/Observation/h9', '/Patient/{p1}', '/Observation/v1']) await alike(path, (w, p) => w.b.get(p, headers));
    }
  });

  test('writing that looks for the hidden first', async () => {
    const criteria = { h1: 'Observation?identifier=urn:x|h1', h3: 'Condition?code:text=%E9%9A%A0', has: 'Observation?_has:List:item:_id=h7', tag: 'Observation?_tag=hidden' };
    for (const [key, url] of Object.entries(criteria)) {
      await alike(`/${url}`, (w, p) => w.b.del(p));
      await alike(`/${url}`, (w, p) => w.b.request('PATCH', p, { body: [{ op: 'replace', path: '/status', value: 'amended' }], type: 'application/json-patch+json' }));
      const entry = (ask, resource) => ({ request: ask, ...(resource && { resource }) });
      for (const type of ['batch', 'transaction']) {
        for (const one of [entry({ method: 'GET', url }), entry({ method: 'DELETE', url }), entry({ method: 'GET', url: 'Observation/h1' }), entry({ method: 'GET', url: 'Observation/h1/_history' }), entry({ method: 'DELETE', url: 'Observation/h1' }),
          entry({ method: 'HEAD', url: 'Observation/h9' }), entry({ method: 'GET', url: 'Observation/h1', ifNoneMatch: 'W/"2"' }), entry({ method: 'GET', url: 'Observation?_include=*&_revinclude=*' })]) {
          await alike(`/ ${key} ${type} ${JSON.stringify(one)}`, (w) => w.b.post('', { resourceType: 'Bundle', type, entry: [one] }));
        }
        // A reference by criteria points at nothing that the writer may not see.
        await alike(`/ ${key} ${type} reference`, (w) => w.b.post('', { resourceType: 'Bundle', type, entry: [{ fullUrl: 'urn:uuid:5fd2f9c1-4f0f-4c5b-9a51-3cc7a9f0b111',
          resource: { ...observation(w.card(1)), hasMember: [ref(url)] }, request: { method: 'POST', url: 'Observation' } }] }));
      }
    }
    await alike('/Observation', (w) => w.b.request('POST', '/Observation', { body: observation(w.card(1), { identifier: mark('h5') }), headers: { 'If-None-Exist': 'identifier=urn:x|h5' } }));
    await alike('/Observation?identifier=urn:x|h8', (w, p) => w.b.put(p, observation(w.card(1), { identifier: mark('h8') })));
    await alike('/Observation/h1', (w, p) => w.b.del(p));
    await alike('/Observation/h1', (w, p) => w.b.del(p, { 'If-Match': 'W/"2"' }));
    await alike('/Observation/h1', (w, p) => w.b.request('PATCH', p, { body: [{ op: 'remove', path: '/status' }], type: 'application/json-patch+json' }));
    await alike('/Observation/h1/$meta-add', (w, p) => w.b.post(p, { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ system: 'urn:tag', code: 'z' }] } }] }));
    await alike('/Observation/h1/$validate?mode=update', (w, p) => w.b.post(p, { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: observation(w.card(1), { id: 'h1' }) }] }));
  });

  test('numbers of patients', async () => {
    for (const n of [1, 5, 7]) {
      await alike(`/ $match ${n}`, (w) => w.b.post('/Patient/$match', { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: { resourceType: 'Patient', identifier: [{ system: CARD, value: w.card(n) }] } }] }));
    }
  });

  test('exports', async () => {
    for (const path of ['/$export', '/Patient/$export', '/Group/b7/$export', '/Patient/$export?_since=2020-01-01T00:00:00Z', '/Group/h7/$export']) {
      const said = [];
      for (const w of worlds) {
        const begun = await w.b.get(path, ASYNC);
        const parts = [String(begun.status)];
        if (begun.status === 202) {
          const done = await until(async () => { const got = await w.b.get(begun.headers['content-location']); return got.status !== 202 && got; });
          parts.push(w.same(done));
          for (const file of [...done.json.output, ...(done.json.deleted ?? [])]) parts.push(w.same(await w.b.get(file.url, { Accept: 'application/fhir+ndjson' })));
        }
        said.push(parts.join('\n'));
      }
      assert.equal(said[0], said[1], path);
    }
  });

  test('events, and where they stand', async () => {
    const heard = [];
    for (const w of worlds) {
      const made = await w.b.create({ resourceType: 'Subscription', status: 'requested', reason: 'x', criteria: 'Observation?status=final', channel: { type: 'rest-hook', payload: 'application/fhir+json' } });
      await until(async () => (await w.b.read(`/Subscription/${made.id}`)).status === 'active');
      const ear = await new Listener(w.b, `/Subscription/${made.id}/$events`).opened;
      for (let i = 0; i < 4; i++) {
        await w.hide(observation(w.card(1), { id: 'h1', value: 50 + i }));
        await w.put(w.a, observation(w.card(2), { id: `v1${i}`, value: i }));
      }
      await ear.wait(4);
      ear.close();
      assert.ok(ear.events.every((e) => !/^\d+$/.test(e.id)), 'ids of events count nothing');
      heard.push(w.same({ status: 200, headers: {}, text: JSON.stringify(ear.events.map((e) => e.json)) }));
      heard.push(w.same(await w.b.get(`/Subscription/${made.id}`)));
    }
    assert.deepEqual(heard.slice(0, 2), heard.slice(2));
  });

  test('cursors hold no number that can be read', async () => {
    const next = async (w) => {
      const bundle = await w.b.read('/Observation?_count=1&_sort=-_lastUpdated');
      return Buffer.from(new URL(bundle.link.find((l) => l.relation === 'next').url).searchParams.get('_cursor'), 'base64url');
    };
    for (const w of worlds) {
      const one = await next(w);
      await w.put(w.a, observation(w.card(9), { id: 'elsewhere', value: 1 }));
      const other = await next(w);
      assert.equal(one.length, other.length);
      const zeros = [...one].filter((byte) => byte === 0).length;
      assert.ok(zeros < 6, `${zeros} zero bytes of ${one.length}: plain numbers`);
    }
  });
});

const OWN_VIEW = [
  'Observation', 'Observation?_count=1', 'Observation?_sort=-_lastUpdated', 'Observation?_summary=count', 'Observation?value-quantity=9', 'Observation?_tag:missing=false', 'Observation?_include=*&_revinclude=*', 'Observation?has-member:Observation.value-quantity=9',
  'Observation?_has:Observation:has-member:value-quantity=9', 'Observation?_id=w1,r1,v4', 'Observation/w1', 'Observation/w2', 'Observation/r1', 'Observation/w1/_history', 'Observation/w2/_history', 'Observation/r1/_history', 'Observation/_history', '_history?_since={start}', '_history?_since={start}&_count=1', '$meta', 'Observation/$meta', 'Patient',
  'Patient/{me}/$everything', 'Patient/{me}/$everything?_count=1', 'Patient/{me}/$summary', 'Observation/$lastn?patient=Patient/{me}&category=laboratory&max=3', 'Patient/{me}/Observation', 'Patient/{me}/*', 'Coverage', 'Coverage/r2', '?_type=Observation,Coverage&_count=1', 'Coverage?_include=*', 'Organization?_id=oa&_revinclude=Coverage:payor',
];

describe('the resident learns nothing of what he was not told yet', () => {
  for (const path of OWN_VIEW) {
    test(`GET ${path}`, async () => {
      for (const w of worlds) w.me3 ??= (await w.three.search('/Patient')).resources[0]?.id ?? 'none';
      await alike(`/${path}`, (w, p) => w.three.get(p.replaceAll('{me}', w.me3)));
    });
  }
});

describe('the emergency centre learns nothing of what the session does not open', () => {
  for (const path of OWN_VIEW) {
    test(`GET ${path}`, async () => {
      for (const w of worlds) {
        if (w.glass) continue;
        const doctor = { 'Tasuki-User': w.region.staff('emergency-e', 'doctor').id, 'Tasuki-Role': 'doctor' };
        const opened = (await w.e.as(doctor).post('/Patient/$break-glass', breakGlass(w.card(4)))).json.parameter;
        const value = (name) => opened.find((p) => p.name === name);
        w.me4 = value('patient').valueReference.reference.replace('Patient/', '');
        w.glass = w.e.as({ ...doctor, 'Tasuki-Purpose': 'BTG', 'Tasuki-Break-Glass': value('session').valueString });
      }
      await alike(`/${path}`, (w, p) => w.glass.get(p.replaceAll('{me}', w.me4)));
    });
  }
});
