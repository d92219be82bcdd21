// SPDX-License-Identifier: Apache-2.0
//
// Resources and queries drawn by chance from a seed. Values come from small pools, so that queries meet what is there;
// texts hold what escapes are for.

/** mulberry32: the same numbers for the same seed everywhere. */
export class Chance {
  constructor(seed) { this.state = seed >>> 0; }
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  int(n) { return Math.floor(this.next() * n); }
  pick(list) { return list[this.int(list.length)]; }
  is(p) { return this.next() < p; }
  some(list, max) { return Array.from({ length: this.int(max + 1) }, () => this.pick(list)); }
}

const LOINC = 'http://loinc.org';
const UCUM = 'http://unitsofmeasure.org';
const CODES = ['718-7', '8480-6', '8462-4', '2093-3', '4548-4', 'a,b', 'A-1', 'a-1', 'x$y', 'p|q'];
const SYSTEMS = [LOINC, 'urn:local', undefined];
const TEXTS = ['Hemoglobin', 'hemoglobin A1c', '血糖', 'ヘモグロビン', 'へもぐろびん', 'Blut, Zucker', 'a\\b', 'Größe'];
const FAMILIES = ['田中', '山田', 'Müller', 'MULLER', 'たなか', 'タナカ', 'ﾀﾅｶ', "O'Neil", 'de la Cruz'];
const GIVENS = ['花子', '太郎', 'Zoë', 'Jörg', 'Ann Mary', 'ハナコ'];
const CITIES = ['大阪市', '京都市', 'Köln', 'St. John, N.B.'];
const UNITS = [['mg/dL', 'mg/dL'], ['g/dL', 'g/dL'], ['mm[Hg]', 'mmHg'], ['%', '%']];
const URLS = ['http://example.org/fhir/a', 'http://example.org/fhir/a/b', 'http://example.org/fhir/ab', 'urn:oid:1.2.3'];

const concept = (c) => ({ coding: Array.from({ length: 1 + c.int(2) }, () => coding(c)), ...(c.is(0.5) && { text: c.pick(TEXTS) }) });
const coding = (c) => {
  const system = c.pick(SYSTEMS);
  return { ...(system && { system }), code: c.pick(CODES), ...(c.is(0.3) && { display: c.pick(TEXTS) }) };
};
const identifier = (c) => ({
  ...(c.is(0.8) && { system: c.pick(['urn:x:1', 'urn:x:2']) }), value: c.pick(['1', '22', 'a|b', 'A1', 'a1']),
  ...(c.is(0.4) && { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: c.pick(['PPN', 'DL']) }], ...(c.is(0.3) && { text: c.pick(TEXTS) }) } }),
});
const day = (c) => `202${c.int(3)}-${String(1 + c.int(12)).padStart(2, '0')}-${String(1 + c.int(28)).padStart(2, '0')}`;
const moment = (c) => `${day(c)}T${String(c.int(24)).padStart(2, '0')}:${String(c.int(60)).padStart(2, '0')}:${String(c.int(60)).padStart(2, '0')}${c.is(0.2) ? `.${c.int(10)}00` : ''}${c.pick(['Z', '+09:00', '-05:00'])}`;
export const date = (c) => {
  const d = day(c);
  return c.pick([d, d.slice(0, 7), d.slice(0, 4), moment(c)]);
};
const period = (c) => {
  const [from, to] = [day(c), day(c)].sort();
  const which = c.int(4);
  return { ...(which !== 1 && { start: from }), ...(which !== 2 && { end: to }) };
};
export const number = (c) => c.pick([0, 1, 5, 5.4, 5.45, 5.35, 10, 100, 99.5, 100.5, 0.25, -3, 120, 13.5, 1000]);
const quantity = (c) => {
  const [code, unit] = c.pick(UNITS);
  return { value: number(c), ...(c.is(0.9) && { unit }), ...(c.is(0.8) && { system: UCUM, code }) };
};
const name = (c) => ({ ...(c.is(0.9) && { family: c.pick(FAMILIES) }), given: [c.pick(GIVENS), ...(c.is(0.3) ? [c.pick(GIVENS)] : [])], ...(c.is(0.3) && { text: `${c.pick(FAMILIES)} ${c.pick(GIVENS)}` }) });
const address = (c) => ({ city: c.pick(CITIES), ...(c.is(0.4) && { line: ['1-2-3', c.pick(CITIES)] }), ...(c.is(0.5) && { postalCode: c.pick(['530-0001', '53']) }), ...(c.is(0.3) && { use: c.pick(['home', 'work']) }) });

