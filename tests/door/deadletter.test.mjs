// SPDX-License-Identifier: Apache-2.0
//
// Dead letters: what a door refused is listed, shown as text, bytes and tree with the finding at its place, and filed again, as it
// came or corrected, beside the running server. Every attempt stays and is audited; nothing is filed twice.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Region, sql, tasuki } from './region.mjs';
import { Sender, ackCode } from './mllp.mjs';

let region;
before(async () => { region = await Region.start({ empty: true, patients: 8 }); });
after(() => region?.stop());

const here = (...words) => tasuki(...words, '--dir', region.dir, '--lang=en');
const listed = (...words) => {
  const ran = here('intake', 'rejected', '--json', ...words);
  assert.equal(ran.code, 0, ran.err);
  return JSON.parse(ran.out);
};
const message = (number, control, family = 'YAMADA', set = 'UNICODE UTF-8') => [
  `MSH|^~\\&|HIS|DEAD|GW|RCV|20260101120000||ADT^A08^ADT_A01|${control}|P|2.5||||||${set}`,
  'EVN||20260101120000', `PID|0001||${number}^^^^PI||${family}^太郎^^^^^L^I||19650415|M`, 'PV1|0001|O', '',
].join('\r');
const refuse = async (bytes, code = 'AE') => {
  const sender = await Sender.open(region.ports.mllp);
  const ack = await sender.send(bytes);
  sender.close();
  assert.equal(ackCode(ack), code);
  return ack;
};
const byName = (name, ...words) => listed(...words).find((row) => row.name === name);
const file = (name, bytes) => { const path = join(region.dir, name); writeFileSync(path, bytes); return path; };
const known = (number) => here('patient', 'show', '--facility', 'hospital-a', '--local', number).code === 0;

describe('a message without its patient', () => {
  let id;

  test('is listed with its facility and reason', async () => {
    await refuse(message('', 'D-1'));
    const row = byName('D-1');
    assert.equal(row.facility, 'hospital-a');
    assert.equal(row.code, 'ERR_REQUIRED');
    assert.equal(row.replays, '0');
    assert.equal(row.filed, '');
    id = row.id;
    assert.deepEqual(listed('--reason', 'ERR_CONFLICT'), []);
    assert.ok(listed('--reason', 'ERR_REQUIRED', '--facility', 'hospital-a').some((r) => r.id === id));
    assert.equal(here('intake', 'rejected', '--reason', 'ERR_NEVER').code, 2);
  });

  test('is shown as text, as bytes and taken apart', () => {
    const show = (...words) => here('intake', 'show', id, '--facility', 'hospital-a', ...words);
    assert.match(show().out, /^PID\|0001\|\|\^\^\^\^PI\|\|YAMADA\^太郎/m);
    assert.equal(show('--decoded').out, show().out);
    assert.equal(show('--raw').out, message('', 'D-1'));
    const tree = show('--tree').out;
    assert.match(tree, /^MSH\[1\] {2}メッセージヘッダ \/ Message Header\n/);
    assert.match(tree, /^ {2}PID-5 {2}患者氏名 \/ Patient Name\n {6}\.1 +YAMADA\n {6}\.2 +太郎\n/m);
    assert.match(tree, /^ {2}PID-3 {2}患者IDリスト \/ Patient Identifier List\n {4}>>> PID\[1\]-3 ERR_REQUIRED: the patient identifier is missing\n {6}\.5 +PI\n/m);
    assert.equal(tree.match(/>>>/g).length, 1);
    assert.equal(show('--raw', '--tree').code, 2);
    assert.equal(here('intake', 'show', id, '--facility', 'hospital-b', '--tree').code, 4);
  });

  test('as it came it is refused again, and the attempt is kept', () => {
    const ran = here('intake', 'replay', id);
    assert.equal(ran.code, 3);
    assert.match(ran.out, new RegExp(`^${id} refused`));
    assert.match(ran.err, /0 filed, 1 refused/);
    assert.equal(byName('D-1').replays, '1');
  });

  test('corrected wrongly it is refused for the new reason, its own stays', () => {
    const ran = here('intake', 'replay', id, '--edit', file('wrong.hl7', message('N1', 'D-1').replace('|P|2.5', '|P|9.9')));
    assert.notEqual(ran.code, 0);
    assert.equal(byName('D-1').code, 'ERR_REQUIRED');
    assert.match(here('intake', 'show', id, '--facility', 'hospital-a', '--tree').out, /ERR_REQUIRED PID\[1\]-3.*\n.*ERR_VERSION MSH-12/);
  });

  test('corrected it is filed, on behalf of its facility, and waits no longer', async () => {
    assert.equal(known('DEAD-1'), false);
    const ran = here('intake', 'replay', id, '--edit', file('right.hl7', message('DEAD-1', 'D-1')));
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, new RegExp(`^${id} filed`));
    assert.equal(known('DEAD-1'), true);
    assert.equal(byName('D-1'), undefined);
    const row = byName('D-1', '--all');
    assert.equal(row.replays, '3');
    assert.match(row.filed, /^20/);
    assert.equal(here('intake', 'replay', id).code, 4);
    const audit = sql(region, `SELECT actor, door, outcome, person IS NOT NULL AND person > 0 AS person, reason FROM audit WHERE event = 'intake-replay' ORDER BY seq`);
    assert.equal(audit.length, 3);
    assert.deepEqual(audit[2], { actor: 'hospital-a', door: 'command', outcome: 0, person: 1, reason: `quarantine:${id}` });
    const patient = (await region.party('hospital-a').search('/Patient?family=YAMADA')).resources;
    assert.equal(patient.length, 1);
  });

  test('the sender sending the corrected message itself gets AA and no second effect', async () => {
    await refuse(message('DEAD-1', 'D-1'), 'AA');
    assert.equal((await region.party('hospital-a').search('/Patient?family=YAMADA')).total, 1);
  });

  test('sending the wrong one once more makes it wait again', async () => {
    await refuse(message('', 'D-1'));
    assert.equal(byName('D-1').id, id);
    assert.equal(byName('D-1').replays, '3');
  });
});

