// The rows of mosquitto.conf(5) about bridges, except TLS: the words of a `connection` block, and three of our own.

import { isIP } from 'node:net';
import { NO_EXPIRY } from '../../broker/session/expiry.ts';
import { addresses, bridgeTopicName, restartTimeout, tcpKeepalive, topic } from '../bridge-values.ts';
import { bridgeDirective, type Directive, structureDirective, withoutEffect } from '../directive.ts';
import { boolean, check, choice, duration, integer, limit, MAX_INTEGER, text } from '../values.ts';

const ownAddress = check(text('address'), (value) =>
  isIP(value) > 0
    ? { value }
    : { problem: `Invalid bridge_bind_address value (${value})`, hint: 'write an IP address of this machine; a host name cannot be used' },
);

/** BRIDGE_DIRECTIVES carry messages to and from other brokers. */
export const BRIDGE_DIRECTIVES: readonly Directive[] = [
  structureDirective('connection', 'bridge', 'name', {
    reloadable: true,
    doc: 'Starts a bridge to another broker; what follows belongs to it, up to the next `connection` or the end of the file. Each name may be used once.',
  }),
  bridgeDirective(
    'address',
    addresses,
    {
      aliases: ['addresses'],
      doc: 'Where the other broker is; several are tried in this order. The port is 1883 if none is given. Own: `mqtts://` (port 8883) turns TLS on, `ws://` (80) and `wss://` (443) use WebSocket; without a path it is `/mqtt`.',
    },
    (draft, value) => {
      draft.addresses = value;
    },
  ),
  bridgeDirective(
    'topic',
    topic,
    {
      repeatable: true,
      doc: 'Messages to carry: `out` to the other broker (the default), `in` from it, or `both`, with this QoS at most (default 0). The topic here is local prefix + pattern, and over there remote prefix + pattern. `""` is an empty value; an empty pattern with both prefixes renames one topic. Put a pattern with spaces in quotes. Repeat the word for more topics; for a message that several match, the first counts.',
    },
    (draft, value) => {
      draft.topics.push(value);
    },
  ),
  bridgeDirective(
    'round_robin',
    boolean,
    {
      default: 'false',
      doc: 'With several addresses: true goes to the next one after a loss and stays there; false goes back to the first as soon as it answers again.',
    },
    (draft, value) => {
      draft.settings.roundRobin = value;
    },
  ),
  bridgeDirective(
    'bridge_protocol_version',
    choice({ mqttv31: 3, mqttv311: 4, mqttv50: 5 } as const),
    {
      doc: 'Version of MQTT to speak with the other broker. Without this line it is `mqttv50`, and `mqttv311` where the other broker does not speak that; the default of mosquitto is `mqttv311`. Only `mqttv50` keeps messages from going round in every arrangement of brokers.',
    },
    (draft, value) => {
      draft.settings.versions = [value];
    },
  ),
  bridgeDirective(
    'cleansession',
    boolean,
    {
      default: 'false',
      doc: 'True: the other broker forgets the session when the connection ends, and keeps nothing for this bridge meanwhile.',
    },
    (draft, value) => {
      draft.settings.cleanSession = value;
    },
  ),
  bridgeDirective(
    'local_cleansession',
    boolean,
    {
      doc: 'The same for this broker: true keeps no messages for the other one while the bridge is not connected. The default is the value of `cleansession`.',
    },
    (draft, value) => {
      draft.settings.localCleanSession = value;
    },
  ),
  bridgeDirective(
    'remote_clientid',
    text('id'),
    {
      aliases: ['clientid'],
      doc: 'Client id at the other broker. The default is `HOST-DIGITS.NAME`: the digits come from the hardware, so that two machines with a copied card differ.',
    },
    (draft, value) => {
      draft.settings.remoteClientId = value;
    },
  ),
  bridgeDirective(
    'remote_username',
    text('name'),
    { doc: 'User name at the other broker; also `username` inside the block.' },
    (draft, value) => {
      draft.settings.remoteUsername = value;
    },
  ),
  bridgeDirective(
    'remote_password',
    text('password'),
    { doc: 'Password at the other broker; also `password` inside the block. Let nobody else read the file.' },
    (draft, value) => {
      draft.settings.remotePassword = value;
    },
  ),
  bridgeDirective(
    'local_clientid',
    text('id'),
    { doc: 'Client id of the bridge at this broker; the default is `local.` and the remote client id.' },
    (draft, value) => {
      draft.settings.localClientId = value;
    },
  ),
  bridgeDirective(
    'local_username',
    text('name'),
    { doc: 'User whose rules of `acl_file` hold for the bridge at this broker. Without it the bridge may carry all that its topics say.' },
    (draft, value) => {
      draft.settings.localUsername = value;
    },
  ),
  bridgeDirective(
    'local_password',
    text('password'),
    { doc: 'Accepted for mosquitto.conf files that have it: a bridge needs no password at its own broker.' },
    (draft, value) => {
      draft.settings.localPassword = value;
    },
  ),
  bridgeDirective(
    'keepalive_interval',
    integer({ min: 0, max: 65_535, unit: 'seconds', sentence: 'Bridge keepalive value too high' }),
    { default: '60', doc: 'Seconds of silence after which the bridge asks whether the other broker is there; 5 at least.' },
    (draft, value) => {
      draft.settings.keepAlive = value;
    },
  ),
  bridgeDirective(
    'start_type',
    choice({ automatic: 'automatic', lazy: 'lazy', once: 'once' } as const, {
      refused: { manual: 'mosquitto does not support it either; comment the block out to keep the bridge off' },
      sentence: (word) => (word === 'manual' ? 'Manual start_type not supported' : `Invalid start_type value in configuration (${word})`),
    }),
    {
      default: 'automatic',
      doc: '`automatic` is connected all the time. `lazy` connects when `threshold` messages wait, and disconnects after `idle_timeout`. `once` does not connect again after a loss.',
    },
    (draft, value) => {
      draft.settings.startType = value;
    },
  ),
  bridgeDirective(
    'threshold',
    integer({ min: 0, max: MAX_INTEGER, unit: 'number' }),
    { default: '10', doc: 'Messages that wait until a lazy bridge connects; 1 at least.' },
    (draft, value) => {
      draft.settings.threshold = value;
    },
  ),
  bridgeDirective(
    'idle_timeout',
    integer({ min: 0, max: MAX_INTEGER, unit: 'seconds' }),
    { default: '60', doc: 'Seconds without a message after which a lazy bridge disconnects; 1 at least.' },
    (draft, value) => {
      draft.settings.idleTimeout = value;
    },
  ),
  bridgeDirective(
    'restart_timeout',
    restartTimeout,
    {
      default: '5 30',
      doc: 'Seconds before the bridge tries again: one number is always used as it is. With two the time is random, up to the first at first, up to twice as long after each failure, and never more than the second. After so many seconds connected as the third says, it starts at the first again.',
    },
    (draft, value) => {
      draft.restart = value;
    },
  ),
  bridgeDirective(
    'notifications',
    boolean,
    { default: 'true', doc: 'Publishes a retained 1 at both brokers when the bridge is connected, and 0 when it is not.' },
    (draft, value) => {
      draft.notifications = value;
    },
  ),
  bridgeDirective(
    'notifications_local_only',
    boolean,
    { default: 'false', doc: 'Publishes that at this broker only: brokers in a cloud often forbid it.' },
    (draft, value) => {
      draft.notificationsLocalOnly = value;
    },
  ),
  bridgeDirective(
    'notification_topic',
    bridgeTopicName,
    { doc: 'Topic of that; the default is `$SYS/broker/connection/REMOTE_CLIENTID/state`.' },
    (draft, value) => {
      draft.settings.notificationTopic = value;
    },
  ),
  bridgeDirective(
    'try_private',
    boolean,
    {
      default: 'true',
      doc: 'With MQTT 3.1 and 3.1.1: tells the other broker that this is a bridge, so that it does not send messages back. A broker that refuses it is asked again without.',
    },
    (draft, value) => {
      draft.settings.tryPrivate = value;
    },
  ),
  bridgeDirective(
    'bridge_attempt_unsubscribe',
    boolean,
    {
      default: 'true',
      doc: 'Ends subscriptions at the other broker for topics that are `out` only: an earlier configuration may have left them there.',
    },
    (draft, value) => {
      draft.settings.attemptUnsubscribe = value;
    },
  ),
  bridgeDirective('bridge_bind_address', ownAddress, { doc: 'Own IP address of the connection.' }, (draft, value) => {
    draft.settings.bindAddress = value;
  }),
  bridgeDirective(
    'bridge_outgoing_retain',
    boolean,
    { default: 'true', doc: 'False: what goes out is not retained over there.' },
    (draft, value) => {
      draft.settings.outgoingRetain = value;
    },
  ),
  bridgeDirective(
    'bridge_max_packet_size',
    limit('bytes'),
    { default: '0', doc: 'Largest packet that the bridge accepts; with MQTT 5 the other broker is told. 0 = any.' },
    (draft, value) => {
      draft.settings.maxPacketSize = value === 0 ? null : value;
    },
  ),
  bridgeDirective(
    'bridge_max_topic_alias',
    integer({ min: 0, max: 65_535, sentence: 'bridge_max_topic_alias must be > 0 and <= 65535' }),
    { default: '10', doc: 'MQTT 5: topic aliases that the other broker may use.' },
    (draft, value) => {
      draft.settings.maxTopicAlias = value;
    },
  ),
  bridgeDirective(
    'bridge_receive_maximum',
    integer({ min: 1, max: 65_535 }),
    {
      doc: 'MQTT 5: QoS 1 and 2 messages that the other broker may send before they are acknowledged; the default is `max_inflight_messages`.',
    },
    (draft, value) => {
      draft.settings.receiveMaximum = value;
    },
  ),
  bridgeDirective(
    'bridge_session_expiry_interval',
    integer({ min: 0, max: NO_EXPIRY, unit: 'seconds' }),
    {
      doc: `MQTT 5: seconds that the other broker keeps the session after the connection has ended; ${NO_EXPIRY} = for ever. With 0 it keeps no messages for the bridge meanwhile. The default is 0 with \`bridge_protocol_version mqttv50\`; otherwise \`cleansession\` says it, as in MQTT 3.1.1.`,
    },
    (draft, value) => {
      draft.settings.sessionExpiry = value;
    },
  ),
  bridgeDirective(
    'bridge_tcp_keepalive',
    tcpKeepalive,
    {
      doc: 'Seconds of silence after which TCP asks whether the other side is there. midge uses the first number; the others are always 1 second and 10 probes.',
    },
    (draft, value) => {
      draft.tcpKeepalive = value;
    },
  ),
  withoutEffect(
    'bridge_tcp_user_timeout',
    'bridge',
    integer({ min: 0, max: MAX_INTEGER, unit: 'milliseconds', sentence: 'invalid TCP user timeout value' }),
    'Node.js cannot set it; `keepalive_interval` ends a dead connection',
    { doc: 'Time until TCP gives up.' },
  ),
  bridgeDirective(
    'bridge_reload_type',
    choice({ lazy: 'lazy', immediate: 'immediate' } as const),
    {
      default: 'immediate',
      doc: 'When a changed block takes effect at a reload: `immediate` connects anew at once, and keeps the session; `lazy` waits until the bridge connects the next time. The default of mosquitto is `lazy`. A bridge whose block has not changed keeps its connection.',
    },
    (draft, value) => {
      draft.settings.reload = value;
    },
  ),
  bridgeDirective(
    'bridge_queue_expiry',
    duration,
    {
      own: true,
      doc: 'Drops a message that has waited so long for the other broker: a bridge that comes back after days then does not carry old values. The default is for ever.',
    },
    (draft, value) => {
      draft.settings.queueExpiry = value;
    },
  ),
  bridgeDirective(
    'bridge_max_queued_bytes',
    integer({ min: 1, max: MAX_INTEGER, unit: 'bytes' }),
    {
      own: true,
      doc: 'Bytes of messages that may wait for the other broker; more are dropped and counted. The default is `max_queued_bytes`.',
    },
    (draft, value) => {
      draft.settings.maxQueuedBytes = value;
    },
  ),
];
