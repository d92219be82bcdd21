// SPDX-License-Identifier: Apache-2.0
//
// Requests nobody sane would send, thousands of them, from a seed: paths, parameters, headers, cursors and bodies put together at
// random and bent. Whatever comes: no crash, no hang, no 5xx but 501, and an OperationOutcome with code and both languages. And
// clients that misbehave on the wire: that hang up in the middle of an answer, come a thousand at once, dribble, pipeline writes.
//
// TASUKI_HOSTILE_SEED repeats a run, TASUKI_HOSTILE_SECONDS sets how long it lasts.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import net from 'node:net';
import tls from 'node:tls';
import { Region, assertOutcome, sleep } from './region.mjs';
import { condition, consent, observation, patient } from './resources.mjs';

const SEED = Number(process.env.TASUKI_HOSTILE_SEED ?? Date.now() % 1_000_000);
const SECONDS = Number(process.env.TASUKI_HOSTILE_SECONDS ?? 8);
const AT_ONCE = 6;

/** A small repeatable generator (mulberry32). */
const dice = (seed) => {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n) => Math.floor(random() * n);
  return { below, pick: (list) => list[below(list.length)], chance: (p) => random() < p };
};

let region;
let a;
let b;
let card;
let patientId;
let slowest = [0, ''];
const cursors = [];
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  [a, b] = [region.party('hospital-a'), region.party('hospital-b')];
  card = region.resident('resident-1').card;
  patientId = (await a.create(patient(region.resident('resident-1')))).id;
  await region.party('resident-1').create(consent(card, { type: 'permit' }));
  for (let i = 0; i < 20; i++) await a.put(`/Observation/o${i}`, observation(card, { id: `o${i}`, value: i, hasMember: i ? [{ reference: `Observation/o${i - 1}` }] : undefined }));
  await a.create(condition(card));
  for (const path of ['/Observation?_count=3', '/Observation?_count=2&_sort=-date', '/_history?_count=2', '/Observation/_history?_count=2']) {
    cursors.push(new URL((await a.read(path)).link.find((l) => l.relation === 'next').url).searchParams.get('_cursor'));
  }
});
after(() => region?.stop());

const TYPES = ['Observation', 'Patient', 'Condition', 'Encounter', 'Bundle', 'Binary', 'List', 'Group', 'Composition', 'ValueSet', 'CodeSystem', 'Subscription', 'Consent', 'AuditEvent', 'Provenance', 'Location', 'OperationDefinition', 'StructureDefinition', 'Nothing', 'observation', ''];
const IDS = ['o1', 'o2', 'never', '_history', '$export', 'x'.repeat(65), 'a.b-c', '%00', '..%2f..', '%E3%81%82', '1', ' ', 'o1%2Fo2', '*'];
const OPERATIONS = ['$validate', '$meta', '$meta-add', '$meta-delete', '$everything', '$lastn', '$document', '$summary', '$match', '$expand', '$validate-code', '$lookup', '$export', '$convert', '$ihe-pix', '$break-glass', '$explain-access', '$access-history', '$events', '$nothing', '$'];
const NAMES = ['_id', '_lastUpdated', '_tag', '_profile', '_security', '_source', '_text', '_content', '_list', '_has:Observation:has-member:code', '_has:Observation:subject:_has:Provenance:target:agent', '_sort', '_count', '_total', '_summary', '_elements',
  '_include', '_revinclude', '_include:iterate', '_revinclude:iterate', '_format', '_pretty', '_cursor', '_since', '_at', '_type', '_typeFilter', '_outputFormat', '_contained', '_filter', '_query', 'code', 'code:not', 'code:text', 'code:in', 'code:not-in',
  'code:missing', 'date', 'value-quantity', 'combo-code-value-quantity', 'component-code-value-quantity', 'subject', 'subject:Patient', 'subject:Patient.name', 'patient', 'patient.identifier', 'patient.organization.name', 'subject:identifier', 'has-member', 'has-member.has-member.has-member',
  'has-member.has-member.has-member.has-member.has-member.has-member.code', 'identifier', 'identifier:of-type', 'name', 'name:exact', 'name:contains', 'birthdate', 'near', 'url:above', 'url:below', 'max', 'start', 'end', 'filter', 'offset', 'count', 'mode', 'profile', '_before', '', ':', 'code:', '._', 'subject.', '_has', '_has:', '_has:a:b', '_has:Observation:has-member:'];
