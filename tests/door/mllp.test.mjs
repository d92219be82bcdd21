// SPDX-License-Identifier: Apache-2.0
//
// The MLLP protocol beyond one message and its answer: enhanced acknowledgement mode, messages sent ahead without waiting, batches,
// many connections, and what is counted.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Region, sql, tasuki, until } from './region.mjs';
import { FS, Sender, VT, ackCode, fault, frame, segment } from './mllp.mjs';

let region;
before(async () => { region = await Region.start({ empty: true, patients: 8 }); });
after(() => region?.stop());

const adt = (number, control, { modes = '|', family = 'YAMADA', version = '2.5' } = {}) => [
  `MSH|^~\\&|HIS|MODES|GW|RCV|20260101120000||ADT^A08^ADT_A01|${control}|P|${version}|||${modes}`,
  'EVN||20260101120000', `PID|0001||${number}^^^^PI||${family}^TARO^^^^^L^A||19650415|M`, 'PV1|0001|O', '',
].join('\r');
const open = () => Sender.open(region.ports.mllp);
const nothingMore = async (s) => assert.equal(await s.answer(300), undefined, 'no further answer');
const metrics = () => new Promise((done, fail) => http.get(`${region.urls.ops}/metrics`, (a) => {
  let text = '';
  a.setEncoding('utf8').on('data', (t) => { text += t; }).on('end', () => done(text));
}).on('error', fail));
const metric = async (name) => Number((await metrics()).split('\n').find((l) => l.startsWith(`${name} `))?.split(' ')[1]);

describe('enhanced mode', () => {
  const cases = [
    // MSH-15|MSH-16, a good message, one refused by the application, one that cannot be taken
    ['AL|AL', ['CA', 'AA'], ['CA', 'AE'], ['CR']],
    ['AL|NE', ['CA'], ['CA'], ['CR']],
    ['NE|AL', ['AA'], ['AE'], ['AR']],
    ['ER|AL', ['AA'], ['AE'], ['CR']],
    ['AL|ER', ['CA'], ['CA', 'AE'], ['CR']],
    ['SU|SU', ['CA', 'AA'], ['CA'], []],
    ['NE|NE', [], [], []],
    ['AL|', ['CA'], ['CA'], ['CR']],
    ['|', ['AA'], ['AE'], ['AR']],
    ['XX|YY', ['AA'], ['AE'], ['AR']],
  ];
  for (const [modes, good, refused, impossible] of cases) {
    test(`MSH-15|16 = ${modes}: ${good} / ${refused} / ${impossible}`, async () => {
      const s = await open();
      const name = modes.replace('|', '-');
      for (const [message, codes] of [[adt('E-1', `E1-${name}`, { modes }), good], [adt('', `E2-${name}`, { modes }), refused], [adt('E-1', `E3-${name}`, { modes, version: '9.9' }), impossible]]) {
        s.raw(frame(message));
        const ids = new Set();
        for (const code of codes) {
          const ack = await s.answer();
          assert.equal(ackCode(ack), code);
          assert.equal(segment(ack, 'MSA')[2], segment(message, 'MSH')[10]);
          if (/[ER]$/.test(code)) assert.ok(fault(ack), 'says why');
          ids.add(segment(ack, 'MSH')[10]);
        }
        assert.equal(ids.size, codes.length, 'each acknowledgement has its own id');
      }
      await nothingMore(s);
      assert.equal(ackCode(await s.send(adt('E-1', `E4-${name}`))), 'AA', 'the connection goes on');
      s.close();
      assert.equal(sql(region, `SELECT count(*) AS n FROM inbox WHERE control_id = 'E1-${name}'`)[0].n, 1);
    });
  }

  test('what refused is in quarantine was accepted: CA is a promise', () => {
    assert.ok(JSON.parse(tasuki('intake', 'rejected', '--dir', region.dir, '--json').out).some((r) => r.name === 'E2-AL-AL'));
  });

  test('an acknowledgement of ours is not acknowledged', async () => {
    const s = await open();
    s.raw(frame('MSH|^~\\&|HIS|MODES|GW|RCV|20260101120000||ACK^A08^ACK|X1|P|2.5\rMSA|CA|Y1\r'));
    assert.equal(ackCode(await s.send(adt('E-1', 'E-AFTER'))), 'AA');
    s.close();
  });
});