/** Reference to one of the resources of TYPES there will be, or to nothing that is there. */
const to = (c, world, ...types) => {
  const type = c.pick(types);
  return { reference: type !== 'Patient' && c.is(0.05) ? `${type}/nowhere` : `${type}/${c.pick(world[type])}`, ...(c.is(0.2) && { display: c.pick(TEXTS) }) };
};
/** Reference by identifier alone, or as above. */
const loose = (c, world, ...types) => (c.is(0.15) ? { identifier: identifier(c) } : to(c, world, ...types));
const maybe = (c, p, make) => (c.is(p) ? make() : {});
const status = (c, ...all) => ({ status: c.pick(all) });

export const makers = {
  Patient: (c, w) => ({ name: [name(c), ...(c.is(0.3) ? [name(c)] : [])], gender: c.pick(['male', 'female', 'other']), birthDate: day(c), address: [address(c)],
    ...maybe(c, 0.5, () => ({ telecom: [{ system: c.pick(['phone', 'email']), value: c.pick(['0312345678', 'a@example.org']) }] })),
    ...maybe(c, 0.2, () => ({ deceasedBoolean: c.is(0.5) })), ...maybe(c, 0.5, () => ({ generalPractitioner: [to(c, w, 'Practitioner', 'Organization')] })), ...maybe(c, 0.5, () => ({ managingOrganization: to(c, w, 'Organization') })) }),
  Practitioner: (c) => ({ name: [name(c)], identifier: [identifier(c)], ...maybe(c, 0.5, () => ({ active: c.is(0.5) })), ...maybe(c, 0.5, () => ({ address: [address(c)] })) }),
  Organization: (c, w) => ({ name: c.pick(['県立大学', 'Klinik Süd', 'klinik', 'A, B']), identifier: [identifier(c)], ...maybe(c, 0.5, () => ({ type: [concept(c)] })), ...maybe(c, 0.4, () => ({ partOf: to(c, w, 'Organization') })) }),
  Location: (c, w) => ({ name: c.pick(['東病棟', '西', 'Ost']), ...maybe(c, 0.6, () => ({ managingOrganization: to(c, w, 'Organization') })), ...maybe(c, 0.5, () => ({ address: address(c) })) }),
  Encounter: (c, w) => ({ ...status(c, 'planned', 'finished'), class: coding(c), subject: to(c, w, 'Patient'), period: period(c), ...maybe(c, 0.5, () => ({ length: { ...quantity(c), comparator: undefined } })),
    ...maybe(c, 0.5, () => ({ serviceProvider: to(c, w, 'Organization') })), participant: c.some([0, 1], 2).map(() => ({ individual: loose(c, w, 'Practitioner'), ...(c.is(0.5) && { type: [concept(c)] }) })),
    location: c.some([0, 1], 2).map(() => ({ location: to(c, w, 'Location') })), identifier: c.some([0], 2).map(() => identifier(c)) }),
  Observation: (c, w) => ({ ...status(c, 'final', 'amended', 'preliminary'), code: concept(c), subject: to(c, w, 'Patient'), category: c.some([0], 2).map(() => concept(c)),
    ...c.pick([() => ({ effectiveDateTime: date(c) }), () => ({ effectivePeriod: period(c) }), () => ({ effectiveInstant: moment(c) }), () => ({ effectiveTiming: { event: [day(c), day(c)].sort() } }), () => ({})])(),
    ...c.pick([() => ({ valueQuantity: quantity(c) }), () => ({ valueCodeableConcept: concept(c) }), () => ({ valueString: c.pick(TEXTS) }), () => ({ valueDateTime: date(c) }), () => ({})])(),
    component: c.some([0], 2).map(() => ({ code: concept(c), ...c.pick([() => ({ valueQuantity: quantity(c) }), () => ({ valueCodeableConcept: concept(c) }), () => ({})])() })),
    performer: c.some([0], 2).map(() => loose(c, w, 'Practitioner', 'Organization')), ...maybe(c, 0.4, () => ({ encounter: to(c, w, 'Encounter') })),
    hasMember: c.some([0], 1).map(() => to(c, w, 'Observation')), ...maybe(c, 0.3, () => ({ method: concept(c) })), identifier: c.some([0], 2).map(() => identifier(c)) }),
  Condition: (c, w) => ({ code: concept(c), subject: to(c, w, 'Patient'), ...c.pick([() => ({ onsetDateTime: date(c) }), () => ({ onsetPeriod: period(c) }), () => ({ onsetString: c.pick(TEXTS) }), () => ({})])(),
    ...maybe(c, 0.5, () => ({ recordedDate: date(c) })), ...maybe(c, 0.5, () => ({ recorder: to(c, w, 'Practitioner') })), ...maybe(c, 0.4, () => ({ encounter: to(c, w, 'Encounter') })), bodySite: c.some([0], 1).map(() => concept(c)) }),
  DiagnosticReport: (c, w) => ({ ...status(c, 'final', 'partial'), code: concept(c), subject: to(c, w, 'Patient'), result: c.some([0], 3).map(() => to(c, w, 'Observation')), ...maybe(c, 0.6, () => ({ issued: moment(c) })),
    ...c.pick([() => ({ effectiveDateTime: date(c) }), () => ({ effectivePeriod: period(c) }), () => ({})])() }),
  Procedure: (c, w) => ({ ...status(c, 'completed', 'in-progress'), code: concept(c), subject: to(c, w, 'Patient'), performer: c.some([0], 2).map(() => ({ actor: to(c, w, 'Practitioner', 'Organization') })),
    ...c.pick([() => ({ performedDateTime: date(c) }), () => ({ performedPeriod: period(c) }), () => ({})])(), ...maybe(c, 0.3, () => ({ location: to(c, w, 'Location') })) }),
  MedicationRequest: (c, w) => ({ ...status(c, 'active', 'stopped'), intent: c.pick(['order', 'plan']), medicationCodeableConcept: concept(c), subject: to(c, w, 'Patient'), ...maybe(c, 0.7, () => ({ authoredOn: date(c) })),
    ...maybe(c, 0.5, () => ({ requester: to(c, w, 'Practitioner', 'Organization') })), ...maybe(c, 0.5, () => ({ dosageInstruction: [{ timing: { event: [moment(c)] } }] })) }),
  RiskAssessment: (c, w) => ({ status: 'final', subject: to(c, w, 'Patient'), prediction: [{ probabilityDecimal: c.pick([0, 0.25, 0.3, 0.349, 0.35, 1]) }], ...maybe(c, 0.5, () => ({ method: concept(c) })), ...maybe(c, 0.5, () => ({ occurrenceDateTime: date(c) })) }),
  Immunization: (c, w) => ({ ...status(c, 'completed', 'not-done'), vaccineCode: concept(c), patient: to(c, w, 'Patient'), occurrenceDateTime: date(c), ...maybe(c, 0.6, () => ({ lotNumber: c.pick(['L1', 'l12', 'Ｌ３']) })),
    reaction: c.some([0], 2).map(() => ({ date: date(c), detail: to(c, w, 'Observation') })) }),
  ValueSet: (c) => ({ ...status(c, 'active', 'draft'), url: c.pick(URLS), version: c.pick(['1', '2.0']), name: c.pick(['Alpha', 'alphaBeta', 'Beta']), title: c.pick(TEXTS),
    useContext: c.some([0], 2).map(() => ({ code: { system: 'http://terminology.hl7.org/CodeSystem/usage-context-type', code: c.pick(['age', 'focus']) }, ...c.pick([() => ({ valueQuantity: quantity(c) }), () => ({ valueCodeableConcept: concept(c) })])() })),
    ...maybe(c, 0.5, () => ({ date: date(c) })) }),
  QuestionnaireResponse: (c, w) => ({ ...status(c, 'completed', 'amended'), questionnaire: `${c.pick(URLS.slice(0, 3))}${c.is(0.4) ? '|1' : ''}`, subject: to(c, w, 'Patient'), authored: moment(c), ...maybe(c, 0.5, () => ({ author: to(c, w, 'Practitioner') })) }),
};

