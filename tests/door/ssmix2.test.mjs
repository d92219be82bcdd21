// SPDX-License-Identifier: Apache-2.0
//
// SS-MIX2 storages from outside: checked, written, read back. An export of what came in is the same files; read into an empty
// region it makes the same records. Corrections and deletions rename as the standard says; what came as FHIR is written anew
// and passes our own checks; a facility's view of a resident holds what consent lets it see. Documents of the extended storage
// are filed; a watched root misses nothing, also what came while nobody watched.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Sender, ackCode } from './mllp.mjs';
import { BINARY, Region, corpus, sql, tasuki, until } from './region.mjs';

const samples = corpus('japan/ssmix2-nho-sample/sampleData');
const CODE = '1319999999';
const place = mkdtempSync(join(tmpdir(), 'tasuki-ssmix2-'));
after(() => rmSync(place, { recursive: true, force: true }));

const files = (root) => readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((e) => e.isFile() && !e.name.startsWith('.') && !e.name.startsWith('SSMIXIDX'))
  .map((e) => join(e.parentPath ?? e.path, e.name).slice(root.length + 1)).sort();

let ports = 21_300;
/** An installation with one hospital; with KEY, its ids are those of another installation. */
function installation(name, key) {
  const dir = join(place, name);
  assert.equal(tasuki('init', dir, '--name', 'x', '--host', '127.0.0.1', '--port-base', String(ports += 10)).code, 0);
  if (key) copyFileSync(join(key, 'master.key'), join(dir, 'master.key'));
  assert.equal(tasuki('facility', 'add', 'hosp', '--dir', dir, '--code', CODE, '--name', 'たすき病院', '--kind', 'hospital').code, 0);
  return dir;
}

const run = (verb, what, dir, ...more) => {
  const answer = tasuki(verb, what, '--dir', dir, '--facility', 'hosp', ...more);
  assert.equal(answer.code, 0, answer.err + answer.out);
  return answer.out;
};
const records = (dir) => sql({ dir }, "SELECT type, id, hex(body) AS body FROM record WHERE deleted = 0 AND type NOT IN ('Organization') ORDER BY type, id");

const PATIENT = '00012345';
const msh = (type, sent) => `MSH|^~\\&|HIS|${CODE}|GW|D|${sent.slice(0, 14)}||${type}|${sent}|P|2.5||||||~ISO IR87||ISO 2022-1994\r`;
const PID = `PID|0001||${PATIENT}^^^^PI||K^T^^^^^L^A||19520314|F\r`;
const lab = (value, sent) => `${msh('OUL^R22^OUL_R22', sent)}${PID}SPM|1|||023^S^JC10|||||||||||||202611010900\r`
  + `OBR||000000000000354||E002^X^99O03|||202611010900\rORC|SC|000000000000354\rOBX|1|NM|3A010000002327101^TP^JC10||${value}|g/dl|||||F|||202611010900\r`;
const put = (root, kind, date, order, sent, flag, text) => {
  const path = join(`${PATIENT.slice(0, 3)}/${PATIENT.slice(3, 6)}/${PATIENT}/${date}/${kind}`, `${PATIENT}_${date}_${kind}_${order}_${sent}_-_${flag}`);
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text, 'latin1');
  return path;
};

describe('validate ssmix2', () => {
  test('counts by kind and check, lists values, ends with 3 on errors', { skip: samples.skip }, () => {
    const answer = tasuki('validate', 'ssmix2', samples.path, '--json', '--list', 'OBX-2,PV1-2');
    assert.equal(answer.code, 3);
    const said = JSON.parse(answer.out);
    assert.equal(said.files, 22);
    const failed = (check) => said.checks.filter((c) => c.check === check).reduce((n, c) => n + Number(c.failed), 0);
    assert.deepEqual(['path', 'count', 'jis', 'care-date', 'required', 'numeric', 'order'].map(failed), [1, 0, 1, 6, 3, 2, 2]);
    assert.equal(said.kinds.find((k) => k.kind === 'OMP-11').deleted, '1');
    assert.ok(said.findings.some((f) => f.check === 'intake' && f.code === 'ERR_PATIENT_MISMATCH' && /患者/.test(f.name) && /Patient/.test(f.name)));
    assert.ok(said.list.some((l) => l.field === 'PV1-2' && l.value === 'I'));
    assert.match(said.fields.find((f) => f.kind === 'OML-11' && f.segment === 'OBX').filled, /5=3/);
    const text = tasuki('validate', 'ssmix2', samples.path);
    assert.equal(text.code, 3);
    assert.match(text.out, /kind +path +count +jis +care-date/);
  });

  test('two valid files of one key', () => {
    const root = join(place, 'twice');
    put(root, 'OML-11', '20261101', '000000000000354', '20261101100000000', 1, lab('7.2', '20261101100000000'));
    assert.equal(tasuki('validate', 'ssmix2', root).code, 0);
    put(root, 'OML-11', '20261101', '000000000000354', '20261101110000000', 1, lab('7.3', '20261101110000000'));
    const answer = tasuki('validate', 'ssmix2', root, '--json');
    assert.equal(answer.code, 3);
    assert.deepEqual(JSON.parse(answer.out).findings.map((f) => f.check), ['count']);
  });

  test('validate hl7 says what a place is called, in both languages', () => {
    const file = join(place, 'x.hl7');
    writeFileSync(file, lab('7.2', '20261101100000000').replace('||19520314', '||'));
    const said = JSON.parse(tasuki('validate', 'hl7', '--json', file).out);
    assert.ok(said.some((f) => f.place === 'PID[1]-7' && /生年月日/.test(f.name) && /Birth/.test(f.name)), JSON.stringify(said));
  });
});

