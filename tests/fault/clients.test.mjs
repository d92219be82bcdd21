// SPDX-License-Identifier: Apache-2.0
//
// Real MLLP clients against a server that is killed without warning while they send: each message they got an AA for is there, each one
// they send again because they got none is there once. node-hl7-client (npm) and mllp_send (python3-hl7, Debian), one after the other.
//
// TASUKI_CLIENT_MESSAGES sets the number of messages of each (default 600; the full test is 10000).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Region, sleep, sql, tasuki } from '../door/region.mjs';
import { frame } from '../door/mllp.mjs';
import { serve } from './serve.mjs';

const MESSAGES = Number(process.env.TASUKI_CLIENT_MESSAGES ?? 600);
const KILLS = 2;
const HERE = dirname(fileURLToPath(import.meta.url));

let region;
before(async () => {
  region = await Region.start({ empty: true, patients: 5 });
  await region.stop({ keep: true });
  await serve(region);
});
after(async () => {
  region.owned = true;
  if (region.child.exitCode === null && region.child.signalCode === null) await region.stop();
});

const message = (who, n) => [
  `MSH|^~\\&|${who}|SEND|GW|RCV|20260101120000||ADT^A08^ADT_A01|${who}-${n}|P|2.5`,
  'EVN||20260101120000', `PID|0001||${who}-${n % 97}^^^^PI||N${n}^TEST^^^^^L^A||19650415|F`, 'PV1|0001|O',
].join('\r');

/** Kills the server KILLS times on the way. */
async function killer(progress) {
  for (let k = 1; k <= KILLS; k++) {
    while (progress.acked < (MESSAGES * k) / (KILLS + 1)) await sleep(5);
    await region.kill();
    progress.kills++;
    await serve(region);
  }
}

/** Every message is there once, its patient says what the last message about him said. */
function check(who) {
  const rows = sql(region, `SELECT control_id AS id, count(*) AS n FROM inbox WHERE control_id LIKE '${who}-%' GROUP BY 1`);
  assert.equal(rows.length, MESSAGES, 'none lost');
  assert.ok(rows.every((r) => r.n === 1), 'none doubled');
  const charts = sql(region, `SELECT local_no AS no, count(r.rid) AS n FROM chart c JOIN record r ON r.chart = c.id AND r.type = 'Patient' WHERE local_no LIKE '${who}-%' GROUP BY 1`);
  assert.equal(charts.length, Math.min(97, MESSAGES));
  assert.ok(charts.every((c) => c.n === 1), 'one Patient a number');
  // An accepted message is one audit row; sent again, it is a row that says so.
  const audit = sql(region, `SELECT count(*) AS n FROM audit WHERE event = 'intake' AND outcome = 0 AND reason <> 'repeat' AND entity LIKE '${who}-%'`)[0].n;
  assert.equal(audit, MESSAGES, 'filed once each');
}

/** One run of a client with what was not acknowledged yet; ACKED grows as it says so. Unbuffered, so that the kills find it at work. */
function send(who, command, acked, progress) {
  const left = Array.from({ length: MESSAGES }, (_, n) => n).filter((n) => !acked.has(n));
  const file = join(region.dir, 'left.hl7');
  writeFileSync(file, Buffer.concat(left.map((n) => frame(message(who, n)))));
  return new Promise((done) => {
    const child = execFile(...command(String(region.ports.mllp), file), { encoding: 'latin1', maxBuffer: 1 << 28, env: { ...process.env, PYTHONUNBUFFERED: '1' } }, () => done());
    let tail = '';
    child.stdout.on('data', (text) => {
      const lines = (tail + text).split(/[\r\n]/);
      tail = lines.pop();
      for (const line of lines) {
        const found = /^MSA\|(\w\w)\|[A-Z]+-(\d+)/.exec(line);
        if (!found) continue;
        assert.equal(found[1], 'AA');
        acked.add(Number(found[2]));
        progress.acked = acked.size;
      }
    });
  });
}

describe(`killed ${KILLS} times while a client sends ${MESSAGES} messages`, () => {
  const clients = {
    'mllp_send of python3-hl7': { who: 'PY', needs: 'command -v mllp_send', command: (port, file) => ['mllp_send', ['--port', port, '--file', file, '127.0.0.1']] },
    'node-hl7-client': { who: 'NODE', needs: `test -d ${join(HERE, '../door/node_modules/node-hl7-client')}`, command: (port, file) => [process.execPath, [join(HERE, 'node_client.mjs'), port, file]] },
  };
  for (const [name, { who, needs, command }] of Object.entries(clients)) {
    test(name, { timeout: 900_000 }, async (t) => {
      const here = await new Promise((done) => execFile('sh', ['-c', needs], (error) => done(!error)));
      if (!here) return t.skip(`${name} is not installed`);
      const progress = { acked: 0, kills: 0 };
      const acked = new Set();
      const killing = killer(progress);
      let runs = 0;
      while (acked.size < MESSAGES) {
        assert.ok(++runs < 50, `${acked.size} acknowledged after 50 runs`);
        await send(who, command, acked, progress);
        if (acked.size < MESSAGES) await sleep(100);
      }
      await killing;
      assert.equal(progress.kills, KILLS);
      check(who);
      t.diagnostic(`${runs} runs`);
      return undefined;
    });
  }

  test('and the audit chain holds', () => {
    const proof = tasuki('audit', 'verify', '--dir', region.dir);
    assert.equal(proof.code, 0, proof.out + proof.err);
    assert.equal(sql(region, 'PRAGMA integrity_check')[0].integrity_check, 'ok');
  });
});