const VALUES = ['', 'o1', 'true', 'false', 'final', '4548-4', 'http://loinc.org|4548-4', '|', '||', '|||', 'ge2020', 'eq2026-01-15', 'ap2026', 'le', '2026-13-01', '2026-02-30', '0000', '9999-12-31T23:59:60Z', 'gt5.8', 'ap1e-300', '1e400', 'ne5.8||%', '5,6,7', ',', ',,,', '\\', '\\,', '\\$', '$', '4548-4$gt5', '4548-4$', 'Patient/x', 'Observation/o1',
  'Observation:has-member', 'Observation:*', '*', 'Observation:subject:Patient', 'Patient:general-practitioner', 'a:b:c:d', '-date,code', '-_lastUpdated', '-', 'date,date', '0', '1', '-1', '1000', '1001', '99999999999999999999', 'accurate', 'none', 'count', 'text', 'data', 'json', 'xml', 'application/fhir+xml', 'html', '35.6|139.7|10|km', '91|0', 'nan|nan',
  'テスト', '%', '%zz', '%00', "' OR 1=1 --", '"', '*"*', 'NEAR(', '(a+)+$', '{}', '<a/>', '\u{1F600}', 'x'.repeat(3_000), 'urn:tasuki:clinic-card|000000000000', 'Observation?code=x', '2026-01-01T00:00:00Z', '1900', 'code', 'name.family', 'ValueSet/x'];
const HEADERS = {
  Accept: ['application/fhir+json', 'application/fhir+xml', 'text/html', 'text/event-stream', 'application/fhir+ndjson', '*/*', 'a', ';q=', 'application/fhir+json;q=2', 'application/fhir+json; fhirVersion=5.0', 'image/png'],
  'If-Match': ['W/"1"', 'W/"2"', '"1"', '*', 'W/"99999999999999999999"', 'W/"', 'x', ''], 'If-None-Match': ['W/"1"', '*', 'x'], 'If-Modified-Since': ['Fri, 01 Jan 2027 00:00:00 GMT', 'yesterday', ''],
  'If-None-Exist': ['identifier=urn:x|1', 'code=4548-4', '', '?', '_id=o1', 'code=', '%', '_sort=date', 'subject:Patient.name=x', 'x'.repeat(2_000)], Prefer: ['return=minimal', 'return=OperationOutcome', 'handling=lenient', 'respond-async', 'return=', ',,,'],
  'Tasuki-Purpose': ['TREAT', 'BTG', 'PATRQT', 'x', ''], 'Tasuki-Break-Glass': ['x'], 'Last-Event-ID': ['x'], 'X-Security-Context': ['Patient/x', ''], 'Accept-Encoding': ['gzip'], Range: ['bytes=0-1'], 'X-Request-Id': ['a', '\u00e9'], Expect: ['100-continue'],
};
const CONTENT = ['application/fhir+json', 'application/fhir+json', 'application/fhir+json', 'application/fhir+xml', 'application/json-patch+json', 'application/x-www-form-urlencoded', 'text/plain', 'application/octet-stream', 'application/fhir+json; charset=shift_jis', ''];
const METHODS = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'];

function url(d) {
  const type = d.pick(TYPES);
  const id = () => d.pick(IDS);
  const place = d.pick([() => type, () => `${type}/${id()}`, () => `${type}/${id()}/_history`, () => `${type}/${id()}/_history/${d.pick(['1', '2', '0', '-1', 'x', '99999999999999999999'])}`, () => `${type}/_history`, () => '_history',
    () => `${type}/${d.pick(OPERATIONS)}`, () => `${type}/${id()}/${d.pick(OPERATIONS)}`, () => d.pick(OPERATIONS), () => '', () => `${type}/_search`, () => '_search', () => `${type}/${id()}/${d.pick(TYPES)}`, () => `${type}/${id()}/*`, () => `${type}/${id()}/${d.pick(TYPES)}/_search`,
    () => `$export/${id()}`, () => `$export/${id()}/${id()}`, () => `//${type}`, () => 'metadata', () => `metadata/${id()}`])();
  return { place, query: query(d) };
}