describe('export ssmix2', () => {
  test('an export of what came in is the same files, and makes the same records elsewhere', { skip: samples.skip }, () => {
    const a = installation('a');
    tasuki('import', 'ssmix2', samples.path, '--dir', a, '--facility', 'hosp');
    const out = join(place, 'a-out');
    run('export', 'ssmix2', a, out);
    assert.ok(files(out).length >= 8);
    for (const path of files(out)) assert.ok(readFileSync(join(out, path)).equals(readFileSync(join(samples.path, path))), path);
    const b = installation('b', a);
    run('import', 'ssmix2', b, out);
    assert.deepEqual(records(b), records(a));
    assert.match(run('export', 'ssmix2', a, out), /^0 (patients|人)|患者 0 人/);
  });

  test('corrections become history, deletions are said; a run that was stopped is completed', () => {
    const dir = installation('c');
    const root = join(place, 'c-in');
    const out = join(place, 'c-out');
    const first = put(root, 'OML-11', '20261101', '000000000000354', '20261101100000000', 1, lab('7.2', '20261101100000000'));
    run('import', 'ssmix2', dir, root);
    run('export', 'ssmix2', dir, out);
    assert.deepEqual(files(out), [first]);

    const second = put(root, 'OML-11', '20261101', '000000000000354', '20261101110000000', 1, lab('7.3', '20261101110000000'));
    renameSync(join(root, first), join(root, first.replace(/1$/, '2')));
    run('import', 'ssmix2', dir, root);
    writeFileSync(join(out, dirname(first), '.tasuki-new-0'), 'half a file');
    run('export', 'ssmix2', dir, out);
    const results = () => files(out).filter((path) => path.includes('/OML-11/'));
    assert.deepEqual(results(), [first.replace(/1$/, '2'), second]);
    // The message that first spoke of the patient is history: what it said of him is written as his basic data.
    assert.equal(files(out).filter((path) => path.includes('/ADT-00/')).length, 1);
    assert.ok(!existsSync(join(out, dirname(first), '.tasuki-new-0')));
    assert.equal(readFileSync(join(out, second), 'latin1'), lab('7.3', '20261101110000000'));

    renameSync(join(root, second), join(root, second.replace(/1$/, '0')));
    run('import', 'ssmix2', dir, root);
    run('export', 'ssmix2', dir, out);
    const left = results();
    assert.equal(left.length, 3);
    assert.ok(left.every((path) => path.endsWith('_0')), left.join('\n'));
    assert.ok(left.some((path) => /ORC\|CA\|/.test(readFileSync(join(out, path), 'latin1'))));

    // Stopped between the cancellation and the flags of what it cancels: the next run completes it and cancels nothing twice.
    const torn = left.find((path) => path.startsWith(second.slice(0, -1)));
    renameSync(join(out, torn), join(out, second));
    const state = readFileSync(join(out, '.tasuki-export'), 'utf8').split('\n');
    writeFileSync(join(out, '.tasuki-export'), [...state.slice(0, 2), '0', ''].join('\n'));
    run('export', 'ssmix2', dir, out);
    assert.deepEqual(results(), left);
  });

  test('what came as FHIR is written anew and passes the checks; what has no place is counted', () => {
    const dir = installation('d');
    const out = join(place, 'd-out');
    const about = { subject: { identifier: { system: `urn:oid:1.2.392.100495.20.3.51.1${CODE}`, value: PATIENT } } };
    const name = (text, script) => ({ use: 'official', text, family: text.split(' ')[0], given: [text.split(' ')[1]],
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation', valueCode: script }] });
    const resources = [
      { resourceType: 'Patient', identifier: [about.subject.identifier], name: [name('髙木 花', 'IDE'), name('タカギ ハナ', 'SYL')], gender: 'female', birthDate: '1952-03-14' },
      { resourceType: 'Condition', ...about, code: { text: '胃炎 A|B', coding: [{ system: 'http://medis.or.jp/CodeSystem/master-disease-keyNumber', code: '20054174', display: '胃炎' }] },
        clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
        verificationStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }] } },
      { resourceType: 'Observation', ...about, status: 'final', category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }],
        code: { coding: [{ system: 'urn:oid:1.2.392.200119.4.504', code: '3A010000002327101', display: '総蛋白' }] }, effectiveDateTime: '2026-11-01T09:00:00+09:00', valueQuantity: { value: 7.2, unit: 'g/dL' } },
      { resourceType: 'CarePlan', ...about, status: 'active', intent: 'plan' },
    ];
    for (const part of [resources.slice(0, 1), resources.slice(1)]) { // who he is must be known first
      const file = join(place, 'd.ndjson');
      writeFileSync(file, part.map((r) => JSON.stringify(r)).join('\n'));
      run('import', 'fhir', dir, file);
    }
    const answer = spawnSync(BINARY, ['export', 'ssmix2', out, '--dir', dir, '--facility', 'hosp', '--lang', 'en'], { encoding: 'utf8' });
    assert.equal(answer.status, 0, answer.stderr);
    assert.match(answer.stderr, /CarePlan: 1 left out/);
    assert.match(answer.stderr, /[1-9][0-9]* characters that JIS X 0208 lacks/);
    assert.deepEqual(files(out).map((path) => path.split('/')[4]), ['ADT-00', 'PPR-01', 'OML-11'].sort((x, y) => (x === 'OML-11') - (y === 'OML-11')));
    const checked = tasuki('validate', 'ssmix2', out, '--json');
    assert.equal(checked.code, 0, checked.out);
    const problem = execFileSync('iconv', ['-f', 'ISO-2022-JP', '-t', 'UTF-8', join(out, files(out).find((p) => /PPR-01/.test(p)))], { encoding: 'utf8' });
    assert.match(problem, /\|胃炎 A\\F\\B/);
    assert.match(problem, /■木\^花/);
  });

  test('a folder that holds something else is not touched', () => {
    const out = join(place, 'full');
    mkdirSync(out);
    writeFileSync(join(out, 'x'), 'y');
    const answer = tasuki('export', 'ssmix2', out, '--dir', installation('e'), '--facility', 'hosp');
    assert.notEqual(answer.code, 0);
    assert.deepEqual(readdirSync(out), ['x']);
  });

  test('--watch writes what comes while it runs', async () => {
    const dir = installation('w');
    const root = join(place, 'w-in');
    const out = join(place, 'w-out');
    const child = spawn(BINARY, ['export', 'ssmix2', out, '--dir', dir, '--facility', 'hosp', '--watch'], { stdio: 'ignore' });
    const ended = new Promise((done) => child.on('exit', done));
    try {
      await until(() => existsSync(join(out, '.tasuki-export')), { what: 'the tree begun' });
      const path = put(root, 'OML-11', '20261101', '000000000000354', '20261101100000000', 1, lab('7.2', '20261101100000000'));
      run('import', 'ssmix2', dir, root);
      await until(() => existsSync(join(out, path)), { what: 'the new file' });
    } finally {
      child.kill('SIGTERM');
    }
    assert.equal(await ended, 0);
  });
});

