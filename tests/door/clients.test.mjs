// SPDX-License-Identifier: Apache-2.0
//
// Independent FHIR clients do their daily work against the real program, with a client certificate: they know nothing of us, so
// whatever they stumble over is ours to mend.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { Region } from './region.mjs';
import { observation, patient } from './resources.mjs';

let region;
let a;
let card;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  a = region.party('hospital-a');
  card = region.resident('resident-1').card;
  await a.create(patient(region.resident('resident-1')));
});
after(() => region?.stop());

const marked = (value, n) => observation(card, { value: n, identifier: [{ system: 'urn:example:client', value }] });

/** A fetch over PARTY's certificate; Node's own takes none. */
const fetchOf = (party) => async (url, { method = 'GET', headers = {}, body } = {}) => {
  const given = headers instanceof Headers ? Object.fromEntries(headers) : headers;
  const sent = Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined));
  const type = Object.entries(sent).find(([k]) => k.toLowerCase() === 'content-type')?.[1];
  const answer = await party.request(method, `${url}`, { body, headers: sent, type });
  const nothing = [204, 304].includes(answer.status);
  return new Response(nothing ? null : answer.text, { status: answer.status, headers: Object.entries(answer.headers).map(([k, v]) => [k, `${v}`]) });
};

/* Its module only wants to see that there is such a class; Node 20 has none. */
globalThis.WebSocket ??= class extends EventTarget {};

async function load(t, name) {
  try { return await import(name); } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    t.skip(`${name} is not installed (npm ci in tests/door)`);
    return undefined;
  }
}

