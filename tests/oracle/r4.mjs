// SPDX-License-Identifier: Apache-2.0
//
// What a search means, told a second time: R4's own search parameters and expressions (the package hl7.fhir.r4.core) through
// npm fhirpath, and R4 search.html's rules in plain JavaScript. Shares nothing with the program: no table, no index, every
// resource is looked at for every query. Where R4 leaves a choice, docs/doors/fhir.md says which was made.
import { createRequire } from 'node:module';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(new URL('../door/package.json', import.meta.url));
const load = (name) => { try { return require(name); } catch { return undefined; } };
const fhirpath = load('fhirpath');
const model = load('fhirpath/fhir-context/r4');
/** Is the second opinion here? Otherwise the text to skip with. */
export const missing = fhirpath ? false : 'fhirpath is not installed';

// ── definitions ──────────────────────────────────────────────────────────────────────────────────

/** type -> code -> SearchParameter, of the package in FOLDER. */
export function loadParams(folder, types) {
  const byType = new Map(types.map((t) => [t, new Map()]));
  const byUrl = new Map();
  for (const file of readdirSync(folder)) {
    if (!file.startsWith('SearchParameter-')) continue;
    const p = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    byUrl.set(p.url, p);
    if (!p.expression || p.type === 'special' || p.id.startsWith('example')) continue;
    for (const base of p.base) {
      for (const type of base === 'Resource' || base === 'DomainResource' ? types : [base]) byType.get(type)?.set(p.code, p);
    }
  }
  return { byType, byUrl };
}

// A reference is judged by its text: following it would need a server. "as" is meant for each item of a list.
const readable = (expression) => expression.replace(/where\(resolve\(\) is (\w+)\)/g, "where(reference.startsWith('$1/'))").replace(/ as (\w+)/g, '.ofType($1)').replace(/\.as\((\w+)\)/g, '.ofType($1)');
const compiled = new Map();

/** The values of EXPRESSION in NODE, an element of PATH or a resource: [{ type, value }]. */
function evaluate(node, expression, path) {
  const key = `${path ?? ''}:${expression}`;
  if (!compiled.has(key)) {
    const text = readable(expression);
    compiled.set(key, fhirpath.compile(path ? { base: path, expression: text } : text, model, { resolveInternalTypes: false }));
  }
  const found = compiled.get(key)(node);
  const types = fhirpath.types(found);
  return found.map((value, i) => ({ type: types[i].replace(/^(FHIR|System)\./, ''), value: plain(value) }));
}

/** Of fhirpath's own nodes and types only the JSON. */
const plain = (value) => JSON.parse(JSON.stringify(value));

// ── values ───────────────────────────────────────────────────────────────────────────────────────

const SCALE = 1_000_000;
const scaled = (n) => Math.round(Number(n) * SCALE);

const katakana = (text) => text.replace(/[ぁ-ゖ]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0x60));
/** Without regard to width, case, accents, kana. */
export const fold = (text) => katakana(text.normalize('NFKC').normalize('NFD').replace(/[\u0300-\u036f]/g, '').normalize('NFC').toUpperCase().toLowerCase()).replace(/\s+/g, ' ').trim();

const STAMP = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
/** [lo, hi) in ms that a date of any precision covers; without a zone in Japan. */
export function span(text) {
  const m = STAMP.exec(text);
  if (!m) return undefined;
  const [, y, mo, d, h, mi, s, f, zone] = m;
  const offset = zone === 'Z' ? 0 : zone ? (zone[0] === '-' ? -1 : 1) * (60 * +zone.slice(1, 3) + +zone.slice(4)) : 540;
  const at = (...parts) => Date.UTC(...parts) - offset * 60_000;
  if (f) {
    const lo = at(+y, mo - 1, +d, +h, +mi, +s) + Math.floor(Number(f) * 1000);
    return { lo, hi: lo + Math.max(1, 10 ** (4 - f.length)) };
  }
  if (s) return { lo: at(+y, mo - 1, +d, +h, +mi, +s), hi: at(+y, mo - 1, +d, +h, +mi, +s + 1) };
  if (h) return { lo: at(+y, mo - 1, +d, +h, +mi), hi: at(+y, mo - 1, +d, +h, +mi + 1) };
  if (d) return { lo: at(+y, mo - 1, +d), hi: at(+y, mo - 1, +d + 1) };
  if (mo) return { lo: at(+y, mo - 1, 1), hi: at(+y, +mo, 1) };
  return { lo: at(+y, 0, 1), hi: at(+y + 1, 0, 1) };
}

