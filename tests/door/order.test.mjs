// SPDX-License-Identifier: Apache-2.0
//
// Messages do not arrive in the order they were written in: lines stall, engines send again, operators replay. Whatever the order of an
// original, its corrections, its cancellation and repeats of them, what is on record at the end is what the newest message says
// (decision 0009). Every order of each story is tried on a patient of its own; the story in its own order says what must come out.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LOCAL, Region, sql } from './region.mjs';
import { Sender, ackCode } from './mllp.mjs';

let region;
let hospital;
let line;
let serial = 0;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  hospital = region.party('hospital-a');
  line = await Sender.open(region.ports.mllp);
});
after(async () => {
  line?.close();
  await region?.stop();
});

/** A message of TYPE about patient NUMBER, written at minute T of one morning. */
function message(type, number, t, segments, { sender = 'HIS', control = `O${++serial}` } = {}) {
  const at = `2026010109${String(t).padStart(2, '0')}00`;
  return [`MSH|^~\\&|${sender}|H1|GW|TASUKI|${at}||${type}|${control}|P|2.5||||||UNICODE UTF-8`,
    ...(type.startsWith('ADT') ? [`EVN||${at}`] : []),
    `PID|1||${number}^^^^PI||YAMADA^TARO^^^^^L^A||19650415|M`, ...segments, ''].join('\r');
}

/** All orders of ITEMS. */
const orders = (items) => (items.length < 2 ? [items] : items.flatMap((item, i) => orders(items.toSpliced(i, 1)).map((rest) => [item, ...rest])));

async function send(text) {
  const answer = await line.send(text);
  assert.equal(ackCode(answer), 'AA', `${text}\n${answer}`);
}

/** What is on record of patient NUMBER: the resources of TYPES without what differs from patient to patient. */
async function state(number, types, show) {
  const found = [];
  for (const type of types) {
    const { resources } = await hospital.search(`/${type}?patient.identifier=${encodeURIComponent(`${LOCAL}${region.facility('hospital-a').code}|${number}`)}`);
    for (const resource of resources) found.push(`${type} ${show(resource)}`);
  }
  return found.sort();
}

/** STEPS: functions of the patient's number that give a message. Each order must end as the steps in their own order do. */
async function anyOrder(name, steps, types, show) {
  const want = await (async () => {
    for (const step of steps) await send(step(`${name}-0`));
    return state(`${name}-0`, types, show);
  })();
  let n = 0;
  for (const order of orders(steps.map((_, i) => i))) {
    const number = `${name}-${++n}`;
    for (const i of order) await send(steps[i](number));
    assert.deepEqual(await state(number, types, show), want, `order ${order}`);
  }
  return want;
}

const result = (t, status, value, more = {}) => (number) => message('ORU^R01^ORU_R01', number, t, [
  `ORC|${more.control ?? 'RE'}|R-${number}`,
  `OBR|1|R-${number}||CBC^Blood count^99LAB|||20260101080000||||||||||||||||||${more.report ?? status}`,
  `OBX|1|NM|HB^Haemoglobin^99LAB||${value}|g/dl^g/dl^99XYZ|||||${status}|||20260101080000`,
  ...(more.second ? [`OBX|2|NM|WBC^White cells^99LAB||${more.second}|/ul^/ul^99XYZ|||||F|||20260101080000`] : []),
], more);
const observation = (o) => `${o.code.coding[0].code} ${o.status} ${o.valueQuantity?.value ?? '-'}`;

