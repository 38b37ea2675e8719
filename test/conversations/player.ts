// Plays a conversation against a broker, wherever that broker is. The language of steps is described in conversation.ts.

import type { Duplex } from 'node:stream';
import { CLOSED, canonical, show, WirePeer } from '../support/clients/wire-peer.ts';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import { type Bindings, matches, type Version } from '../support/protocol/hex-template.ts';
import type { Conversation, Step } from './conversation.ts';

/** Target is a started broker of the conversation's own. */
export interface Target {
  /** open makes a network connection to it for a client of this name. */
  open(client: string): Promise<Duplex>;
  /** settled resolves when nothing is under way within it any more. Absent = a broker that does at once what it is told. */
  settled?(): Promise<void>;
  /** stop ends the broker in order. */
  stop(): Promise<void>;
  pass(seconds: number): Promise<void>;
}

interface Played {
  readonly target: Target;
  readonly version: Version;
  readonly bytewise: boolean;
  readonly clients: Readonly<Record<string, Version>>;
  readonly peers: Map<string, WirePeer>;
  /** Clients that have had a CONNACK of success. */
  readonly connected: Set<string>;
  readonly bindings: Bindings;
}

/** play plays all steps; throws with the number and text of the step that went otherwise, and what came instead. */
export async function play(
  conversation: Conversation,
  target: Target,
  version: Version,
  options: { bytewise?: boolean } = {},
): Promise<void> {
  const played: Played = {
    target,
    version,
    bytewise: options.bytewise ?? false,
    clients: conversation.clients ?? {},
    peers: new Map(),
    connected: new Set(),
    bindings: new Map(),
  };
  try {
    for (const [i, step] of conversation.steps.entries()) await named(`step ${i + 1}, ${JSON.stringify(step)}`, playStep(played, step));
    await target.settled?.();
    for (const name of played.peers.keys()) await named(`at the end, ${name}`, playEnd(played, name));
  } finally {
    for (const peer of played.peers.values()) peer.abort();
  }
}

async function named(place: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw new Error(`${place}: ${(error as Error).message}`);
  }
}

/** What is expected comes by itself; before anything else is done, what was done before has had its effect. */
async function playStep(played: Played, step: Step): Promise<void> {
  if (typeof step === 'string' && !/^\w+ (<!?|closed)/.test(step)) await played.target.settled?.();
  if (typeof step !== 'string') return expectInAnyOrder(played, step);
  const pass = /^([\d.]+) seconds? pass$/.exec(step);
  if (pass !== null) return played.target.pass(Number(pass[1]));
  if (step === 'broker stops') return played.target.stop();
  const [, name, verb, rest] = /^(\w+) (>|<!|<|\w+) ?(.*)$/s.exec(step) ?? [];
  if (name === undefined || verb === undefined) throw new Error('Cannot read step');
  return playLine(played, name, verb, rest ?? '');
}

async function playLine(played: Played, name: string, verb: string, rest: string): Promise<void> {
  switch (verb) {
    case '>':
      return (await peerOf(played, name)).send(rest, played.bindings);
    case '<':
      return expectPacket(played, name, rest);
    case '<!':
      return open(played, name).expectExactly(rest);
    case 'connects':
    case 'returns':
      return connect(played, name, verb === 'returns', rest);
    case 'disconnects':
      open(played, name).send('E0 00');
      return expectClosed(played, name);
    case 'closed':
      return expectClosed(played, name);
    case 'silent':
      for (const other of played.connected) if (other !== name) await open(played, other).settle();
      return open(played, name).expectSilence();
    case 'closes':
    case 'aborts':
      return leave(played, name, verb === 'aborts');
    default:
      throw new Error(`Cannot read step: no verb "${verb}"`);
  }
}

async function connect(played: Played, name: string, returns: boolean, rest: string): Promise<void> {
  const [, keeping, clientId] = /^(keeping)? ?(?:as (\S+))?$/.exec(rest) ?? [];
  const peer = await peerOf(played, name);
  peer.send(connectTemplate({ clientId: clientId ?? name, cleanStart: keeping === undefined && !returns }));
  const sessionPresent = returns && peer.version !== 3 ? '01' : '00'; // 3.1 has no such flag
  return expectPacket(played, name, `20 [ ${sessionPresent} 00 { ... } ]`);
}

async function expectPacket(played: Played, name: string, template: string): Promise<void> {
  const packet = await open(played, name).expect(template, played.bindings);
  if (packet[0] === 0x20 && packet[3] === 0) played.connected.add(name);
}

async function expectClosed(played: Played, name: string): Promise<void> {
  await open(played, name).expectClosed();
  forget(played, name);
}

async function expectInAnyOrder(played: Played, lines: readonly string[]): Promise<void> {
  const wanted = lines.map((line) => /^(\w+) < (.*)$/s.exec(line) ?? []);
  const peer = open(played, wanted[0]![1]!);
  for (let left = wanted.length; left > 0; left--) {
    const packet = await peer.next();
    if (packet === CLOSED) throw new Error('the connection was closed');
    const found = wanted.findIndex(([, , template]) => matches(template!, canonical(packet, peer.version), peer.version, played.bindings));
    if (found === -1) throw new Error(`got ${show(packet)}`);
    wanted.splice(found, 1);
  }
}

/** leave ends the connection from our side, once the broker has handled all that was sent before. */
async function leave(played: Played, name: string, torn: boolean): Promise<void> {
  const peer = open(played, name);
  if (played.connected.has(name)) await peer.settle();
  if (torn) peer.abort();
  else peer.end();
  forget(played, name);
}

async function playEnd(played: Played, name: string): Promise<void> {
  const peer = open(played, name);
  if (played.connected.has(name)) {
    await playLine(played, name, 'silent', '');
  } else if (peer.waiting.length > 0) throw new Error(`nothing more was expected, got ${show(peer.waiting[0]!)}`);
}

function open(played: Played, name: string): WirePeer {
  const peer = played.peers.get(name);
  if (peer === undefined) throw new Error(`${name} has no network connection`);
  return peer;
}

async function peerOf(played: Played, name: string): Promise<WirePeer> {
  const known = played.peers.get(name);
  if (known !== undefined) return known;
  const peer = new WirePeer(await played.target.open(name), { version: played.clients[name] ?? played.version, bytewise: played.bytewise });
  played.peers.set(name, peer);
  return peer;
}

function forget(played: Played, name: string): void {
  played.peers.delete(name);
  played.connected.delete(name);
}
