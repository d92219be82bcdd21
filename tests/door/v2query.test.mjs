// SPDX-License-Identifier: Apache-2.0
//
// HL7 v2 beyond filing: patients found and numbers crossed over (PDQ, PIX) only as far as consent and entitlement go; numbers of one
// facility joined and parted again; what is in doubt left to a human.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Region, sql, tasuki } from './region.mjs';
import { consent, patient } from './resources.mjs';
import { Sender, ackCode, fault, segment } from './mllp.mjs';

let region;
let one;
let serial = 0;
before(async () => {
  region = await Region.start({ empty: true, patients: 8 });
  one = region.resident('resident-1');
  await region.party('hospital-a').create(patient(one));
});
after(() => region?.stop());

const msh = (type, { set = 'UNICODE UTF-8', control = `Q${++serial}` } = {}) => `MSH|^~\\&|HIS|ASKER|GW|TASUKI|20260101120000||${type}|${control}|P|2.5||||||${set}`;
const pdq = (terms, { domains = '', rcp = 'I', dsc = '', ...options } = {}) => `${msh('QBP^Q22^QBP_Q21', options)}\rQPD|IHE PDQ Query|TAG1|${terms}|||||${domains}\rRCP|${rcp}\r${dsc ? `DSC|${dsc}|I\r` : ''}`;
const pix = (cx, domains = '') => `${msh('QBP^Q23^QBP_Q21')}\rQPD|IHE PIX Query|TAG2|${cx}|${domains}\rRCP|I\r`;
const sender = (name) => (name === 'hospital-a' ? Sender.open(region.ports.mllp) : Sender.open(region.ports.mllps, region.tls(name)));
async function ask(name, message) {
  const s = await sender(name);
  const answer = await s.send(message);
  s.close();
  return answer;
}
const pids = (answer) => answer.toString().split('\r').filter((l) => l.startsWith('PID|')).map((l) => l.split('|'));
const status = (answer) => segment(answer, 'QAK')?.[2];
const cardCx = () => `${one.card}^^^TASUKI&urn:tasuki:clinic-card&URI^JHC`;
const lastAudit = (event) => sql(region, `SELECT actor, outcome, person, count FROM audit WHERE event = '${event}' ORDER BY seq DESC LIMIT 1`)[0];

