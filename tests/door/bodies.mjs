// SPDX-License-Identifier: Apache-2.0
//
// Every body that the program answers, against HL7's own schemas: JSON at once (npm ajv), XML together when the region ends
// (xmllint, schema.mjs). On with TASUKI_CHECK_BODIES=1, where schemas and ajv are here. One of each shape is checked: bodies
// whose elements are the same at the same places differ only in values. The manifest of an export is no FHIR resource and is
// left out by its Content-Type, as are event streams and raw Binary content. What the server makes itself (Bundles, outcomes …)
// is put to `tasuki validate fhir` as well, which knows R4's invariants: what it would refuse it must not say.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BINARY, CORPORA } from './places.mjs';
import { assertSchema } from './schema.mjs';

const SCHEMA = join(CORPORA, 'fhir/r4-schemas/hl7.fhir.r4.core/package/openapi/fhir.schema.json');
const MOST_JSON = 1_500;
const MOST_XML = 60;
const MOST_OWN = 200;
const OWN = new Set(['AuditEvent', 'Bundle', 'CapabilityStatement', 'OperationDefinition', 'OperationOutcome', 'Parameters']);
const ON = process.env.TASUKI_CHECK_BODIES === '1';

/** Type -> function that checks a resource of that type; undefined where the schema or ajv is not here. */
async function checkers() {
  if (!existsSync(SCHEMA)) return undefined;
  const { default: Ajv } = await import('ajv').catch(() => ({}));
  if (!Ajv) return undefined;
  const schema = JSON.parse(readFileSync(SCHEMA, 'utf8'));
  // The definitions of R4 allow a Meta where any type is allowed (Parameters, of $meta), its schemas forgot it.
  schema.definitions.Parameters_Parameter.properties.valueMeta = { $ref: '#/definitions/Meta' };
  // The schema lets a contained resource be one of 146; asked one by one that takes seconds and says nothing. We look by type.
  schema.definitions.ResourceList = { tasukiResource: true };
  const ajv = new Ajv({ strict: false, allErrors: false, verbose: true, validateFormats: false, inlineRefs: false });
  const made = new Map();
  const of = (type) => {
    if (!made.has(type)) made.set(type, schema.definitions[type]?.properties?.resourceType ? ajv.compile({ $ref: `fhir#/definitions/${type}` }) : null);
    return made.get(type);
  };
  ajv.addKeyword({ keyword: 'tasukiResource', errors: 'full', compile: () => function resource(data) {
    const check = of(data?.resourceType);
    const good = check ? check(data) : false;
    if (!good) resource.errors = check?.errors ?? [{ message: `no type ${data?.resourceType}`, keyword: 'type', params: {} }];
    return good;
  } });
  ajv.addSchema({ definitions: schema.definitions }, 'fhir');
  return of;
}
const json = ON ? await checkers() : undefined;

const seen = new Set();
const documents = [];
const own = [];
const count = { json: 0, xml: 0, own: 0 };

/** The places of a tree where something is, and the codes that say what a Bundle or an OperationOutcome is. */
function shape(value, at, into) {
  if (Array.isArray(value)) {
    for (const item of value) shape(item, at, into);
    return into;
  }
  if (value === null || typeof value !== 'object') return into.add(/\.(resourceType|status|code|relation|method|mode|type)$/.test(at) ? `${at}=${value}` : `${at}:${typeof value}`);
  for (const [name, item] of Object.entries(value)) shape(item, `${at}.${name}`, into);
  return into;
}

function checkJson(value, what) {
  if (count.json >= MOST_JSON || value?.resourceType === undefined) return;
  const key = [...shape(value, '', new Set())].sort().join('\n');
  if (seen.has(key)) return;
  seen.add(key);
  count.json++;
  const check = json(value.resourceType);
  assert.ok(check, `${what}: no resource type ${value.resourceType}`);
  // What was asked for in part (SUBSETTED) need not keep invariants.
  if (OWN.has(value.resourceType) && !JSON.stringify(value).includes('"SUBSETTED"') && count.own++ < MOST_OWN) own.push({ value, what });
  if (check(value)) return;
  assert.fail(`${what}: not FHIR by its schema: ${check.errors.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)} ${JSON.stringify(e.data)?.slice(0, 200)}`).join('; ')}`);
}

function checkXml(text, what) {
  const key = [...new Set(text.match(/<[A-Za-z]+/g))].sort().join(' ');
  if (count.xml >= MOST_XML || seen.has(key) || key.includes('<valueMeta')) return;
  seen.add(key);
  count.xml++;
  documents.push({ text, what });
}

/** Looks at one answer as it came. */
export function checkBody({ status, headers, text, json: value }, what) {
  if (!ON || status === 304 || !text) return;
  const type = headers['content-type'] ?? '';
  if (/^application\/fhir\+xml/.test(type)) checkXml(text, what);
  else if (json && /^application\/fhir\+json/.test(type)) checkJson(value ?? assert.fail(`${what}: no JSON: ${text.slice(0, 200)}`), what);
  else if (json && /^application\/fhir\+ndjson/.test(type)) for (const line of text.split('\n')) if (line) checkJson(JSON.parse(line), what);
}

function assertOwn(some) {
  const dir = mkdtempSync(join(tmpdir(), 'tasuki-own-'));
  try {
    const files = some.map(({ value }, i) => {
      writeFileSync(join(dir, `${i}.json`), JSON.stringify(value));
      return join(dir, `${i}.json`);
    });
    const { status, stdout, stderr } = spawnSync(BINARY, ['validate', 'fhir', '--lang', 'en', ...files], { encoding: 'utf8', maxBuffer: 1 << 26 });
    const said = `${stdout}${stderr}`.replace(/[^\s:]*?(\d+)\.json/g, (_, i) => some[i]?.what ?? i);
    assert.equal(status, 0, `the program would refuse what it said: ${said.slice(0, 3000)}`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What was put by since the last call: each kind in one run. */
export function checkPutBy() {
  const xml = documents.splice(0);
  const made = own.splice(0);
  if (xml.length) assertSchema(...xml.map(({ text }) => text));
  if (made.length) assertOwn(made);
}
