// SPDX-License-Identifier: Apache-2.0
//
// Starting the server again on a region that is there, whatever it was killed in.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import { join } from 'node:path';
import { BINARY, sleep } from '../door/region.mjs';

const ready = (region) => new Promise((done) => {
  const call = http.get(`${region.urls.ops}/readyz`, (answer) => { answer.resume(); done(answer.statusCode === 200); });
  call.on('error', () => done(false));
  call.setTimeout(1_000, () => { call.destroy(); done(false); });
});

/** Starts it; it must come up within 30 s. */
export async function serve(region) {
  region.err = '';
  const child = spawn(BINARY, ['serve', '--config', join(region.dir, 'tasuki.conf')], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0:exitcode=99' } });
  region.child = child;
  region.exited = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })));
  child.stderr.setEncoding('utf8').on('data', (text) => { region.err += text; });
  for (let i = 0; i < 1_500; i++) {
    if (await ready(region)) return;
    assert.equal(child.exitCode, null, `does not start again: ${region.tail()}`);
    await sleep(20);
  }
  assert.fail(`not ready in 30 s: ${region.tail()}`);
}
