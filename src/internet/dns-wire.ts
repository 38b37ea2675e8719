// The bytes of DNS messages that dns-packet has no words for: names as they are signed, and where records stand.

const MAX_LABEL_BYTES = 63;
const POINTER = 0xc0;
const HEADER_BYTES = 12;

/** encodeName writes a name in canonical form: lower case, without pointers (RFC 4034 6.2). Throws RangeError for a label that is too long. */
export function encodeName(name: string): Buffer {
  const labels = name === '' ? [] : name.toLowerCase().split('.');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1');
    if (bytes.length === 0 || bytes.length > MAX_LABEL_BYTES) throw new RangeError(`"${name}" is no name of DNS`);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  return Buffer.concat([...parts, Buffer.alloc(1)]);
}

/** nameEnd gives where a name ends that begins at `at`. Throws RangeError where the message ends first. */
export function nameEnd(message: Buffer, at: number): number {
  for (let next = at; ; ) {
    const length = message.readUInt8(next);
    if (length >= POINTER) return next + 2;
    if (length === 0) return next + 1;
    next += 1 + length;
  }
}

/** lastRecordAt gives where the last record of a message begins; 0 = it has none. Throws RangeError for a message that is cut off. */
export function lastRecordAt(message: Buffer): number {
  let at = HEADER_BYTES;
  for (let left = message.readUInt16BE(4); left > 0; left--) at = nameEnd(message, at) + 4;
  let last = 0;
  for (let left = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10); left > 0; left--) {
    last = at;
    const head = nameEnd(message, at);
    at = head + 10 + message.readUInt16BE(head + 8);
  }
  return last;
}