function spanOf({ type, value }) {
  if (typeof value === 'string') return span(value);
  if (type === 'Period') {
    if (!value.start && !value.end) return undefined;
    return { lo: value.start ? span(value.start).lo : -Infinity, hi: value.end ? span(value.end).hi : Infinity };
  }
  if (type === 'Timing' && value.event?.length) {
    const all = value.event.map(span);
    return { lo: Math.min(...all.map((s) => s.lo)), hi: Math.max(...all.map((s) => s.hi)) };
  }
  return undefined;
}

const NAME = ['text', 'family', 'given', 'prefix', 'suffix'];
const ADDRESS = ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'];
/** Folded text of a string entry. */
export const foldOf = (e) => (e.tight ? fold(e.raw).replaceAll(' ', '') : fold(e.raw));
const fields = (value, names) => names.flatMap((n) => value[n] ?? []);

/** What one value of an element gives a parameter of TYPE: entries that a query's value is compared with. */
const readers = {
  token({ type, value }) {
    if (type === 'CodeableConcept') return [...(value.coding ?? []).flatMap((c) => readers.token({ type: 'Coding', value: c })), ...(value.text ? [{ text: value.text }] : [])];
    if (type === 'Coding') return [...(value.code || value.system ? [{ system: value.system, code: value.code }] : []), ...(value.display ? [{ text: value.display }] : [])];
    if (type === 'Identifier') {
      return [...(value.value ? [{ system: value.system, code: value.value }] : []), ...(value.type?.text ? [{ text: value.type.text }] : []),
        ...(value.value ? (value.type?.coding ?? []).map((c) => ({ typed: c, value: value.value })) : [])];
    }
    if (type === 'ContactPoint') return value.value ? [{ system: undefined, code: value.value }] : [];
    return [{ system: undefined, code: String(value), bare: true }];
  },
  string({ type, value }) {
    if (type === 'HumanName') {
      // The whole name too, also written without spaces: that is our choice (docs/doors/fhir.md).
      const whole = value.text ?? (value.family && value.given ? [value.family, ...value.given].join(' ') : undefined);
      return [...fields(value, NAME).map((raw) => ({ raw })), ...(whole ? [{ raw: whole }, { raw: whole, tight: true }] : [])];
    }
    if (type === 'Address') return fields(value, ADDRESS).map((raw) => ({ raw }));
    return typeof value === 'string' ? [{ raw: value }] : [];
  },
  date(found) {
    const s = spanOf(found);
    return s ? [s] : [];
  },
  number: ({ value }) => (typeof value === 'object' ? [] : [{ n: scaled(value) }]),
  quantity: ({ type, value }) => (/^(Quantity|Age|Duration|Count|Distance|SimpleQuantity)$/.test(type) && value.value !== undefined ? [{ n: scaled(value.value), system: value.system, code: value.code, unit: value.unit }] : []),
  reference({ type, value }) {
    if (type === 'canonical' || type === 'uri') return [{ url: value }];
    return [...(value.reference ? [{ reference: value.reference }] : []), ...(value.identifier?.value ? [{ identifier: { system: value.identifier.system, code: value.identifier.value } }] : []),
      ...(value.display ? [{ text: value.display }] : [])];
  },
  uri: ({ value }) => (typeof value === 'string' ? [{ uri: value }] : []),
};

// ── one value of a query against one entry ───────────────────────────────────────────────────────

const same = (a, b) => (a ?? '').toLowerCase() === (b ?? '').toLowerCase(); // tokens: without regard to case
const unescape = (text) => text.replace(/\\(.)/gs, '$1');
/** TEXT at every MARK that is not escaped. */
export function split(text, mark) {
  const parts = [''];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && i + 1 < text.length) parts[parts.length - 1] += text[i] + text[++i];
    else if (text[i] === mark) parts.push('');
    else parts[parts.length - 1] += text[i];
  }
  return parts;
}