describe('@medplum/core', () => {
  let client;
  const open = async (t) => {
    const medplum = await load(t, '@medplum/core');
    client = medplum && new medplum.MedplumClient({ baseUrl: region.urls.system.replace(/fhir$/, ''), fhirUrlPath: 'fhir', fetch: fetchOf(a), cacheTime: 0, resourceCacheSize: 0 });
    return medplum;
  };

  test('creates, reads, updates, deletes', async (t) => {
    if (!await open(t)) return;
    const made = await client.createResource(marked(randomUUID(), 1));
    assert.deepEqual(await client.readResource('Observation', made.id), made);
    const changed = await client.updateResource({ ...made, status: 'amended' });
    assert.equal(changed.meta.versionId, '2');
    assert.equal((await client.readVersion('Observation', made.id, '1')).status, 'final');
    assert.equal((await client.readHistory('Observation', made.id)).entry.length, 2);
    await client.deleteResource('Observation', made.id);
    await assert.rejects(client.readResource('Observation', made.id));
  });

  test('patches by JSON Patch', async (t) => {
    if (!await open(t)) return;
    const made = await client.createResource(marked(randomUUID(), 1));
    const patched = await client.patchResource('Observation', made.id, [{ op: 'test', path: '/meta/versionId', value: '1' }, { op: 'replace', path: '/status', value: 'amended' }]);
    assert.equal(patched.status, 'amended');
    await assert.rejects(client.patchResource('Observation', made.id, [{ op: 'test', path: '/status', value: 'final' }]));
  });

  test('creates and updates by criteria', async (t) => {
    if (!await open(t)) return;
    const value = randomUUID();
    const query = `identifier=urn:example:client|${value}`;
    const made = await client.createResourceIfNoneExist(marked(value, 1), query);
    assert.equal((await client.createResourceIfNoneExist(marked(value, 2), query)).id, made.id);
    const upserted = await client.upsertResource(marked(value, 3), query);
    assert.deepEqual([upserted.id, upserted.valueQuantity.value], [made.id, 3]);
  });

  test('searches and walks pages', async (t) => {
    if (!await open(t)) return;
    const value = randomUUID();
    for (let n = 0; n < 5; n++) await client.createResource(marked(value, n));
    assert.equal((await client.searchResources('Observation', { identifier: `urn:example:client|${value}` })).length, 5);
    assert.equal((await client.searchOne('Observation', `identifier=urn:example:client|${value}&value-quantity=3`)).valueQuantity.value, 3);
    const seen = [];
    for await (const page of client.searchResourcePages('Observation', { identifier: `urn:example:client|${value}`, _count: 2 })) seen.push(...page.map((o) => o.id));
    assert.equal(new Set(seen).size, 5);
    const bundle = await client.search('Observation', { identifier: `urn:example:client|${value}`, _include: 'Observation:subject' });
    assert.ok(bundle.entry.some((e) => e.resource.resourceType === 'Patient' && e.search.mode === 'include'));
  });

  test('runs a transaction and a batch', async (t) => {
    if (!await open(t)) return;
    const full = `urn:uuid:${randomUUID()}`;
    const answer = await client.executeBatch({
      resourceType: 'Bundle', type: 'transaction',
      entry: [
        { fullUrl: full, resource: patient(region.resident('resident-2')), request: { method: 'POST', url: 'Patient' } },
        { resource: { ...observation(undefined), subject: { reference: full } }, request: { method: 'POST', url: 'Observation' } },
      ],
    }, { headers: { Prefer: 'return=representation' } });
    assert.deepEqual(answer.entry.map((e) => e.response.status.slice(0, 3)), ['201', '201']);
    const [person, lab] = answer.entry.map((e) => e.resource);
    assert.equal(lab.subject.reference, `Patient/${person.id}`);
    const batch = await client.executeBatch({ resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Observation/${lab.id}` } }, { request: { method: 'GET', url: 'Observation/none' } }] });
    assert.deepEqual(batch.entry.map((e) => e.response.status.slice(0, 3)), ['200', '404']);
    const everything = await client.readPatientEverything(person.id);
    assert.ok(everything.entry.some((e) => e.resource.id === lab.id));
    const summary = await client.readPatientSummary(person.id);
    assert.equal(summary.type, 'document');
  });

  test('validates', async (t) => {
    if (!await open(t)) return;
    const { status, ...without } = marked(randomUUID(), 1);
    assert.ok(status);
    const outcome = await client.validateResource(without).catch((error) => error.outcome);
    assert.ok(outcome.issue.some((i) => i.severity === 'error' && i.expression?.[0] === 'Observation.status'), JSON.stringify(outcome));
  });
});

describe('fhir-kit-client', () => {
  const names = ['fetch', 'Headers', 'Request', 'Response'];
  const swap = (values) => names.map((name, i) => {
    const before = globalThis[name];
    if (values[i]) globalThis[name] = values[i];
    else delete globalThis[name];
    return before;
  });

  /** Works with the client while it has a fetch of its own: Node's takes no certificate. */
  const withClient = async (t, work) => {
    const nodes = swap([]);
    try {
      const Client = createRequire(import.meta.url)('fhir-kit-client');
      await work(new Client({ baseUrl: region.urls.system, requestOptions: region.tls('hospital-a') }));
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
      t.skip('fhir-kit-client is not installed (npm ci in tests/door)');
    } finally {
      swap(nodes);
    }
  };

  test('patches, runs operations, a transaction, and reads histories', async (t) => {
    await withClient(t, async (client) => {
      const made = await client.create({ resourceType: 'Observation', body: marked(randomUUID(), 1) });
      const patched = await client.patch({ resourceType: 'Observation', id: made.id, JSONPatch: [{ op: 'replace', path: '/status', value: 'amended' }] });
      assert.equal(patched.status, 'amended');
      assert.equal((await client.history({ resourceType: 'Observation', id: made.id })).total, 2);
      assert.ok((await client.history({ resourceType: 'Observation' })).total >= 2);
      assert.ok((await client.history()).total >= 2);
      const person = made.subject.reference.split('/')[1];
      const everything = await client.operation({ name: '$everything', resourceType: 'Patient', id: person, method: 'get' });
      assert.ok(everything.entry.some((e) => e.resource.id === made.id));
      const last = await client.operation({ name: 'lastn', resourceType: 'Observation', method: 'get', input: { patient: person, category: 'laboratory', max: 1 } });
      assert.ok(last.total >= 1);
      const answer = await client.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: marked(randomUUID(), 1), request: { method: 'POST', url: 'Observation' } }] } });
      assert.equal(answer.entry[0].response.status.slice(0, 3), '201');
      const found = await client.compartmentSearch({ resourceType: 'Observation', compartment: { resourceType: 'Patient', id: person }, searchParams: { _count: 1 } });
      assert.ok(found.total >= 2);
    });
  });
});
