// SPDX-License-Identifier: Apache-2.0
//
// An export of a standard storage, killed without warning again and again: at no moment has a key two valid files, or a file that is
// not whole; and when a run is let finish, the tree is the one of a run that nobody disturbed. The live mode likewise. A disk that
// fills up is said, leaves what is there whole and nothing half behind, and the next run completes it.
// A patient of more records than the memory of a request is exported all the same.
//
// TASUKI_CRASH_ROUNDS sets the number of kills (a hundred stand for twenty here), TASUKI_CRASH_SEED repeats the moments.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BINARY, sleep, tasuki, until } from '../door/region.mjs';
import { files, put } from '../door/storage.mjs';

const KILLS = Math.max(2, Math.round(Number(process.env.TASUKI_CRASH_ROUNDS ?? 100) / 5));
const SEED = Number(process.env.TASUKI_CRASH_SEED ?? Date.now() % 1_000_000);
const PATIENTS = 24;
const CODE = '1319999999';
const place = mkdtempSync(join(tmpdir(), 'tasuki-fault-ssmix2-'));
after(() => rmSync(place, { recursive: true, force: true }));

let state = SEED;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

let ports = 23_300;
function installation(name) {
  const dir = join(place, name);
  assert.equal(tasuki('init', dir, '--name', 'x', '--host', '127.0.0.1', '--port-base', String(ports += 10)).code, 0);
  assert.equal(tasuki('facility', 'add', 'hosp', '--dir', dir, '--code', CODE, '--name', 'たすき病院', '--kind', 'hospital').code, 0);
  return dir;
}
const run = (dir, ...args) => tasuki(...args, '--dir', dir, '--facility', 'hosp', '--lang', 'en');
const must = (dir, ...args) => {
  const answer = run(dir, ...args);
  assert.equal(answer.code, 0, answer.err + answer.out);
};
const environment = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0:exitcode=99' };
const begin = (dir, out, ...more) => {
  const child = spawn(BINARY, ['export', 'ssmix2', out, '--dir', dir, '--facility', 'hosp', ...more], { stdio: 'ignore', env: environment });
  child.ended = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })));
  return child;
};

const patient = (n) => String(20_000_000 + n);
const msh = (type, sent) => `MSH|^~\\&|HIS|${CODE}|GW|D|${sent.slice(0, 14)}||${type}|${sent}|P|2.5||||||~ISO IR87||ISO 2022-1994\r`;
const pid = (n) => `PID|0001||${patient(n)}^^^^PI||K^T^^^^^L^A||19520314|F\r`;
const lab = (n, order, value, sent) => `${msh('OUL^R22^OUL_R22', sent)}${pid(n)}SPM|1|||023^S^JC10|||||||||||||202611010900\r`
  + `OBR|1|${order}||E002^X^99O03|||202611010900\rORC|SC|${order}\rOBX|1|NM|3A010000002327101^TP^JC10||${value}|g/dl|||||F|||202611010900\r`;
const problems = (n, text, sent) => `${msh('PPR^ZD1^PPR_ZD1', sent)}${pid(n)}PRB|AD|20261101|20054174^${text}^MDCDX2|P1\r`;

/** The first state of a storage: three results and a diagnosis each. */
function fill(root, from = 0, to = PATIENTS) {
  for (let n = from; n < to; n++) {
    for (let i = 1; i <= 3; i++) {
      const order = String(i).padStart(15, '0');
      put(root, { patient: patient(n), kind: 'OML-11', date: '20261101', order, sent: `2026110110000000${i}` }, lab(n, order, `7.${i}`, `2026110110000000${i}`));
    }
    put(root, { patient: patient(n), kind: 'PPR-01', date: '-', sent: '20261101100000009' }, problems(n, 'G', '20261101100000009'));
  }
}

/** The second: of each patient one result corrected, one deleted, the diagnoses replaced. */
function change(root) {
  const flag = (path, to) => renameSync(join(root, path), join(root, path.replace(/.$/, to)));
  for (const path of files(root)) {
    if (/OML-11_000000000000001_/.test(path) || /PPR-01_/.test(path)) flag(path, '2');
    else if (/OML-11_000000000000002_/.test(path)) flag(path, '0');
  }
  for (let n = 0; n < PATIENTS; n++) {
    put(root, { patient: patient(n), kind: 'OML-11', date: '20261101', order: '000000000000001', sent: '20261102100000001' }, lab(n, '000000000000001', '8.1', '20261102100000001'));
    put(root, { patient: patient(n), kind: 'PPR-01', date: '-', sent: '20261102100000009' }, problems(n, 'H', '20261102100000009'));
  }
}

