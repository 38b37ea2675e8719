// The flags of mosquitto_pub(1), mosquitto_sub(1), mosquitto_rr(1) and mosquitto_ctrl(1), and a few of our own.

import type { Flag, RefusedFlag } from '../terminal/command.ts';

const CONNECTION_FLAGS: readonly Flag[] = [
  { short: 'h', long: 'host', value: 'HOST', summary: 'broker to connect to [localhost]; ws:// and wss:// URLs too' },
  { short: 'p', long: 'port', value: 'PORT', summary: 'its port [1883; with TLS 8883; ws 80, wss 443]' },
  {
    short: 'L',
    long: 'url',
    value: 'URL',
    summary: 'all at once: mqtt(s):// or ws(s)://[user[:password]@]host[:port]/topic',
  },
  { long: 'ws', summary: 'connect by WebSocket, port 1883 or with TLS 8883 unless -p says otherwise' },
  { long: 'unix', value: 'PATH', summary: 'connect through a Unix socket', complete: 'file' },
  {
    short: 'o',
    value: 'FILE',
    summary: 'read flags from this file, one a line, instead of ~/.config/mosquitto_pub (_sub, _rr)',
    complete: 'file',
  },
  { short: 'u', long: 'username', value: 'NAME', summary: 'user name' },
  { short: 'P', long: 'pw', value: 'PASSWORD', summary: 'password; others may see it in your shell history' },
  { long: 'password-file', value: 'FILE', summary: 'take the password from the first line of a file', complete: 'file' },
  { short: 'i', long: 'id', value: 'ID', summary: 'client id' },
  { short: 'I', long: 'id-prefix', value: 'PREFIX', summary: 'client id made of this and the process id' },
  { short: 'k', long: 'keepalive', value: 'SECONDS', summary: 'keep alive, 5 to 65535 [60]' },
  { short: 'c', long: 'disable-clean-session', summary: 'keep the session at the broker (needs -i)' },
  {
    short: 'x',
    long: 'session-expiry-interval',
    value: 'SECONDS',
    summary: 'how long the broker keeps the session; -1 = for ever; means MQTT 5',
  },
  {
    short: 'V',
    long: 'protocol-version',
    value: 'VERSION',
    summary: 'MQTT version: mqttv5, mqttv311 or mqttv31, also 5, 311, 31 [mqttv311; rr mqttv5]',
    choices: ['mqttv5', 'mqttv311', 'mqttv31', '5', '311', '31'],
  },
  { short: 'M', value: 'COUNT', summary: 'messages in flight with QoS 1 and 2 [20]' },
  { short: 'A', value: 'ADDRESS', summary: 'local address to connect from' },
  { long: 'nodelay', summary: 'send small packets at once (TCP_NODELAY)' },
  {
    short: 'D',
    long: 'property',
    value: 'PACKET NAME VALUE',
    summary: 'MQTT 5 property, for example: -D publish content-type text/plain, -D connect user-property name value',
    repeatable: true,
  },
];

const WILL_FLAGS: readonly Flag[] = [
  { long: 'will-topic', value: 'TOPIC', summary: 'topic of the will, sent when this client is lost' },
  { long: 'will-payload', value: 'TEXT', summary: 'payload of the will [empty]' },
  { long: 'will-qos', value: 'QOS', summary: 'QoS of the will [0]', choices: ['0', '1', '2'] },
  { long: 'will-retain', summary: 'retain the will' },
];