describe('a message in the wrong character set', () => {
  test('cannot be taken apart: the finding stands under its line; corrected by its bytes it is filed', async () => {
    const bytes = Buffer.concat([Buffer.from(message('DEAD-2', 'D-2', 'X', 'UNICODE UTF-8').replace('太郎', '')), Buffer.from('NTE|1||'), Buffer.from([0xe9, 0x0d])]);
    await refuse(bytes, 'AR');
    const { id } = byName('D-2');
    const tree = here('intake', 'show', id, '--facility', 'hospital-a', '--tree');
    assert.match(tree.out, /^NTE\|1\|\|<E9>\n>>> NTE\[1\]-3 ERR_CHARSET: /m);
    const raw = here('intake', 'show', id, '--facility', 'hospital-a', '--raw');
    assert.equal(raw.code, 0);
    const edit = file('latin.hl7', Buffer.from(bytes.toString('latin1').replace('UNICODE UTF-8', '8859/1'), 'latin1'));
    assert.equal(here('intake', 'replay', id, '--edit', edit).code, 0);
    assert.equal(known('DEAD-2'), true);
  });
});

describe('many at once', () => {
  test('by reason and by facility, oldest first; one that is still wrong stops nothing', async () => {
    for (let i = 0; i < 5; i++) await refuse(message('', `D-M${i}`));
    const ran = here('intake', 'replay', '--reason', 'ERR_REQUIRED', '--facility', 'hospital-a');
    assert.equal(ran.code, 3);
    const ids = ran.out.trim().split('\n').map((l) => Number(l.split(' ')[0]));
    assert.deepEqual(ids, [...ids].sort((a, b) => a - b));
    assert.ok(ids.length >= 5);
    assert.equal(here('intake', 'replay', '--facility', 'hospital-b').code, 0);
    assert.equal(here('intake', 'replay', '--facility', 'nobody').code, 4);
  });

  const send = async (bytes) => {
    const line = await Sender.open(region.ports.mllp);
    const ack = await line.send(bytes);
    line.close();
    return ackCode(ack);
  };

  test('what is not to be filed is dismissed with its reason, and waits again when it is sent again', async () => {
    const bar = message('D-BAR', 'D-BAR1').replace('ADT^A08^ADT_A01', 'BAR^P01^BAR_P01');
    assert.equal(await send(bar), 'AR');
    const waits = () => listed('--reason', 'ERR_UNKNOWN_TYPE');
    const [row] = waits();
    assert.equal(here('intake', 'dismiss', String(row.id)).code, 2, 'a reason is wanted');
    assert.equal(here('intake', 'dismiss', '--note', 'no accounts').code, 2);
    const done = here('intake', 'dismiss', '--reason', 'ERR_UNKNOWN_TYPE', '--note', 'no accounts are exchanged');
    assert.equal(done.code, 0);
    assert.equal(done.out.trim(), `${row.id} dismissed`);
    assert.equal(waits().length, 0);
    const shown = here('intake', 'show', String(row.id), '--facility', 'hospital-a', '--tree').out;
    assert.match(shown, /dismissed: no accounts are exchanged/);
    const audit = sql(region, "SELECT actor, reason FROM audit WHERE event = 'intake-dismiss' ORDER BY seq DESC LIMIT 1")[0];
    assert.deepEqual({ ...audit }, { actor: 'hospital-a', reason: 'no accounts are exchanged' });
    assert.equal(await send(bar), 'AR');
    assert.equal(waits().length, 1);
  });

  test('one that newer messages have overtaken is filed, changes nothing, and says so', async () => {
    await refuse(message('', 'D-LATE1'));
    const newer = message('D-LATE', 'D-LATE2', 'SUZUKI').replaceAll('20260101120000', '20260101130000');
    assert.equal(await send(newer), 'AA');
    const ran = here('intake', 'replay', String(byName('D-LATE1').id), '--edit', file('late.hl7', message('D-LATE', 'D-LATE1')));
    assert.equal(ran.code, 0);
    assert.match(ran.out, /newer messages were there already, nothing changed/);
  });

  test('usage', () => {
    assert.equal(here('intake', 'replay').code, 2);
    assert.equal(here('intake', 'replay', 'x').code, 2);
    assert.equal(here('intake', 'replay', '1', '2', '--edit', file('e.hl7', 'x')).code, 2);
    assert.equal(here('intake', 'replay', '999999').code, 4);
    assert.match(here('intake', 'replay', '999999').err, /999999/);
    assert.equal(here('audit', 'verify').code, 0);
  });
});
