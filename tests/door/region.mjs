// SPDX-License-Identifier: Apache-2.0
//
// A running sample region for the door tests: starts the real program on free ports, waits for its ready line, hands out an
// HTTPS client for each party, and stops it with TERM. Every region checks at its end that the program left with code 0 and
// that no sanitizer had anything to say.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkBody, checkPutBy } from './bodies.mjs';
import { BINARY, CORPORA, ROOT } from './places.mjs';

export { BINARY, CORPORA, ROOT };

export const CARD = 'urn:tasuki:clinic-card';
export const LOCAL = 'urn:oid:1.2.392.100495.20.3.51.1';
export const INSURED = 'http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID';
export const INSTITUTION = 'http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no';
export const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';

const START_MS = Number(process.env.TASUKI_START_MS ?? 120_000);
const READY = /^ready system=(https:\/\/127\.0\.0\.1:(\d+)\/fhir) portal=(https:\/\/127\.0\.0\.1:(\d+)\/) mllps=127\.0\.0\.1:(\d+) mllp=127\.0\.0\.1:(\d+) ops=(http:\/\/127\.0\.0\.1:(\d+)) dir=(.+)$/;
const SANITIZER = /runtime error:|(Address|Leak|Thread|UndefinedBehavior)Sanitizer|Assertion .* failed/;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks CHECK again until it gives something true; the last answer (or error) is reported when time is out. */
export async function until(check, { ms = 15_000, every = 100, what = 'condition' } = {}) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await check();
    if (got) return got;
    if (Date.now() > end) assert.fail(`${what}: not within ${ms} ms`);
    await sleep(every);
  }
}

const free = (port) => new Promise((done) => {
  const server = net.createServer();
  server.once('error', () => done(false));
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => done(true)));
});

/** A base with five free ports behind it, below the range that the kernel hands out itself. */
export async function freePorts() {
  for (let attempt = 0; attempt < 200; attempt++) {
    const base = 12_000 + 5 * Math.floor(Math.random() * 3_800);
    const all = await Promise.all([0, 1, 2, 3, 4].map((i) => free(base + i)));
    if (all.every(Boolean)) return base;
  }
  return assert.fail('no five free ports');
}

/** Runs the program to its end: { code, out, err }. */
export function tasuki(...args) {
  try {
    const out = execFileSync(BINARY, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000, maxBuffer: 1 << 26 });
    return { code: 0, out, err: '' };
  } catch (error) {
    if (error.status === undefined || error.status === null) throw error;
    return { code: error.status, out: error.stdout ?? '', err: error.stderr ?? '' };
  }
}

/** Asks the database file with the sqlite3 program, read-only; rows as objects. */
export function sql(region, query) {
  const file = join(region.dir, 'data/tasuki.db');
  const out = execFileSync('sqlite3', ['-readonly', '-json', '-cmd', '.timeout 5000', file, query], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return out.trim() ? JSON.parse(out) : [];
}

/** Is the corpus folder NAME here? Otherwise the text to skip with. */
export const corpus = (name) => {
  const path = join(CORPORA, name);
  return existsSync(path) ? { path, skip: false } : { path, skip: `corpus ${name} is not here` };
};

/** One party's HTTPS client; every party keeps its connections alive, as a real system would. */
export class Party {
  constructor(base, tls, headers = {}) {
    this.base = base.replace(/\/$/, '');
    this.tls = tls;
    this.headers = headers;
    this.agent = new https.Agent({ keepAlive: true, maxSockets: 8, ...tls });
  }

  /** The same party on a connection of its own. */
  again() {
    return new Party(this.base, this.tls, this.headers);
  }

  as(headers) {
    const other = new Party(this.base, this.tls, { ...this.headers, ...headers });
    other.agent.destroy();
    other.agent = this.agent;
    return other;
  }

  request(method, path, { body, headers = {}, type = 'application/fhir+json' } = {}) {
    const url = new URL(/^https:/.test(path) ? path : this.base + path);
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const sent = { Accept: 'application/fhir+json', ...(bytes ? { 'Content-Type': type, 'Content-Length': bytes.length } : {}), ...this.headers, ...headers };
    return new Promise((done, fail) => {
      const call = https.request(url, { method, agent: this.agent, headers: sent, timeout: 60_000 }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('error', fail);
        answer.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          let json;
          try { json = JSON.parse(text); } catch { json = undefined; }
          const whole = { status: answer.statusCode, headers: answer.headers, text, json };
          try { checkBody(whole, `${method} ${path}`); } catch (error) { fail(error); }
          done(whole);
        });
      });
      call.on('timeout', () => call.destroy(new Error(`no answer: ${method} ${path}`)));
      call.on('error', fail);
      call.end(bytes);
    });
  }

  get(path, headers) { return this.request('GET', path, { headers }); }
  post(path, body, headers) { return this.request('POST', path, { body, headers }); }
  put(path, body, headers) { return this.request('PUT', path, { body, headers }); }
  del(path, headers) { return this.request('DELETE', path, { headers }); }

  /** GET that must succeed; the resource. */
  async read(path, headers) {
    const answer = await this.get(path, headers);
    assert.equal(answer.status, 200, `GET ${path}: ${answer.text.slice(0, 400)}`);
    return answer.json;
  }

  /** POST that must create (or find) the resource; the resource. */
  async create(resource, headers) {
    const answer = await this.post(`/${resource.resourceType}`, resource, headers);
    assert.ok([200, 201].includes(answer.status), `POST ${resource.resourceType}: ${answer.status} ${answer.text.slice(0, 400)}`);
    return answer.json;
  }

  /** Search that must succeed: { total, resources, bundle }, all pages. */
  async search(path, headers) {
    const resources = [];
    let total;
    let bundle;
    for (let next = path; next; next = bundle.link?.find((l) => l.relation === 'next')?.url) {
      bundle = await this.read(next, headers);
      assert.equal(bundle.type, 'searchset');
      total ??= bundle.total;
      for (const entry of bundle.entry ?? []) resources.push(entry.resource);
      assert.ok(resources.length < 20_000, 'paging does not end');
    }
    return { total, resources, bundle };
  }

  /** The Patient whom CARD names, or undefined. */
  async patient(card, headers) {
    const found = await this.search(`/Patient?identifier=${encodeURIComponent(`${CARD}|${card}`)}`, headers);
    return found.resources[0];
  }
}