describe('any order ends as the newest message says', () => {
  test('a result, its correction, both again', async () => {
    const want = await anyOrder('RC', [result(1, 'F', 12.1, { second: 5000 }), result(2, 'C', 11.1, { second: 5000 }), result(2, 'C', 11.1, { second: 5000 }), result(1, 'F', 12.1, { second: 5000 })], ['Observation'], observation);
    // in its own order the last step is the original once more: late, so the correction stands
    assert.deepEqual(want, ['Observation HB corrected 11.1', 'Observation WBC final 5000']);
  });

  for (const [code, left] of [['D', ['Observation WBC final 5000']], ['X', ['Observation HB cancelled -', 'Observation WBC final 5000']], ['W', ['Observation HB entered-in-error 13', 'Observation WBC final 5000']]]) {
    test(`a result, its correction, OBX-11 ${code}, and the original once more`, async () => {
      const want = await anyOrder(`R${code}`, [result(1, 'F', 12.1, { second: 5000 }), result(2, 'C', 11.1, { second: 5000 }), result(3, code, code === 'W' ? 13 : '', { second: 5000 }), result(1, 'F', 12.1, { second: 5000 })], ['Observation'], observation);
      assert.deepEqual(want, left);
    });
  }

  for (const control of ['CA', 'OC', 'DC']) {
    test(`results taken back with ORC-1 ${control}`, async () => {
      const want = await anyOrder(`T${control}`, [result(1, 'P', 12.1), result(2, 'F', 12), result(3, 'F', 12, { control })], ['Observation', 'DiagnosticReport'], (r) => r.status);
      assert.deepEqual(want, []);
    });
  }

  test('a report corrected and cancelled by OBR-25 alone', async () => {
    const want = await anyOrder('RR', [result(1, 'F', 12.1), result(2, 'F', 11.1, { report: 'C' }), result(3, 'X', '', { report: 'X' })], ['DiagnosticReport'], (r) => r.status);
    assert.deepEqual(want, ['DiagnosticReport cancelled']);
  });

  const order = (t, control, code = 'CBC') => (number) => message('OML^O21^OML_O21', number, t, [`ORC|${control}|Q-${number}`, `OBR|1|Q-${number}||${code}^Test^99LAB`]);
  for (const [control, status] of [['CA', 'revoked'], ['DC', 'revoked'], ['OC', 'revoked'], ['HD', 'on-hold']]) {
    test(`an order, changed, then ORC-1 ${control}, and the original once more`, async () => {
      const want = await anyOrder(`Q${control}`, [order(1, 'NW'), order(2, 'XO'), order(3, control), order(1, 'NW')], ['ServiceRequest'], (r) => r.status);
      assert.deepEqual(want, [`ServiceRequest ${status}`]);
    });
  }

  test('a prescription of two drugs, cut to one, then discontinued', async () => {
    const drugs = (t, control, codes) => (number) => message('RDE^O11^RDE_O11', number, t, codes.flatMap((code, i) => [`ORC|${control}|X-${number}||${i + 1}`, `RXE||${code}^Drug^HOT9|1||TAB^T^MR9P`, 'TQ1|1', 'RXR|PO^P^HL70162']));
    const want = await anyOrder('RX', [drugs(1, 'NW', ['100000001', '100000002']), drugs(2, 'XO', ['100000001']), drugs(3, 'DC', ['100000001'])], ['MedicationRequest'], (r) => `${r.medicationCodeableConcept.coding[0].code} ${r.status}`);
    assert.deepEqual(want, ['MedicationRequest 100000001 stopped']);
  });

  test('PPR^ZD1 replaces the whole list of diagnoses', async () => {
    const list = (t, codes) => (number) => message('PPR^ZD1^PPR_ZD1', number, t, codes.flatMap((c) => [`PRB|AD|20260101|${c}^D${c}^MDCDX2|${c}|||20251201||||I10^^I10||||||20251201`, `ZPR|1|${c}^D${c}^MDCDX2`]));
    const want = await anyOrder('PP', [list(1, ['20054174']), list(2, ['20054174', '20061506']), list(3, ['20061506']), list(2, ['20054174', '20061506'])], ['Condition'], (r) => r.code.coding[0].code);
    assert.deepEqual(want.length, 1);
  });

  test('ADT^A60 replaces the whole list of allergies', async () => {
    const list = (t, codes) => (number) => message('ADT^A60^ADT_A60', number, t, codes.map((c, i) => `IAM|${i + 1}|DA^Drug^HL70127|${c}^A${c}^99XYZ|MI^mild^HL70128||A^add^HL70323`));
    const want = await anyOrder('AL', [list(1, ['1', '2']), list(2, ['2', '3']), list(3, ['3'])], ['AllergyIntolerance'], (r) => r.code.coding[0].code);
    assert.ok(want.length >= 1);
  });

  test('a stay: admitted, moved, discharged, the discharge taken back', async () => {
    const stay = (t, trigger, place, end = '') => (number) => message(`ADT^${trigger}^ADT_${trigger}`, number, t, [`PV1|1|I|${place}||||||||||||||||${`V-${number}`}${'|'.repeat(25)}20260101080000|${end}`]);
    const show = (r) => `${r.status} ${r.location?.[0].location.display} ${r.period?.end ?? 'open'}`;
    const want = await anyOrder('EN', [stay(1, 'A01', '3E^301'), stay(2, 'A02', '4W^401'), stay(3, 'A03', '4W^401', '20260101090300'), stay(4, 'A13', '4W^401')], ['Encounter'], show);
    assert.deepEqual(want, ['Encounter in-progress 4W-401 open']);
    const gone = await anyOrder('EC', [stay(1, 'A01', '3E^301'), stay(2, 'A11', '3E^301'), stay(1, 'A01', '3E^301')], ['Encounter'], show);
    assert.deepEqual(gone, ['Encounter cancelled 3E-301 open']);
  });

  test('a patient\'s own data', async () => {
    const basic = (t, name) => (number) => message('ADT^A08^ADT_A01', number, t, ['PV1|1|O']).replace('YAMADA^TARO', name);
    for (const o of orders([basic(1, 'YAMADA^TARO'), basic(2, 'SUZUKI^TARO'), basic(3, 'SATO^TARO')])) {
      const number = `BD-${++serial}`;
      for (const step of o) await send(step(number));
      const found = await hospital.search(`/Patient?identifier=${encodeURIComponent(`${LOCAL}${region.facility('hospital-a').code}|${number}`)}`);
      assert.equal(found.resources[0].name[0].family, 'SATO');
    }
  });
});

describe('what is compared', () => {
  const value = async (number) => (await state(number, ['Observation'], observation))[0];

  test('a clock that runs ahead does not lock a sender out, nor does another sender\'s clock', async () => {
    await send(result(1, 'F', 10)('CL-1').replace('20260101090100||ORU', '20991231235959||ORU'));
    const later = new Date(Date.now() + 9 * 3_600_000 + 1000).toISOString().replace(/[-T:]|\..*/g, '').slice(0, 14);
    await send(result(2, 'C', 11)('CL-1').replace('20260101090200||ORU', `${later}||ORU`));
    assert.equal(await value('CL-1'), 'Observation HB corrected 11');
    await send(result(5, 'F', 10, { sender: 'LIS-A' })('CL-2'));
    await send(result(1, 'C', 11, { sender: 'LIS-B' })('CL-2'));
    assert.equal(await value('CL-2'), 'Observation HB corrected 11');
  });

  test('a late message is acknowledged, kept and audited as older', async () => {
    await send(result(2, 'C', 11)('LA-1'));
    await send(result(1, 'F', 10)('LA-1'));
    assert.equal(await value('LA-1'), 'Observation HB corrected 11');
    assert.equal(sql(region, "SELECT reason FROM audit WHERE event = 'intake' ORDER BY seq DESC LIMIT 1")[0].reason, 'older');
  });
});