describe('PDQ', () => {
  test('finds by name, birth date and sex whom the facility knows, in conformant segments', async () => {
    const family = one.name.split(/[ 　]/)[0];
    const answer = await ask('hospital-a', pdq(`@PID.5.1^${family}~@PID.7.1^${one.birthDate.replaceAll('-', '')}~@PID.8^${one.gender === 'male' ? 'M' : 'F'}`));
    assert.equal(ackCode(answer), 'AA');
    assert.equal(segment(answer, 'MSH')[9], 'RSP^K22^RSP_K21');
    assert.equal(segment(answer, 'MSA')[2], `Q${serial}`);
    assert.deepEqual(segment(answer, 'QAK').slice(1), ['TAG1', 'OK', 'IHE PDQ Query', '1', '1', '0']);
    assert.match(answer.toString(), /\rQPD\|IHE PDQ Query\|TAG1\|@PID\.5\.1\^/);
    const [pid] = pids(answer);
    assert.equal(pid[1], '1');
    assert.ok(pid[3].split('~').includes(cardCx()));
    assert.match(pid[5], new RegExp(`^${family}\\^`));
    assert.equal(pid[7], one.birthDate.replaceAll('-', ''));
    const row = lastAudit('pdq');
    assert.equal(row.actor, 'hospital-a');
    assert.equal(row.count, 1);
    assert.ok(row.person > 0);
  });

  test('another facility finds nobody without consent, and its asking is recorded', async () => {
    const byName = await ask('hospital-b', pdq(`@PID.5.1^${one.name.split(/[ 　]/)[0]}`));
    assert.equal(status(byName), 'NF');
    const byCard = await ask('hospital-b', pdq(`@PID.3.1^${one.card}~@PID.3.4.1^TASUKI`));
    assert.equal(ackCode(byCard), 'AA');
    assert.equal(status(byCard), 'NF');
    assert.deepEqual(pids(byCard), []);
    assert.ok(lastAudit('pdq').person > 0);
    assert.equal(status(await ask('hospital-b', pix(cardCx()))), 'AE');
  });

  test('with consent it finds him, without the other facility\'s number', async () => {
    assert.ok(ackCode(await ask('hospital-a', adt('A-100', { card: one.card }))) === 'AA');
    const made = await region.party('resident-1').post('/Consent', consent(one.card, { type: 'permit' }));
    assert.equal(made.status, 201, made.text);
    for (const name of ['hospital-b', 'emergency-e']) {
      const answer = await ask(name, pdq(`@PID.3.1^${one.card}~@PID.3.4.1^TASUKI`));
      assert.equal(status(answer), 'OK');
      const numbers = pids(answer).flatMap((p) => p[3].split('~'));
      assert.equal(numbers[0], cardCx());
      assert.ok(numbers.slice(1).every((n) => n.endsWith('^MB')), 'besides, insurer numbers');
      assert.equal(numbers.length > 1, name === 'hospital-b', 'only who is entitled to them');
      assert.doesNotMatch(answer.toString(), /A-100/);
    }
    const own = pids(await ask('hospital-a', pdq(`@PID.3.1^A-100`)));
    assert.equal(own.length, 1);
    assert.match(own[0][3], new RegExp(`A-100\\^\\^\\^&1\\.2\\.392\\.100495\\.20\\.3\\.51\\.1${region.facility('hospital-a').code}&ISO\\^PI`));
  });

  test('refuses what it cannot search by, instead of finding too many', async () => {
    for (const terms of ['@PID.19.1^123', 'PID.5.1^X', '@OBX.3^1', '', '@PID.8^X']) {
      const answer = await ask('hospital-a', pdq(terms));
      assert.equal(ackCode(answer), 'AE', terms);
      assert.equal(status(answer), 'AE');
      assert.match(fault(answer)[2], /^QPD\^1\^3/);
    }
    const domain = await ask('hospital-a', pdq('@PID.5.1^X', { domains: '^^^OTHER' }));
    assert.equal(status(domain), 'AE');
    assert.match(fault(domain)[3], /^204/);
  });

  test('asks and answers in ISO-2022-JP', async () => {
    const head = Buffer.from(msh('QBP^Q22^QBP_Q21', { set: '~ISO IR87' }), 'latin1');
    const kanji = Buffer.from('1b24423033', 'hex'); // 亜… a family nobody has
    const answer = await ask('hospital-a', Buffer.concat([head, Buffer.from('\rQPD|IHE PDQ Query|T|@PID.5.1^'), kanji, Buffer.from('1b2842', 'hex'), Buffer.from('\rRCP|I\r')]));
    assert.equal(status(answer), 'NF');
    assert.equal(segment(answer, 'MSH')[18], '~ISO IR87');
    assert.ok(answer.includes(kanji));
    assert.equal(ackCode(await ask('hospital-a', adt('J-1', { family: '漢字' }))), 'AA');
    const all = await ask('hospital-a', `${msh('QBP^Q22^QBP_Q21', { set: '~ISO IR87' })}\rQPD|IHE PDQ Query|T|@PID.3.1^J-1\rRCP|I\r`);
    assert.ok(pids(all).length === 1 && all.includes(Buffer.from('1b2442', 'hex')) && all.every((b) => b < 0x80));
  });

  test('RCP-2 limits what is shown and says how many there are', async () => {
    for (const n of ['L1', 'L2', 'L3']) assert.equal(ackCode(await ask('hospital-a', adt(n, { family: 'LIMITED' }))), 'AA');
    const answer = await ask('hospital-a', pdq('@PID.5.1^LIMITED', { rcp: 'I|2^RD' }));
    assert.deepEqual(segment(answer, 'QAK').slice(4), ['3', '2', '1']);
    assert.equal(pids(answer).length, 2);
    assert.equal(pids(await ask('hospital-a', pdq('@PID.5.1^LIM*'))).length, 3);
  });

  test('a long answer goes on by its pointer: every patient once, in pages of RCP-2', async () => {
    const people = Array.from({ length: 7 }, (_, i) => `L-${i + 1}`);
    for (const n of people) assert.equal(ackCode(await ask('hospital-a', adt(n, { family: 'TSUZUKI' }))), 'AA');
    const terms = '@PID.5.1^TSUZUKI';
    const seen = [];
    let pointer = '';
    const pages = [];
    for (let page = 0; page < 5; page++) {
      const answer = await ask('hospital-a', pdq(terms, { rcp: 'I|3^RD', dsc: pointer }));
      assert.equal(ackCode(answer), 'AA');
      pages.push(segment(answer, 'QAK').slice(4));
      for (const pid of pids(answer)) seen.push(pid[3].split('^')[0]);
      const dsc = segment(answer, 'DSC');
      if (!dsc) break;
      assert.equal(dsc[2], 'I');
      assert.ok(dsc[1].length <= 180);
      pointer = dsc[1];
    }
    assert.deepEqual(pages, [['7', '3', '4'], ['7', '3', '1'], ['7', '1', '0']]);
    assert.deepEqual(seen.sort(), people);
    const other = await ask('hospital-a', pdq('@PID.5.1^TSUZUK', { rcp: 'I|3^RD', dsc: pointer }));
    assert.equal(status(other), 'AE');
    assert.equal(fault(other)[2], 'DSC^1^1');
    const foreign = await ask('hospital-b', pdq(terms, { rcp: 'I|3^RD', dsc: pointer }));
    assert.equal(status(foreign), 'AE', 'a pointer is its asker\'s');
    const end = await ask('hospital-a', `${msh('QCN^J01^QCN_J01')}\rQID|TAG1|IHE PDQ Query\r`);
    assert.equal(ackCode(end), 'AA');
  });

  test('what is asked otherwise than it can be answered is refused by place', async () => {
    const rows = [
      [pdq('@PID.5.1^X', { rcp: 'D' }), 'RCP^1^1'],
      [pdq('@PID.5.1^X', { rcp: 'I|5^PG' }), 'RCP^1^2'],
      [pdq('@PID.5.1^X', { rcp: 'I|0^RD' }), 'RCP^1^2'],
      [`${msh('QBP^Q22^QBP_Q21')}\rQPD|FIND^Anybody^99X|TAG9|@PID.5.1^X\rRCP|I\r`, 'QPD^1^1'],
      [`${msh('QBP^Q23^QBP_Q21')}\rQPD|IHE PDQ Query|TAG9|1\rRCP|I\r`, 'QPD^1^1'],
    ];
    for (const [message, place] of rows) {
      const answer = await ask('hospital-a', message);
      assert.equal(ackCode(answer), 'AE', message);
      assert.equal(status(answer), 'AE');
      assert.equal(fault(answer)[2], place);
      assert.match(answer.toString(), /\rQPD\|/, 'the query is said again');
    }
  });
});