describe('sending ahead', () => {
  test('300 messages about 20 patients at once: answered in their order, each patient ends as his last message says', async () => {
    const s = await open();
    const all = Array.from({ length: 300 }, (_, i) => ({ id: `P-${i}`, number: `PIPE-${i % 20}`, family: `N${i}` }));
    s.raw(Buffer.concat(all.map((m) => frame(adt(m.number, m.id, { family: m.family })))));
    for (const m of all) {
      const ack = await s.answer();
      assert.equal(ackCode(ack), 'AA');
      assert.equal(segment(ack, 'MSA')[2], m.id);
    }
    s.close();
    for (const m of all.slice(-20)) {
      const found = await region.party('hospital-a').search(`/Patient?identifier=${encodeURIComponent(`${region.localSystem('hospital-a')}|${m.number}`)}`);
      assert.equal(found.resources[0].name[0].family, m.family);
    }
    assert.equal(sql(region, "SELECT count(*) AS n FROM inbox WHERE control_id LIKE 'P-%'")[0].n, 300);
  });

  test('a refused one among them is answered in its place', async () => {
    const s = await open();
    s.raw(Buffer.concat([adt('R-1', 'R1'), adt('', 'R2'), adt('R-3', 'R3', { version: '7.7' }), adt('R-4', 'R4')].map((m) => frame(m))));
    const codes = [];
    for (let i = 0; i < 4; i++) codes.push(ackCode(await s.answer()));
    s.close();
    assert.deepEqual(codes, ['AA', 'AE', 'AR', 'AA']);
  });

  test('a sender that goes away in the middle loses nothing that it may not send again', async () => {
    const s = await open();
    const all = Array.from({ length: 120 }, (_, i) => adt(`GONE-${i % 7}`, `G-${i}`));
    s.raw(Buffer.concat(all.map((m) => frame(m))));
    await s.answer();
    s.close();
    const again = await open();
    again.raw(Buffer.concat(all.map((m) => frame(m))));
    for (let i = 0; i < all.length; i++) assert.equal(ackCode(await again.answer()), 'AA');
    again.close();
    assert.equal(sql(region, "SELECT count(*) AS n FROM inbox WHERE control_id LIKE 'G-%'")[0].n, 120);
  });
});

describe('batches', () => {
  const BHS = 'BHS|^~\\&|HIS|MODES|GW|RCV|20260101||||BATCH-1';
  const lines = (answer) => answer.toString().split('\r').filter(Boolean);

  test('each message is answered by its own acknowledgement, the batch by a batch', async () => {
    const s = await open();
    const answer = await s.send([BHS, adt('B-1', 'B1').trim(), adt('', 'B2').trim(), adt('B-3', 'B3').trim(), 'BTS|3', ''].join('\r'));
    assert.match(lines(answer)[0], /^BHS\|\^~\\&\|\|\|HIS\|MODES\|\d+[^|]*\|\|\|\|B\d+\|BATCH-1$/);
    assert.deepEqual(lines(answer).filter((l) => l.startsWith('MSA')).map((l) => l.split('|').slice(1, 3)), [['AA', 'B1'], ['AE', 'B2'], ['AA', 'B3']]);
    assert.equal(lines(answer).at(-1), 'BTS|3');
    const again = await s.send([BHS, adt('B-1', 'B1').trim(), 'BTS|1', ''].join('\r'));
    assert.equal(lines(again).filter((l) => l.startsWith('MSA|AA|B1')).length, 1);
    s.close();
    assert.equal(sql(region, "SELECT count(*) AS n FROM inbox WHERE control_id IN ('B1', 'B3')")[0].n, 2);
  });

  test('a file of batches, a wrong count, and none at all', async () => {
    const s = await open();
    const answer = await s.send(['FHS|^~\\&|HIS', BHS, adt('B-4', 'B4').trim(), 'BTS|7', BHS, adt('B-5', 'B5').trim(), 'BTS|1', 'FTS|2', ''].join('\r'));
    assert.match(lines(answer)[0], /^FHS\|/);
    assert.match(lines(answer)[1], /\|8 announced, 2 read\|/);
    assert.deepEqual(lines(answer).slice(-2), ['BTS|2', 'FTS|1']);
    assert.deepEqual(lines(await s.send([BHS, 'BTS|0', ''].join('\r'))).map((l) => l.slice(0, 5)), ['BHS|^', 'BTS|0']);
    const broken = await s.send([BHS, 'PID|1||X', 'BTS|1', ''].join('\r'));
    assert.match(lines(broken)[0], /refused: line 2/);
    assert.equal(ackCode(await s.send(adt('B-6', 'B6'))), 'AA');
    s.close();
  });
});

describe('connections', () => {
  test('600 at once, each answered', async () => {
    const senders = await Promise.all(Array.from({ length: 600 }, open));
    await until(async () => (await metric('tasuki_mllp_connections')) >= 600, { what: 'all are counted' });
    const acks = await Promise.all(senders.map((s, i) => s.send(adt(`C-${i}`, `C-${i}`))));
    assert.deepEqual([...new Set(acks.map(ackCode))], ['AA']);
    senders.forEach((s) => s.close());
    await until(async () => (await metric('tasuki_mllp_connections')) === 0, { what: 'all are gone' });
    assert.equal(await metric('tasuki_mllp_running'), 0);
  });

  test('each framing error is counted under its reason', async () => {
    const cases = { 'bytes-outside-frame': Buffer.from('hello'), 'start-block-inside-frame': Buffer.from([VT, 65, VT, 66, FS, 13]), 'end-block-inside-frame': Buffer.from([VT, 65, FS, 66, FS, 13]) };
    for (const [reason, bytes] of Object.entries(cases)) {
      const name = `tasuki_mllp_faults_total{reason="${reason}"}`;
      const before = await metric(name);
      const s = await open();
      s.raw(bytes);
      assert.equal(await s.answer(), undefined);
      assert.equal(s.closed, true);
      assert.equal(await metric(name), before + 1, reason);
    }
    const name = 'tasuki_mllp_faults_total{reason="cut-off"}';
    const before = await metric(name);
    const s = await open();
    s.raw(Buffer.from([VT, 77, 83, 72]));
    s.socket.end();
    await until(async () => (await metric(name)) === before + 1, { what: 'cut off' });
  });
});
