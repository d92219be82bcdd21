// SPDX-License-Identifier: Apache-2.0
//
// Very many connections: HTTPS and MLLP at once, all of them served, memory for each measured; what happens when no more may come;
// that one address cannot take all; that files and memory come back.
//
// TASUKI_CROWD sets the connections of each kind (default 300; the full test is 5000), TASUKI_CROWD_REQUESTS the requests of the
// memory test (default 5000; the full test is 50000).
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { Sender, ackCode } from './mllp.mjs';
import { BINARY, Region, until } from './region.mjs';
import { observation, patient } from './resources.mjs';
import { Wire, crowd, metrics } from './wire.mjs';

const CROWD = Number(process.env.TASUKI_CROWD ?? 300);
const REQUESTS = Number(process.env.TASUKI_CROWD_REQUESTS ?? 5_000);
const MIB = 1 << 20;

const resident = (region) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${region.child.pid}/status`, 'utf8'))[1]) * 1_024;
const files = (region) => readdirSync(`/proc/${region.child.pid}/fd`).length;
const from = (i) => `127.0.0.${1 + (i % 8)}`;
const adt = (who, n) => [
  `MSH|^~\\&|CROWD|SEND|GW|RCV|20260101120000||ADT^A08^ADT_A01|${who}-${n}|P|2.5`,
  'EVN||20260101120000', `PID|0001||${who}${n % 50}^^^^PI||CROWD^TEST^^^^^L^A||19650415|F`, 'PV1|0001|O', '',
].join('\r');
const allOf = (figures, name) => Object.entries(figures).filter(([key]) => key.startsWith(`${name}{`)).reduce((sum, [, n]) => sum + n, 0);
const fault = (figures, listener, reason) => figures[`tasuki_connection_faults_total{listener="${listener}",reason="${reason}"}`];

describe(`${CROWD} HTTPS and ${CROWD} MLLP connections`, () => {
  let region;
  let secure;
  before(async () => {
    region = await Region.start({ empty: true, patients: 5, env: { ASAN_OPTIONS: 'detect_leaks=1:exitcode=99:quarantine_size_mb=4' } });
    secure = tls.createSecureContext(region.tls('hospital-a'));
    await region.party('hospital-a').create(patient(region.resident('resident-1')));
    await region.party('hospital-a').put('/Observation/o1', observation(region.resident('resident-1').card, { id: 'o1', value: 1 }));
  });
  after(() => region?.stop());

  test('each is served, all stay, and each takes little', { timeout: 600_000 }, async (t) => {
    const start = resident(region);
    const https = [];
    const ask = async (i) => {
      const answer = await https[i].ask('GET', '/fhir/Observation/o1');
      assert.equal(answer.status, 200, `connection ${i}: ${answer.status ?? answer}`);
      https[i].asked = Date.now();
    };
    // Each asks at once and again before it would count as idle, however long the others take to come.
    let asking;
    const again = () => {
      asking ??= crowd(https.length, (i) => (Date.now() - https[i].asked > 20_000 ? ask(i) : undefined)).finally(() => { asking = undefined; });
      return asking;
    };
    for (let at = 0; at < CROWD; at += 250) {
      await crowd(Math.min(250, CROWD - at), async (i) => { https[at + i] = await Wire.open(region.ports.system, { secure, from: from(i) }); await ask(at + i); }, 32);
      await again();
    }
    const asked = resident(region);
    const mllp = await crowd(CROWD, (i) => Sender.open(region.ports.mllp, undefined, from(i)));
    const before = resident(region);
    const send = async (i) => {
      assert.equal(ackCode(await mllp[i].send(adt('C', i))), 'AA', `connection ${i}`);
      if (i % 250 === 0) await again();
    };
    await crowd(CROWD, send);
    const sent = resident(region);
    const each = (a, b) => `${Math.round((b - a) / CROWD / 102.4) / 10} KiB`;
    t.diagnostic(`resident: ${Math.round(start / MIB)} MiB at the start, ${Math.round(sent / MIB)} MiB with all; an HTTPS connection ${each(start, asked)}; MLLP ${each(asked, before)}, after a message ${each(before, sent)}`);
    const figures = await metrics(region);
    assert.equal(figures['tasuki_connections{listener="system"}'] >= CROWD, true);
    assert.equal(figures['tasuki_connections{listener="mllp"}'], CROWD);
    for (const reason of ['full', 'address-share', 'no-files', 'handshake', 'handshake-crowd', 'stalled']) for (const listener of ['system', 'mllp']) assert.equal(fault(figures, listener, reason), 0, `${listener}: ${reason}`);
    // Once more around: the first as well as the last.
    await crowd(CROWD, ask);
    await crowd(CROWD, send);
    for (const wire of https) wire.destroy();
    for (const sender of mllp) sender.close();
    await until(async () => allOf(await metrics(region), 'tasuki_connections') < CROWD / 2, { what: 'all are gone' });
    assert.ok((sent - start) / CROWD < 256 * 1_024, `${(sent - start) / CROWD} bytes for a connection of each`);
  });

  test(`${2 * CROWD} at once, as after a restart: all get in`, { timeout: 300_000 }, async () => {
    const answers = await Promise.all(Array.from({ length: 2 * CROWD }, async (_, i) => {
      const wire = await Wire.open(region.ports.system, { secure, from: from(i) });
      const answer = await wire.ask('GET', '/fhir/metadata/x');
      wire.destroy();
      return answer.status;
    }));
    assert.deepEqual([...new Set(answers)], [404]);
    assert.equal(fault(await metrics(region), 'system', 'handshake-crowd'), 0);
  });

  test('files come back after a thousand visits of every kind', { timeout: 300_000 }, async () => {
    const visit = async (i) => {
      if (i % 4 === 0) (await Wire.open(region.ports.system, { secure })).destroy();
      else if (i % 4 === 1) { const w = await Wire.open(region.ports.system, { secure }); await w.ask('GET', '/fhir/Observation/o1'); w.finish(); await w.rest(); }
      else if (i % 4 === 2) { const s = await Sender.open(region.ports.mllp); ackCode(await s.send(adt('V', i))); s.close(); }
      else (await Wire.open(region.ports.portal)).destroy();
    };
    const calm = allOf(await metrics(region), 'tasuki_connections');
    await crowd(40, visit); // what is opened once and kept: libraries, readers
    await until(async () => allOf(await metrics(region), 'tasuki_connections') <= calm, { what: 'all are gone' });
    const start = files(region);
    await crowd(1_000, visit);
    await until(() => files(region) <= start, { what: `${start} open files as before` });
  });

  test(`memory does not grow over ${REQUESTS} requests`, { timeout: 600_000 }, async (t) => {
    const paths = ['/fhir/Observation/o1', '/fhir/Observation?code=4548-4', '/fhir/Observation/never', '/fhir/Observation?bad=1', '/fhir/Patient/x/$everything', '/nowhere'];
    const round = async (count) => {
      const wires = await Promise.all(Array.from({ length: 8 }, () => Wire.open(region.ports.system, { secure })));
      await Promise.all(wires.map(async (wire, k) => {
        for (let i = k; i < count; i += wires.length) assert.ok((await wire.ask('GET', paths[i % paths.length])).status < 500);
        wire.destroy();
      }));
    };
    await round(REQUESTS / 2);
    const start = resident(region);
    await round(REQUESTS);
    const grown = resident(region) - start;
    t.diagnostic(`${Math.round(start / MIB)} MiB, ${(grown / MIB).toFixed(1)} MiB more after ${REQUESTS} requests`);
    // A byte leaked a request would be nothing, a struct 10 MiB; audit rows in the page cache and the sanitizer's own are let in.
    assert.ok(grown < 24 * MIB + REQUESTS * 200, `${grown} bytes`);
  });
});

describe('the limit of open files', () => {
  let region;
  before(async () => {
    region = await Region.start({ empty: true, patients: 5 });
    await region.stop({ keep: true });
  });
  after(() => rmSync(region.dir, { recursive: true, force: true }));
  /** Runs the program where no more than HARD files may be open, SOFT of them to begin with. */
  const limited = (soft, hard, ...argv) => ['-c', `ulimit -Sn ${soft}; ulimit -Hn ${hard}; exec "$0" "$@"`, BINARY, ...argv];

  test('check-config says how many connections there is room for, and what to do', () => {
    const check = (hard) => spawnSync('sh', limited(300, hard, 'check-config', join(region.dir, 'tasuki.conf')), { encoding: 'utf8' });
    const low = check(2_000);
    assert.equal(low.status, 1, low.stderr);
    assert.match(low.stdout, /1744 .*16384.*16640|16384 .*1744 .*16640/);
    assert.match(low.stdout, /connections = 1744/);
    writeFileSync(join(region.dir, 'tasuki.conf'), readFileSync(join(region.dir, 'tasuki.conf'), 'utf8').replace(/^connections = .*$/m, 'connections = 1744'));
    assert.equal(check(2_000).status, 0);
  });

  test('the soft limit is raised to the hard one at the start', async () => {
    const child = spawn('sh', limited(300, 1_000, 'serve', '--config', join(region.dir, 'tasuki.conf')), { stdio: 'ignore' });
    const left = new Promise((done) => child.on('exit', done));
    const figures = await until(() => metrics(region).catch(() => undefined), { ms: 60_000, what: 'it is up' });
    assert.equal(figures.tasuki_connections_max, 1_000 - 256);
    child.kill('SIGTERM');
    assert.equal(await left, 0);
  });
});

describe('when no more may come', () => {
  const CAP = 40;
  let first;
  let region;
  let secure;
  before(async () => {
    first = await Region.start({ empty: true, patients: 5 });
    await first.stop({ keep: true });
    const conf = join(first.dir, 'tasuki.conf');
    writeFileSync(conf, readFileSync(conf, 'utf8').replace(/^connections = .*$/m, `connections = ${CAP}`));
    region = await Region.start({ dir: first.dir });
    secure = tls.createSecureContext(region.tls('hospital-a'));
  });
  after(async () => {
    await region?.stop();
    rmSync(first.dir, { recursive: true, force: true });
  });

  test('one address holds a quarter, the others go on', async () => {
    const own = await crowd(CAP / 4, () => Sender.open(region.ports.mllp, undefined, '127.0.0.9'));
    const more = await Sender.open(region.ports.mllp, undefined, '127.0.0.9');
    assert.equal(await more.answer(), undefined);
    const other = await Sender.open(region.ports.mllp, undefined, '127.0.0.10');
    assert.equal(ackCode(await other.send(adt('S', 1))), 'AA');
    for (const [i, sender] of own.entries()) assert.equal(ackCode(await sender.send(adt('S', 10 + i))), 'AA');
    assert.equal(fault(await metrics(region), 'mllp', 'address-share'), 1);
    for (const sender of [...own, other]) sender.close();
    await until(async () => (await metrics(region))['tasuki_connections{listener="mllp"}'] === 0, { what: 'all are gone' });
  });

  test('HTTPS hears 503, MLLP is closed, both counted; who is in is served, monitoring looks in', async () => {
    const inside = await crowd(CAP, (i) => (i % 2 ? Wire.open(region.ports.system, { secure, from: from(i) }) : Sender.open(region.ports.mllp, undefined, from(i))));
    const late = await Wire.open(region.ports.system, { secure, from: '127.0.0.20' });
    const answer = await late.ask('GET', '/fhir/metadata');
    assert.equal(answer.status, 503);
    assert.match(answer.head, /^Retry-After: \d+$/m);
    assert.match(answer.head, /^Connection: close$/m);
    assert.match(answer.body, /[ぁ-ん].*[A-Za-z]/);
    assert.equal(await late.answer(), 'end');
    const sender = await Sender.open(region.ports.mllp, undefined, '127.0.0.20');
    assert.equal(await sender.answer(), undefined);
    const figures = await metrics(region);
    assert.equal(figures.tasuki_connections_max, CAP);
    assert.equal(fault(figures, 'system', 'full'), 1);
    assert.equal(fault(figures, 'mllp', 'full'), 1);
    assert.equal(figures['tasuki_http_refusals_total{listener="system",status="503"}'], 1);
    for (const [i, one] of inside.entries()) {
      if (i % 2) assert.equal((await one.ask('GET', '/fhir/metadata')).status, 200);
      else assert.equal(ackCode(await one.send(adt('F', i))), 'AA');
    }
    inside[0].close();
    await until(async () => (await metrics(region))['tasuki_connections{listener="mllp"}'] === CAP / 2 - 1, { what: 'one is gone' });
    const next = await Wire.open(region.ports.system, { secure, from: '127.0.0.20' });
    assert.equal((await next.ask('GET', '/fhir/metadata')).status, 200);
    next.destroy();
    for (const [i, one] of inside.entries()) if (i % 2) one.destroy(); else one.close();
  });
});
