// SPDX-License-Identifier: Apache-2.0
//
// History of an instance, a type and everything: what entries say, times asked for, pages that join while others write, and
// that nobody reads in a history what he may not see.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { Region, assertOutcome, sleep } from './region.mjs';
import { condition, consent, observation, patient } from './resources.mjs';

const q = encodeURIComponent;
let region;
let a;
let b;
let card;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  [a, b] = [region.party('hospital-a'), region.party('hospital-b')];
  card = region.resident('resident-1').card;
  await a.create(patient(region.resident('resident-1')));
});
after(() => region?.stop());

/** All pages of a history: { total, entries, pages }. */
async function history(party, path) {
  const entries = [];
  let total;
  let pages = 0;
  for (let next = path; next; pages++) {
    const bundle = await party.read(next);
    assert.equal(bundle.type, 'history');
    total ??= bundle.total;
    entries.push(...(bundle.entry ?? []));
    next = bundle.link.find((l) => l.relation === 'next')?.url;
  }
  return { total, entries, pages };
}
const told = (entries) => entries.map((e) => `${e.request.method} ${e.request.url} ${e.response.status} ${e.response.etag}`);
const whose = (e) => e.fullUrl.split('/').slice(-2).join('/');
const version = (e) => +e.response.etag.match(/\d+/)[0];

/** Versions 1, 2, 3 and a delete marker, with the moments between them. */
async function story(party = a, extra = {}) {
  const moments = [];
  const moment = async () => { await sleep(15); moments.push(new Date().toISOString()); await sleep(15); };
  const made = await party.create(observation(card, extra));
  for (const status of ['amended', 'corrected']) {
    await moment();
    assert.equal((await party.put(`/Observation/${made.id}`, { ...made, status })).status, 200);
  }
  await moment();
  await party.del(`/Observation/${made.id}`);
  await moment();
  return { id: made.id, moments };
}

describe('of an instance', () => {
  test('a first version under an id of the client\'s own is told as PUT', async () => {
    const id = `own-${Date.now()}`;
    await a.put(`/Observation/${id}`, { ...observation(card), id });
    const { entries } = await history(a, `/Observation/${id}/_history`);
    assert.deepEqual(told(entries), [`PUT Observation/${id} 201 W/"1"`]);
  });

  test('entries say what was done, newest first', async () => {
    const { id } = await story();
    const { total, entries } = await history(a, `/Observation/${id}/_history`);
    assert.equal(total, 4);
    const url = `Observation/${id}`;
    assert.deepEqual(told(entries), [`DELETE ${url} 204 W/"4"`, `PUT ${url} 200 W/"3"`, `PUT ${url} 200 W/"2"`, `POST Observation 201 W/"1"`]);
    assert.deepEqual(entries.map((e) => e.resource?.status), [undefined, 'corrected', 'amended', 'final']);
    for (const e of entries) {
      assert.equal(e.fullUrl, `${region.urls.system}/${url}`);
      assert.ok(Date.parse(e.response.lastModified));
    }
  });

  test('_since, _at, _count and pages', async () => {
    const { id, moments } = await story();
    const versions = async (query) => (await history(a, `/Observation/${id}/_history?${query}`)).entries.map(version);
    assert.deepEqual(await versions(`_since=${q(moments[1])}`), [4, 3]);
    assert.deepEqual(await versions(`_since=${q(moments[3])}`), []);
    assert.deepEqual(await versions(`_at=${q(moments[0])}`), [1]);
    assert.deepEqual(await versions(`_at=${q(moments[2])}`), [3]);
    assert.deepEqual(await versions(`_at=${q(moments[3])}`), [4]);
    assert.deepEqual(await versions('_at=1999'), []);
    assert.deepEqual(await versions(`_at=${new Date().getFullYear()}`), [4, 3, 2, 1]);
    assert.deepEqual(await versions(`_since=${q(moments[0])}&_at=${q(moments[1])}`), [2]);
    const paged = await history(a, `/Observation/${id}/_history?_count=1`);
    assert.deepEqual(paged.entries.map(version), [4, 3, 2, 1]);
    assert.deepEqual([paged.pages, paged.total], [4, 4]);
    const counted = await a.read(`/Observation/${id}/_history?_count=0`);
    assert.deepEqual([counted.total, counted.entry], [4, undefined]);
  });

  test('what is not understood is refused', async () => {
    const { id } = await story();
    const path = `/Observation/${id}/_history`;
    assertOutcome(await a.get(`${path}?_since=yesterday`), 400, /_since/);
    assertOutcome(await a.get(`${path}?_at=1&_at=2`), 400, /_at/);
    assertOutcome(await a.get(`${path}?_sort=_lastUpdated`), 400, /_sort/);
    assertOutcome(await a.get(`${path}?_cursor=AAAA`), 400, /_cursor/);
    assertOutcome(await a.get(`/Observation/${randomUUID()}/_history`), 404);
    assertOutcome(await a.get('/AuditEvent/_history'), 405);
    assertOutcome(await a.get('/Nonsense/_history'), 404);
    const lenient = await a.read(`${path}?_sort=_lastUpdated&_count=2`, { Prefer: 'handling=lenient' });
    assert.match(lenient.link.find((l) => l.relation === 'self').url, /_history\?_count=2$/);
  });

  test('of another is not there, deleted or not', async () => {
    const { id } = await story();
    const made = await a.create(observation(card));
    assertOutcome(await b.get(`/Observation/${id}/_history`), 404);
    assertOutcome(await b.get(`/Observation/${made.id}/_history`), 404);
    assertOutcome(await b.get(`/Observation/${made.id}/_history?_since=2999`), 404);
    assert.equal((await region.party('resident-1').read(`/Observation/${id}/_history`)).total, 4, 'he saw it');
  });
});