const TLS_FLAGS: readonly Flag[] = [
  { long: 'no-tls', summary: 'no TLS, whatever the other flags say' },
  { long: 'cafile', value: 'FILE', summary: 'trusted authorities (PEM); turns TLS on', complete: 'file' },
  { long: 'capath', value: 'FOLDER', summary: 'folder of trusted authorities; turns TLS on', complete: 'directory' },
  { long: 'tls-use-os-certs', summary: 'trust the authorities of this machine; turns TLS on' },
  { long: 'cert', value: 'FILE', summary: 'client certificate (PEM)', complete: 'file' },
  { long: 'key', value: 'FILE', summary: 'its private key (PEM)', complete: 'file' },
  { long: 'insecure', summary: 'accept any host name in the certificate' },
  {
    long: 'tls-version',
    value: 'VERSION',
    summary: 'oldest TLS version [tlsv1.2]',
    choices: ['tlsv1.3', 'tlsv1.2', 'tlsv1.1'],
  },
  { long: 'keyform', value: 'FORM', summary: 'form of the private key: pem, there is no other', choices: ['pem'] },
  { long: 'tls-keylog', value: 'FILE', summary: 'add the keys of the connection to a file, for wireshark', complete: 'file' },
  { long: 'ciphers', value: 'LIST', summary: 'ciphers, in the language of openssl' },
  { long: 'tls-alpn', value: 'PROTOCOL', summary: 'application protocol to ask for' },
  { long: 'psk', value: 'HEX', summary: 'pre-shared key instead of certificates' },
  { long: 'psk-identity', value: 'NAME', summary: 'identity that belongs to the key' },
  { long: 'proxy', value: 'URL', summary: 'SOCKS proxy: socks5h://[user[:password]@]host[:port]' },
];

const TALK_FLAGS: readonly Flag[] = [
  { short: 'd', long: 'debug', summary: 'say which packets come and go' },
  { long: 'quiet', summary: 'no errors on stderr, only the exit status' },
];

const QOS = { short: 'q', long: 'qos', value: 'QOS', choices: ['0', '1', '2'] };

/** PAYLOAD_FLAGS: the one message of pub and rr. */
const PAYLOAD_FLAGS: readonly Flag[] = [
  { short: 'm', long: 'message', value: 'TEXT', summary: 'the payload' },
  { short: 'f', long: 'file', value: 'FILE', summary: 'the payload is the content of a file', complete: 'file' },
  { short: 's', long: 'stdin-file', summary: 'all of standard input is one message' },
  { short: 'n', long: 'null-message', summary: 'an empty payload' },
];

/** OUTPUT_FLAGS: what sub and rr receive, and how they print it. */
const OUTPUT_FLAGS: readonly Flag[] = [
  { short: 'v', long: 'verbose', summary: 'print the topic before the payload' },
  { short: 'F', value: 'FORMAT', summary: 'print by a format: %t topic, %p payload, %j JSON, @H:@M time, \\n, ...' },
  { long: 'pretty', summary: 'break the JSON of %j and %J into lines' },
  { short: 'N', summary: 'no end of line after a message' },
  { short: 'W', value: 'SECONDS', summary: 'end after so many seconds (exit status 27)' },
  { short: 'R', summary: 'do not print retained messages' },
  { long: 'retain-as-published', summary: 'show the retain flag as it was published (MQTT 5)' },
  {
    long: 'retain-handling',
    value: 'WHEN',
    summary: 'when retained messages are wanted: always, new (only for a new subscription) or never (MQTT 5) [always]',
    choices: ['always', 'new', 'never'],
  },
];

/** PUB_FLAGS of `midge pub`. */
export const PUB_FLAGS: readonly Flag[] = [
  { short: 't', long: 'topic', value: 'TOPIC', summary: 'topic to publish to' },
  ...PAYLOAD_FLAGS,
  { short: 'l', long: 'stdin-line', summary: 'one message per line of standard input' },
  { ...QOS, summary: 'quality of service [0]' },
  { short: 'r', long: 'retain', summary: 'the broker keeps the message for later subscribers' },
  { long: 'repeat', value: 'COUNT', summary: 'publish so many times' },
  { long: 'repeat-delay', value: 'SECONDS', summary: 'wait between repeats [0]' },
  ...CONNECTION_FLAGS,
  ...WILL_FLAGS,
  ...TLS_FLAGS,
  ...TALK_FLAGS,
];

