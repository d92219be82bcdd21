// SPDX-License-Identifier: Apache-2.0
//
// What the server says of itself, in four ways that must agree with each other and with what it does: the CapabilityStatement,
// the OperationDefinitions, the OpenAPI document, and the answers.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Region, assertOutcome } from './region.mjs';

const q = encodeURIComponent;
let region;
let a;
let statement;
let rest;
let openapi;
let definitions;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  a = region.party('hospital-a');
  statement = await a.read('/metadata');
  [rest] = statement.rest;
  openapi = await a.read('/openapi.json');
  definitions = (await a.search('/OperationDefinition?_count=7')).resources;
});
after(() => region?.stop());

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const resourceOf = (type) => rest.resource.find((r) => r.type === type);

/** Path with values that name nothing. */
const fill = (path, type = 'Basic') => path.replace('{type}', type).replace('{id}', randomUUID()).replace('{vid}', '1').replace('{inner}', 'Observation')
  .replace('{job}', randomUUID()).replace('{file}', '1');

/** The path item that a path of TYPE falls under: concrete before templated. */
const itemOf = (tail, type) => openapi.paths[`/${type}${tail}`] ?? openapi.paths[`/{type}${tail}`];

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async (t) => {
    let Validator;
    try { ({ Validator } = await import('@seriousme/openapi-schema-validator')); } catch { return t.skip('@seriousme/openapi-schema-validator is not installed (npm ci in tests/door)'); }
    const said = await new Validator().validate(structuredClone(openapi));
    assert.ok(said.valid, JSON.stringify(said.errors)?.slice(0, 2000));
    return undefined;
  });

  test('every reference leads somewhere, ids are unique, path parameters are declared', () => {
    const seen = new Set();
    JSON.stringify(openapi, (key, value) => {
      if (key === '$ref') assert.ok(value.slice(2).split('/').reduce((at, part) => at?.[part], openapi), value);
      if (key === 'operationId') { assert.ok(!seen.has(value), value); seen.add(value); }
      return value;
    });
    for (const [path, item] of Object.entries(openapi.paths)) {
      const declared = (item.parameters ?? []).map((p) => p.$ref.split('/').pop()).sort();
      assert.deepEqual(declared, [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort(), path);
    }
    assert.deepEqual(openapi.security, [{ certificate: [] }]);
    assert.equal(openapi.components.securitySchemes.certificate.type, 'mutualTLS');
  });

  test('needs no registration', async () => {
    assert.equal((await region.party(undefined).get('/openapi.json')).status, 200);
    assert.deepEqual(openapi.paths['/metadata'].get.security, []);
  });

  test('what it promises is answered, what it does not is 405', async () => {
    const some = Object.keys(openapi.paths).filter((path, i) => path.includes('{type}') || path.includes('$') || i % 23 === 0
      || /^\/(Patient|AuditEvent|OperationDefinition|_.*)?(\/.*)?$/.test(path));
    assert.ok(some.length > 60, `${some.length}`);
    for (const path of some)
      for (const method of METHODS) {
        const { status, text } = await a.request(method.toUpperCase(), fill(path), { body: ['post', 'put', 'patch'].includes(method) ? { resourceType: 'Nothing' } : undefined });
        if (openapi.paths[path][method]) assert.ok(status !== 405 && status < 500 && !/ERR_UNKNOWN_TYPE/.test(text), `${method} ${path}: ${status} ${text.slice(0, 200)}`);
        else assert.ok([404, 405].includes(status), `${method} ${path} is not promised and answers ${status}`);
      }
  });
});

describe('the CapabilityStatement', () => {
  test('promises the interactions that the OpenAPI document has, and no others', () => {
    const places = {
      read: ['/{id}', 'get'], vread: ['/{id}/_history/{vid}', 'get'], update: ['/{id}', 'put'], patch: ['/{id}', 'patch'], delete: ['/{id}', 'delete'],
      'history-instance': ['/{id}/_history', 'get'], 'history-type': ['/_history', 'get'], create: ['', 'post'], 'search-type': ['', 'get'],
    };
    for (const type of openapi.components.schemas.ResourceType.enum) {
      const claims = new Set(resourceOf(type).interaction.map((i) => i.code));
      for (const [code, [tail, method]] of Object.entries(places)) {
        assert.equal(claims.has(code), itemOf(tail, type)?.[method] !== undefined, `${code} of ${type}`);
        claims.delete(code);
      }
      assert.deepEqual([...claims], [], type);
      const r = resourceOf(type);
      assert.equal(r.conditionalUpdate ?? false, itemOf('', type).put !== undefined, type);
      assert.equal(r.conditionalDelete === 'single', itemOf('', type).delete !== undefined, type);
      assert.equal(r.conditionalCreate ?? false, itemOf('', type).post !== undefined, type);
    }
    const patient = resourceOf('Patient');
    assert.deepEqual([patient.versioning, patient.readHistory, patient.updateCreate, patient.conditionalRead], ['versioned-update', true, true, 'full-support']);
    assert.deepEqual(rest.interaction.map((i) => i.code).sort(), ['batch', 'history-system', 'search-system', 'transaction']);
    assert.deepEqual(statement.patchFormat, ['application/json-patch+json', 'application/fhir+json', 'application/fhir+xml']);
  });

  test('names the search parameters that the OpenAPI document has', () => {
    for (const type of openapi.components.schemas.ResourceType.enum) {
      const claimed = (resourceOf(type).searchParam ?? []).map((p) => p.name).sort();
      const has = (openapi.paths[`/${type}`].get?.parameters ?? []).map((p) => openapi.components.parameters[p.$ref.split('/').pop()])
        .filter((p) => p.description?.startsWith('http')).map((p) => p.name).sort();
      assert.deepEqual(has, claimed, type);
    }
  });
});

