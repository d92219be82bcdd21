// SPDX-License-Identifier: Apache-2.0
//
// A facility's system at the other end of a feed: takes MLLP frames, keeps what came, and answers as it is told, also wrongly.
import net from 'node:net';
import tls from 'node:tls';
import { frame, segment, VT, FS, CR } from './mllp.mjs';
import { until } from './region.mjs';

const END = Buffer.from([FS, CR]);

/** ISO-2022-JP or UTF-8 as text, by MSH-18. */
export function text(bytes) {
  const set = segment(bytes, 'MSH')?.[18] ?? '';
  return new TextDecoder(set.includes('UTF-8') ? 'utf-8' : 'iso-2022-jp').decode(bytes);
}

/** All segments NAME of a message, as lists of fields. */
export const segments = (message, name) => message.split('\r').filter((l) => l.startsWith(`${name}|`)).map((l) => l.split('|'));

export const ack = (message, code, { id = segment(message, 'MSH')[10], more = '' } = {}) => Buffer.from(
  `MSH|^~\\&|EHR|C|TASUKI|R|20260101120000||ACK^R01^ACK|A${id.slice(1)}|P|2.5\rMSA|${code}|${id}\r${more}`);

export class MllpReceiver {
  constructor() {
    this.got = [];
    this.sockets = new Set();
    this.connections = 0;
    this.peers = [];
    this.answer = (one) => ack(one.bytes, 'AA'); // bytes of a message; { raw }: without frame; 'close'; undefined: silence; or a promise
  }

  /** Listens on a free port of loopback, or on PORT. TLS: { key, cert, ca ... }. */
  static async start({ tls: options, port = 0 } = {}) {
    const r = new MllpReceiver();
    r.options = options;
    await r.listen(port);
    return r;
  }

  listen(port) {
    const take = (socket) => this.take(socket);
    this.server = this.options ? tls.createServer(this.options, take) : net.createServer(take);
    this.server.on('tlsClientError', () => {});
    return new Promise((done, fail) => {
      this.server.once('error', fail);
      this.server.listen(port, '127.0.0.1', () => { this.port = this.server.address().port; done(); });
    });
  }

  take(socket) {
    let pending = Buffer.alloc(0);
    this.connections++;
    this.sockets.add(socket);
    this.peers.push(socket.getPeerCertificate?.()?.subject?.CN);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', async (part) => {
      pending = Buffer.concat([pending, part]);
      for (let end = pending.indexOf(END); end >= 0; end = pending.indexOf(END)) {
        if (pending[0] !== VT) throw new Error('no start block');
        const bytes = pending.subarray(1, end);
        pending = pending.subarray(end + 2);
        const one = { at: Date.now(), bytes: Buffer.from(bytes), text: text(bytes), id: segment(bytes, 'MSH')[10] };
        this.got.push(one);
        const said = await this.answer(one, this.got.length);
        if (said === 'close') socket.destroy();
        else if (said?.raw) socket.write(said.raw);
        else if (said) socket.write(frame(said));
      }
    });
  }

  /** Waits until COUNT messages came (in all). */
  async wait(count, options) {
    await until(() => this.got.length >= count, { what: `${count} messages, ${this.got.length} came`, ms: 20_000, ...options });
    return this.got;
  }

  stop() {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((done) => this.server.close(done));
  }
}