const PREFIX = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)/;
const prefixed = (text) => {
  const m = PREFIX.exec(text);
  return { op: m ? m[1] : 'eq', rest: m ? text.slice(2) : text };
};

/** [lo, hi) that a number of this precision stands for. */
function precision(text) {
  const decimals = (text.split('.')[1] ?? '').length;
  const half = SCALE / 2 / 10 ** decimals;
  return { lo: scaled(text) - half, hi: scaled(text) + half, exact: scaled(text) };
}

function numberFits(n, text) {
  const { op, rest } = prefixed(text);
  const { lo, hi, exact } = precision(rest);
  const within = n >= lo && n < hi;
  return {
    eq: () => within, ne: () => !within, gt: () => n > exact, lt: () => n < exact, ge: () => n >= exact, le: () => n <= exact,
    sa: () => n > exact, eb: () => n < exact, ap: () => within || Math.abs(n - exact) <= Math.abs(exact) / 10,
  }[op]();
}

function dateFits(t, text) {
  const { op, rest } = prefixed(text);
  const s = span(rest);
  const within = t.lo >= s.lo && t.hi <= s.hi;
  return {
    eq: () => within, ne: () => !within, gt: () => t.hi > s.hi, lt: () => t.lo < s.lo, ge: () => t.hi > s.hi || within, le: () => t.lo < s.lo || within,
    sa: () => t.lo >= s.hi, eb: () => t.hi <= s.lo,
  }[op]();
}

const tokenFits = (e, text) => {
  if (!('code' in e)) return false;
  const parts = split(text, '|').map(unescape);
  if (parts.length === 1) return same(e.code, parts[0]);
  return (e.system ?? '') === parts[0] && (parts[1] === '' || same(e.code, parts[1]));
};

const fitters = {
  token: tokenFits,
  string: (e, text) => foldOf(e).startsWith(fold(unescape(text))),
  date: dateFits,
  number: (e, text) => numberFits(e.n, text),
  quantity(e, text) {
    const [number, system, code] = split(text, '|');
    if (!numberFits(e.n, number)) return false;
    if (system && e.system !== unescape(system)) return false;
    if (!code) return true;
    return e.code === unescape(code) || (!system && e.unit === unescape(code));
  },
  uri: (e, text) => e.uri === unescape(text),
};

const below = (long, short) => long === short || (long.startsWith(short) && (short.endsWith('/') || '/|'.includes(long[short.length])));

const modifiers = {
  exact: (e, text) => e.raw === unescape(text),
  contains: (e, text) => foldOf(e).includes(fold(unescape(text))),
  text: (e, text) => e.text !== undefined && fold(e.text).startsWith(fold(unescape(text))),
  below: (e, text) => below(e.uri, unescape(text)),
  above: (e, text) => below(unescape(text), e.uri),
  identifier: (e, text) => e.identifier !== undefined && tokenFits(e.identifier, text),
  'of-type'(e, text) {
    const [system, code, value] = split(text, '|').map(unescape);
    return e.typed !== undefined && e.typed.system === system && same(e.typed.code, code) && same(e.value, value);
  },
};

// ── the whole of it ──────────────────────────────────────────────────────────────────────────────

export class Oracle {
  constructor(params) {
    this.params = params;
    this.types = [...params.byType.keys()];
  }

  /** RESOURCES as the server gives them out. Cards and local numbers are in no index of values: they are left out. */
  load(resources) {
    for (const r of resources) if (r.resourceType === 'Patient') r.identifier = r.identifier.filter((i) => !/^urn:(tasuki|oid)/.test(i.system));
    this.resources = resources;
    this.byReference = new Map(resources.map((r) => [`${r.resourceType}/${r.id}`, r]));
    this.cache = new Map();
  }

  param(type, code) { return this.params.byType.get(type)?.get(code); }

  /** Entries of parameter CODE in RESOURCE. */
  entries(resource, code) {
    const key = `${resource.resourceType}/${resource.id}?${code}`;
    if (!this.cache.has(key)) {
      const p = this.param(resource.resourceType, code);
      this.cache.set(key, evaluate(resource, p.expression).flatMap((found) => readers[p.type](found)));
    }
    return this.cache.get(key);
  }

