// What the broker answers to each packet of the table that must be refused, and that others do not notice.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BAD_LENGTHS, bytesOf, CLIENT_PACKETS, type PacketRow } from '../../mqtt/packets.ts';
import { startTestBroker, type TestBroker } from '../../support/broker/test-broker.ts';
import { CLOSED, show, type WirePeer } from '../../support/clients/wire-peer.ts';
import { recordingLog } from '../../support/ports/recording-log.ts';

const REFUSED = [...CLIENT_PACKETS, ...BAD_LENGTHS].filter((row) => row.refused !== undefined);
const isConnect = (row: PacketRow) => row.template.startsWith('1');

describe('broker', () => {
  for (const row of REFUSED.filter((candidate) => !isConnect(candidate))) {
    it(`ends the connection when ${row.name} comes, version ${row.version} [MQTT-4.13.1-1]`, async () => {
      await using broker = await startTestBroker();
      const client = await broker.connect({ version: row.version });
      client.send(bytesOf(row));
      if (row.version === 5) assertCode(row, await client.next(), 0xe0, 2);
      await client.expectClosed(); // before MQTT 5 a server says nothing
    });
  }

  for (const row of REFUSED.filter(isConnect)) {
    it(`refuses ${row.name}, version ${row.version} [MQTT-3.1.4-1]`, async () => {
      await using broker = await startTestBroker();
      const client = broker.open({ version: row.version });
      client.send(bytesOf(row));
      const answer = await client.next();
      if (answer === CLOSED) return; // CONNACK is a may, 4.13.1
      if (row.version === 5) assertCode(row, answer, 0x20, 3);
      await client.expectClosed();
    });
  }

  it('serves others when a client sends broken packets of all kinds [MQTT-4.13.1-1]', async () => {
    await using broker = await startTestBroker();
    const witness = await broker.connect({ clientId: 'witness' });
    witness.send("82 [ 0001 {} 'witness' 00 ]");
    await witness.expect('90 [ 0001 {} 00 ]');
    const change = fc.record({ at: fc.nat(600), byte: fc.nat(255) });
    const packets = fc.array(
      fc.tuple(fc.constantFrom(...CLIENT_PACKETS.filter((row) => row.template.length < 300)), fc.array(change, { maxLength: 2 })),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    await fc.assert(
      fc.asyncProperty(packets, fc.boolean(), async (list, connected) => {
        await sendBroken(
          broker,
          list.map(([row, changes]) => broken(row, changes)),
          connected,
        );
        witness.send("30 [ 'witness' {} |x| ]");
        await expectOwn(witness);
      }),
      { numRuns: 400 },
    );
  });
});

function assertCode(row: PacketRow, answer: Buffer | typeof CLOSED, first: number, codeAt: number): void {
  assert.notEqual(answer, CLOSED, 'it closes without saying why');
  const packet = answer as Buffer; // not CLOSED
  assert.equal(packet[0], first, `got ${show(packet)}`);
  assert.ok(row.refused!.includes(packet[codeAt] ?? 0), `got ${show(packet)}`);
}

function broken(row: PacketRow, changes: readonly { at: number; byte: number }[]): Buffer {
  const bytes = Buffer.from(bytesOf(row));
  for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
  return bytes;
}

async function sendBroken(broker: TestBroker, packets: readonly Buffer[], connected: boolean): Promise<void> {
  const client = connected ? await broker.connect({ clientId: 'broken' }) : broker.open();
  for (const packet of packets) client.send(packet);
  client.end();
  while ((await client.next()) !== CLOSED);
}

/** The next message to the witness may be one of the broken clients' before it is its own. */
async function expectOwn(witness: WirePeer): Promise<void> {
  for (;;) {
    const packet = await witness.next();
    assert.notEqual(packet, CLOSED, 'the witness was closed');
    if ((packet as Buffer).at(-1) === 0x78) return; // "x": not CLOSED
  }
}

it('names in the log the client whose enhanced authentication is refused, and the method [MQTT-4.12.0-1]', async () => {
  const log = recordingLog();
  await using broker = await startTestBroker({ log });
  const peer = broker.open();
  peer.send("10 [ PROTOCOL 02 003C { 15 'SCRAM-SHA-1' } 'lamp' ]");
  await peer.expect('20 [ 00 8C { ... } ]');
  await peer.expectClosed();
  const line = log.lines.find((one) => one.includes('disconnected'));
  assert.match(line ?? '', /^Client lamp \[127\.0\.0\.1:50000\] disconnected: bad authentication method: it asks for "SCRAM-SHA-1", and /);
});