/** R4 knows no empty arrays. */
const tidy = (value) => JSON.parse(JSON.stringify(value, (_, v) => (Array.isArray(v) && v.length === 0 ? undefined : v)));

export function makeResource(c, type, id, world) {
  const meta = { ...maybe(c, 0.2, () => ({ tag: [coding(c)] })), ...maybe(c, 0.2, () => ({ profile: [c.pick(URLS)] })) };
  return tidy({ resourceType: type, ...(id && { id }), ...(Object.keys(meta).length && { meta }), ...makers[type](c, world) });
}

// ── queries ──────────────────────────────────────────────────────────────────────────────────────

const escape = (text) => String(text).replace(/[\\,$|]/g, (m) => `\\${m}`);
const PREFIXES = ['', '', '', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb'];
const part = (c, text) => text.slice(0, 1 + c.int([...text].length)).trim() || text.trim() || 'x';
const isoOf = (ms) => new Date(ms).toISOString();

/** Values as a query says them, made from an entry that some resource has. */
const sayers = {
  token(c, e) {
    if (!('code' in e)) return undefined;
    const code = escape(c.is(0.1) ? e.code.toUpperCase() : e.code ?? '');
    if (e.bare) return code;
    return c.pick([code, `${escape(e.system ?? '')}|${code}`, ...(e.system ? [`${escape(e.system)}|`, `|${code}`] : [])]);
  },
  string: (c, e) => escape(c.pick([e.raw, part(c, e.raw), e.raw.toUpperCase(), c.pick(FAMILIES)])).trim() || undefined,
  date(c, e) {
    const at = Number.isFinite(e.lo) ? e.lo : Number.isFinite(e.hi) ? e.hi - 1 : Date.UTC(2021, 5);
    const local = isoOf(at + 9 * 3600_000);
    return c.pick(PREFIXES) + c.pick([local.slice(0, 4), local.slice(0, 7), local.slice(0, 10), isoOf(at).replace(/\.000Z/, 'Z'), `${local.slice(0, 19)}+09:00`, date(c)]);
  },
  number: (c, e) => c.pick([...PREFIXES, 'ap']) + c.pick([String(e.n / 1e6), (e.n / 1e6).toFixed(1), (e.n / 1e6).toFixed(2), String(number(c)), String(Math.round(e.n / 1e6))]),
  quantity(c, e) {
    const n = sayers.number(c, e);
    return c.pick([n, n, `${n}||${escape(e.code ?? e.unit ?? 'x')}`, ...(e.system ? [`${n}|${escape(e.system)}|${escape(e.code)}`, `${n}|${escape(e.system)}|`] : [])]);
  },
  uri: (c, e) => escape(c.is(0.7) ? e.uri : c.pick(URLS)),
  reference(c, e) {
    if (e.url) return escape(c.is(0.5) ? e.url : e.url.split('|')[0]);
    return e.reference ? c.pick([e.reference, e.reference, e.reference.split('/')[1]]) : undefined;
  },
};

/** [modifier, value] said from entry E, or undefined. */
function say(c, p, e) {
  const roll = c.next();
  if (roll < 0.06) return ['missing', c.pick(['true', 'false'])];
  if (p.type === 'string' && roll < 0.3) return c.pick([['exact', escape(e.raw)], ['contains', escape(part(c, e.raw.slice(c.int(e.raw.length))))]]);
  if (p.type === 'token') {
    if (e.text !== undefined) return ['text', escape(part(c, e.text))];
    if (e.typed) return ['of-type', [e.typed.system, e.typed.code, e.value].map(escape).join('|')];
    if (roll < 0.2) return ['not', sayers.token(c, e)];
  }
  if (p.type === 'uri' && roll < 0.5) return [c.pick(['above', 'below']), escape(c.pick(URLS.slice(0, 3)))];
  if (p.type === 'reference') {
    if (e.identifier) return ['identifier', c.pick([escape(e.identifier.code), `${escape(e.identifier.system ?? '')}|${escape(e.identifier.code)}`])];
    if (e.text !== undefined) return ['text', escape(part(c, e.text))];
    if (e.reference && roll < 0.2) return [e.reference.split('/')[0], e.reference.split('/')[1]];
  }
  return ['', sayers[p.type](c, e)];
}

/** One criterion for TYPE: [key, value]. */
export function makeCriterion(c, oracle, type, depth = 0) {
  const params = [...oracle.params.byType.get(type).values()].filter((p) => !['_text', '_content', '_id', '_lastUpdated', '_security', '_source', '_query'].includes(p.code));
  const rare = params.filter((p) => ['quantity', 'number', 'composite', 'uri'].includes(p.type));
  const pool = oracle.resources.filter((r) => r.resourceType === type);
  for (let tries = 0; tries < 200; tries++) {
    if (depth < 2 && c.is(0.15)) {
      const link = makeLink(c, oracle, type, depth);
      if (link) return link;
    }
    if (c.is(0.02)) return ['_id', [c.pick(pool).id, ...(c.is(0.5) ? [c.pick(pool).id] : [])].join(',')];
    if (c.is(0.02)) return ['_lastUpdated', `${c.pick(['ge', 'lt', 'gt', 'le', 'ne', ''])}${c.pick(pool).meta.lastUpdated}`];
    const p = c.pick(c.is(0.35) && rare.length ? rare : params);
    const from = c.pick(pool);
    if (p.type === 'composite') {
      const group = c.pick(oracle.groups(from, p));
      if (c.is(0.05)) return [`${p.code}:missing`, c.pick(['true', 'false'])];
      if (!group || group.some((g) => g.length === 0)) continue;
      const said = group.map((g, i) => sayers[oracle.params.byUrl.get(p.component[i].definition).type](c, c.pick(g)));
      if (said.every(Boolean)) return [p.code, said.join('$')];
      continue;
    }
    const entries = oracle.entries(from, p.code);
    if (!entries.length) {
      if (c.is(0.03)) return [`${p.code}:missing`, c.pick(['true', 'false'])];
      continue;
    }
    const [modifier, value] = say(c, p, c.pick(entries)) ?? [];
    if (!value) continue;
    const more = modifier !== 'missing' && c.is(0.2) ? say(c, p, c.pick(entries)) : undefined;
    return [modifier ? `${p.code}:${modifier}` : p.code, more && more[0] === modifier && more[1] ? `${value},${more[1]}` : value];
  }
  return ['_id', c.pick(pool).id];
}

/** A chain or a reverse chain from TYPE. */
function makeLink(c, oracle, type, depth) {
  const from = c.pick(oracle.resources.filter((r) => r.resourceType === type));
  if (c.is(0.6)) {
    const params = [...oracle.params.byType.get(type).values()].filter((p) => p.type === 'reference' && oracle.refers(from, p.code).length);
    if (!params.length) return undefined;
    const p = c.pick(params);
    const target = c.pick(oracle.refers(from, p.code)).split('/')[0];
    if (!oracle.types.includes(target)) return undefined;
    const [key, value] = makeCriterion(c, oracle, target, depth + 1);
    return [`${p.code}${c.is(0.6) ? `:${target}` : ''}.${key}`, value];
  }
  const holders = oracle.resources.filter((r) => oracle.referrers(r).some(([, ref]) => ref === `${type}/${from.id}`));
  if (!holders.length) return undefined;
  const holder = c.pick(holders);
  const [code] = c.pick(oracle.referrers(holder).filter(([, ref]) => ref === `${type}/${from.id}`));
  const [key, value] = makeCriterion(c, oracle, holder.resourceType, depth + 1);
  return [`_has:${holder.resourceType}:${code}:${key}`, value];
}
