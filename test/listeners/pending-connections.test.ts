// The bounds on connections that have not signed in.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { type Pending, PendingConnections, type PendingLimits } from '../../src/listeners/pending-connections.ts';
import { type RecordingLog, recordingLog } from '../support/ports/recording-log.ts';
import { TestClock } from '../support/ports/test-clock.ts';

class TestSocket extends PassThrough {
  bytesRead = 0;
}

interface Crowd {
  readonly all: PendingConnections;
  readonly log: RecordingLog;
  enter(address: string): { socket: TestSocket; pending: Pending };
}

function crowdOf(limits: Partial<PendingLimits>): Crowd {
  const log = recordingLog();
  const all = new PendingConnections({ clock: new TestClock(), log, limits });
  const enter = (address: string) => {
    const socket = new TestSocket();
    socket.on('error', () => {});
    return { socket, pending: all.enter(socket, address) };
  };
  return { all, log, enter };
}

test('pending connections close one of the network that has most when there are too many', () => {
  const { all, log, enter } = crowdOf({ connections: 4 });
  const slow = enter('192.0.2.1');
  const flood = Array.from({ length: 1000 }, () => enter('192.0.2.2'));
  assert.equal(all.size, 4);
  assert.equal(slow.socket.destroyed, false);
  assert.equal(flood.filter(({ socket }) => !socket.destroyed).length, 3);
  assert.deepEqual(log.lines, ['Warning: closed a connection from 192.0.2.2: too many connections have not signed in.']);
});

test('pending connections count an IPv6 network and the link of an interface as one', () => {
  const { all, enter } = crowdOf({ connectionsOfLane: 1 });
  for (const address of ['2001:db8::1', '2001:db8::2', 'fe80::1%eth0', 'fe80::2%eth0', '::ffff:192.0.2.1', '192.0.2.1']) enter(address);
  assert.equal(all.size, 3);
});

test('pending connections behind a proxy count by the address that it tells', () => {
  const { enter } = crowdOf({ connectionsOfLane: 2 });
  const behind = (client: string) => {
    const entered = enter('192.0.2.1');
    entered.pending.comesFrom(client);
    return entered;
  };
  const [slow, ...flood] = ['198.51.100.1', '198.51.100.2', '198.51.100.2', '198.51.100.2'].map(behind);
  assert.equal(slow?.socket.destroyed, false);
  assert.deepEqual(
    flood.map(({ socket }) => socket.destroyed),
    [true, false, false],
  );
});

test('pending connections of one network lose the silent where most are silent, and the oldest where most have spoken', () => {
  const { enter } = crowdOf({ connectionsOfLane: 3 });
  const handshake = enter('192.0.2.1');
  handshake.socket.bytesRead = 100;
  const silent = [enter('192.0.2.1'), enter('192.0.2.1'), enter('192.0.2.1')];
  assert.deepEqual(
    [handshake, ...silent].map(({ socket }) => socket.destroyed),
    [false, true, false, false],
  );
  for (const { socket } of silent) socket.bytesRead = 1;
  const newcomer = enter('192.0.2.1');
  assert.equal(newcomer.socket.destroyed, false);
  assert.equal(handshake.socket.destroyed, true);
});

test('pending connections close a network that nobody has signed in from before one that clients come from', () => {
  const { enter } = crowdOf({ connections: 4 });
  enter('192.0.2.1').pending.signedIn();
  const house = [enter('192.0.2.1'), enter('192.0.2.1'), enter('192.0.2.1')];
  const strangers = [enter('192.0.2.2'), enter('192.0.2.3'), enter('192.0.2.4')];
  assert.equal(house.filter(({ socket }) => socket.destroyed).length, 0);
  assert.equal(strangers.filter(({ socket }) => socket.destroyed).length, 2);
});

test('pending connections let a network that clients come from have more than a strange one, and never all', () => {
  const { all, enter } = crowdOf({ connections: 8, connectionsOfLane: 2 });
  enter('192.0.2.1').pending.signedIn();
  for (let index = 0; index < 9; index++) enter('192.0.2.1');
  assert.equal(all.size, 8);
  const stranger = enter('192.0.2.2');
  assert.equal(all.size, 8);
  assert.equal(stranger.socket.destroyed, false);
});

test('pending connections close the one that has sent most when their bytes are too many', () => {
  const { all, log, enter } = crowdOf({ bytesOfLane: 1000, bytes: 1500 });
  const [small, large] = [enter('192.0.2.1'), enter('192.0.2.1')];
  bring(small, 300);
  bring(large, 701);
  assert.deepEqual([small.socket.destroyed, large.socket.destroyed], [false, true]);
  const [other, last] = [enter('192.0.2.2'), enter('192.0.2.3')];
  bring(other, 900);
  bring(last, 400);
  assert.deepEqual([small.socket.destroyed, other.socket.destroyed, last.socket.destroyed], [false, true, false]);
  assert.equal(all.size, 2);
  assert.equal(log.lines.length, 1);
});

test('pending connections make room for a newcomer when descriptors run out, and leave those alone who have signed in', () => {
  const { all, enter } = crowdOf({ sockets: 3 });
  const client = enter('192.0.2.1');
  client.pending.signedIn();
  const silent = [enter('192.0.2.2'), enter('192.0.2.2')];
  const newcomer = enter('192.0.2.3');
  assert.deepEqual(
    [client, ...silent, newcomer].map(({ socket }) => socket.destroyed),
    [false, true, false, false],
  );
  assert.equal(all.size, 2);
});

test('pending connections tell how many they closed from where once a minute', (context: TestContext) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { log, enter } = crowdOf({ connections: 1 });
  for (let index = 0; index < 6; index++) enter('192.0.2.1');
  for (let index = 0; index < 3; index++) enter('192.0.2.2');
  context.mock.timers.tick(60_000);
  assert.deepEqual(log.lines, [
    'Warning: closed a connection from 192.0.2.1: too many connections have not signed in.',
    'Warning: closed 7 more connections in 0 s, 5 of them from 192.0.2.1: too many connections have not signed in.',
  ]);
});

test('pending connections destroy a stream when its handshake takes too long', async () => {
  const { all, enter } = crowdOf({ handshakeMs: 1 });
  const keepsTheLoopAlive = setInterval(() => {}, 1000);
  const { socket, pending } = enter('192.0.2.1');
  pending.waits(socket);
  await once(socket, 'close');
  clearInterval(keepsTheLoopAlive);
  assert.equal(all.size, 0);
});

test('pending connections forget one that has signed in or is closed', async () => {
  const { all, enter } = crowdOf({});
  const [done, gone] = [enter('192.0.2.1'), enter('192.0.2.1')];
  bring(done, 5);
  done.pending.signedIn();
  gone.socket.destroy();
  await once(gone.socket, 'close');
  assert.equal(all.size, 0);
  assert.equal(done.socket.destroyed, false);
});

function bring({ socket, pending }: { socket: TestSocket; pending: Pending }, bytes: number): void {
  pending.listensTo(socket);
  socket.bytesRead += bytes;
  socket.emit('data', Buffer.alloc(bytes));
}
