// SPDX-License-Identifier: Apache-2.0
//
// What a resource must be found by: R4's official expressions, evaluated by the npm package fhirpath, and the tables of
// search.html that say what each data type gives. Written without a look at the program's tables or code, so that the two
// can only agree by being right. A value is a line of text: token|system|code, date|lo|hi in ms, quantity|lo|hi|system|code|unit ...
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(new URL('../door/package.json', import.meta.url));
const SP = 'http://hl7.org/fhir/SearchParameter/';

/** Official parameters that have nothing to evaluate, and why. */
export const LEFT_OUT = {
  'DomainResource-text': 'words of the narrative',
  'Resource-content': 'words of the whole',
  'Resource-query': 'not a value of a resource',
  'filter': 'not a value of a resource',
  'patient-extensions-Patient-age': 'changes with the clock',
  'Resource-id': 'kept by the store',
  'Resource-lastUpdated': 'kept by the store',
  'example': 'an example of a definition',
  'example-extension': 'an example of a definition',
  'example-reference': 'an example of a definition',
};

/** Where R4 contradicts itself: what is evaluated instead. */
const ERRATA = {
  'DocumentReference-relationship': { components: ['target', 'code'], why: 'definitions and expressions of the components are swapped' },
};

const fhirpath = () => require('fhirpath');
const model = () => require('fhirpath/fhir-context/r4');

// ── expressions ─────────────────────────────────────────────────────────────────────────────────

/** An XPath of one of the parameters that have no FHIRPath. */
const ofXpath = (xpath) => xpath.split(' | ').filter((x) => !x.startsWith('/'))
  .map((x) => x.replace(/\/f:extension\[@url='([^']+)'\]/, ".extension('$1')").replace(/^f:/, '')
    .replaceAll('/f:multipleBirthBoolean', '.multipleBirth.ofType(boolean)')
    .replaceAll('/f:multipleBirthInteger', '.multipleBirth.ofType(integer)').replaceAll('/f:', '.')).join(' | ');

/**
 * What needs a server is said with what the reference itself says; and "as", which R4 means for each item although FHIRPath
 * allows it for one only, is ofType.
 */