describe('operations', () => {
  /** "Patient/everything instance" for each operation and level. */
  const levels = (d) => d.resource.flatMap((type) => ['type', 'instance'].filter((l) => d[l]).map((l) => `${type}/${d.code} ${l}`)).concat(d.system ? [`/${d.code} system`] : []);

  test('OperationDefinitions and paths are the same operations', () => {
    const said = new Set(definitions.flatMap(levels));
    const has = new Set();
    for (const path of Object.keys(openapi.paths)) {
      const m = /^(?:\/([^/$]+))?(\/\{id\})?(\/_history\/\{vid\})?\/\$([a-z-]+)$/.exec(path);
      if (!m) continue;
      const type = m[1] === '{type}' ? 'Resource' : m[1];
      has.add(type ? `${type}/${m[4]} ${m[2] ? 'instance' : 'type'}` : `/${m[4]} system`);
    }
    assert.deepEqual([...said].sort(), [...has].sort());
    assert.ok(said.size > 20);
  });

  test('the CapabilityStatement names each, with a definition that can be found', async () => {
    const claimed = [...rest.resource.flatMap((r) => (r.operation ?? []).map((o) => [r.type, o])), ...rest.operation.map((o) => ['', o])];
    const said = new Set(definitions.flatMap((d) => [...(d.type || d.instance ? d.resource : []), ...(d.system ? [''] : [])].map((t) => `${t} ${d.code}`)));
    for (const [type, o] of claimed) assert.ok(said.has(`${type} ${o.name}`) || said.has(`Resource ${o.name}`), `${type} ${o.name}`);
    for (const key of said) {
      const [type, code] = key.split(' ');
      const of = type === 'Resource' ? rest.resource.map((r) => r.type) : [type];
      for (const t of of) assert.ok(claimed.some(([c, o]) => c === t && o.name === code), `${t} ${code} is not claimed`);
    }
    for (const url of new Set(claimed.map(([, o]) => o.definition))) {
      const found = await a.search(`/OperationDefinition?url=${q(url)}`);
      assert.equal(found.total, 1, url);
    }
  });

  test('definitions are found, read, and nobody\'s to change', async () => {
    const everything = definitions.find((d) => d.code === 'everything' && d.resource[0] === 'Patient');
    assert.equal(everything.base, 'http://hl7.org/fhir/OperationDefinition/Patient-everything');
    assert.deepEqual(await a.read(`/OperationDefinition/${everything.id}`), everything);
    assert.equal(everything.url, `${region.urls.system}/OperationDefinition/${everything.id}`);
    const xml = await a.get(`/OperationDefinition/${everything.id}`, { Accept: 'application/fhir+xml' });
    assert.match(xml.text, /<OperationDefinition xmlns="http:\/\/hl7.org\/fhir">/);
    const found = async (query) => (await a.search(`/OperationDefinition?${query}`)).resources.map((d) => d.id);
    assert.deepEqual(await found('code=everything&name=Patient'), [everything.id]);
    assert.deepEqual(await found(`_id=${everything.id}`), [everything.id]);
    assert.deepEqual(await found('code=nothing'), []);
    assertOutcome(await a.put(`/OperationDefinition/${everything.id}`, everything), 405);
    for (const d of definitions) {
      const checked = await a.post('/OperationDefinition/$validate', d);
      assert.equal(checked.status, 200, checked.text);
      assert.ok(!checked.json.issue.some((i) => i.severity === 'error'), `${d.id}: ${checked.text}`);
    }
  });

  test('stored ones stand beside them, in pages', async () => {
    const { id, url, base, ...more } = definitions[0];
    const stored = await a.create({ ...more, url: 'http://example.org/OperationDefinition/x', name: 'Stored', code: 'stored' });
    const all = await a.search('/OperationDefinition?_count=5');
    assert.equal(all.total, definitions.length + 1);
    assert.deepEqual(all.resources.map((d) => d.id), [...definitions.map((d) => d.id), stored.id]);
    assert.deepEqual((await a.search('/OperationDefinition?code=stored')).resources.map((d) => d.id), [stored.id]);
    assert.equal((await a.read('/OperationDefinition?_summary=count')).total, definitions.length + 1);
    assert.ok(id && url && base);
  });

  test('what a definition requires is required, what it does not name is refused', async () => {
    for (const d of definitions) {
      if (['export', 'events', 'match', 'break-glass', 'convert', 'validate'].includes(d.code) || d.affectsState) continue;
      const path = `${d.type || d.instance ? `/${d.resource[0] === 'Resource' ? 'Basic' : d.resource[0]}` : ''}${d.type || !d.instance ? '' : `/${randomUUID()}`}/$${d.code}`;
      assertOutcome(await a.get(`${path}?shoe-size=42${d.code === 'lastn' ? '&patient=x&code=x' : ''}`), d.code === 'access-history' ? 403 : 400);
    }
  });
});