describe('of a type and of everything', () => {
  test('only the type; every version; totals', async () => {
    const since = new Date().toISOString();
    const { id } = await story();
    const other = await a.create(condition(card));
    const observations = await history(a, `/Observation/_history?_since=${q(since)}`);
    assert.equal(observations.total, 4);
    assert.deepEqual(observations.entries.map(whose), Array(4).fill(`Observation/${id}`));
    const all = await history(a, `/_history?_since=${q(since)}`);
    assert.equal(all.total, 5);
    assert.equal(whose(all.entries[0]), `Condition/${other.id}`);
    const at = await history(a, `/_history?_since=${q(since)}&_at=${q(new Date(Date.now() + 1000).toISOString())}`);
    assert.deepEqual(at.entries.map((e) => e.request.method), ['POST', 'DELETE'], 'current ones only');
  });

  test('pages join while others write; cursors are bound', async () => {
    const since = new Date().toISOString();
    for (let i = 0; i < 7; i++) await a.create(observation(card, { value: i }));
    const path = `/Observation/_history?_since=${q(since)}&_count=2`;
    const seen = [];
    let next = path;
    let bundle;
    for (; next; next = bundle.link.find((l) => l.relation === 'next')?.url) {
      bundle = await a.read(next);
      seen.push(...bundle.entry.map((e) => e.resource.valueQuantity.value));
      await a.create(observation(card, { value: 100 }));
      assert.ok(seen.length < 100);
    }
    assert.deepEqual(seen, [6, 5, 4, 3, 2, 1, 0]);
    const second = (await a.read(path)).link.find((l) => l.relation === 'next').url;
    assertOutcome(await b.get(second), 400, /_cursor/);
    assertOutcome(await a.get(second.replace('/Observation/_history', '/_history')), 400, /_cursor/);
    assertOutcome(await a.get(second.replace('/_history', '').replace(/_since=[^&]*&/, '')), 400, /_cursor/);
  });

  test('Patients under the reader\'s id, one history for each chart he sees', async () => {
    const since = new Date().toISOString();
    const resident = region.resident('resident-2');
    const mine = await a.create(patient(resident));
    const theirs = await b.create(patient(resident));
    assert.deepEqual((await history(a, `/Patient/_history?_since=${q(since)}`)).entries.map(whose), [`Patient/${mine.id}`]);
    assert.deepEqual((await history(b, `/Patient/_history?_since=${q(since)}`)).entries.map(whose), [`Patient/${theirs.id}`]);
    const own = (await history(region.party('resident-2'), `/Patient/_history?_since=${q(since)}`)).entries;
    assert.equal(own.length, 2);
    assert.equal(new Set(own.map((e) => e.resource.id)).size, 1);
  });

  test('under the gate: no consent, no entry; deleted ones neither; with consent all of it', async () => {
    const since = new Date().toISOString();
    const { id } = await story();
    const kept = await a.create(observation(card));
    assert.equal((await history(b, `/_history?_since=${q(since)}`)).total, 0);
    const given = await region.party('resident-1').create(consent(card, { type: 'permit' }));
    const urls = (await history(b, `/Observation/_history?_since=${q(since)}`)).entries.map(whose);
    assert.ok(urls.includes(`Observation/${kept.id}`), `${urls}`);
    assert.ok(urls.includes(`Observation/${id}`), `${urls}`);
    await region.party('resident-1').del(`/Consent/${given.id}`);
    assert.equal((await history(b, `/Observation/_history?_since=${q(since)}`)).total, 0);
  });

  test('each person gets an audit row', async () => {
    const since = new Date().toISOString();
    await a.create(observation(card));
    await a.create(observation(region.resident('resident-2').card));
    await history(a, `/Observation/_history?_since=${q(since)}`);
    for (const name of ['resident-1', 'resident-2']) {
      const [event] = (await region.party(name).search('/AuditEvent?_count=5')).resources;
      assert.ok(event.subtype.some((x) => x.code === 'history-type'), JSON.stringify(event.subtype));
    }
  });
});
