// The conversations by which mosquitto tests its bridges (test/broker/06-bridge-*.py, 08-*-bridge.py and 15-persist-bridge-queue.py of its
// repository, 26 in all), with midge as the bridge. The name in brackets is the file's. Those that others of our tests hold already:
//
//   config-reload                         reload.test.ts: a changed bridge, bridge_reload_type lazy; test/app/bridges.test.ts: by SIGHUP's way
//   no-local                              test/conversations/subscribe.json: 3.1, 3.1.1, and No Local of MQTT 5
//   per-listener-settings                 test/app/bridges.test.ts: per_listener_settings
//   reconnect-local-out, persist-bridge-queue    power.test.ts: midge is killed and started again
//   remote-shutdown                       loss.test.ts: the state once per change; and below
//   08-ssl-bridge, 08-tls-psk-bridge      test/app/bridges.test.ts: every kind of TLS; bridge_insecure

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BridgeOptions } from '../../src/bridges/options.ts';
import type { Bindings } from '../support/protocol/hex-template.ts';
import { listening, publish } from './clients.ts';
import { farPeer, grant, greet } from './far-peer.ts';
import { frailWire } from './frail-wire.ts';
import { bridgeOptions, eventually, startNear, startOtherMidge, tcp } from './scene.ts';

for (const version of [4, 5] as const) {
  /** Flags: no clean session, no will. Before MQTT 5 the level has the bridge bit, as mosquitto sends it. */
  const connect = version === 5 ? "10 [ 'MQTT' 05 00 003C { ... } 'bridge-id' ]" : "10 [ 'MQTT' 84 00 003C 'bridge-id' ]";
  /** Of SUBSCRIBE: No Local and Retain As Published with MQTT 5. */
  const options = (qos: 0 | 1 | 2) => (version === 5 ? `${(0x0c | qos).toString(16).padStart(2, '0')}` : `0${qos}`);
  const start = async (test: Parameters<typeof farPeer>[0], topics: readonly string[], more: Partial<BridgeOptions> = {}) => {
    const far = await farPeer(test, version);
    const near = await startNear(test, [
      bridgeOptions(far.port, topics, { versions: [version], notifications: 'off', attemptUnsubscribe: false, sessionExpiry: 0, ...more }),
    ]);
    return { far, near };
  };

  describe(`as mosquitto's bridges, MQTT level ${version}`, () => {
    it('a QoS 1 message that was not acknowledged when the connection broke: the next is, by its own identifier [b2br-disconnect-qos1]', async (test) => {
      const { far } = await start(test, ['bridge/# both 1']);
      const first = await far.accept();
      await greet(first, connect);
      await grant(first, 'bridge/#', options(1), '01');
      first.send("32 [ 'bridge/disconnect/test' 0003 {} |disconnect-message| ]");
      first.abort();
      const second = await far.accept();
      await greet(second, connect);
      await grant(second, 'bridge/#', options(1), '01');
      second.send("32 [ 'bridge/disconnect/test' 0014 {} |disconnect-message| ]");
      await second.expect('40 [ 0014 ]');
    });

    it('a QoS 2 message that comes again after each break is answered each time [b2br-disconnect-qos2]', async (test) => {
      const { far, near } = await start(test, ['bridge/# both 2']);
      const here = await listening(test, near.port, 'bridge/#');
      const again = async () => {
        const peer = await far.accept();
        await greet(peer, connect);
        await grant(peer, 'bridge/#', options(2), '02');
        return peer;
      };
      const first = await again();
      first.send("34 [ 'bridge/disconnect/test' 0005 {} |disconnect-message| ]");
      first.abort();
      const second = await again();
      second.send("3C [ 'bridge/disconnect/test' 0005 {} |disconnect-message| ]");
      await second.expect('50 [ 0005 ]');
      second.send('62 [ 0005 ]');
      second.abort();
      const third = await again();
      third.send("3C [ 'bridge/disconnect/test' 0005 {} |disconnect-message| ]");
      await third.expect('50 [ 0005 ]');
      third.send('62 [ 0005 ]');
      await third.expect('70 [ 0005 ]');
      await here.got(1);
    });

    it('a retained message from before the bridge goes over once, retained [b2br-late-connection-retain]', async (test) => {
      const far = await farPeer(test, version);
      const near = await startNear(test, []);
      await publish(test, near.port, 'bridge/test', 'message', { qos: 1, retain: true });
      near.bridges.use([
        bridgeOptions(far.port, ['bridge/# out 1'], { versions: [version], notifications: 'off', attemptUnsubscribe: false }),
      ]);
      const peer = await far.accept();
      await greet(peer, connect);
      const bound: Bindings = new Map();
      await peer.expect("33 [ 'bridge/test' @id { ... } |message| ]", bound);
      peer.send('40 [ @id ]', bound);
      await eventually(() => near.state().queued === 0, 'it is acknowledged');
      await publish(test, near.port, 'bridge/next', 'once', { qos: 0 });
      await peer.expect("30 [ 'bridge/next' { ... } |once| ]");
    });

    it('a message from before the other broker answers goes over when it does [b2br-late-connection]', async (test) => {
      const { far, near } = await start(test, ['bridge/# out 1']);
      const peer = await far.accept();
      await publish(test, near.port, 'bridge/test', 'message', { qos: 1 });
      await greet(peer, connect);
      await peer.expect("32 [ 'bridge/test' ???? { ... } |message| ]");
    });

    it('topics that come in have their names here [b2br-remapping]', async (test) => {
      const { far, near } = await start(test, [
        '# in 0 local/topic/ remote/topic/',
        'prefix/# in 0 local2/topic/ remote2/topic/',
        '+/value in 0 local3/topic/ remote3/topic/',
        'ic/+ in 0 local4/top remote4/tip',
        'clients/total in 0 test/mosquitto/org $SYS/broker/',
        'rmapped in 0 "" remote/mapped/',
        'lmapped in 0 local/mapped/ ""',
        '"" in 0 local/single remote/single',
      ]);
      const peer = await far.accept();
      const bound: Bindings = new Map();
      await greet(peer, connect);
      const filters = ['remote/topic/#', 'remote2/topic/prefix/#', 'remote3/topic/+/value', 'remote4/tipic/+', '$SYS/broker/clients/total'];
      filters.push('remote/mapped/rmapped', 'lmapped', 'remote/single');
      await peer.expect(`82 [ @id {} ${filters.map((each) => `'${each}' ${options(0)}`).join(' ')} ]`, bound);
      peer.send(`90 [ @id {} ${filters.map(() => '00').join(' ')} ]`, bound);
      await near.connected();
      const here = await listening(test, near.port, '#');
      const cases = [
        ['local/topic/something', 'remote/topic/something'],
        ['local/topic/some/t/h/i/n/g', 'remote/topic/some/t/h/i/n/g'],
        ['local/topic/value', 'remote/topic/value'],
        ['local2/topic/prefix/something', 'remote2/topic/prefix/something'],
        ['local3/topic/something/value', 'remote3/topic/something/value'],
        ['local4/topic/something', 'remote4/tipic/something'],
        ['test/mosquitto/orgclients/total', '$SYS/broker/clients/total'],
        ['rmapped', 'remote/mapped/rmapped'],
        ['local/mapped/lmapped', 'lmapped'],
        ['local/single', 'remote/single'],
      ] as const;
      for (const [, remote] of cases) peer.send(`30 [ '${remote}' {} ]`);
      await here.got(cases.length);
      assert.deepEqual(
        here.received.map(({ topic }) => topic),
        cases.map(([local]) => local),
      );
    });

    it('topics that go out have their names over there, and others stay [br2b-remapping]', async (test) => {
      const { far, near } = await start(test, [
        '# out 0 local/topic/ remote/topic/',
        'prefix/# out 0 local2/topic/ remote2/topic/',
        '+/value out 0 local3/topic/ remote3/topic/',
        'ic/+ out 0 local4/top remote4/tip',
      ]);
      const peer = await far.accept();
      await greet(peer, connect);
      await near.connected();
      for (const [local, remote] of [
        ['local/topic/something', 'remote/topic/something'],
        ['local/topic/some/t/h/i/n/g', 'remote/topic/some/t/h/i/n/g'],
        ['local/topic/value', 'remote/topic/value'],
        ['local2/topic/something', null],
        ['local2/topic/prefix/something', 'remote2/topic/prefix/something'],
        ['local3/topic/something/value', 'remote3/topic/something/value'],
        ['local4/topic/something', 'remote4/tipic/something'],
        ['local5/topic/something', null],
        ['local/topic/last', 'remote/topic/last'],
      ]) {
        await publish(test, near.port, local!, '', { qos: 0 });
        if (remote !== null) await peer.expect(`30 [ '${remote}' { ... } ]`);
      }
    });

    for (const qos of [1, 2] as const) {
      it(`a QoS ${qos} message that was not acknowledged comes again with DUP and its identifier [br2b-disconnect-qos${qos}]`, async (test) => {
        const { far, near } = await start(test, [`bridge/# both ${qos}`]);
        const bound: Bindings = new Map();
        const again = async () => {
          const peer = await far.accept();
          await greet(peer, connect);
          await grant(peer, 'bridge/#', options(qos), `0${qos}`);
          return peer;
        };
        const first = await again();
        await near.connected();
        await publish(test, near.port, 'bridge/disconnect/test', 'disconnect-message', { qos });
        await first.expect(`3${2 * qos} [ 'bridge/disconnect/test' @id { ... } |disconnect-message| ]`, bound);
        first.abort();
        const second = await again();
        await second.expect(`3${(8 + 2 * qos).toString(16)} [ 'bridge/disconnect/test' @id { ... } |disconnect-message| ]`, bound);
        if (qos === 1) return;
        second.send('50 [ @id ]', bound);
        await second.expect('62 [ @id ]', bound);
        second.abort();
        const third = await again();
        await third.expect('62 [ @id ]', bound);
        third.send('70 [ @id ]', bound);
        await eventually(() => near.state().queued === 0, 'it is done');
      });
    }

    it('acknowledgements of what is unknown do no harm [fail-persist-resend-qos1 and -qos2]', async (test) => {
      const { far, near } = await start(test, ['bridge/# out 0'], { cleanSession: true, tryPrivate: false, attemptUnsubscribe: true });
      const peer = await far.accept();
      const bound: Bindings = new Map();
      await peer.expect(version === 5 ? "10 [ 'MQTT' 05 02 003C { ... } 'bridge-id' ]" : "10 [ 'MQTT' 04 02 003C 'bridge-id' ]");
      peer.send('20 [ 00 00 {} ]');
      await near.connected(); // a new session has no subscriptions, so that there is nothing to unsubscribe
      peer.send('40 [ 07D0 ]');
      peer.send('50 [ 07D1 ]');
      await peer.expect('62 [ 07D1 ] or 62 [ 07D1 92 ]');
      peer.send('62 [ 07D2 ]');
      await peer.expect('70 [ 07D2 ] or 70 [ 07D2 92 ]');
      peer.send('70 [ 07D3 ]');
      peer.send("32 [ 'bridge/unknown/qos1' 00B4 {} |bridge-message| ]", bound);
      await peer.expect('40 [ 00B4 ]');
    });

    for (const retained of [true, false]) {
      it(`bridge_outgoing_retain ${retained}, and a topic with spaces [outgoing-retain]`, async (test) => {
        const { far, near } = await start(test, [], {
          outgoingRetain: retained,
          topics: [{ pattern: 'bridge with space/#', direction: 'both', qos: 1, localPrefix: '', remotePrefix: '' }],
        });
        const peer = await far.accept();
        await greet(peer, connect);
        await grant(peer, 'bridge with space/#', options(1), '01');
        await near.connected();
        await publish(test, near.port, 'bridge with space/retain/test', 'message', { qos: 0, retain: true });
        await peer.expect(`${retained ? '31' : '30'} [ 'bridge with space/retain/test' { ... } |message| ]`);
      });
    }

    it('a message whose topic holds wildcards ends the connection, and goes nowhere [remap-receive-wildcard]', async (test) => {
      const { far, near } = await start(test, ['room1/# both 2 sensor/ myhouse/', 'tst/ba both 2', '# both 2']);
      const here = await listening(test, near.port, '#');
      const peer = await far.accept();
      const bound: Bindings = new Map();
      await greet(peer, connect);
      await peer.expect(`82 [ @id {} 'myhouse/room1/#' ${options(2)} 'tst/ba' ${options(2)} '#' ${options(2)} ]`, bound);
      peer.send('90 [ @id {} 02 02 02 ]', bound);
      await near.connected();
      peer.send("32 [ '++++++' 0004 {} |3| ]");
      if (version === 5) await peer.expect('E0 [ 90 ] or E0 [ 82 ] or E0 [ 81 ]');
      await peer.expectClosed();
      assert.equal(near.state().lastError?.fault, 'protocol');
      assert.deepEqual(here.received, []);
    });

    it('the state topic is 1, and 0 when the other broker goes; then the bridge waits [remote-shutdown]', async (test) => {
      const other = await startOtherMidge(test);
      const near = await startNear(test, [
        bridgeOptions(other.port, ['bridge/# out 0'], {
          versions: [version],
          notificationTopic: 'bridge_state',
          restart: { base: 300, cap: 300, stable: 0 },
        }),
      ]);
      await near.connected();
      const here = await listening(test, near.port, '#');
      await here.got(1);
      await other.stop();
      await here.got(2);
      await publish(test, near.port, 'echo_topic', 'sample-message', { qos: 0 });
      await here.got(3);
      assert.deepEqual(
        here.received.map(({ topic, text }) => `${topic} ${text}`),
        ['bridge_state 1', 'bridge_state 0', 'echo_topic sample-message'],
      );
      assert.equal(near.state().phase, 'waiting');
    });

    for (const [cleanSession, said] of [
      [false, null],
      [false, false],
      [false, true],
      [true, null],
      [true, false],
      [true, true],
    ] as const) {
      const localCleanSession = said ?? cleanSession;
      const queues = `${localCleanSession ? 'nothing' : 'what goes out'} waits here, ${cleanSession ? 'nothing' : 'what comes in'} there`;
      it(`cleansession ${cleanSession}, local_cleansession ${said ?? 'not said'}: ${queues} [clean-session]`, async (test) => {
        const other = await startOtherMidge(test);
        const wire = await frailWire(test, other.port);
        const near = await startNear(test, [
          bridgeOptions(0, ['br_out/# out 1', 'br_in/# in 1'], {
            addresses: [tcp(wire.port)],
            versions: [version],
            cleanSession,
            localCleanSession,
            sessionExpiry: cleanSession ? 0 : 5000,
          }),
        ]);
        await near.connected();
        const [here, there] = [await listening(test, near.port, 'br_in/#'), await listening(test, other.port, 'br_out/#')];
        await both('1');
        await Promise.all([here.got(1), there.got(1)]);
        wire.isOpen = false;
        wire.cut();
        await eventually(() => near.state().phase !== 'connected', 'it notices here');
        await eventually(() => other.broker.sessions.get('bridge-id')?.connection == null, 'it notices there');
        await both('2');
        wire.isOpen = true;
        await near.connected();
        await both('3');
        await eventually(() => here.texts().includes('3') && there.texts().includes('3'), 'the last ones have come');
        assert.deepEqual(there.texts(), localCleanSession ? ['1', '3'] : ['1', '2', '3']);
        assert.deepEqual(here.texts(), cleanSession ? ['1', '3'] : ['1', '2', '3']);

        async function both(text: string): Promise<void> {
          await publish(test, near.port, 'br_out/x', text, { qos: 1 });
          await publish(test, other.port, 'br_in/x', text, { qos: 1 });
        }
      });
    }
  });
}
