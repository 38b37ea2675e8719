// The rows of mosquitto.conf(5) that hold for the whole program, except logging.

import { type Directive, globalDirective, securityDirective, structureDirective, withoutEffect } from '../directive.ts';
import { boolean, duration, idPrefix, integer, limit, limitOrMinusOne, MAX_INTEGER, map, path, text } from '../values.ts';

const packetBuffer = integer({ min: 0, max: 65_535, unit: 'bytes', sentence: 'Packet buffer size must be between 0 and 65535 inclusive' });

/** GLOBAL_DIRECTIVES are accounts, limits, persistence and the process. */
export const GLOBAL_DIRECTIVES: readonly Directive[] = [
  structureDirective('include_dir', 'global', 'folder', {
    doc: 'Reads every file of the folder that ends in `.conf`, in the order of their bytes; only in the main file. Each of them starts at the default listener.',
  }),
  securityDirective(
    'allow_anonymous',
    boolean,
    {
      default: 'false',
      doc: 'Lets clients connect without a user name. Without any listener in the configuration the default is true.',
    },
    (draft, value) => {
      draft.allowAnonymous = value;
    },
  ),
  securityDirective(
    'password_file',
    path,
    {
      aliases: ['plugin_opt_password_file', 'auth_opt_password_file'],
      doc: 'File with the users who may connect, as `midge passwd` and mosquitto_passwd write it.',
    },
    (draft, value) => {
      draft.passwordFile = value;
    },
  ),
  securityDirective(
    'acl_file',
    path,
    {
      aliases: ['plugin_opt_acl_file', 'auth_opt_acl_file'],
      doc: 'File with the topics that each user may read and write, see below; without it everybody who may connect may read and write every topic.',
    },
    (draft, value) => {
      draft.aclFile = value;
    },
  ),
  securityDirective(
    'psk_file',
    path,
    { doc: 'File with the pre-shared keys of listeners with `psk_hint`: lines `identity:key`, the key in hexadecimal.' },
    (draft, value) => {
      draft.pskFile = value;
    },
  ),
  globalDirective(
    'per_listener_settings',
    boolean,
    {
      default: 'false',
      reloadable: true,
      doc: 'Gives each listener its own accounts and rules: `password_file`, `acl_file`, `psk_file`, `allow_anonymous`, `allow_zero_length_clientid` and `auto_id_prefix` then belong below a `listener`. Write it above them all. The rules for a client that is away are those of the listener that it came through last.',
    },
    (draft, value) => {
      if (value && Object.keys(draft.security).length > 0)
        return { problem: 'per_listener_settings must be set before any other security settings', hint: 'write it at the top of the file' };
      draft.perListenerSettings ||= value; // once true it stays so, as in mosquitto
      return undefined;
    },
  ),
  globalDirective(
    'enable_control_api',
    boolean,
    {
      default: 'false',
      reloadable: true,
      doc: 'Answers requests about listeners and plugins on `$CONTROL/broker/v1`: let nobody publish there by `acl_file` who should not ask.',
    },
    (draft, value) => {
      draft.enableControlApi = value;
    },
  ),
  globalDirective(
    'dynamic_security_file',
    path,
    {
      own: true,
      aliases: ['plugin_opt_config_file', 'auth_opt_config_file'],
      reloadable: true,
      doc: "File with clients, groups and roles that `mosquitto_ctrl dynsec` changes while the broker runs, in the form of mosquitto's plugin. midge makes one where there is none, and writes the password of its client `admin` beside it, into `FILE.pw`. Users of `password_file` stay; rules of `acl_file` are for them only.",
    },
    (draft, value) => {
      draft.access.dynamicSecurityFile = value;
    },
  ),
  globalDirective(
    'dynamic_security_password_file',
    path,
    {
      own: true,
      aliases: ['plugin_opt_password_init_file', 'auth_opt_password_init_file'],
      doc: 'File whose first line is the password of the client `admin` in a dynamic security file that midge makes.',
    },
    (draft, value) => {
      draft.access.dynamicSecurityPasswordFile = value;
    },
  ),
  globalDirective(
    'allow_duplicate_messages',
    boolean,
    { default: 'false', reloadable: true, doc: 'Sends a message once per matching subscription instead of once per client.' },
    (draft, value) => {
      draft.broker.allowDuplicateMessages = value;
    },
  ),
  securityDirective(
    'allow_zero_length_clientid',
    boolean,
    { default: 'true', doc: 'Lets in clients that come without a client id, and makes one for them.' },
    (draft, value) => {
      draft.allowZeroLengthClientid = value;
    },
  ),
  securityDirective(
    'auto_id_prefix',
    idPrefix,
    { default: 'auto-', doc: 'Start of the ids made for clients that come without one; `listener_auto_id_prefix` goes before it.' },
    (draft, value) => {
      draft.autoIdPrefix = value;
    },
  ),
  globalDirective(
    'clientid_prefixes',
    text('prefix'),
    { reloadable: true, doc: 'Lets in only clients whose client id starts like this.' },
    (draft, value) => {
      draft.broker.clientidPrefixes = value;
    },
  ),
  globalDirective(
    'check_retain_source',
    boolean,
    { default: 'true', reloadable: true, doc: 'Delivers a retained message only while its publisher may still write to the topic.' },
    (draft, value) => {
      draft.broker.checkRetainSource = value;
    },
  ),
  globalDirective(
    'global_max_clients',
    limitOrMinusOne('number'),
    { default: '-1', reloadable: true, doc: 'Most sessions at once, of clients that are connected or away; -1 or 0 = no limit.' },
    (draft, value) => {
      draft.broker.globalMaxClients = value;
    },
  ),
  globalDirective(
    'global_max_connections',
    limitOrMinusOne('number'),
    { default: '-1', reloadable: true, doc: 'Most clients connected at once, over all listeners; -1 or 0 = no limit.' },
    (draft, value) => {
      draft.broker.globalMaxConnections = value;
    },
  ),
  globalDirective(
    'max_inflight_bytes',
    limit('bytes'),
    {
      default: '0',
      reloadable: true,
      doc: 'How many bytes of QoS 1 and 2 messages midge sends to one client before that client has confirmed the first of them. 0 = no limit.',
    },
    (draft, value) => {
      draft.broker.maxInflightBytes = value;
    },
  ),
  globalDirective(
    'max_inflight_messages',
    limit('number', 65_535, 'max_inflight_messages must be <= 65535'),
    {
      default: '20',
      reloadable: true,
      doc: 'How many QoS 1 and 2 messages midge sends to one client before that client has confirmed the first of them. 1 = one after the other, in strict order; 0 = no limit.',
    },
    (draft, value) => {
      draft.broker.maxInflightMessages = value;
    },
  ),
  globalDirective(
    'max_keepalive',
    integer({ min: 0, max: 65_535, unit: 'seconds' }),
    {
      default: '0',
      reloadable: true,
      doc: 'Longest keep alive that a client may ask for: how long it may be silent. A longer one is lowered (MQTT 5) or refused (MQTT 3); 0 = any.',
    },
    (draft, value) => {
      draft.broker.maxKeepalive = value;
    },
  ),
  globalDirective(
    'max_packet_size',
    integer({ min: 20, max: MAX_INTEGER, unit: 'bytes' }),
    {
      default: '2000000',
      reloadable: true,
      doc: 'Largest packet that a client may send: one message with its topic and payload. A larger packet ends the connection of the client. Raise this limit to let clients send larger messages; to only drop large messages, and leave the clients connected, set `message_size_limit` lower than this.',
    },
    (draft, value) => {
      draft.broker.maxPacketSize = value;
    },
  ),
  globalDirective(
    'max_queued_bytes',
    limit('bytes'),
    {
      default: '0',
      reloadable: true,
      doc: 'How many bytes of messages midge keeps for one client that is away or slow. When so many wait, midge drops new messages for this client, even if `max_queued_messages` would allow more. 0 = no limit.',
    },
    (draft, value) => {
      draft.broker.maxQueuedBytes = value;
    },
  ),
  globalDirective(
    'max_queued_messages',
    limit('number'),
    {
      default: '1000',
      reloadable: true,
      doc: 'How many messages midge keeps for one client that is away or slow, until that client takes them. When so many wait, midge drops new messages for this client. 0 = no limit.',
    },
    (draft, value) => {
      draft.broker.maxQueuedMessages = value;
    },
  ),
  globalDirective(
    'memory_limit',
    integer({ min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'bytes' }),
    {
      reloadable: true,
      doc: 'Most memory, in bytes, for all that midge holds for clients: sessions, subscriptions, wills, waiting and retained messages. At the limit midge refuses new ones (0x97); what is there stays. The last tenth is for users who have less than their share (the limit divided by the number of users who have something); all clients without an account count as one user. Data that clients have not read yet may take a quarter of the limit besides: beyond that midge disconnects the client that has the most unread. By default half of the memory of the machine, or of what the service may use, less where that would leave less than 176 MiB for the program; 0 = no limit.',
    },
    (draft, value) => {
      draft.broker.memoryLimit = value;
    },
  ),
  globalDirective(
    'message_size_limit',
    integer({ min: 0, max: 268_435_455, unit: 'bytes' }),
    {
      default: '0',
      reloadable: true,
      doc: 'Largest payload of a message. midge drops a message with a larger one, and its client stays connected. Set it lower than `max_packet_size`: a message over that limit ends the connection. 0 = no limit but that one.',
    },
    (draft, value) => {
      draft.broker.messageSizeLimit = value;
    },
  ),
  globalDirective(
    'persistence',
    boolean,
    {
      aliases: ['retained_persistence'],
      default: 'false',
      doc: 'Saves sessions, waiting messages and retained messages to the disk, so that they are still there after a restart or a power cut.',
    },
    (draft, value) => {
      draft.persistence.enabled = value;
    },
  ),
  globalDirective(
    'persistence_location',
    path,
    { doc: 'Folder of the persistence file; by default the state folder. Certificates and accounts stay in the state folder.' },
    (draft, value) => {
      draft.persistence.location = value;
    },
  ),
  globalDirective(
    'persistent_client_expiration',
    duration,
    {
      reloadable: true,
      doc: 'How long midge keeps the session of a client that is away: its subscriptions and the messages that wait for it. After that time midge deletes the session. Without it midge keeps the session as long as the client asked for.',
    },
    (draft, value) => {
      draft.broker.persistentClientExpiration = value;
    },
  ),
  withoutEffect('autosave_interval', 'global', limit('seconds'), 'changes are written as they happen', {
    default: '1800',
    doc: 'Time between two savings of everything.',
  }),
  withoutEffect('autosave_on_changes', 'global', boolean, 'changes are written as they happen', {
    default: 'false',
    doc: 'Reads `autosave_interval` as a number of changes.',
  }),
  globalDirective('pid_file', path, { doc: 'File that gets the process id.' }, (draft, value) => {
    draft.process.pidFile = value;
  }),
  globalDirective(
    'queue_qos0_messages',
    boolean,
    {
      default: 'false',
      reloadable: true,
      doc: 'Keeps QoS 0 messages too for a client that is away. Without it only those of QoS 1 and 2 wait for the client.',
    },
    (draft, value) => {
      draft.broker.queueQos0Messages = value;
    },
  ),
  globalDirective(
    'retain_available',
    boolean,
    { default: 'true', reloadable: true, doc: 'Allows retained messages; false ends the connection of a client that sends one.' },
    (draft, value) => {
      draft.broker.retainAvailable = value;
    },
  ),
  globalDirective(
    'retain_expiry_interval',
    map(integer({ min: 0, max: Math.floor(MAX_INTEGER / 60), unit: 'minutes' }), (minutes) => minutes * 60),
    { default: '0', reloadable: true, doc: 'Time between two sweeps for expired retained messages; 0 = none.' },
    (draft, value) => {
      draft.broker.retainExpiryInterval = value;
    },
  ),
  withoutEffect(
    'retry_interval',
    'global',
    text('seconds'),
    'messages are sent again only when a client reconnects [MQTT-4.4.0-1]; mosquitto dropped it too',
    {
      doc: 'Time after which an unacknowledged message was sent again.',
    },
  ),
  globalDirective(
    'set_tcp_nodelay',
    boolean,
    {
      default: 'true',
      reloadable: true,
      doc: "Sends small packets at once (turns off Nagle's algorithm). mosquitto's default is false; here a turn's packets go out together anyway, and holding them back only delays them.",
    },
    (draft, value) => {
      draft.everyListener.tcpNoDelay = value;
    },
  ),
  globalDirective(
    'sys_interval',
    integer({ min: 0, max: 65_535, unit: 'seconds' }),
    { default: '10', reloadable: true, doc: 'Time between two updates of the topics under `$SYS`; 0 = none.' },
    (draft, value) => {
      draft.broker.sysInterval = value;
    },
  ),
  globalDirective(
    'upgrade_outgoing_qos',
    boolean,
    {
      default: 'false',
      reloadable: true,
      doc: "Delivers at the subscription's QoS even when the message came with a lower one. A change is for sessions that begin after it.",
    },
    (draft, value) => {
      draft.broker.upgradeOutgoingQos = value;
    },
  ),
  globalDirective('user', text('name'), { doc: 'User to become when started as root, after the ports are open.' }, (draft, value) => {
    draft.process.user = value;
  }),
  withoutEffect('packet_buffer_size', 'global', packetBuffer, 'the read buffer grows as needed', {
    aliases: ['websockets_headers_size'],
    default: '4096',
    doc: 'Size of the read buffer.',
  }),
  withoutEffect('websockets_log_level', 'global', limit('number'), 'there is no libwebsockets inside; use log_type websockets', {
    default: '0',
    doc: 'What libwebsockets logs.',
  }),
];
