// The language of packets in tests: hex that a person can read. It builds the bytes to send and matches the bytes that came.
//
//   10 000A         bytes                          'text'      UTF-8 string behind its two length bytes
//   ??              any byte                       |text|      the bytes of a text, no length
//   *               anything up to the end         'x'*9 00*9  the same, nine times (in a string: its content)
//   [ ... ]         content behind its length as a Variable Byte Integer
//   { 22 000A, ...} properties behind their length. Below MQTT 5 the whole group is absent. When matched, properties may come in any
//                   order (User Properties 26 keep theirs), "..." allows more of them, and a Reason String (1F) counts only where it
//                   is written, because a server may always add or leave out one.
//   @id             two bytes: what came is remembered under the name, later uses mean the same bytes. @'id' is the same for a string
//   PROTOCOL        protocol name and level of the client's version
//   5:TOKEN 3:TOKEN the token for MQTT 5 only, for 3.1 and 3.1.1 only
//   ... or ...      either (expectations only)

import { propertyLength } from './property-lengths.ts';

export type Version = 3 | 4 | 5;

type Node =
  | { readonly kind: 'bytes'; readonly bytes: readonly (number | null)[] }
  | { readonly kind: 'rest' }
  | { readonly kind: 'bound'; readonly name: string; readonly string: boolean }
  | { readonly kind: 'group'; readonly nodes: readonly Node[] }
  | { readonly kind: 'properties'; readonly list: readonly (readonly Node[])[]; readonly open: boolean };

/** Bindings are the bytes remembered under `@` names. */
export type Bindings = Map<string, Buffer>;

const TOKEN =
  /\s*(?:([35]):)?('[^']*'(?:\*\d+)?|\|[^|]*\|(?:\*\d+)?|@'?\w+'?|\.\.\.|[[\]{},]|(?:[0-9A-Fa-f?]{2})+(?:\*\d+)?|\*|PROTOCOL\b)/y;

/** hex gives the bytes of a template for a client of a version. Throws when the template holds wildcards or unknown names. */
export function hex(template: string, version: Version = 5, bindings: Bindings = new Map()): Buffer {
  return encode(parse(template, version), bindings);
}

