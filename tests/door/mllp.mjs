// SPDX-License-Identifier: Apache-2.0
//
// A plain MLLP sender for tests: one connection, bytes as they are, acknowledgements as they come.
import net from 'node:net';
import tls from 'node:tls';

export const VT = 0x0b;
export const FS = 0x1c;
export const CR = 0x0d;

export const frame = (message) => Buffer.concat([Buffer.from([VT]), Buffer.from(message), Buffer.from([FS, CR])]);

/** Fields of the segment NAME of an acknowledgement, index = field number. */
export function segment(ack, name) {
  const line = ack.toString('latin1').split('\r').find((l) => l.startsWith(`${name}|`));
  if (!line) return undefined;
  const fields = line.split('|');
  return name === 'MSH' ? [fields[0], '|', ...fields.slice(1)] : fields;
}

/** The ERR segment of severity error (others only warn). */
export function fault(ack) {
  const lines = ack.toString('latin1').split('\r').filter((l) => l.startsWith('ERR|')).map((l) => l.split('|'));
  return lines.find((fields) => fields[4] === 'E');
}

export const ackCode = (ack) => (ack ? segment(ack, 'MSA')?.[1] : undefined);

export class Sender {
  /** Connects, from the address FROM if given; TLS when OPTIONS carry a certificate. */
  static open(port, options, from) {
    return new Promise((done, fail) => {
      const socket = options
        ? tls.connect({ port, host: '127.0.0.1', ...options }, () => done(new Sender(socket)))
        : net.connect({ port, host: '127.0.0.1', ...(from && { localAddress: from }) }, () => done(new Sender(socket)));
      socket.once('error', fail);
    });
  }

  constructor(socket) {
    this.socket = socket;
    this.pending = Buffer.alloc(0);
    this.closed = false;
    this.waiting = [];
    socket.on('data', (part) => { this.pending = Buffer.concat([this.pending, part]); this.serve(); });
    socket.on('error', () => { this.closed = true; this.serve(); });
    socket.on('close', () => { this.closed = true; this.serve(); });
  }

  serve() {
    while (this.waiting.length) {
      const end = this.pending.indexOf(Buffer.from([FS, CR]));
      if (end >= 0) {
        const ack = this.pending.subarray(1, end);
        this.pending = this.pending.subarray(end + 2);
        this.waiting.shift()(ack);
      } else if (this.closed) {
        this.waiting.shift()(undefined);
      } else {
        return;
      }
    }
  }

  /** Writes BYTES as they are. */
  raw(bytes) {
    if (!this.closed) this.socket.write(bytes);
  }

  /** The next acknowledgement; undefined when the other side closed instead, or said nothing for MS. */
  answer(ms = 20_000) {
    return new Promise((done) => {
      const timer = setTimeout(() => { this.waiting = this.waiting.filter((w) => w !== take); done(undefined); }, ms);
      const take = (ack) => { clearTimeout(timer); done(ack); };
      this.waiting.push(take);
      this.serve();
    });
  }

  send(message) {
    this.raw(frame(message));
    return this.answer();
  }

  close() {
    this.socket.destroy();
  }
}