describe('index ssmix2', () => {
  test('is made from the tree and compared with it', () => {
    const root = join(place, 'indexed');
    put(root, 'OML-11', '20261101', '000000000000354', '20261101100000000', 1, lab('7.2', '20261101100000000'));
    assert.equal(tasuki('index', 'ssmix2', root, '--code', CODE).code, 0);
    const rows = readFileSync(join(root, 'SSMIXIDX.tsv'), 'utf8').trim().split('\n').map((line) => line.split('\t'));
    assert.deepEqual(rows[1].slice(0, 9), ['STD01', CODE, PATIENT, '20261101', 'OML-11', '000000000000354', 'INS', '-', '20261101100000000']);
    assert.equal(tasuki('index', 'ssmix2', root, '--code', CODE, '--check').code, 0);
    put(root, 'OML-11', '20261102', '000000000000355', '20261102100000000', 1, lab('7.2', '20261102100000000'));
    const answer = tasuki('index', 'ssmix2', root, '--code', CODE, '--check');
    assert.equal(answer.code, 3);
    assert.match(answer.out, /^\+ STD01/);
  });
});

describe('files that come in another order than they were written', () => {
  const values = (dir) => sql({ dir }, "SELECT count(*) AS n FROM record WHERE type = 'Observation' AND deleted = 0")[0].n;
  const ORDER = '000000000000354';

  test('two valid files of one key: the one sent later stands, whichever is read first', () => {
    const first = lab('7.2', '20261101100000000');
    const second = lab('7.9', '20261101110000000');
    const exported = [];
    for (const order of [[first, second], [second, first]]) {
      const dir = installation(`twice-${exported.length}`);
      const root = join(place, `twice-in-${exported.length}`);
      for (const text of order) {
        put(root, 'OML-11', '20261101', ORDER, text === first ? '20261101100000000' : '20261101110000000', 1, text);
        run('import', 'ssmix2', dir, root);
      }
      assert.equal(values(dir), 1);
      exported.push(records(dir).filter((r) => r.type === 'Observation').length);
      const shown = tasuki('intake', 'show', '1', '--dir', dir, '--facility', 'hosp');
      assert.equal(shown.code, 4, 'nothing was refused');
      const out = join(place, `twice-out-${exported.length}`);
      run('export', 'ssmix2', dir, out);
      const valid = files(out).filter((f) => /OML-11_.*_1$/.test(f));
      assert.deepEqual(valid.length, 1);
      assert.match(readFileSync(join(out, valid[0]), 'latin1'), /\|7\.9\|/);
    }
  });

  test('a file made invalid takes away its own order, not another one', () => {
    const dir = installation('zero');
    const root = join(place, 'zero-in');
    const other = lab('5.1', '20261101100000000').replaceAll(ORDER, '000000000000355');
    put(root, 'OML-11', '20261101', '000000000000355', '20261101100000000', 1, other);
    put(root, 'OML-11', '20261101', ORDER, '20261101100000000', 0, lab('7.2', '20261101100000000'));
    put(root, 'OML-11', '20261101', ORDER, '20261101110000000', 0, lab('7.2', '20261101110000000'));
    run('import', 'ssmix2', dir, root);
    assert.equal(values(dir), 1);
    put(root, 'OML-11', '20261101', ORDER, '20261101090000000', 1, lab('7.0', '20261101090000000'));
    run('import', 'ssmix2', dir, root);
    assert.equal(values(dir), 1, 'what was taken back later stays away');
  });
});

