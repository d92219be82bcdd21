// SPDX-License-Identifier: Apache-2.0
//
// From a resource back to the message: its Provenance names the bytes and the segments, is seen by whom the resource is seen, and
// goes with it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Region, sql, tasuki } from './region.mjs';
import { Sender, ackCode } from './mllp.mjs';

const q = encodeURIComponent;
let region;
let a;
let b;
let sender;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  a = region.party('hospital-a');
  b = region.party('hospital-b');
  sender = await Sender.open(region.ports.mllp);
});
after(async () => {
  sender?.socket?.destroy();
  await region?.stop();
});

const sha = (text) => createHash('sha256').update(Buffer.from(text)).digest('hex').toLowerCase();
const message = (type, control, rest) => [`MSH|^~\\&|LAB|SEND|GW|RCV|20261101120000||${type}|${control}|P|2.5||||||UNICODE UTF-8`, 'PID|1||P900^^^^PI||YAMADA^TARO^^^^^L^A||19650415|M', ...rest].join('\r').concat('\r');
const lab = (control, value, order = 'RE') => message('ORU^R01^ORU_R01', control, [
  `ORC|${order}|ORD900`, 'OBR|1|ORD900||CH^chemistry^99XYZ|||20261030090000|||||||||||||||||||F',
  ...[1, 2, 3, 4, 5].map((n) => `OBX|${n}|NM|I${n}^item ${n}^99XYZ||${value + n}|mg/dL^mg/dL^ISO+|1-100||||F|||20261030090000`)]);
const send = async (text) => ackCode((await sender.send(text)).toString());
const of = async (party, type, query) => (await party.search(`/${type}?${query}`)).resources.filter((r) => r.resourceType === type);
const patient = () => `patient.identifier=${q(region.localSystem('hospital-a'))}%7CP900`;
const observations = (party) => of(party, 'Observation', patient());
const about = (party, target) => of(party, 'Provenance', `target=${target}`);

describe('a mapped result', () => {
  test('leads to the bytes and the segment', async () => {
    const text = lab('L1', 10);
    assert.equal(await send(text), 'AA');
    const found = await observations(a);
    assert.equal(found.length, 5);
    const item = found.find((o) => o.code.coding[0].code === 'I3');
    const [provenance, ...more] = await about(a, `Observation/${item.id}`);
    assert.equal(more.length, 0, 'one for the message\'s results');
    const digest = provenance.entity[0].what.identifier.value.toLowerCase();
    assert.equal(digest, sha(text));
    const original = tasuki('intake', 'original', digest, '--facility', 'hospital-a', '--dir', region.dir);
    assert.ok(original.out.includes('OBX|3|NM|I3^item 3'));
    const at = provenance.target.findIndex((t) => t.reference.endsWith(item.id));
    const lines = provenance.extension[0].valueString.split(';')[at].split(',').map(Number);
    assert.ok(lines.some((n) => text.split('\r')[n - 1].startsWith('OBX|3|')));
    assert.equal(provenance.recorded, '2026-11-01T12:00:00+09:00');
  });

  test('keeps one Provenance when it is corrected or sent again', async () => {
    const [item] = await observations(a);
    const [before_] = await about(a, `Observation/${item.id}`);
    assert.equal(await send(lab('L1', 10)), 'AA');
    assert.equal((await about(a, `Observation/${item.id}`))[0].meta.versionId, before_.meta.versionId, 'a repeat changes nothing');
    const text = lab('L2', 20);
    assert.equal(await send(text), 'AA');
    const [after_, ...more] = await about(a, `Observation/${item.id}`);
    assert.equal(more.length, 0);
    assert.equal(after_.id, before_.id);
    assert.equal(after_.entity[0].what.identifier.value.toLowerCase(), sha(text));
  });

  test('is told to nobody who may not see the result', async () => {
    const [item] = await observations(a);
    assert.deepEqual(await observations(b), []);
    assert.deepEqual(await about(b, `Observation/${item.id}`), []);
  });

  test('costs little', () => {
    const [row] = sql(region, `SELECT count(*) AS n, sum(length(body) + length(facets)) AS bytes FROM record WHERE type = 'Provenance' AND deleted = 0`);
    const [rest] = sql(region, `SELECT count(*) AS n, sum(length(body) + length(facets)) AS bytes FROM record WHERE type <> 'Provenance' AND deleted = 0`);
    console.log(`${row.n} Provenances in ${row.bytes} bytes, beside ${rest.n} records in ${rest.bytes}`);
    assert.ok(row.bytes / row.n < 600, `${row.bytes / row.n} bytes for one`);
  });

  test('takes it along when it is withdrawn', async () => {
    const [item] = await observations(a);
    const [provenance] = await about(a, `Observation/${item.id}`);
    assert.equal(await send(lab('L3', 20, 'OC')), 'AA');
    assert.deepEqual(await observations(a), []);
    assert.equal((await a.get(`/Provenance/${provenance.id}`)).status, 410);
  });
});

describe('other messages', () => {
  test('an appointment, a document and a vaccination are stored and found', async () => {
    assert.equal(await send(message('SIU^S12^SIU_S12', 'S1', ['SCH|AP1||||||CHK|ROUTINE|30|min', 'AIS|1|A|CT^chest^99XYZ|20261210093000'])), 'AA');
    assert.equal(await send(message('MDM^T02^MDM_T02', 'M1', ['TXA|1|DS^summary^99XYZ|TX|20261030150000||20261030160000||||||DOC1|||||AU', 'OBX|1|TX|N^note^99XYZ||all is well||||||F'])), 'AA');
    assert.equal(await send(message('VXU^V04^VXU_V04', 'V1', ['ORC|RE|V1', 'RXA|0|1|20261025|20261025|08^vaccine^CVX|0.5|mL^mL^UCUM||00^new^NIP001||||||LOT1|||||CP|A'])), 'AA');
    for (const type of ['Appointment', 'DocumentReference', 'Immunization']) {
      assert.equal((await of(a, type, patient())).length, 1, type);
    }
    const [document] = await of(a, 'DocumentReference', patient());
    const binary = await a.read(`/${document.content[0].attachment.url}`, { Accept: 'application/fhir+json' });
    assert.equal(Buffer.from(binary.data, 'base64').toString(), 'all is well\n');
  });
});