function query(d) {
  const pairs = [];
  for (let n = d.below(5); n > 0; n--) {
    const name = d.pick(NAMES);
    const value = name === '_cursor' && d.chance(0.7) ? bend(d, d.pick(cursors), 1) : d.pick(VALUES);
    pairs.push(d.chance(0.9) ? `${encodeURIComponent(name)}=${encodeURIComponent(value)}` : `${name}=${value}`.replace(/[^\x21-\x7e]/g, ''));
  }
  return pairs.join('&');
}

/** TEXT with TIMES random changes. */
function bend(d, text, times = 1 + d.below(4)) {
  let t = text;
  for (; times > 0 && t.length; times--) {
    const at = d.below(t.length);
    const some = 1 + d.below(12);
    t = d.pick([() => t.slice(0, at) + t.slice(at + some), () => t.slice(0, at) + t.slice(at, at + some).repeat(3) + t.slice(at), () => t.slice(0, at), () => t.slice(0, at) + d.pick(['"', '{', '}', '[', ']', ',', ':', '0', '-', 'e9', '\\u0000', '\\ud800', '\u0000', 'null', '<', '>', '&', '<!DOCTYPE a>', '／', '\u{1F600}']) + t.slice(at + d.below(2)),
      () => t.replace(/"(\w+)":/g, (all) => (d.chance(0.05) ? '"resourceType":' : all)), () => t.replace(/:("[^"]*"|\d+)/g, (all) => (d.chance(0.1) ? `:${d.pick(['null', '[]', '{}', '1', '"x"', '1e999', '[[[[]]]]', 'true'])}` : all))])();
  }
  return t;
}

function body(d, kind) {
  const one = () => d.pick([observation(card, { id: d.pick(['o1', 'o2', 'x', undefined]), value: d.below(99) }), condition(card), patient(region.resident('resident-1')), { resourceType: 'Basic', code: { text: 'x' } }, { resourceType: d.pick(TYPES) },
    { resourceType: 'Binary', contentType: 'text/plain', data: 'eA==' }, { resourceType: 'List', status: 'current', mode: 'working', entry: [{ item: { reference: 'urn:uuid:a' } }, { item: { reference: 'Observation?identifier=x|y' } }] },
    { resourceType: 'Subscription', status: d.pick(['requested', 'active', 'off']), reason: 'x', criteria: `${d.pick(TYPES)}?${query(d)}`, channel: { type: 'rest-hook', endpoint: d.pick([undefined, 'http://127.0.0.1:1/x', 'ftp://x']), payload: 'application/fhir+json' } }]);
  const params = () => ({ resourceType: 'Parameters', parameter: [{ name: d.pick(['resource', 'meta', 'operation', 'mode', 'profile', 'patient', '_type', 'x']), ...d.pick([{ resource: one() }, { valueString: d.pick(VALUES) }, { valueCode: 'x' }, { valueMeta: { tag: [{ code: 'x' }] } },
    { part: [{ name: 'type', valueCode: d.pick(['add', 'insert', 'delete', 'replace', 'move', 'x']) }, { name: 'path', valueString: d.pick(['Observation.status', 'Observation.code.coding', 'Observation', 'Observation.code.coding[0]', '(((', "'", 'Observation.repeat(x)']) }, { name: 'name', valueString: 'x' }, { name: 'index', valueInteger: d.below(4) - 1 }, { name: 'value', valueString: 'x' }] }]) }] });
  const bundle = () => ({ resourceType: 'Bundle', type: d.pick(['batch', 'batch', 'transaction', 'transaction', 'document', 'collection', 'x']), entry: Array.from({ length: d.below(6) }, () => {
    const [method, likely] = d.pick(LIKELY);
    const far = d.chance(0.2) ? url(d) : { place: likely.replace('PATIENT', patientId), query: d.chance(0.5) ? query(d) : '' };
    const { place, query: q } = far;
    return { ...(d.chance(0.5) && { fullUrl: d.pick(['urn:uuid:a', 'urn:uuid:5fd2f9c1-4f0f-4c5b-9a51-3cc7a9f0b111', 'Observation/o1', '']) }), ...(d.chance(0.6) && { resource: d.chance(0.1) ? bundle() : one() }), ...(d.chance(0.95) && { request: { method: d.chance(0.8) ? method : d.pick(METHODS), url: `${place}${q && `?${q}`}`, ...(d.chance(0.2) && { ifMatch: 'W/"1"' }), ...(d.chance(0.2) && { ifNoneExist: query(d) }) } }) };
  }) });
  const patch = () => Array.from({ length: d.below(4) }, () => ({ op: d.pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'x']), path: d.pick(['/status', '/code/coding/0', '/code/coding/-', '', '/', '/a/b', '/~2', '/code/coding/01', '/id', '/meta/versionId']), from: d.pick(['/status', '/code', '']), value: d.pick(['final', 1, null, {}, [], 'x']) }));
  const lists = { one, params, bundle, patch, list: () => ({ resourceType: 'List', id: 'l1', status: 'current', mode: 'working', entry: Array.from({ length: d.below(5) }, () => ({ item: { reference: d.pick(['Observation/o1', 'Patient/x', 'Observation?code=4548-4', 'urn:uuid:x', '#a']) } })) }),
    subscription: () => ({ resourceType: 'Subscription', status: 'requested', reason: 'x', criteria: `Observation?${query(d)}`, channel: { type: 'rest-hook', payload: 'application/fhir+json' } }) };
  if (kind === 'form') return query(d);
  const made = (lists[kind] ?? d.pick([one, one, params, bundle, bundle, bundle, patch]))();
  if (kind) return bend(d, JSON.stringify(made), d.pick([0, 0, 0, 1, 2]));
  let text = JSON.stringify(made);
  if (d.chance(0.25)) text = `<${made.resourceType ?? 'Observation'} xmlns="http://hl7.org/fhir"><status value="final"/><code><text value="x"/></code></${made.resourceType ?? 'Observation'}>`;
  if (d.chance(0.1)) text = query(d);
  if (d.chance(0.02)) text = d.pick(['['.repeat(100_000), `{"resourceType":"Basic","code":{"text":"${'x'.repeat(200_000)}"}}`, '<a>'.repeat(50_000), '{"resourceType":"Observation","valueQuantity":{"value":' + '9'.repeat(100_000) + '}}']);
  return d.chance(0.5) ? bend(d, text) : text;
}

/** Requests that get further in: a route that is there, with what it takes. */
const LIKELY = [
  ['GET', 'Observation'], ['GET', 'Observation'], ['GET', 'Patient'], ['GET', ''], ['GET', 'Observation/o1'], ['GET', '_history'], ['GET', 'Observation/o3/_history'], ['GET', 'Observation/$lastn'], ['GET', '$meta'], ['GET', 'Patient/PATIENT/$everything'], ['GET', 'Patient/PATIENT/*'],
  ['GET', 'Patient/PATIENT/Observation'], ['GET', 'AuditEvent'], ['POST', ''], ['POST', ''], ['POST', ''], ['POST', 'Observation'], ['PUT', 'Observation/o1'], ['PUT', 'Observation'], ['PATCH', 'Observation/o2'], ['PATCH', 'Observation'], ['DELETE', 'Observation'], ['DELETE', 'Observation/x'],
  ['POST', 'Observation/$validate'], ['POST', '$convert'], ['POST', 'Patient/$match'], ['POST', 'Observation/o1/$meta-add'], ['POST', 'Subscription'], ['POST', 'Observation/_search'], ['POST', '_search'], ['POST', 'Binary'], ['PUT', 'List/l1'], ['GET', '$export'], ['GET', 'Patient/$export'], ['POST', 'ValueSet/$expand'], ['GET', 'ValueSet/$validate-code'],
];
const KINDS = { '': 'bundle', Observation: 'one', 'Observation/o1': 'one', Binary: 'one', Subscription: 'subscription', 'List/l1': 'list', 'Observation/_search': 'form', _search: 'form' };

async function once(party, n) {
  const d = dice(SEED * 1_000_003 + n);
  const likely = d.chance(0.7);
  let method = d.pick(METHODS);
  let { place, query: q } = url(d);
  if (likely) [method, place] = d.pick(LIKELY);
  const headers = {};
  for (const [name, values] of Object.entries(HEADERS)) if (d.chance(likely ? 0.04 : 0.12)) headers[name] = d.pick(values);
  const with_body = ['POST', 'PUT', 'PATCH'].includes(method) || d.chance(0.05);
  const kind = likely ? (method === 'PATCH' ? d.pick(['patch', 'params']) : KINDS[place] ?? 'params') : '';
  if (likely && with_body) q = d.chance(0.7) ? '' : q;
  const type = !likely ? d.pick(CONTENT) : kind === 'form' ? 'application/x-www-form-urlencoded' : kind === 'patch' ? 'application/json-patch+json' : 'application/fhir+json';
  place = place.replace('PATIENT', patientId);
  const path = `/${place}${q && `?${q}`}`;
  const what = `seed ${SEED}, number ${n}: ${method} ${path.slice(0, 300)}`;
  if (/\$events/.test(path) || headers.Accept === 'text/event-stream') return 0;
  let answer;
  const began = Date.now();
  try {
    answer = await party.request(method, path, { ...(with_body && { body: body(d, kind), type }), headers });
  } catch (error) {
    // What HTTP itself forbids may end the connection; the program must not have ended.
    assert.ok(/ECONNRESET|socket hang up|Invalid|EPIPE/.test(`${error.code} ${error.message}`), `${what}: ${error.message}`);
    assert.equal(region.child.exitCode, null, `${what}: ${region.tail()}`);
    return 0;
  }
  if (Date.now() - began > slowest[0]) slowest = [Date.now() - began, what];
  assert.ok(answer.status < 500 || answer.status === 501, `${what}: ${answer.status} ${answer.text.slice(0, 500)}`);
  if (answer.status < 400 || method === 'HEAD' || !answer.json) {
    if (answer.status >= 400 && method !== 'HEAD' && answer.text) assert.match(answer.text, /OperationOutcome|[ぁ-ん].*[A-Za-z]|[A-Za-z].*[ぁ-ん]/s, `${what}: ${answer.status} ${answer.text.slice(0, 200)}`);
    return answer.status;
  }
  try { assertOutcome(answer, answer.status); } catch (error) { assert.fail(`${what}: ${error.message}`); }
  return answer.status;
}

describe(`seed ${SEED}`, () => {
  test(`whatever is sent for ${SECONDS} s is answered in order`, { timeout: (SECONDS + 60) * 1_000 }, async (t) => {
    const end = Date.now() + SECONDS * 1_000;
    const seen = {};
    let n = 0;
    const work = async (party) => {
      while (Date.now() < end) {
        const status = await once(party, n++);
        seen[status] = (seen[status] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => work((i % 3 ? a : b).again())));
    t.diagnostic(`${n} requests: ${JSON.stringify(seen)}; slowest ${slowest.join(' ms: ')}`);
    assert.equal((await a.again().get('/Observation?_summary=count')).status, 200);
  });
});

/** A TLS connection of hospital-a, speaking as it likes. */
const raw = () => new Promise((done, fail) => {
  const socket = tls.connect({ host: '127.0.0.1', port: region.ports.system, ...region.tls('hospital-a') }, () => done(socket));
  socket.on('error', fail);
});
const all = (socket, ms = 10_000) => new Promise((done) => {
  let text = '';
  const timer = setTimeout(() => { socket.destroy(); done(text); }, ms);
  socket.setEncoding('utf8').on('data', (part) => { text += part; }).on('close', () => { clearTimeout(timer); done(text); });
});
const post = (value, more = '') => {
  const text = JSON.stringify(observation(card, { value, identifier: [{ system: 'urn:pipe', value: `${value}` }] }));
  return `POST /fhir/Observation HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n${more}\r\n${text}`;
};

describe('on the wire', () => {
  test('writes sent without waiting are done one after the other, each once', async () => {
    const socket = await raw();
    const came = all(socket);
    socket.write(Array.from({ length: 40 }, (_, i) => post(i, i === 39 ? 'Connection: close\r\n' : '')).join(''));
    const text = await came;
    assert.equal(text.match(/HTTP\/1\.1 201/g)?.length, 40, text.slice(0, 500));
    const found = await a.search('/Observation?identifier=urn:pipe|&_sort=_lastUpdated&_count=1000');
    assert.deepEqual(found.resources.map((r) => r.valueQuantity.value), Array.from({ length: 40 }, (_, i) => i));
  });

  test('clients that hang up before, in and after an answer hurt nobody', async () => {
    const big = 'GET /fhir/Observation?_count=1000&_include=*&_revinclude=* HTTP/1.1\r\nHost: x\r\n\r\n';
    for (let i = 0; i < 60; i++) {
      const socket = await raw();
      socket.on('error', () => {});
      socket.write(i % 2 ? big : post(1_000 + i).slice(0, i % 4 ? undefined : 200));
      if (i % 3) await sleep(i % 7);
      if (i % 5) socket.destroy(); else socket.end();
    }
    assert.equal((await a.get('/Observation?_summary=count')).status, 200);
  });

  test('a thousand connections at once, most of them silent', async () => {
    const quiet = await Promise.all(Array.from({ length: 1_000 }, () => new Promise((done) => {
      const socket = net.connect(region.ports.system, '127.0.0.1', () => done(socket));
      socket.on('error', () => done(socket));
    })));
    const began = Date.now();
    assert.equal((await a.again().get('/Observation?_summary=count')).status, 200);
    assert.ok(Date.now() - began < 5_000, 'others are served meanwhile');
    for (const socket of quiet) socket.destroy();
  });

  test('who dribbles a body is waited for, and nobody waits for him', async () => {
    const socket = await raw();
    const came = all(socket, 20_000);
    const text = post(5_000, 'Connection: close\r\n');
    for (let at = 0; at < text.length; at += 40) {
      socket.write(text.slice(at, at + 40));
      if (at % 400 === 0) assert.equal((await a.get('/Observation/o1')).status, 200);
      await sleep(5);
    }
    assert.match(await came, /^HTTP\/1\.1 201/);
  });

  test('HEAD is GET without its body, everywhere, even where HTTP itself refuses', async () => {
    for (const [line, status] of [['HEAD /fhir/%zz HTTP/1.1\r\nHost: x\r\nX: \u0001', 400], ['HEAD /fhir/metadata HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999', 413], [`HEAD /fhir/${'x'.repeat(9_000)} HTTP/1.1\r\nHost: x`, 414]]) {
      const socket = await raw();
      const came = all(socket);
      socket.write(`${line}\r\n\r\n`);
      const text = await came;
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.ok(text.endsWith('\r\n\r\n'), text);
    }
    const id = (await a.patient(card)).id;
    for (const path of ['/metadata', '/Observation', '/Observation/o1', '/Observation/o1/_history', '/Observation/o1/_history/1', '/_history', '/Observation/never', `/Patient/${id}`, `/Patient/${id}/$everything`, `/Patient/${id}/$summary`, '/$meta', `/Patient/${id}/Observation`, '/Observation?bad=1', '/OperationDefinition/tasuki-match', '/?_type=Observation']) {
      const [get, head] = [await a.get(path), await a.request('HEAD', path)];
      assert.equal(head.status, get.status, path);
      assert.equal(head.text, '', path);
      for (const field of ['content-type', 'etag', 'last-modified']) assert.equal(head.headers[field], get.headers[field], `${path} ${field}`);
      assert.equal(head.headers['content-length'], get.headers['content-length'], path);
    }
  });
});