const key = (path) => path.split('/').at(-1).split('_').slice(0, 4).join('_');
const hash = (root, path) => createHash('sha256').update(readFileSync(join(root, path))).digest('hex');
/** What a tree says. A cancellation is named by the moment it was written, which is nobody's to compare. */
const contents = (root) => files(root).map((path) => `${path.endsWith('_0') ? `${key(path)} deleted` : path} ${hash(root, path)}`).sort();
const hidden = (root) => readdirSync(root, { recursive: true }).filter((name) => name.split('/').at(-1).startsWith('.tasuki-new'));

/** No key has two valid files; what is there is one of the files that KNOWN says. */
function assertWhole(root, known) {
  const valid = files(root).filter((path) => path.endsWith('_1')).map(key);
  assert.equal(new Set(valid).size, valid.length, 'two valid files of one key');
  for (const path of files(root)) assert.ok(known.has(hash(root, path)), `${path} is not whole`);
}

describe('killed again and again', () => {
  for (const mode of [[], ['--anew']]) {
    test(`export ${mode.join(' ') || 'as received'}: the tree of a run that nobody disturbed (seed ${SEED})`, async () => {
      const name = mode.length ? 'anew' : 'plain';
      const dir = installation(name);
      const root = join(place, `${name}-in`);
      const calm = join(place, `${name}-calm`);
      const torn = join(place, `${name}-torn`);
      const known = new Set();
      let killed = 0;
      for (const phase of [fill, change]) {
        phase(root);
        must(dir, 'import', 'ssmix2', root);
        const began = Date.now();
        must(dir, 'export', 'ssmix2', calm, ...mode);
        const took = Date.now() - began;
        for (const path of files(calm)) known.add(hash(calm, path));
        for (let i = 0; i < KILLS / 4; i++) {
          const child = begin(dir, torn, ...mode);
          await sleep(random() * took);
          child.kill('SIGKILL');
          const { signal } = await child.ended;
          killed += signal === 'SIGKILL';
          if (existsSync(torn)) assertWhole(torn, known);
        }
        must(dir, 'export', 'ssmix2', torn, ...mode);
        assert.deepEqual(contents(torn), contents(calm));
        assert.deepEqual(hidden(torn), []);
        assert.equal(tasuki('index', 'ssmix2', torn, '--code', CODE, '--check').code, 0, 'the index is of this tree');
        assert.equal(tasuki('validate', 'ssmix2', torn).code, 0);
      }
      assert.ok(killed > 0, 'no run was killed before it ended');
    });
  }

  test('the live mode: what came is there in the end, whatever it was killed in', async () => {
    const dir = installation('live');
    const root = join(place, 'live-in');
    const out = join(place, 'live-out');
    const calm = join(place, 'live-calm');
    for (let i = 0; i < KILLS / 2; i++) {
      const child = begin(dir, out, '--watch');
      fill(root, i * 2, i * 2 + 2);
      must(dir, 'import', 'ssmix2', root);
      await sleep(random() * 1_500);
      child.kill('SIGKILL');
      await child.ended;
    }
    const child = begin(dir, out, '--watch');
    fill(root, KILLS, KILLS + 1); // so that it is this one that brings it
    must(dir, 'import', 'ssmix2', root);
    must(dir, 'export', 'ssmix2', calm);
    const valid = (tree) => contents(tree).filter((line) => /_1 /.test(line));
    await until(() => JSON.stringify(valid(out)) === JSON.stringify(valid(calm)), { ms: 60_000, what: 'the same valid files' });
    child.kill('SIGTERM');
    assert.deepEqual(await child.ended, { code: 0, signal: null });
    assert.deepEqual(hidden(out), []);
    assert.equal(tasuki('index', 'ssmix2', out, '--code', CODE, '--check').code, 0);
  });
});