/** matches tells whether a packet is as one of the template's alternatives says; names that it binds are kept only then. */
export function matches(template: string, packet: Buffer, version: Version = 5, bindings: Bindings = new Map()): boolean {
  for (const alternative of template.split(/\bor\b(?=(?:[^'|]|'[^']*'|\|[^|]*\|)*$)/)) {
    const found: Bindings = new Map(bindings);
    if (matchWhole(parse(alternative, version), packet, found)) {
      for (const [name, bytes] of found) bindings.set(name, bytes);
      return true;
    }
  }
  return false;
}

function parse(template: string, version: Version): Node[] {
  const reader = new TokenReader(template, version);
  const nodes = parseNodes(reader, null);
  return nodes;
}

class TokenReader {
  readonly version: Version;
  readonly #text: string;
  #at = 0;

  constructor(text: string, version: Version) {
    this.#text = text.trim();
    this.version = version;
  }

  /** next token that is meant for this version, or null at the end. */
  next(): string | null {
    while (this.#at < this.#text.length) {
      TOKEN.lastIndex = this.#at;
      const match = TOKEN.exec(this.#text);
      if (match === null) throw new Error(`Cannot read packet template at "${this.#text.slice(this.#at)}"`);
      this.#at = TOKEN.lastIndex;
      if (match[1] === undefined || (match[1] === '5') === (this.version === 5)) return match[2]!;
    }
    return null;
  }
}

function parseNodes(reader: TokenReader, end: string | null): Node[] {
  const nodes: Node[] = [];
  for (let token = reader.next(); token !== end; token = reader.next()) {
    if (token === null) throw new Error(`Cannot read packet template: "${end}" is missing`);
    if (token === '{') {
      const properties = parseProperties(reader);
      if (reader.version === 5) nodes.push(properties);
    } else nodes.push(parseNode(token, reader));
  }
  return nodes;
}

function parseNode(token: string, reader: TokenReader): Node {
  if (token === '[') return { kind: 'group', nodes: parseNodes(reader, ']') };
  if (token === '*') return { kind: 'rest' };
  if (token.startsWith("@'")) return { kind: 'bound', name: token.slice(2, -1), string: true };
  if (token.startsWith('@')) return { kind: 'bound', name: token.slice(1), string: false };
  if (token === 'PROTOCOL') return bytesNode(protocolBytes(reader.version));
  const [, body, times] = /^(.*?)(?:\*(\d+))?$/s.exec(token)!;
  const count = times === undefined ? 1 : Number(times);
  if (body!.startsWith("'")) return bytesNode(string(Buffer.from(body!.slice(1, -1).repeat(count))));
  if (body!.startsWith('|')) return bytesNode(Buffer.from(body!.slice(1, -1).repeat(count)));
  const pairs = body!.repeat(count).match(/../g);
  if (pairs === null || /[[\]{},.]/.test(token)) throw new Error(`Cannot read packet template: "${token}" is out of place`);
  return { kind: 'bytes', bytes: pairs.map((pair) => (pair === '??' ? null : Number.parseInt(pair, 16))) };
}

function parseProperties(reader: TokenReader): Node {
  const list: Node[][] = [];
  let open = false;
  let current: Node[] = [];
  for (let token = reader.next(); ; token = reader.next()) {
    if (token === null) throw new Error('Cannot read packet template: "}" is missing');
    if (token === ',' || token === '}') {
      if (current.length > 0) list.push(current);
      current = [];
      if (token === '}') return { kind: 'properties', list, open };
    } else if (token === '...') open = true;
    else current.push(parseNode(token, reader));
  }
}

function bytesNode(bytes: Buffer): Node {
  return { kind: 'bytes', bytes: [...bytes] };
}

function protocolBytes(version: Version): Buffer {
  return Buffer.concat([string(Buffer.from(version === 3 ? 'MQIsdp' : 'MQTT')), Buffer.of(version)]);
}

function string(content: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length);
  return Buffer.concat([length, content]);
}

function encode(nodes: readonly Node[], bindings: Bindings): Buffer {
  return Buffer.concat(nodes.map((node) => encodeNode(node, bindings)));
}

function encodeNode(node: Node, bindings: Bindings): Buffer {
  switch (node.kind) {
    case 'bytes':
      if (node.bytes.includes(null)) throw new Error('Cannot send a wildcard');
      return Buffer.from(node.bytes as number[]); // no null among them
    case 'group':
      return behindLength(encode(node.nodes, bindings));
    case 'properties':
      return behindLength(Buffer.concat(node.list.map((property) => encode(property, bindings))));
    case 'bound': {
      const bytes = bindings.get(node.name);
      if (bytes === undefined) throw new Error(`Cannot send @${node.name}: nothing was received under this name`);
      return bytes;
    }
    case 'rest':
      throw new Error('Cannot send a wildcard');
  }
}

function behindLength(content: Buffer): Buffer {
  const length: number[] = [];
  let left = content.length;
  do {
    length.push(left > 127 ? (left & 127) | 128 : left);
    left >>>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from(length), content]);
}

function matchWhole(nodes: readonly Node[], bytes: Buffer, bindings: Bindings): boolean {
  let at = 0;
  for (const node of nodes) {
    if (node.kind === 'rest') return true;
    const length = matchNode(node, bytes.subarray(at), bindings);
    if (length === -1) return false;
    at += length;
  }
  return at === bytes.length;
}

/** matchNode gives the number of bytes that the node stands for, or -1. */
function matchNode(node: Exclude<Node, { kind: 'rest' }>, bytes: Buffer, bindings: Bindings): number {
  switch (node.kind) {
    case 'bytes':
      return node.bytes.every((byte, i) => i < bytes.length && (byte === null || byte === bytes[i])) ? node.bytes.length : -1;
    case 'bound':
      return matchBound(node.name, node.string, bytes, bindings);
    case 'group':
    case 'properties': {
      const length = readLength(bytes);
      if (length === null || length.end + length.value > bytes.length) return -1;
      const content = bytes.subarray(length.end, length.end + length.value);
      const same =
        node.kind === 'group' ? matchWhole(node.nodes, content, bindings) : matchProperties(node.list, node.open, content, bindings);
      return same ? length.end + length.value : -1;
    }
  }
}

function matchBound(name: string, isString: boolean, bytes: Buffer, bindings: Bindings): number {
  if (bytes.length < 2) return -1;
  const length = isString ? 2 + bytes.readUInt16BE() : 2;
  if (bytes.length < length) return -1;
  const value = Buffer.from(bytes.subarray(0, length));
  const known = bindings.get(name);
  if (known === undefined) bindings.set(name, value);
  return known === undefined || known.equals(value) ? length : -1;
}

function matchProperties(list: readonly (readonly Node[])[], open: boolean, content: Buffer, bindings: Bindings): boolean {
  const came = splitProperties(content);
  if (came === null) return false;
  const wantsReason = list.some((property) => firstByte(property) === 0x1f);
  const left = came.filter((property) => wantsReason || property[0] !== 0x1f);
  for (const property of list) {
    const candidates = firstByte(property) === 0x26 ? left.filter((one) => one[0] === 0x26).slice(0, 1) : left;
    const found = candidates.find((one) => matchWhole(property, one, bindings));
    if (found === undefined) return false;
    left.splice(left.indexOf(found), 1);
  }
  return open || left.length === 0;
}

function firstByte(nodes: readonly Node[]): number | null {
  const first = nodes[0];
  return first?.kind === 'bytes' ? (first.bytes[0] ?? null) : null;
}

/** splitProperties cuts the content of a property list into single properties, or gives null when it is damaged. */
export function splitProperties(content: Buffer): Buffer[] | null {
  const list: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const length = propertyLength(content.subarray(at));
    if (length === null || at + length > content.length) return null;
    list.push(content.subarray(at, at + length));
    at += length;
  }
  return list;
}

/** readLength reads a Variable Byte Integer at the start of bytes; null when it is not complete or longer than four bytes. */
export function readLength(bytes: Buffer): { value: number; end: number } | null {
  let value = 0;
  for (let i = 0; i < Math.min(bytes.length, 4); i++) {
    value |= (bytes[i]! & 127) << (7 * i);
    if (bytes[i]! < 128) return { value, end: i + 1 };
  }
  return null;
}