  /** The parts of composite P in each of its elements: [[entries of part 0, of part 1 …]]. */
  groups(resource, p) {
    const key = `${resource.resourceType}/${resource.id}?${p.url}`;
    if (!this.cache.has(key)) {
      const nodes = p.expression.split('|').map((e) => e.trim()).flatMap((path) => (path === resource.resourceType ? [{ node: resource }]
        : evaluate(resource, path).map((n) => ({ node: n.value, path: n.type === 'BackboneElement' ? path : n.type }))));
      this.cache.set(key, nodes.map(({ node, path }) => p.component.map((c) => {
        const type = this.params.byUrl.get(c.definition).type;
        return evaluate(node, c.expression, path).flatMap((found) => readers[type](found));
      })));
    }
    return this.cache.get(key);
  }

  /** Does RESOURCE pass KEY=VALUE? Unknown keys pass nothing. */
  passes(resource, key, value) {
    if (key.startsWith('_has:')) {
      const [, type, code, ...rest] = key.split(':');
      const own = `${resource.resourceType}/${resource.id}`;
      return this.resources.some((r) => r.resourceType === type && this.refers(r, code).includes(own) && this.passes(r, rest.join(':'), value));
    }
    const dot = key.indexOf('.');
    if (dot >= 0) {
      const [code, type] = key.slice(0, dot).split(':');
      if (!this.param(resource.resourceType, code)) return false;
      return this.refers(resource, code).some((reference) => {
        const target = this.byReference.get(reference);
        return target && (!type || target.resourceType === type) && this.passes(target, key.slice(dot + 1), value);
      });
    }
    const [code, modifier] = key.split(':');
    if (code === '_id') return split(value, ',').includes(resource.id);
    if (code === '_lastUpdated') return split(value, ',').some((v) => dateFits(span(resource.meta.lastUpdated), v));
    const p = this.param(resource.resourceType, code);
    return p ? this.leaf(resource, p, modifier, value) : false;
  }

  leaf(resource, p, modifier, value) {
    const values = split(value, ',');
    if (p.type === 'composite') {
      const groups = this.groups(resource, p).filter((g) => g.every((part) => part.length));
      if (modifier === 'missing') return (groups.length === 0) === (value === 'true');
      return groups.some((g) => values.some((v) => split(v, '$').every((part, i) => {
        const type = this.params.byUrl.get(p.component[i].definition).type;
        return g[i].some((e) => fitters[type](e, part));
      })));
    }
    const entries = this.entries(resource, p.code);
    if (modifier === 'missing') return (entries.length === 0) === (value === 'true');
    if (modifier === 'not') return !entries.some((e) => values.some((v) => fitters[p.type](e, v)));
    if (p.type === 'reference' && (!modifier || this.types.includes(modifier))) return entries.some((e) => values.some((v) => this.named(e, v, modifier)));
    const fits = modifier ? modifiers[modifier] : fitters[p.type];
    return entries.some((e) => values.some((v) => fits(e, v)));
  }

  named(e, value, type) {
    const text = unescape(value);
    if (e.url) return e.url === text || e.url.split('|')[0] === text;
    if (!e.reference) return false;
    if (text.includes('/')) return e.reference === text;
    return type ? e.reference === `${type}/${text}` : e.reference.split('/')[1] === text;
  }

  refers(resource, code) {
    return this.entries(resource, code).flatMap((e) => (e.reference ? [e.reference] : []));
  }

  /** All [code, "Type/id"] by which RESOURCE refers to others. */
  referrers(resource) {
    return [...this.params.byType.get(resource.resourceType).values()].filter((p) => p.type === 'reference').flatMap((p) => this.refers(resource, p.code).map((ref) => [p.code, ref]));
  }

  /** Ids of TYPE that pass all of QUERY: [[key, value]]. */
  search(type, query) {
    return this.resources.filter((r) => r.resourceType === type && query.every(([key, value]) => this.passes(r, key, value))).map((r) => r.id);
  }
}
