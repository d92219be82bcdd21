// SPDX-License-Identifier: Apache-2.0
//
// The front doors themselves, byte for byte, through the real program: a table of odd requests and what each is answered, with nothing
// behind a refused one ever taken for a request; then TLS that is none, and MLLP that is none, each counted by its reason.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { Sender, ackCode, frame, segment } from './mllp.mjs';
import { Region, until } from './region.mjs';
import { observation, patient } from './resources.mjs';
import { Wire, crowd, metrics } from './wire.mjs';

let region;
let secure;
let a;
let card;
before(async () => {
  region = await Region.start({ empty: true, patients: 5 });
  secure = tls.createSecureContext(region.tls('hospital-a'));
  a = region.party('hospital-a');
  card = region.resident('resident-1').card;
  await a.create(patient(region.resident('resident-1')));
});
after(() => region?.stop());

const G = 'GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n';
const P = 'POST /fhir/Observation HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\n';
const NOBODY = '0'.repeat(12); // the table is written before the resident's card is known, which is as long
const of = (bytes) => (typeof bytes === 'string' ? bytes.replaceAll(NOBODY, card) : bytes);
const whole = (value, head = P) => {
  const text = JSON.stringify(observation(NOBODY, { value, identifier: [{ system: 'urn:front', value: `${value}` }] }));
  return `${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
};
const SMUGGLED = whole(666);
const chunked = (body) => `${P}Transfer-Encoding: chunked\r\n\r\n${body}`;

/** [what, bytes, statuses of the answers, whether the connection ends after them] */
const CASES = [
  // two readings: never a body that hides a request
  ['Content-Length and Transfer-Encoding', `${P}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, [400], true],
  ['Transfer-Encoding and Content-Length', `${P}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SMUGGLED}`, [400], true],
  ['two lengths', `${P}Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`, [400], true],
  ['a list of lengths', `${P}Content-Length: 0, 0\r\n\r\n${SMUGGLED}`, [400], true],
  ['a length with a sign', `${P}Content-Length: +0\r\n\r\n${SMUGGLED}`, [400], true],
  ['a coding that is folded', `${P}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, [501], true],
  ['an unknown coding', `${P}Transfer-Encoding: gzip\r\n\r\n${SMUGGLED}`, [501], true],
  ['a coding in HTTP/1.0', `${P.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, [400], true],
  ['a folded field', `${G}A: b\r\n c\r\n\r\n${SMUGGLED}`, [400], true],
  ['a bare LF', `${G}A: b\nC: d\r\n\r\n${SMUGGLED}`, [400], true],
  ['a bare CR', `${G}A: b\rC: d\r\n\r\n${SMUGGLED}`, [400], true],
  ['white space before the colon', `${P}Content-Length : 0\r\n\r\n${SMUGGLED}`, [400], true],
  ['no Host', `GET /fhir/metadata HTTP/1.1\r\n\r\n${SMUGGLED}`, [400], true],
  ['two Hosts', `${G}Host: y\r\n\r\n${SMUGGLED}`, [400], true],
  // chunks
  ['a chunk size in C', chunked(`0x5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`), [400], true],
  ['a chunk size that overflows', chunked(`fffffffffffffffff\r\n${SMUGGLED}`), [400], true],
  ['a chunk longer than it says', chunked(`1\r\nab\r\n0\r\n\r\n${SMUGGLED}`), [400], true],
  ['a chunk line without CR', chunked(`1\na\r\n0\r\n\r\n${SMUGGLED}`), [400], true],
  ['a chunk extension without end', chunked(`1;${'x'.repeat(300)}\r\na\r\n0\r\n\r\n`), [400], true],
  ['a flood of trailers', chunked(`0\r\n${'A: b\r\n'.repeat(1_000)}\r\n`), [400], true],
  ['a trailer that is no field', chunked(`0\r\nGET / HTTP/1.1\r\n\r\n${SMUGGLED}`), [400], true],
  ['no chunk: no JSON, and on', `${chunked('0\r\n\r\n')}${G}\r\n`, [400, 200], false],
  // sizes
  ['a target of 9,000 bytes', `GET /${'x'.repeat(9_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, [414], true],
  ['a field of 20,000 bytes', `${G}A: ${'x'.repeat(20_000)}\r\n\r\n`, [431], true],
  ['65 fields', `${G}${'A: b\r\n'.repeat(64)}\r\n`, [431], true],
  ['a body too large', `${P}Content-Length: 99999999999\r\n\r\n`, [413], true],
  ['a body too large, announced', `${P}Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n`, [413], true],
  // what is defined, and simply is
  ['100-continue', `${P}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`, [100], false],
  ['100-continue with its body behind it', whole(1, `${P}Expect: 100-continue\r\n`), [201], false],
  ['another expectation', `${G}Expect: the-spanish-inquisition\r\n\r\n`, [200], false],
  ['an upgrade to HTTP/2', `${G}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n`, [200], false],
  ['an upgrade to a WebSocket', `${G}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`, [200], false],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [505], true],
  ['absolute form', 'GET https://x/fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n', [200], false],
  ['absolute form of another host', `GET https://y/fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n${SMUGGLED}`, [400], true],
  ['authority form', `CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n${SMUGGLED}`, [400], true],
  ['a star for GET', `GET * HTTP/1.1\r\nHost: x\r\n\r\n${SMUGGLED}`, [400], true],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', [404], false],
  ['TRACE', `TRACE /fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n`, [405], false],
  ['an unknown method', `FROB /fhir/metadata HTTP/1.1\r\nHost: x\r\n\r\n`, [405], false],
  ['several at once', `${G}\r\n${G}\r\n${whole(2)}${G}\r\n`, [200, 200, 201, 200], false],
  ['the last of several says close', `${G}\r\n${G}Connection: close\r\n\r\n${SMUGGLED}`, [200, 200], true],
  ['HTTP/1.0', 'GET /fhir/metadata HTTP/1.0\r\n\r\n', [200], true],
  ['HTTP/1.0 that would stay', 'GET /fhir/metadata HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', [200], true],
  ['an empty line first', `\r\n${G}\r\n`, [200], false],
  ['TLS inside TLS', Buffer.from('160301020001000', 'hex'), [400], true],
];

describe('HTTP, byte for byte', () => {
  for (const [what, bytes, statuses, ends] of CASES) {
    test(`${what}: ${statuses.join(', ')}${ends ? ', then the end' : ''}`, async () => {
      const wire = await Wire.open(region.ports.system, { secure });
      wire.send(of(bytes));
      for (const status of statuses) {
        const answer = await wire.answer();
        assert.equal(answer.status, status, answer.head ?? answer);
        if (status === 400 && ends) assert.match(answer.body, /[ぁ-ん].*[A-Za-z]/);
        if (ends && status === statuses.at(-1) && status >= 400) assert.match(answer.head, /^Connection: close$/m);
      }
      if (ends) assert.equal(await wire.rest(), '', 'nothing more');
      else if (statuses[0] !== 100) assert.equal((await wire.ask('HEAD', '/fhir/metadata')).status, 200, 'and on');
      wire.destroy();
    });
  }

  test('who ends his side only gets his answers', async () => {
    const wire = await Wire.open(region.ports.system, { secure });
    wire.send(of(`${G}\r\n${whole(3)}`)).finish();
    assert.equal((await wire.answer()).status, 200);
    assert.equal((await wire.answer()).status, 201);
    assert.equal(await wire.rest(), '');
  });

  test('what is hidden in them would be done if it were seen', async () => {
    const wire = await Wire.open(region.ports.system, { secure });
    assert.equal((await wire.send(of(whole(4))).answer()).status, 201);
    wire.destroy();
  });

  test('nothing that was hidden behind a refusal was done', async () => {
    assert.equal((await a.search('/Observation?identifier=urn:front|666')).total, 0);
    assert.equal((await a.search('/Observation?identifier=urn:front|2')).total, 1);
    const figures = await metrics(region);
    for (const status of [400, 413, 414, 431, 501, 505]) assert.ok(figures[`tasuki_http_refusals_total{listener="system",status="${status}"}`] > 0, `${status} is counted`);
  });
});

describe('TLS that is none', () => {
  const failures = async () => (await metrics(region))['tasuki_connection_faults_total{listener="system",reason="handshake"}'];
  const cases = {
    'plain HTTP': `${G}\r\n`, 'an MLLP frame': frame('MSH|^~\\&|A'), 'a record of the wrong length': Buffer.from('16030100050100000100', 'hex'), 'an alert': Buffer.from('15030300020100', 'hex'),
    'an old hello': Buffer.from('802e0100020015000000100100800200800600400400800700c00800800500800a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', 'hex'), zeros: Buffer.alloc(10_000), nothing: '',
  };
  for (const [what, bytes] of Object.entries(cases)) {
    test(`${what} is closed and counted`, async () => {
      const before = await failures();
      const wire = await Wire.open(region.ports.system);
      if (bytes.length) wire.send(bytes);
      wire.finish();
      assert.notEqual(await wire.answer(), 'late');
      await until(async () => (await failures()) === before + 1, { what: 'counted' });
    });
  }

  test('renegotiation is not done, nor does it end others', async () => {
    const socket = await new Promise((done, fail) => {
      const s = tls.connect({ host: '127.0.0.1', port: region.ports.system, ...region.tls('hospital-a'), maxVersion: 'TLSv1.2' }, () => done(s));
      s.on('error', fail);
    });
    socket.removeAllListeners('error');
    const outcome = await new Promise((done) => {
      socket.on('error', () => done('refused')).on('close', () => done('closed'));
      socket.renegotiate({}, (error) => done(error ? 'refused' : 'done'));
      setTimeout(() => done('passed over'), 3_000);
    });
    assert.notEqual(outcome, 'done');
    socket.destroy();
    assert.equal((await a.get('/metadata')).status, 200);
  });
});

describe('MLLP that is none', () => {
  const adt = (n) => [
    `MSH|^~\\&|FRONT|SEND|GW|RCV|20260101120000||ADT^A08^ADT_A01|F-${n}|P|2.5`,
    'EVN||20260101120000', `PID|0001||F${n % 10}^^^^PI||FRONT^TEST^^^^^L^A||19650415|F`, 'PV1|0001|O', '',
  ].join('\r');
  const faults = async (reason) => (await metrics(region))[`tasuki_mllp_faults_total{reason="${reason}"}`];
  const cases = {
    'no start block': ['bytes-outside-frame', Buffer.from(`${adt(0)}\x1c\r`)],
    'HTTP': ['bytes-outside-frame', Buffer.from(`${G}\r\n`)],
    'a byte between frames': ['bytes-outside-frame', Buffer.concat([frame(adt(1)), Buffer.from('x'), frame(adt(2))]), 1],
    'an end block inside the data': ['end-block-inside-frame', frame(adt(3).replace('FRONT^TEST', 'FRONT\x1cTEST'))],
    'a start block inside the data': ['start-block-inside-frame', frame(adt(4).replace('FRONT^TEST', 'FRONT\x0bTEST'))],
    'two start blocks': ['start-block-inside-frame', Buffer.concat([Buffer.from('\x0b'), frame(adt(5))])],
    'half a frame and the end': ['cut-off', frame(adt(6)).subarray(0, 60)],
    'a whole one, half a one and the end': ['cut-off', Buffer.concat([frame(adt(7)), frame(adt(8)).subarray(0, 60)]), 1],
    'no end block for 17 MiB': ['frame-too-large', Buffer.concat([frame(adt(9)).subarray(0, -2), Buffer.alloc(17 << 20, 'x')]), 1, 'AR'],
  };
  for (const [port, what] of [['mllp', 'plain'], ['mllps', 'TLS']]) {
    for (const [name, [reason, bytes, answers = 0, code = 'AA']] of Object.entries(cases)) {
      test(`${what}: ${name} is ${reason}`, async () => {
        const before = await faults(reason);
        const sender = await Sender.open(region.ports[port], port === 'mllps' ? region.tls('hospital-a') : undefined);
        sender.raw(bytes);
        sender.socket.end();
        for (let i = 0; i < answers; i++) assert.equal(ackCode(await sender.answer()), code);
        assert.equal(await sender.answer(), undefined, 'then the end');
        await until(async () => (await faults(reason)) === before + 1, { what: 'counted' });
      });
    }
  }

  test('a thousand messages before the first answer is read: all answered, in order', async () => {
    const sender = await Sender.open(region.ports.mllp);
    sender.socket.pause();
    sender.raw(Buffer.concat(Array.from({ length: 1_000 }, (_, n) => frame(adt(1_000 + n)))));
    await until(async () => (await metrics(region)).tasuki_mllp_frames_total >= 1, { what: 'begun' });
    sender.socket.resume();
    for (let n = 0; n < 1_000; n++) {
      const ack = await sender.answer();
      assert.equal(segment(ack, 'MSA')[1], 'AA');
      assert.equal(segment(ack, 'MSA')[2], `F-${1_000 + n}`);
    }
    sender.close();
  });

  test('handshakes left open do not keep others out', async () => {
    const silent = await crowd(1_100, () => Wire.open(region.ports.mllps));
    const sender = await Sender.open(region.ports.mllps, region.tls('hospital-a'));
    assert.equal(ackCode(await sender.send(adt(5_000))), 'AA');
    sender.close();
    assert.ok((await metrics(region))['tasuki_connection_faults_total{listener="mllps",reason="handshake-crowd"}'] >= 1_100 - 1_024);
    for (const wire of silent) wire.destroy();
  });
});