/** SUB_FLAGS of `midge sub`. */
export const SUB_FLAGS: readonly Flag[] = [
  { short: 't', long: 'topic', value: 'FILTER', summary: 'topic to subscribe to, + and # are wildcards', repeatable: true },
  { ...QOS, summary: 'quality of service [0]' },
  ...OUTPUT_FLAGS,
  { short: 'w', long: 'watch', summary: 'print each topic on a line of its own, the latest message over the one before' },
  { short: 'C', value: 'COUNT', summary: 'end after so many messages' },
  { short: 'E', summary: 'end when the broker has acknowledged the subscriptions' },
  { long: 'retained-only', summary: 'print only retained messages, end at the first other one' },
  { long: 'remove-retained', summary: 'delete retained messages from the broker as they come' },
  { short: 'T', long: 'filter-out', value: 'FILTER', summary: 'do not print these topics', repeatable: true },
  { short: 'U', long: 'unsubscribe', value: 'FILTER', summary: 'unsubscribe, in a kept session', repeatable: true },
  { long: 'random-filter', value: 'PERCENT', summary: 'print only this share of the messages' },
  { long: 'message-rate', summary: 'print how many messages came in each second, not the messages' },
  ...CONNECTION_FLAGS,
  ...WILL_FLAGS,
  ...TLS_FLAGS,
  ...TALK_FLAGS,
];

/** RR_FLAGS of `midge rr`. */
export const RR_FLAGS: readonly Flag[] = [
  { short: 't', long: 'topic', value: 'TOPIC', summary: 'topic to send the request to' },
  { short: 'e', value: 'TOPIC', summary: 'topic where the response is awaited' },
  ...PAYLOAD_FLAGS,
  { ...QOS, summary: 'quality of service [0]' },
  ...OUTPUT_FLAGS,
  { long: 'latency', summary: 'print the time between request and response' },
  ...CONNECTION_FLAGS,
  ...WILL_FLAGS,
  ...TLS_FLAGS,
  ...TALK_FLAGS,
];

/** Of the connection flags those that mean nothing to one question and its answer. */
const NOT_FOR_CTRL = [
  'id-prefix',
  'keepalive',
  'disable-clean-session',
  'session-expiry-interval',
  'protocol-version',
  'M',
  'nodelay',
  'property',
  'o',
];

/** CTRL_FLAGS of `midge ctrl`; they stand before the module. */
export const CTRL_FLAGS: readonly Flag[] = [
  ...CONNECTION_FLAGS.filter((flag) => !NOT_FOR_CTRL.includes(flag.long ?? flag.short ?? '')),
  {
    short: 'o',
    value: 'FILE',
    summary: 'read flags from this file, one a line, instead of ~/.config/mosquitto_ctrl',
    complete: 'file',
  },
  {
    short: 'V',
    long: 'protocol-version',
    value: 'VERSION',
    summary: 'MQTT version: mqttv5, mqttv311 or mqttv31, also 5, 311, 31 [mqttv5]',
    choices: ['mqttv5', 'mqttv311', 'mqttv31', '5', '311', '31'],
  },
  { ...QOS, summary: 'quality of service of the command and its answer [1]' },
  { short: 'f', value: 'FILE', summary: 'dynsec setClientPassword changes this file; no broker is asked', complete: 'file' },
  { short: 'v', long: 'verbose', summary: 'taken for the sake of scripts, and without effect, as in mosquitto_ctrl' },
  ...TLS_FLAGS,
  ...TALK_FLAGS,
];

/** REFUSED_FLAGS of pub, sub, rr and ctrl. */
export const REFUSED_FLAGS: Readonly<Record<string, RefusedFlag>> = {
  '-S': { advice: "name the broker with -h; 'midge discover' finds those that announce themselves" },
  '--tls-engine': { missing: 'no engine_id specified', advice: 'OpenSSL has given engines up; name a key file with --key' },
  '--tls-engine-kpass-sha1': { missing: 'no kpass sha1 specified', advice: 'OpenSSL has given engines up; name a key file with --key' },
};