describe('the extended storage', () => {
  const kind = '^退院時サマリー^^18842-5^退院時サマリー^LN';
  const folder = (flag) => `999/901/9999013/20111220/${kind}/9999013_20111220_${kind}_0001_20111220103059000_01_${flag}`;
  const cda = (id) => `<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><recordTarget><patientRole><id root="1" extension="${id}"/></patientRole></recordTarget></ClinicalDocument>`;
  const count = (dir, type) => sql({ dir }, `SELECT count(*) AS n FROM record WHERE type = '${type}' AND deleted = 0`)[0].n;

  test('documents and attachments are filed, another patient\'s are not, flag 0 takes them away', () => {
    const dir = installation('x');
    const root = join(place, 'x-in');
    mkdirSync(join(root, folder(1)), { recursive: true });
    writeFileSync(join(root, folder(1), 'main_document.hl7'), cda('9999013'));
    writeFileSync(join(root, folder(1), '検査.pdf'.normalize('NFD')), '%PDF-1.4');
    run('import', 'ssmix2', dir, root);
    assert.deepEqual([count(dir, 'DocumentReference'), count(dir, 'Binary')], [2, 2]);
    renameSync(join(root, folder(1)), join(root, folder(0)));
    run('import', 'ssmix2', dir, root);
    assert.deepEqual([count(dir, 'DocumentReference'), count(dir, 'Binary')], [0, 0]);
    const other = join(place, 'x-other');
    mkdirSync(join(other, folder(1)), { recursive: true });
    writeFileSync(join(other, folder(1), 'main_document.hl7'), cda('9999014'));
    const answer = tasuki('import', 'ssmix2', other, '--dir', dir, '--facility', 'hosp');
    assert.match(answer.out, /ERR_PATIENT_MISMATCH/);
    assert.equal(count(dir, 'DocumentReference'), 0);
  });

  test('what lies beside a refused document is refused with it, and says so', () => {
    const dir = installation('beside');
    const root = join(place, 'beside-in');
    mkdirSync(join(root, folder(1)), { recursive: true });
    for (const name of ['a.pdf', '検査^結果.pdf'.normalize('NFD'), 'z.jpg']) writeFileSync(join(root, folder(1), name), name);
    writeFileSync(join(root, folder(1), 'main_document.hl7'), cda('9999014'));
    const answer = tasuki('import', 'ssmix2', root, '--dir', dir, '--facility', 'hosp', '--lang', 'en');
    assert.equal(answer.out.match(/ERR_PATIENT_MISMATCH/g)?.length, 4, answer.out);
    assert.match(answer.out, /the document this file lies beside was refused/);
    assert.deepEqual([count(dir, 'DocumentReference'), count(dir, 'Binary')], [0, 0]);
  });

  test('where the document comes later and is refused, what was filed beside it is taken back and waits', () => {
    const dir = installation('later');
    const root = join(place, 'later-in');
    mkdirSync(join(root, folder(1)), { recursive: true });
    for (const name of ['a.pdf', '検査^結果.pdf'.normalize('NFD')]) writeFileSync(join(root, folder(1), name), name);
    run('import', 'ssmix2', dir, root);
    assert.equal(count(dir, 'DocumentReference'), 2);
    writeFileSync(join(root, folder(1), 'main_document.hl7'), cda('9999014'));
    assert.match(tasuki('import', 'ssmix2', root, '--dir', dir, '--facility', 'hosp').out, /ERR_PATIENT_MISMATCH/);
    assert.deepEqual([count(dir, 'DocumentReference'), count(dir, 'Binary'), count(dir, 'Provenance')], [0, 0, 0]);
    const waiting = JSON.parse(tasuki('intake', 'rejected', '--dir', dir, '--json').out);
    assert.equal(waiting.length, 3);
    const ran = tasuki('intake', 'replay', String(waiting.find((w) => w.name.endsWith('a.pdf')).id), '--dir', dir);
    assert.equal(ran.code, 0, ran.err);
    assert.equal(count(dir, 'DocumentReference'), 1);
    assert.equal(tasuki('audit', 'verify', '--dir', dir).code, 0);
  });

  test('what lies beside a message is filed, names its folder, its day and its order', () => {
    const dir = installation('message');
    const root = join(place, 'message-in');
    mkdirSync(join(root, folder(1)), { recursive: true });
    writeFileSync(join(root, folder(1), 'main_document.hl7'), 'MSH|^~\\&|HIS|H|GW|T|20111220103059||ORU^R30^ORU_R30|X1|P|2.5||||||UNICODE UTF-8\rPID|1||9999013^^^^PI||A^B^^^^^L^A||19650415|M\rORC|NW|0001\rOBR|1|0001||VS^Vital^99X|||20111220\rOBX|1|NM|9P100000000000001^T^JC10||36.5|cel|||||F|||20111220103000\r');
    writeFileSync(join(root, folder(1), '波形.pdf'.normalize('NFD')), '%PDF-1.4');
    run('import', 'ssmix2', dir, root);
    assert.deepEqual([count(dir, 'Observation'), count(dir, 'DocumentReference'), count(dir, 'Binary')], [1, 1, 1]);
    assert.equal(sql({ dir }, "SELECT count(*) AS n FROM record WHERE type = 'Provenance' AND deleted = 0")[0].n >= 2, true);
  });
});