function adt(number, { card, family = 'YAMADA', trigger = 'A08', birth = '19650415', sex = 'M', more = [] } = {}) {
  const cx = `${number}^^^^PI${card ? `~${card}^^^TASUKI&urn:tasuki:clinic-card&URI^JHC` : ''}`;
  return [msh(`ADT^${trigger}^ADT_A01`), 'EVN||20260101120000', `PID|0001||${cx}||${family}^TARO^^^^^L^A||${birth}|${sex}`, ...more, 'PV1|0001|O', ''].join('\r');
}

describe('PIX', () => {
  test('leads from the card to the own number and back, and names nothing else', async () => {
    const own = await ask('hospital-a', pix(cardCx()));
    assert.equal(segment(own, 'MSH')[9], 'RSP^K23^RSP_K23');
    assert.equal(status(own), 'OK');
    assert.equal(pids(own).length, 1);
    assert.match(pids(own)[0][3], /^A-100\^/);
    assert.equal(pids(own)[0][5], ' ');
    const card = await ask('hospital-a', pix('A-100^^^^PI', '^^^TASUKI'));
    assert.equal(pids(card)[0][3], cardCx());
    const foreign = await ask('emergency-e', pix(cardCx()));
    assert.equal(status(foreign), 'NF'); // known by consent, but no further number that is its to see
  });

  test('an unknown number and an unknown authority are told apart, by place', async () => {
    const number = await ask('hospital-a', pix('NOBODY^^^^PI'));
    assert.equal(ackCode(number), 'AE');
    assert.equal(status(number), 'AE');
    assert.equal(fault(number)[2], 'QPD^1^3^1^1');
    const authority = await ask('hospital-a', pix('1^^^ELSEWHERE&1.2.3&ISO'));
    assert.equal(fault(authority)[2], 'QPD^1^3^1^4');
    assert.equal(fault(await ask('hospital-a', pix('')))[2], 'QPD^1^3');
    const local = await ask('hospital-b', pix(`A-100^^^&1.2.392.100495.20.3.51.1${region.facility('hospital-a').code}&ISO^PI`));
    assert.equal(status(local), 'AE'); // a's numbers are nobody else's
  });
});