const withoutServer = (expression) => expression
  .replace(/where\(resolve\(\) is (\w+)\)/g, "where(reference.matches('(^|/)$1/[^/]+(/_history/[^/]+)?$$') or type = '$1')")
  .replaceAll('hasExtension(', 'extension(').replace(/where\(extension\(('[^']+')\)\)/, 'where(extension($1).exists())')
  .replaceAll('.as(DateTime)', '.as(dateTime)').replaceAll('.as(', '.ofType(').replace(/([\w.]+) as (\w+)/g, '$1.ofType($2)');

/** The alternatives of a union, taken one by one: "|" would drop values that are equal to eight decimals. */
function alternatives(expression) {
  const out = [''];
  let depth = 0;
  for (const c of expression) {
    depth += c === '(' ? 1 : c === ')' ? -1 : 0;
    if (c === '|' && depth === 0) out.push('');
    else out[out.length - 1] += c;
  }
  return out;
}

const compiled = new Map();
function evaluated(resource, expression) {
  let run = compiled.get(expression);
  if (!run) {
    run = fhirpath().compile(withoutServer(expression), model(), { resolveInternalTypes: false });
    compiled.set(expression, run);
  }
  return run(resource, { resource });
}

/** Numbers come wrapped, with their digits. */
const plain = (data) => (data !== null && typeof data === 'object' && 'asStr' in data ? data.value : data);

const nodesOf = (resource, expression) => alternatives(expression).flatMap((one) => evaluated(resource, one))
  .map((n) => (n !== null && typeof n === 'object' && 'data' in n
    ? { type: n.fhirNodeDataType ?? n.path, data: plain(n.data) } : { type: typeof n, data: n }))
  .filter((n) => n.data !== undefined && n.data !== null);

/** All parameters: number, code, type, bases and expressions. FOLDER is the unpacked package hl7.fhir.r4.core. */
export function readParameters(folder) {
  const all = readdirSync(folder).filter((f) => f.startsWith('SearchParameter-') && f.endsWith('.json'))
    .map((f) => JSON.parse(readFileSync(join(folder, f))));
  all.sort((a, b) => (a.url < b.url ? -1 : 1));
  const byUrl = new Map(all.map((p) => [p.url, p]));
  return all.map((p, number) => {
    const name = p.url.slice(SP.length);
    const expression = p.expression ?? ofXpath(p.xpath ?? '');
    const base = p.base ?? [...new Set(expression.match(/\b[A-Z]\w+(?=\.)/g))];
    const parts = (p.component ?? []).map((c, i) => ({
      kind: byUrl.get(c.definition).type, expression: ERRATA[name]?.components[i] ?? c.expression,
    }));
    return { number, name, code: p.code, kind: p.type, base, expression, parts, targets: p.target ?? [] };
  }).filter((p) => !LEFT_OUT[p.name]);
}

// ── values ──────────────────────────────────────────────────────────────────────────────────────

const DAY = 86_400_000;
const JST = 9 * 3_600_000;

/** [lo, hi) of a date, dateTime or instant; without a zone it is Japan's. */
function spanOf(text) {
  const m = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$/.exec(text);
  if (!m) return null;
  const at = (y, mo, d) => { const t = new Date(0); t.setUTCFullYear(y, mo, d); return t.getTime(); };
  const year = Number(m[1]), month = m[2] ? Number(m[2]) - 1 : 0, day = m[3] ? Number(m[3]) : 1;
  const lo = at(year, month, day);
  if (!m[4]) return [lo - JST, (m[3] ? lo + DAY : m[2] ? at(year, month + 1, 1) : at(year + 1, 0, 1)) - JST];
  const zone = m[8] === 'Z' ? 0 : (m[8][0] === '-' ? -1 : 1) * (Number(m[8].slice(1, 3)) * 60 + Number(m[8].slice(4))) * 60_000;
  const fraction = m[7] ? m[7].slice(1, 4).padEnd(3, '0') : '0';
  const from = lo + Number(m[4]) * 3_600_000 + Number(m[5]) * 60_000 + Number(m[6]) * 1000 + Number(fraction) - zone;
  return [from, from + (m[7] ? 10 ** Math.max(0, 3 - (m[7].length - 1)) : 1000)];
}

function periodOf(p) {
  const from = p.start ? spanOf(p.start) : null, to = p.end ? spanOf(p.end) : null;
  if (!from && !to) return null;
  return from && to && to[0] < from[0] ? [to[0], from[1]] : [from ? from[0] : null, to ? to[1] : null];
}

function timingOf(t) {
  const spans = [periodOf(t.repeat?.boundsPeriod ?? {}), ...(t.event ?? []).map(spanOf)].filter(Boolean);
  if (spans.length === 0) return null;
  const open = (i) => spans.some((s) => s[i] === null);
  return [open(0) ? null : Math.min(...spans.map((s) => s[0])), open(1) ? null : Math.max(...spans.map((s) => s[1]))];
}

const token = (system, code) => (code === undefined || code === '' ? [] : [`token|${system ?? ''}|${code}`]);
const string = (...texts) => texts.flat().filter((t) => typeof t === 'string' && t.trim() !== '').map((t) => `string|${t}`);
const relative = (text) => /^[^/:]+\/[^/:]+$/.test(text);
const address = (text) => (!text || text.startsWith('#') ? []
  : [`${relative(text.replace(/\/_history\/.*/, '')) ? 'reference' : 'uri'}|${text.replace(/\/_history\/.*/, '')}`]);
const canonical = (text) => (text.startsWith('#') ? [] : text.includes('|') ? [`uri|${text}`, `uri|${text.split('|')[0]}`] : [`uri|${text}`]);
const date = (span) => (span ? [`date|${span[0]}|${span[1]}`] : []);
const unit = (q) => `${q?.system ?? ''}|${q?.code ?? ''}|${q?.unit ?? ''}`;

function nameTexts(n) {
  const whole = n.text ?? (n.family && n.given ? [n.family, ...n.given.filter((g) => g !== null)].join(' ') : undefined);
  return [n.family, n.given ?? [], n.prefix ?? [], n.suffix ?? [], whole ?? []].flat();
}

function next(v, up) { // the neighbouring double
  const bits = new DataView(new ArrayBuffer(8));
  if (v === 0) return up ? 5e-324 : -5e-324;
  bits.setFloat64(0, v);
  bits.setBigInt64(0, bits.getBigInt64(0) + (up === v > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}

function quantity(q) {
  if (typeof q.value !== 'number') return [];
  const c = q.comparator ?? '';
  const lo = c[0] === '<' ? null : c === '>' ? next(q.value, true) : q.value;
  const hi = c[0] === '>' ? null : c === '<' ? next(q.value, false) : q.value;
  return [`quantity|${lo}|${hi}|${unit(q)}`];
}

function range(kind, r) {
  const lo = r.low?.value ?? null, hi = r.high?.value ?? null;
  if (lo === null && hi === null) return [];
  return kind === 'number' ? [`number|${lo}|${hi}`] : [`quantity|${lo}|${hi}|${unit(r.low ?? r.high)}`];
}

const concept = (c, alone) => [...(c.coding ?? []).flatMap((x) => coding(x, alone)), ...(alone ? string(c.text) : [])];
const coding = (c, alone) => [...token(c.system, c.code), ...(alone ? string(c.display) : [])];
const identifier = (i, alone) => [...token(i.system, i.value), ...(alone && i.type ? [...string(i.type.text),
  ...(i.type.coding ?? []).filter((c) => c.code && i.value).map((c) => `typed|${c.system ?? ''}|${c.code}|${i.value}`)] : [])];

const PLAIN = new Set(['boolean', 'code', 'string', 'id', 'uri', 'url', 'oid', 'uuid', 'canonical', 'markdown', 'integer',
  'positiveInt', 'unsignedInt']);

/** Kind by kind, as search.html's tables have it. ALONE: not in a composite, so also what modifiers ask for. */
const VALUES = {
  token: ({ type, data }, alone) => (type === 'CodeableConcept' ? concept(data, alone) : type === 'Coding' ? coding(data, alone)
    : type === 'Identifier' ? identifier(data, alone) : type === 'ContactPoint' ? token('', data.value)
      : PLAIN.has(type) ? token('', String(data)) : []),
  string: ({ type, data }) => (type === 'HumanName' ? string(...nameTexts(data)) : type === 'Address'
    ? string(data.text, data.line ?? [], data.city, data.district, data.state, data.postalCode, data.country)
    : ['string', 'markdown', 'code', 'uri', 'id'].includes(type) ? string(data) : []),
  date: ({ type, data }) => (type === 'Period' ? date(periodOf(data)) : type === 'Timing' ? date(timingOf(data))
    : ['date', 'dateTime', 'instant'].includes(type) ? date(spanOf(data)) : []),
  number: ({ type, data }) => (type === 'Range' ? range('number', data) : typeof data === 'number' ? [`number|${data}|${data}`] : []),
  quantity: ({ type, data }) => (type === 'Range' ? range('quantity', data) : type === 'Money'
    ? (typeof data.value === 'number' ? [`quantity|${data.value}|${data.value}|${data.currency ? 'urn:iso:std:iso:4217' : ''}|${data.currency ?? ''}|${data.currency ?? ''}`] : [])
    : ['Quantity', 'Age', 'Duration', 'Distance', 'Count'].includes(type) ? quantity(data) : []),
  reference: ({ type, data }, alone, targets) => (type === 'Reference'
    ? [...address(data.reference), ...(alone ? [...(data.identifier ? token(data.identifier.system, data.identifier.value) : []), ...string(data.display)] : [])]
    : ['canonical', 'uri'].includes(type) ? (relative(data) ? address(data) : canonical(data))
      : data.resourceType ? (targets.includes(data.resourceType) && data.id ? [`reference|${data.resourceType}/${data.id}`] : []) : []),
  uri: ({ type, data }) => (type === 'canonical' ? canonical(data) : typeof data === 'string' && data ? [`uri|${data}`] : []),
  special: ({ data }) => (typeof data.latitude === 'number' && typeof data.longitude === 'number' ? [`special|${data.latitude}|${data.longitude}`] : []),
};

/** The value of an extension stands for it. */
function unwrapped(n) {
  if (n.type !== 'Extension') return [n];
  const name = Object.keys(n.data).find((k) => k.startsWith('value'));
  if (!name) return [];
  const type = name.slice(5), small = type[0].toLowerCase() + type.slice(1);
  return [{ type: PLAIN.has(small) || ['date', 'dateTime', 'instant', 'decimal'].includes(small) ? small : type, data: n.data[name] }];
}

const valuesOf = (kind, nodes, alone, targets) => nodes.flatMap(unwrapped).flatMap((n) => VALUES[kind](n, alone, targets));

function composite(resource, p) {
  const out = [];
  for (const one of alternatives(p.expression)) {
    for (let i = 0; i < nodesOf(resource, one).length; i++) {
      const parts = p.parts.map((c) => valuesOf(c.kind, nodesOf(resource, `(${one}).skip(${i}).first().select(${c.expression})`), false, []));
      if (parts.every((values) => values.length > 0)) out.push(group(parts));
    }
  }
  return out;
}

const group = (parts) => parts.map((values) => [...new Set(values)].sort().join(' & ')).join(' $ ');

/** Does the parameter belong to the resource's type? */
export const isOf = (p, type) => p.base.some((b) => b === type || b === 'Resource' || (b === 'DomainResource' && !['Bundle', 'Binary', 'Parameters'].includes(type)));

/** All values of RESOURCE for the parameter P, as a sorted list without doubles. */
export function expected(resource, p) {
  const found = p.kind === 'composite' ? composite(resource, p) : valuesOf(p.kind, nodesOf(resource, p.expression), true, p.targets);
  return [...new Set(found)].sort();
}

/** What the program printed (map --to facets), parsed, for one parameter, in the same form. */
export function printed(facets) {
  const line = (f) => ({
    token: () => `token|${f.system ?? ''}|${f.text}`, string: () => `string|${f.raw}`,
    date: () => `date|${f.lo}|${f.hi}`, number: () => `number|${f.lo}|${f.hi}`, special: () => `special|${f.lo}|${f.hi}`,
    quantity: () => `quantity|${f.lo}|${f.hi}|${f.system ?? ''}|${f.text ?? ''}|${f.raw ?? ''}`,
    typed: () => `typed|${f.system ?? ''}|${f.text}|${f.raw}`, uri: () => `uri|${f.text}`, reference: () => `reference|${f.text}`,
  })[f.kind]();
  const groups = new Map();
  for (const f of facets) {
    if (!groups.has(f.group ?? 0)) groups.set(f.group ?? 0, []);
    (groups.get(f.group ?? 0)[f.part ?? 0] ??= []).push(line(f));
  }
  const alone = groups.get(0)?.[0] ?? [];
  groups.delete(0);
  return [...new Set([...alone, ...[...groups.values()].map(group)])].sort();
}