describe('a disk that is full', () => {
  // A file system of its own needs a namespace of its own; where the machine does not give one, files may not grow instead.
  const namespace = spawnSync('unshare', ['-rm', 'true']).status === 0;
  let dir;
  let root;
  before(() => {
    dir = installation('full');
    root = join(place, 'full-in');
    fill(root);
    must(dir, 'import', 'ssmix2', root);
  });

  test('is said, leaves all that is there whole, and the next run completes it', { skip: namespace ? false : 'no namespaces here' }, () => {
    const calm = join(place, 'full-calm');
    const disk = join(place, 'disk');
    must(dir, 'export', 'ssmix2', calm);
    const known = new Set(files(calm).map((path) => hash(calm, path)));
    const before_ = contents(calm);
    const next = join(place, 'full-next');
    cpSync(root, next, { recursive: true });
    change(next);
    const script = `
      set -e
      export ASAN_OPTIONS=detect_leaks=0
      mkdir -p "$DISK"; mount -t tmpfs -o size=64m none "$DISK"; mkdir "$DISK/tree"
      export_() { "$BINARY" export ssmix2 "$DISK/tree" --dir "$DIR" --facility hosp --lang en; }
      export_ >/dev/null 2>&1
      "$BINARY" import ssmix2 "$NEXT" --dir "$DIR" --facility hosp >/dev/null
      mount -o remount,size=$(df -k --output=used "$DISK" | tail -1 | tr -d ' ')k "$DISK"
      export_ >"$OUT.first" 2>&1 && exit 7
      cp -r "$DISK/tree" "$OUT-1"
      mount -o remount,size=64m "$DISK"
      export_ >"$OUT.second" 2>&1
      cp -r "$DISK/tree" "$OUT-2"`;
    const out = join(place, 'full-out');
    const ran = spawnSync('unshare', ['-rm', 'sh', '-c', script], { encoding: 'utf8', env: { ...process.env, BINARY, DISK: disk, DIR: dir, NEXT: next, OUT: out } });
    assert.equal(ran.status, 0, `${ran.stdout}${ran.stderr}${existsSync(`${out}.second`) ? readFileSync(`${out}.second`, 'utf8') : ''}`);
    assert.match(readFileSync(`${out}.first`, 'utf8'), /no room left.*whole/);
    must(dir, 'export', 'ssmix2', calm);
    for (const path of files(calm)) known.add(hash(calm, path));
    assertWhole(`${out}-1`, known);
    assert.deepEqual(hidden(`${out}-1`), []);
    assert.deepEqual(contents(`${out}-1`), before_, 'nothing was taken away');
    assert.deepEqual(contents(`${out}-2`), contents(calm));
  });

  test('a file that may not grow is said likewise', () => {
    const out = join(place, 'small-out');
    const ran = spawnSync('sh', ['-c', 'ulimit -f 0 && exec "$0" export ssmix2 "$1" --dir "$2" --facility hosp --lang en', BINARY, out, dir], { encoding: 'utf8', env: environment });
    assert.notEqual(ran.status, 0);
    assert.equal(ran.signal, null, 'not killed');
    assert.deepEqual(existsSync(out) ? files(out) : [], []);
  });

  test('two exports do not write one tree', async () => {
    const out = join(place, 'two-out');
    const child = begin(dir, out, '--watch');
    await until(() => existsSync(join(out, '.tasuki-export')), { what: 'the tree begun' });
    const second = run(dir, 'export', 'ssmix2', out);
    child.kill('SIGTERM');
    await child.ended;
    assert.notEqual(second.code, 0);
    assert.match(second.err, /another export is writing/);
    must(dir, 'export', 'ssmix2', out);
  });
});

describe('what is too large for a request', () => {
  test('a patient of more records than a request may hold', () => {
    const dir = installation('large');
    const about = { subject: { identifier: { system: `urn:oid:1.2.392.100495.20.3.51.1${CODE}`, value: patient(0) } } };
    const words = 'long words '.repeat(15_000);
    const ndjson = (list) => { const file = join(place, 'large.ndjson'); writeFileSync(file, list.map((r) => JSON.stringify(r)).join('\n')); return file; };
    must(dir, 'import', 'fhir', ndjson([{ resourceType: 'Patient', identifier: [about.subject.identifier], name: [{ family: 'K', given: ['T'] }], gender: 'female', birthDate: '1952-03-14' }]));
    const results = Array.from({ length: 260 }, (_, i) => ({ resourceType: 'Observation', ...about, status: 'final', category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }],
      code: { coding: [{ system: 'urn:oid:1.2.392.200119.4.504', code: '3A010000002327101', display: 'TP' }] }, effectiveDateTime: `2026-11-01T09:00:00.${String(i).padStart(3, '0')}+09:00`, valueQuantity: { value: i }, note: [{ text: words }] }));
    for (let i = 0; i < results.length; i += 90) must(dir, 'import', 'fhir', ndjson(results.slice(i, i + 90)));
    const out = join(place, 'large-out');
    must(dir, 'export', 'ssmix2', out);
    assert.equal(files(out).length, 261);
  });
});
