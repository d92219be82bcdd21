// SPDX-License-Identifier: Apache-2.0
//
// HTTP as bytes on a connection of one's own, plain or TLS, from an address of one's choice, for tests of the front door itself: what is
// sent is exactly what is given, and each answer is read by its framing.
import net from 'node:net';
import tls from 'node:tls';

export class Wire {
  /** Connects to PORT; OPTIONS.secure: a tls.SecureContext; OPTIONS.from: our address. Rejects when there is no connection. */
  static open(port, { secure, from, ca } = {}) {
    return new Promise((done, fail) => {
      const where = { host: '127.0.0.1', port, ...(from && { localAddress: from }) };
      const socket = secure ? tls.connect({ ...where, secureContext: secure, rejectUnauthorized: false, ...(ca && { ca }) }) : net.connect(where);
      const wire = new Wire(socket);
      socket.once(secure ? 'secureConnect' : 'connect', () => done(wire));
      socket.once('error', fail);
      socket.once('close', () => fail(new Error('closed')));
    });
  }

  constructor(socket) {
    Object.assign(this, { socket, bytes: Buffer.alloc(0), ended: false, waiting: undefined });
    socket.on('data', (part) => { this.bytes = this.bytes.length ? Buffer.concat([this.bytes, part]) : part; this.waiting?.(); });
    for (const event of ['end', 'close', 'error']) socket.on(event, () => { this.ended = true; this.waiting?.(); });
  }

  send(bytes) {
    if (!this.socket.destroyed) this.socket.write(bytes);
    return this;
  }

  /** Ends our side only. */
  finish() {
    this.socket.end();
    return this;
  }

  destroy() {
    this.socket.destroy();
  }

  /** Waits until TAKE gives something other than undefined; 'end' when the connection ended first, 'late' after MS. */
  until(take, ms) {
    return new Promise((done) => {
      const finish = (value) => { clearTimeout(timer); this.waiting = undefined; done(value); };
      const timer = setTimeout(() => finish('late'), ms);
      this.waiting = () => {
        const got = take();
        if (got !== undefined) finish(got);
        else if (this.ended) finish('end');
      };
      this.waiting();
    });
  }

  /** The next answer: { status, head, body }; 'end' when the connection ended instead, 'late' when nothing came. */
  answer({ head: headOnly = false, ms = 30_000 } = {}) {
    return this.until(() => {
      const at = this.bytes.indexOf('\r\n\r\n');
      if (at < 0) return undefined;
      const head = this.bytes.toString('latin1', 0, at);
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
      const length = headOnly || status < 200 || status === 204 || status === 304 ? 0 : Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      if (this.bytes.length < at + 4 + length) return undefined;
      const body = this.bytes.toString('utf8', at + 4, at + 4 + length);
      this.bytes = this.bytes.subarray(at + 4 + length);
      return { status, head, body };
    }, ms);
  }

  /** All that comes until the end. */
  async rest(ms = 30_000) {
    await this.until(() => undefined, ms);
    const text = this.bytes.toString('latin1');
    this.bytes = Buffer.alloc(0);
    return text;
  }

  /** A request without a body and its answer. */
  ask(method, path) {
    this.send(`${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    return this.answer({ head: method === 'HEAD' });
  }
}

/** Runs WORK(0..COUNT-1), at most AT_ONCE of them side by side; the results in order. */
export async function crowd(count, work, atOnce = 64) {
  const results = new Array(count);
  let next = 0;
  const one = async () => {
    while (next < count) {
      const i = next++;
      results[i] = await work(i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, one));
  return results;
}

/** The figures of the operator's page: name{labels} -> number. */
export async function metrics(region) {
  const text = await (await fetch(`${region.urls.ops}/metrics`)).text();
  return Object.fromEntries(text.split('\n').filter((l) => l && !l.startsWith('#')).map((l) => [l.slice(0, l.lastIndexOf(' ')), Number(l.slice(l.lastIndexOf(' ') + 1))]));
}
