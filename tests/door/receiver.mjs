// SPDX-License-Identifier: Apache-2.0
//
// What a facility's system would be at the other end of a Subscription: a receiver of rest-hooks that keeps what came and answers
// as it is told, and a listener to server-sent events.
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { until } from './region.mjs';

export class Receiver {
  constructor() {
    this.got = [];
    this.connections = 0;
    this.answer = () => 200; // status, or a promise of one; 0: never
  }

  /** Listens on a free port of loopback. TLS: { key, cert }. */
  static async start(tls) {
    const r = new Receiver();
    const take = (request, response) => {
      const parts = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', async () => {
        const text = Buffer.concat(parts).toString('utf8');
        const one = { at: Date.now(), path: request.url, headers: request.headers, text, json: text ? JSON.parse(text) : undefined };
        r.got.push(one);
        const status = await r.answer(one, r.got.length);
        if (!status) return;
        response.writeHead(status, status >= 300 && status < 400 ? { Location: '/elsewhere' } : {});
        response.end();
      });
    };
    r.server = tls ? https.createServer(tls, take) : http.createServer(take);
    r.server.on('connection', () => { r.connections++; });
    await new Promise((done) => r.server.listen(0, '127.0.0.1', done));
    r.port = r.server.address().port;
    r.url = `${tls ? 'https' : 'http'}://127.0.0.1:${r.port}`;
    return r;
  }

  /** Waits until COUNT requests came (in all). */
  async wait(count, options) {
    await until(() => this.got.length >= count, { what: `${count} deliveries, ${this.got.length} came`, ...options });
    return this.got;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }
}

/** Listens to events of PATH as PARTY: { events, status, close }. */
export class Listener {
  constructor(party, path, headers = {}) {
    Object.assign(this, { events: [], comments: 0, ended: false, text: '' });
    this.opened = new Promise((done, fail) => {
      this.call = https.request(new URL(party.base + path), {
        agent: new https.Agent(party.tls), headers: { Accept: 'text/event-stream', ...party.headers, ...headers }, timeout: 120_000,
      }, (answer) => {
        this.status = answer.statusCode;
        this.headers = answer.headers;
        answer.setEncoding('utf8');
        answer.on('data', (text) => this.take(text));
        answer.on('close', () => { this.ended = true; });
        answer.on('error', () => { this.ended = true; });
        done(this);
      });
      this.call.on('error', (error) => { this.ended = true; fail(error); });
      this.call.end();
    });
    this.opened.catch(() => {});
  }

  take(text) {
    this.text += text;
    for (let end = this.text.indexOf('\n\n'); end >= 0; end = this.text.indexOf('\n\n')) {
      const block = this.text.slice(0, end);
      this.text = this.text.slice(end + 2);
      const event = {};
      for (const line of block.split('\n')) {
        if (line.startsWith(':')) this.comments++;
        else event[line.slice(0, line.indexOf(':'))] = line.slice(line.indexOf(':') + 2);
      }
      if (event.data === undefined) continue;
      assert.equal(event.event, 'change');
      this.events.push({ id: event.id, json: JSON.parse(event.data) });
    }
  }

  async wait(count, options) {
    await until(() => this.events.length >= count, { what: `${count} events, ${this.events.length} came`, ...options });
    return this.events;
  }

  close() { this.call.destroy(); }
}