describe('a running region', () => {
  let region;
  before(async () => { region = await Region.start({ patients: 12 }); });
  after(() => region?.stop());

  test('a facility\'s view of a resident holds what consent lets it see, and no more', async () => {
    const cards = sql(region, "SELECT number FROM card WHERE revoked_ms IS NULL OR revoked_ms = 0 LIMIT 40").map((r) => r.number);
    let compared = 0;
    for (const card of cards) {
      const out = join(place, `card-${card}`);
      const answer = tasuki('export', 'ssmix2', out, '--dir', region.dir, '--facility', 'hospital-a', '--card', card, '--lang', 'en');
      if (answer.code !== 0) continue; // no patient number here
      const party = region.party('hospital-a');
      const patient = await party.patient(card);
      const seen = await party.search(`/Condition?patient=${patient.id}`);
      let written = 0;
      for (const path of files(out).filter((p) => /\/PPR-01\//.test(p))) {
        written += readFileSync(join(out, path), 'latin1').split('\r').filter((line) => line.startsWith('PRB|')).length;
      }
      const others = new Set(files(out).map((p) => p.split('/')[0]));
      assert.equal(written, seen.resources.length, `${card}: ${[...others]}`);
      const checked = tasuki('validate', 'ssmix2', join(out, [...others][0] ?? ''), '--json');
      assert.ok([0, 3].includes(checked.code));
      compared++;
      if (compared === 4) break;
    }
    assert.ok(compared > 0, 'no resident to compare');
    const audited = sql(region, "SELECT count(*) AS n FROM audit WHERE event = 'export-ssmix2'")[0].n;
    assert.ok(audited >= compared);
  });

  test('messages that came by another way: as they came where they keep to the standard, else anew', async () => {
    const code = sql(region, "SELECT code FROM facility WHERE key = 'hospital-a'")[0].code;
    const head = (type, id) => `MSH|^~\\&|HIS|${code}|GW|D|20261101103059||${type}|${id}|P|2.5||||||UNICODE UTF-8\r`;
    const who = 'PID|0001||00077001^^^^PI||髙木^花^^^^^L^I||19520314|F\r';
    const messages = [
      `${head('ADT^A04^ADT_A01', 'W1')}EVN||20261101103000\r${who}PV1|0001|O||||||||07|||||||||V9|||||||||||||||||||||||||202611010900\r`,
      `${head('ORU^R01^ORU_R01', 'W2')}${who}OBR|1|77||K^カリウム^L|||202611010900\rOBX|1|NM|K^カリウム^L||4.1|mmol/L|||||F\r`, // a laboratory's: no physiology
      `${head('RDE^O11^RDE_O11', 'W3')}${who}ORC|NW|78||1|||||20261101093000\rRXE||108665201^ダーゼン錠^HOT9|1||TAB^錠^MR9P\r`, // no TQ1, no RXR
    ];
    const sender = await Sender.open(region.ports.mllp);
    for (const message of messages) assert.equal(ackCode(await sender.send(message)), 'AA');
    sender.close();
    const out = join(place, 'other-way');
    const answer = spawnSync(BINARY, ['export', 'ssmix2', out, '--dir', region.dir, '--facility', 'hospital-a', '--lang', 'en'], { encoding: 'utf8' });
    assert.equal(answer.status, 0, answer.stderr);
    const mine = files(out).filter((path) => path.includes('/00077001/'));
    const read = (kind) => execFileSync('iconv', ['-f', 'ISO-2022-JP', '-t', 'UTF-8', join(out, mine.find((path) => path.includes(`/${kind}/`)))], { encoding: 'utf8' });
    assert.deepEqual(mine.map((path) => path.split('/')[4]).sort(), ['ADT-12', 'OML-11', 'OMP-01']);
    assert.equal(read('ADT-12'), messages[0].replace('UNICODE UTF-8', '~ISO IR87').replace('髙', '■'), 'nothing else is changed');
    assert.match(mine.find((path) => path.includes('/ADT-12/')), /_07_1$/);
    assert.match(read('OML-11'), /OUL\^R22[^]*\rSPM\|1\|[^]*\rOBX\|1\|NM\|K\^カリウム\^L/);
    assert.match(read('OMP-01'), /\rTQ1\|1\rRXR\|""\r/);
    assert.match(answer.stderr, /ADT-12 PID-5: 1\n/, 'where the character stood that the standard lacks');
    assert.doesNotMatch(answer.stderr, /髙|00077001/);
    const checked = JSON.parse(tasuki('validate', 'ssmix2', out, '--json').out);
    assert.deepEqual(checked.findings.filter((f) => f.severity === 'error' && f.path.includes('/00077001/')), []);
  });

  test('what is put into a watched root, and into new folders of it, is filed', async () => {
    const inbox = join(region.dir, 'inbox/hospital-a');
    const filed = () => sql(region, "SELECT path, outcome FROM intake_file").length;
    const before = filed();
    for (let i = 1; i <= 3; i++) {
      const sent = `2026110110000000${i}`;
      const path = put(inbox, 'OML-11', '20261101', `00000000000036${i}`, `${sent}`, 1, lab(`7.${i}`, sent));
      utimesSync(join(inbox, path), new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
      await until(() => filed() === before + i, { what: `file ${i}` });
    }
  });
});