export class Region {
  constructor({ dir, base, child, owned }) {
    Object.assign(this, { dir, base, child, owned, out: '', err: '', agents: [] });
  }

  /** Starts `tasuki demo`; the ready line is parsed, demo.json is read. */
  static async start({ patients = 12, empty = false, args = [], dir, env } = {}) {
    const owned = !dir;
    const place = dir ?? mkdtempSync(join(tmpdir(), 'tasuki-door-'));
    const base = await freePorts();
    const argv = ['demo', '--dir', place, '--port-base', String(base), '--patients', String(patients), ...(empty ? ['--empty'] : []), ...args];
    const region = new Region({ dir: place, base, owned, child: null });
    await region.launch(argv, env);
    region.demo = JSON.parse(readFileSync(join(place, 'demo.json'), 'utf8'));
    return region;
  }

  launch(argv, env = {}) {
    const child = spawn(BINARY, argv, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=1:exitcode=99', UBSAN_OPTIONS: 'print_stacktrace=1', ...env },
    });
    this.child = child;
    this.exited = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })));
    child.stderr.setEncoding('utf8').on('data', (text) => { this.err += text; });
    return new Promise((done, fail) => {
      const timer = setTimeout(() => { child.kill('SIGKILL'); fail(new Error(`not ready within ${START_MS} ms\n${this.tail()}`)); }, START_MS);
      child.on('error', (error) => { clearTimeout(timer); fail(error); });
      child.stdout.setEncoding('utf8').on('data', (text) => {
        this.out += text;
        const line = this.out.split('\n').find((l) => l.startsWith('ready '));
        const match = line && READY.exec(line);
        if (!match) return;
        clearTimeout(timer);
        this.readyLine = line;
        this.urls = { system: match[1], portal: match[3], ops: match[7] };
        this.ports = { system: +match[2], portal: +match[4], mllps: +match[5], mllp: +match[6], ops: +match[8] };
        this.readyDir = match[9];
        done(this);
      });
      this.exited.then(({ code, signal }) => {
        clearTimeout(timer);
        fail(new Error(`left with ${code ?? signal} before it was ready\n${this.tail()}`));
      });
    });
  }

  tail() {
    let log = '';
    try { log = readFileSync(join(this.dir, 'log/tasuki.log'), 'utf8').slice(-1500); } catch { log = ''; }
    return `${this.err.slice(-4000)}\n${log}`;
  }

  tls(name) {
    const ca = readFileSync(join(this.dir, 'pki/ca.pem'));
    if (!name) return { ca };
    return { ca, cert: readFileSync(join(this.dir, `pki/${name}.pem`)), key: readFileSync(join(this.dir, `pki/${name}.key`)) };
  }

  /** NAME on the system listener; residents and the unnamed on the portal. */
  party(name, headers) {
    const portal = !name || name.startsWith('resident-');
    const made = new Party(portal ? `${this.urls.portal}fhir` : this.urls.system, this.tls(name), headers);
    this.agents.push(made.agent);
    return made;
  }

  resident(key) { return this.demo.residents.find((r) => r.key === key); }
  facility(key) { return this.demo.facilities.find((f) => f.key === key); }
  staff(facility, role) { return this.demo.staff.find((s) => s.facility === facility && s.role === role); }
  localSystem(key) { return LOCAL + this.facility(key).code; }

  /** Ends it with TERM and checks how it left. */
  async stop({ keep = false } = {}) {
    for (const agent of this.agents) agent.destroy();
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
    const { code, signal } = await this.exited;
    clearTimeout(timer);
    const said = this.err + this.out;
    if (this.owned && !keep) rmSync(this.dir, { recursive: true, force: true });
    assert.ok(!SANITIZER.test(said), said.slice(-6000));
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, said.slice(-2000));
    checkPutBy();
  }

  kill() {
    for (const agent of this.agents) agent.destroy();
    this.child.kill('SIGKILL');
    return this.exited;
  }
}

/** An OperationOutcome of STATUS whose texts are in Japanese and English; the issues. */
export function assertOutcome(answer, status, pattern) {
  assert.equal(answer.status, status, answer.text.slice(0, 600));
  assert.equal(answer.json?.resourceType, 'OperationOutcome', answer.text.slice(0, 300));
  const issues = answer.json.issue;
  assert.ok(issues.length > 0);
  for (const issue of issues) {
    assert.match(issue.details.text, /[ぁ-んァ-ヶ一-龠]/, 'text in Japanese');
    assert.match(issue.details.text, /[A-Za-z]{3}/, 'text in English');
    assert.ok(issue.code && issue.severity);
  }
  if (pattern) assert.match(JSON.stringify(issues), pattern);
  return issues;
}

/** What a refusal says, without what differs from request to request. */
export function withoutIds(answer, ...ids) {
  let text = answer.text.replace(/"lastUpdated":"[^"]*"/g, '"lastUpdated":""').replace(/"id":"[0-9a-f-]{36}"/g, '"id":""');
  for (const id of ids) text = text.replaceAll(id, 'ID');
  return `${answer.status} ${text}`;
}
