// A broker under attack: with a witness, a client that was there before and must be served as if nothing were happening.

import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import { DEFAULT_LOG_TYPES } from '../../../src/base/logger.ts';
import type { Connection } from '../../../src/broker/connection/connection.ts';
import type { WirePeer } from '../clients/wire-peer.ts';
import { type RecordingLog, recordingLog } from '../ports/recording-log.ts';
import { TestClock } from '../ports/test-clock.ts';
import { hex } from '../protocol/hex-template.ts';
import { startTestBroker, type TestBroker, type TestBrokerOptions, testOrigin } from './test-broker.ts';
import { until } from './turns.ts';

/** Scene is one such broker; its clock stands still unless `pass` turns it. `await using` ends it. */
export class Scene {
  readonly clock = new TestClock();
  readonly log: RecordingLog;
  readonly house: TestBroker;
  readonly witness: WirePeer;
  #told = 0;

  private constructor(house: TestBroker, log: RecordingLog, clock: TestClock, witness: WirePeer) {
    this.house = house;
    this.log = log;
    this.clock = clock;
    this.witness = witness;
  }

  static async open(given: TestBrokerOptions = {}): Promise<Scene> {
    const [log, clock] = [recordingLog(DEFAULT_LOG_TYPES), new TestClock()];
    const house = await startTestBroker({ log, clock, ...given });
    const witness = await house.connect({ clientId: 'witness', version: 4 });
    witness.send(`82 [ 0001 'witness' 01 ]`);
    await witness.expect('90 03 0001 01');
    return new Scene(house, log, clock, witness);
  }

  get broker() {
    return this.house.broker;
  }

  /** lines are those since the start, without the coming of clients. */
  get lines(): readonly string[] {
    return this.log.lines.filter((line) => !line.startsWith('New '));
  }

  connection(clientId: string): Connection {
    const connection = this.broker.sessions.get(clientId)?.connection;
    assert.ok(connection, `${clientId} is not connected`);
    return connection;
  }

  /** unharmed has the witness speak and hear. */
  async unharmed(): Promise<void> {
    const id = (++this.#told).toString(16).padStart(4, '0');
    this.witness.send(`32 [ 'witness' ${id} |${id}| ]`);
    await this.witness.expect(`40 02 ${id}`);
    await this.witness.expect(`32 [ 'witness' ${id} |${id}| ]`);
    this.witness.send(`40 02 ${id}`);
  }

  /** alone waits until only the witness is left, and proves that nothing of the others is. */
  async alone(): Promise<void> {
    await until(() => this.broker.connections.size === 1);
    assert.deepEqual(
      Array.from(this.broker.sessions, ({ clientId }) => clientId),
      ['witness'],
    );
    await until(() => this.broker.tree.count === 1); // many subscriptions take some turns
    assert.equal(this.broker.connectedClients, 1);
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.clock.advance(1000);
      this.broker.wheel.advance();
    }
  }

  /** deaf is a connection whose far end never reads. What is written to it reaches the broker. */
  deaf(clientId: string): Duplex {
    const [near, far] = duplexPair({ highWaterMark: 1 });
    this.broker.open(far, testOrigin());
    near.write(hex(`10 [ PROTOCOL 02 0000 '${clientId}' ]`, 4));
    return near;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.broker.connections) connection.destroy();
    await this.house.stop();
  }
}
