// SPDX-License-Identifier: Apache-2.0
//
// The real program against a second opinion: random resources, random queries, and for each query the exact set of ids over all
// pages, its total, and the order where one was asked for. Resources of another facility lie between them and must never show.
//
//   TASUKI_ORACLE_SEED      repeats a run; printed by every run
//   TASUKI_ORACLE_QUERIES   how many queries (2,000)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Region, corpus } from '../door/region.mjs';
import { patient } from '../door/resources.mjs';
import { Oracle, foldOf, loadParams, missing } from './r4.mjs';
import { Chance, makeCriterion, makeResource, makers } from './random.mjs';

const core = corpus('fhir/r4-schemas/hl7.fhir.r4.core/package');
const SEED = Number(process.env.TASUKI_ORACLE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const QUERIES = Number(process.env.TASUKI_ORACLE_QUERIES ?? 2_000);
const PATIENTS = 5;
const EACH = 24; // resources of each other type
const TYPES = Object.keys(makers);

const c = new Chance(SEED);
let region;
let a;
let oracle;

/** Names the patients by the ids that PARTY sees. */
const withWires = (resource, wires) => JSON.parse(JSON.stringify(resource).replace(/"Patient\/([^"/]+)"/g, (whole, id) => (wires[id] ? `"Patient/${wires[id]}"` : whole)));

/** What R4's invariants refuse (obs-7: a component that repeats its observation) is drawn again. */
async function place(party, type, id, world, wires) {
  for (let tries = 0; ; tries++) {
    const resource = withWires(makeResource(c, type, id, world), wires);
    const answer = await party.put(`/${type}/${id}`, resource);
    if (answer.status === 201) return;
    assert.ok(tries < 20 && /ERR_INVARIANT/.test(answer.text), `${JSON.stringify(resource)}\n${answer.text.slice(0, 600)}`);
  }
}

async function fill(party, prefix) {
  const world = Object.fromEntries(TYPES.map((t) => [t, Array.from({ length: t === 'Patient' ? PATIENTS : EACH }, (_, i) => `${prefix}${t}-${i}`)]));
  const wires = {};
  for (let i = 0; i < PATIENTS; i++) {
    const drawn = makeResource(c, 'Patient', undefined, world);
    const made = await party.create({ ...patient(region.resident(`resident-${i + 1}`)), ...drawn, identifier: [...patient(region.resident(`resident-${i + 1}`)).identifier, { system: 'urn:passport', value: `P${i}` }] });
    wires[world.Patient[i]] = made.id;
  }
  for (const type of TYPES.filter((t) => t !== 'Patient')) {
    for (const id of world[type]) await place(party, type, id, world, wires);
  }
}

before(async () => {
  if (core.skip || missing) return;
  console.log(`# seed ${SEED}, ${QUERIES} queries: TASUKI_ORACLE_SEED=${SEED}`);
  region = await Region.start({ empty: true, patients: 8 });
  a = region.party('hospital-a');
  await fill(a, 'a-');
  await fill(region.party('hospital-b'), 'b-');
  const resources = [];
  for (const type of TYPES) resources.push(...(await a.search(`/${type}?_count=1000`)).resources);
  oracle = new Oracle(loadParams(core.path, TYPES));
  oracle.load(resources);
});
after(() => region?.stop());

const address = (type, query, rest) => `/${type}?${[...query, ...rest].map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&')}`;

/** What the order of RESOURCES must be by CODE: keys that never fall, those without any last. */
function checkOrder(resources, code, descending, where) {
  const p = oracle.param(resources[0]?.resourceType, code);
  const key = (r) => {
    const entries = oracle.entries(r, code).map((e) => (p.type === 'date' ? e.lo : p.type === 'string' ? foldOf(e) : e.n)).filter((k) => k !== undefined);
    return entries.reduce((best, k) => (best === undefined || (descending ? k > best : k < best) ? k : best), undefined);
  };
  const keys = resources.map(key);
  const present = keys.filter((k) => k !== undefined);
  assert.ok(keys.slice(present.length).every((k) => k === undefined), `${where}: those without a value come last`);
  const less = (x, y) => (typeof x === 'string' ? Buffer.compare(Buffer.from(x), Buffer.from(y)) < 0 : x < y);
  for (let i = 1; i < present.length; i++) assert.ok(!(descending ? less(present[i - 1], present[i]) : less(present[i], present[i - 1])), `${where}: ${resources[i - 1].id} (${present[i - 1]}) before ${resources[i].id} (${present[i]})\n${JSON.stringify(resources[i - 1])}\n${JSON.stringify(resources[i])}`);
}

async function check(type, query, rest, sort) {
  const place = address(type, query, rest);
  const want = oracle.search(type, query).sort();
  const got = await a.search(place);
  const ids = got.resources.map((r) => r.id);
  const difference = { extra: ids.filter((id) => !want.includes(id)), missing: want.filter((id) => !ids.includes(id)), total: got.total, wanted: want.length, repeated: ids.length - new Set(ids).size };
  assert.ok(ids.length === want.length && got.total === want.length && !difference.extra.length && !difference.repeated, `${decodeURIComponent(place)}\n${JSON.stringify(difference)}`);
  if (sort && got.resources.length) checkOrder(got.resources, sort.replace(/^-/, ''), sort.startsWith('-'), decodeURIComponent(place));
  return want.length;
}

/** How often each kind of criterion was drawn: said at the end, so that one sees what was tried. */
const kinds = {};
function tally(type, key, value) {
  const p = oracle.param(type, key.split(/[:.]/)[0]);
  const kind = key.startsWith('_has:') ? '_has' : key.includes('.') ? 'chain' : key.includes(':') ? `:${/^[A-Z]/.test(key.split(':')[1]) ? '[type]' : key.split(':')[1]}` : p?.type ?? key;
  kinds[kind] = (kinds[kind] ?? 0) + 1;
  const prefix = ['date', 'number', 'quantity'].includes(kind) && /^(ne|gt|lt|ge|le|sa|eb|ap)/.exec(value);
  if (prefix) kinds[prefix[0]] = (kinds[prefix[0]] ?? 0) + 1;
}

function draw() {
  const type = c.pick(TYPES);
  const query = Array.from({ length: 1 + (c.is(0.35) ? 1 : 0) + (c.is(0.1) ? 1 : 0) }, () => makeCriterion(c, oracle, type));
  for (const [key, value] of query) tally(type, key, value);
  const rest = [];
  let sort;
  if (c.is(0.4)) rest.push(['_count', String(c.pick([1, 2, 3, 5, 7, 100]))]);
  if (c.is(0.25)) {
    const params = [...oracle.params.byType.get(type).values()].filter((p) => ['date', 'string', 'number'].includes(p.type) && !p.code.startsWith('_'));
    if (params.length) {
      sort = `${c.is(0.5) ? '-' : ''}${c.pick(params).code}`;
      rest.push(['_sort', sort]);
    }
  }
  return { type, query, rest, sort };
}

test('every query finds exactly what the second opinion finds', { skip: core.skip || missing, timeout: 1_800_000 }, async () => {
  const wrong = [];
  let found = 0;
  let some = 0;
  for (let done = 0; done < QUERIES && wrong.length < 20;) {
    const drawn = Array.from({ length: Math.min(8, QUERIES - done) }, draw);
    const results = await Promise.allSettled(drawn.map((d) => check(d.type, d.query, d.rest, d.sort)));
    for (const r of results) {
      if (r.status === 'rejected') wrong.push(r.reason.message);
      else {
        found += r.value;
        some += r.value > 0;
      }
    }
    done += drawn.length;
  }
  console.log(`# ${QUERIES} queries, ${some} found something, ${found} resources in all; ${Object.entries(kinds).sort(([, x], [, y]) => y - x).map(([k, n]) => `${k} ${n}`).join(', ')}`);
  assert.equal(wrong.length, 0, `seed ${SEED}: ${wrong.length} queries disagree\n\n${wrong.join('\n\n')}`);
});
