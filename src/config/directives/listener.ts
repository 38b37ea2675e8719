// The rows of mosquitto.conf(5) about one listener, except TLS. Before any `listener` line they mean the default listener.

import { type Directive, listenerDirective, structureDirective } from '../directive.ts';
import { boolean, check, choice, endpoint, host, idPrefix, integer, limitOrMinusOne, path, text, versions } from '../values.ts';

const mountPoint = check(text('prefix'), (value) =>
  /[+#]/.test(value)
    ? {
        problem: `Invalid mount_point '${value}'. Does it contain a wildcard character?`,
        hint: 'write a prefix without + and #, for example garden/',
      }
    : { value },
);

const aliases = (name: string) => integer({ min: 0, max: 65_535, sentence: `Invalid ${name} value in configuration` });

/** LISTENER_DIRECTIVES say where clients may connect, and how. */
export const LISTENER_DIRECTIVES: readonly Directive[] = [
  structureDirective('listener', 'listener', endpoint.syntax, {
    doc: 'Starts a listener; what follows belongs to it. Without an address it is open on all interfaces; `0 path` is a Unix socket.',
  }),
  listenerDirective(
    'port',
    integer({ min: 1, max: 65_535 }),
    {
      default: '1883',
      own: true,
      doc: 'Port of the default listener, which this opens on all interfaces. Its default is 8883 with `secure true`.',
    },
    (draft, value) => {
      draft.socket.port = value;
    },
  ),
  listenerDirective('bind_address', host, { doc: 'Address or host name of the default listener, which this opens.' }, (draft, value) => {
    draft.socket.address = value;
  }),
  listenerDirective(
    'protocol',
    choice({ mqtt: 'mqtt', websockets: 'websockets', http: 'http', http_api: 'http_api' } as const),
    {
      default: 'mqtt',
      doc: 'What the listener speaks: MQTT as it is, or inside WebSocket; `http_api`, the HTTP API of mosquitto with its three answers and the files of `http_dir`; or `http`, a word of our own, for the REST interface (docs/rest.md). A listener with `http` uses TLS with the certificate of midge, unless its address is of this machine only, or it is a Unix socket, or `certfile` and `keyfile` are set. With `secure false` it only sends people on to one with TLS.',
    },
    (draft, value) => {
      draft.socket.protocol = value;
    },
  ),
  listenerDirective('bind_interface', text('interface'), { doc: 'Network interface to listen on, for example eth0.' }, (draft, value) => {
    draft.socket.bindInterface = value;
  }),
  listenerDirective(
    'socket_domain',
    choice({ ipv4: 'ipv4', ipv6: 'ipv6' } as const, { sentence: (word) => `Invalid socket_domain value "${word}" in configuration` }),
    { doc: 'Listens with IPv4 or IPv6 only; without it with both.' },
    (draft, value) => {
      draft.socket.socketDomain = value;
    },
  ),
  listenerDirective(
    'listener_allow_anonymous',
    boolean,
    { doc: 'As `allow_anonymous`, for this listener; it goes before it.' },
    (draft, value) => {
      draft.policy.allowAnonymous = value;
    },
  ),
  listenerDirective(
    'listener_auto_id_prefix',
    idPrefix,
    { default: 'auto-', doc: 'Start of the ids made for clients that come without one.' },
    (draft, value) => {
      draft.policy.autoIdPrefix = value;
    },
  ),
  listenerDirective(
    'accept_protocol_versions',
    versions,
    { default: '3,4,5', doc: 'Versions of MQTT to accept: 3 = 3.1, 4 = 3.1.1, 5 = 5.' },
    (draft, value) => {
      draft.policy.acceptProtocolVersions = value;
    },
  ),
  listenerDirective(
    'max_connections',
    limitOrMinusOne('number'),
    { default: '-1', doc: 'Most clients connected to this listener at once; -1 or 0 = no limit.' },
    (draft, value) => {
      draft.socket.maxConnections = value;
    },
  ),
  listenerDirective(
    'max_qos',
    integer({ min: 0, max: 2, unit: '0 | 1 | 2', sentence: 'max_qos must be between 0 and 2 inclusive' }),
    { aliases: ['maximum_qos'], default: '2', doc: 'Highest QoS that clients may use.' },
    (draft, value) => {
      draft.policy.maxQos = value as 0 | 1 | 2; // its range
    },
  ),
  listenerDirective(
    'max_topic_alias',
    aliases('max_topic_alias'),
    { default: '10', doc: 'Topic aliases that an MQTT 5 client may set.' },
    (draft, value) => {
      draft.policy.maxTopicAlias = value;
    },
  ),
  listenerDirective(
    'max_topic_alias_broker',
    aliases('max_topic_alias_broker'),
    { default: '10', doc: 'Topic aliases that the broker may set towards an MQTT 5 client.' },
    (draft, value) => {
      draft.policy.maxTopicAliasBroker = value;
    },
  ),
  listenerDirective(
    'mount_point',
    mountPoint,
    { doc: "Prefix of all topics of the listener's clients; they do not see it. A kept session is not taken up again below another one." },
    (draft, value) => {
      draft.policy.mountPoint = value;
    },
  ),
  listenerDirective(
    'use_username_as_clientid',
    boolean,
    { default: 'false', doc: 'Takes the user name as client id, so that each user is connected once.' },
    (draft, value) => {
      draft.policy.useUsernameAsClientid = value;
    },
  ),
  listenerDirective(
    'websockets_origin',
    text('origin'),
    {
      repeatable: true,
      doc: 'Web pages that may connect by WebSocket, for example https://home.example; repeat it for several; without it any.',
    },
    (draft, value) => {
      draft.origins.push(value);
    },
  ),
  listenerDirective(
    'http_dir',
    path,
    {
      doc: 'With `protocol http_api`: folder whose files anybody gets who may read their path as a topic, such as the dashboard of mosquitto. Links that lead out of it are not followed.',
    },
    (draft, value) => {
      draft.socket.httpDir = value;
    },
  ),
  listenerDirective(
    'enable_proxy_protocol',
    choice({ '1': 1, '2': 2 } as const, { sentence: (word) => `Invalid enable_proxy_protocol value "${word}" in configuration` }),
    {
      doc: 'Expects the header of the PROXY protocol, of this version, in front of each connection, and takes the address of the client from it. Let nobody but the proxy reach such a listener: the header is believed. With version 2, where the proxy ends TLS, `require_certificate` and `use_identity_as_username` are about the certificate that the client has shown to it.',
    },
    (draft, value) => {
      draft.socket.proxyProtocol = value;
    },
  ),
  listenerDirective(
    'proxy_protocol_v2_require_tls',
    boolean,
    { default: 'false', doc: 'Accepts only clients that came to the proxy with TLS, as its version 2 header says.' },
    (draft, value) => {
      draft.socket.proxyRequiresTls = value;
    },
  ),
];