describe('merges', () => {
  const persons = () => Object.fromEntries(sql(region, "SELECT local_no, person FROM chart WHERE local_no LIKE 'M-%'").map((r) => [r.local_no, r.person]));
  const carded = (key) => {
    const r = region.resident(key);
    return { card: r.card, birth: r.birthDate.replaceAll('-', ''), sex: r.gender === 'male' ? 'M' : 'F' };
  };
  const mrg = (from) => ({ trigger: 'A40', more: [`MRG|${from}^^^^PI`] });

  test('A40 joins two numbers, moves no record, and A37 parts them again', async () => {
    for (const n of ['M-1', 'M-2']) assert.equal(ackCode(await ask('hospital-a', adt(n))), 'AA');
    const before = persons();
    assert.notEqual(before['M-1'], before['M-2']);
    assert.equal(ackCode(await ask('hospital-a', adt('M-1', mrg('M-2')))), 'AA');
    assert.equal(persons()['M-2'], before['M-1']);
    const rows = sql(region, "SELECT person, reason FROM audit WHERE event = 'intake' ORDER BY seq DESC LIMIT 2");
    assert.deepEqual(rows.map((r) => r.person).sort(), [before['M-1'], before['M-2']].sort());
    assert.equal(rows[0].reason, 'link');
    assert.equal(ackCode(await ask('hospital-a', adt('M-1', mrg('M-2')))), 'AA', 'once more is nothing new');
    assert.equal(ackCode(await ask('hospital-a', adt('M-1', { trigger: 'A37', more: ['PID|0002||M-2^^^^PI||YAMADA^TARO^^^^^L^A'] }))), 'AA');
    assert.deepEqual(persons(), before);
  });

  test('A24 links two PIDs; an operator can undo it', async () => {
    const before = persons();
    assert.equal(ackCode(await ask('hospital-a', adt('M-1', { trigger: 'A24', more: ['PID|0002||M-2^^^^PI||YAMADA^TARO^^^^^L^A'] }))), 'AA');
    assert.equal(persons()['M-1'], persons()['M-2']);
    assert.equal(tasuki('patient', 'undo', '--dir', region.dir, '--facility', 'hospital-a', '--local', 'M-2').code, 0);
    assert.deepEqual(persons(), before);
  });

  test('A40 with several pairs joins all or none, each person audited', async () => {
    for (const n of ['M-11', 'M-12', 'M-13', 'M-14', 'M-15']) assert.equal(ackCode(await ask('hospital-a', adt(n))), 'AA');
    await ask('hospital-a', adt('M-16', { birth: '19700101' }));
    const before = persons();
    const more = (last) => ({ trigger: 'A40', more: ['MRG|M-12^^^^PI~M-13^^^^PI', 'PID|2||M-14^^^^PI||YAMADA^TARO^^^^^L^A', `MRG|${last}^^^^PI`] });
    const refused = await ask('hospital-a', adt('M-11', more('M-16')));
    assert.equal(ackCode(refused), 'AE');
    assert.equal(fault(refused)[2], 'MRG^2^1');
    assert.deepEqual(persons(), before);
    assert.equal(ackCode(await ask('hospital-a', adt('M-11', more('M-15')))), 'AA');
    const after = persons();
    assert.equal(new Set([after['M-11'], after['M-12'], after['M-13'], before['M-11']]).size, 1);
    assert.equal(after['M-14'], after['M-15']);
    assert.notEqual(after['M-14'], after['M-11']);
    const rows = sql(region, "SELECT DISTINCT person FROM audit WHERE event = 'intake' AND reason = 'link' ORDER BY seq DESC LIMIT 5");
    assert.equal(rows.length, 5);
  });

  test('a number with a card is joined to one without, never the card torn off', async () => {
    await ask('hospital-a', adt('M-3', carded('resident-2')));
    await ask('hospital-a', adt('M-4', { ...carded('resident-2'), card: undefined }));
    const before = persons();
    assert.equal(ackCode(await ask('hospital-a', adt('M-4', mrg('M-3')))), 'AA'); // the carded one is said to be the old one
    assert.equal(persons()['M-4'], before['M-3']);
    assert.equal(persons()['M-3'], before['M-3']);
    assert.equal(ackCode(await ask('hospital-a', adt('M-4', { trigger: 'A37', more: ['PID|0002||M-3^^^^PI||YAMADA^TARO'] }))), 'AA');
    assert.deepEqual(persons(), before);
  });

  test('in doubt nothing moves and the message waits for a human: two cards, another birth date, no second number', async () => {
    await ask('hospital-a', adt('M-5', carded('resident-3')));
    await ask('hospital-a', adt('M-6', { birth: '19700101' }));
    const before = persons();
    const cards = await ask('hospital-a', adt('M-5', mrg('M-3')));
    assert.equal(ackCode(cards), 'AE');
    assert.match(cards.toString(), /人の確認/);
    assert.equal(ackCode(await ask('hospital-a', adt('M-1', mrg('M-6')))), 'AE');
    const none = await ask('hospital-a', adt('M-1', { trigger: 'A40' }));
    assert.equal(ackCode(none), 'AE');
    assert.equal(fault(none)[2], 'MRG^1^1');
    assert.equal(ackCode(await ask('hospital-a', adt('M-1', { trigger: 'A37', more: ['PID|0002||M-NOBODY^^^^PI||X^Y'] }))), 'AE');
    assert.equal(ackCode(await ask('hospital-a', adt('M-1', { trigger: 'A40', more: ['MRG|M-2^^^^PI', 'MRG|M-6^^^^PI'] }))), 'AE');
    assert.deepEqual(persons(), before);
    const waiting = JSON.parse(tasuki('intake', 'rejected', '--dir', region.dir, '--json', '--reason', 'ERR_PATIENT_MISMATCH').out);
    assert.ok(waiting.length >= 2);
    assert.equal(tasuki('audit', 'verify', '--dir', region.dir).code, 0);
  });
});

test('validate hl7 says of queries and merges what the door says', () => {
  const verdict = (text) => {
    const path = join(region.dir, 'verdict.hl7');
    writeFileSync(path, text);
    return JSON.parse(tasuki('validate', 'hl7', path, '--json').out).filter((f) => f.severity === 'error').map((f) => f.place);
  };
  assert.deepEqual(verdict(pdq('@PID.5.1^X')), []);
  assert.deepEqual(verdict(pdq('@PID.5.1^X', { rcp: 'D' })), ['RCP[1]-1']);
  assert.deepEqual(verdict(pdq('X')), ['QPD[1]-3']);
  assert.deepEqual(verdict(pix('')), ['QPD[1]-3']);
  assert.deepEqual(verdict(adt('V-1', { trigger: 'A40' })), ['MRG[1]-1']);
  assert.deepEqual(verdict(adt('V-1', { trigger: 'A40', more: ['MRG|V-2'] })), []);
});
