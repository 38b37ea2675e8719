// The rows of mosquitto.conf(5) about bridges. A `connection` block is refused as a whole; each of its words elsewhere, too.

import { type Directive, refused } from '../directive.ts';

const INSTEAD = 'bridges are not there yet; remove the connection block';

/** BRIDGE_DIRECTIVES carry messages to and from other brokers. */
export const BRIDGE_DIRECTIVES: readonly Directive[] = [
  bridge('connection', 'name', 'Starts a bridge.'),
  bridge('address', 'host[:port] ...', 'The other broker, or several.', ['addresses']),
  bridge('topic', 'pattern [out|in|both] [qos] [local-prefix] [remote-prefix]', 'Topics to carry, and in which direction.'),
  bridge('round_robin', 'true | false', 'Goes through several addresses in turn.'),
  bridge('bridge_protocol_version', 'mqttv31 | mqttv311 | mqttv50', 'Version of MQTT to speak.'),
  bridge('cleansession', 'true | false', 'Starts with a clean session at the other broker.'),
  bridge('local_cleansession', 'true | false', 'Starts with a clean session here.'),
  bridge('remote_clientid', 'id', 'Client id at the other broker.', ['clientid']),
  bridge('remote_username', 'name', 'User name at the other broker; also `username` inside the block.'),
  bridge('remote_password', 'password', 'Password at the other broker; also `password` inside the block.'),
  bridge('local_clientid', 'id', 'Client id here.'),
  bridge('local_username', 'name', 'User name here.'),
  bridge('local_password', 'password', 'Password here.'),
  bridge('keepalive_interval', 'seconds', 'Keep alive of the bridge.'),
  bridge('start_type', 'automatic | lazy | once', 'When the bridge connects.'),
  bridge('threshold', 'number', 'Messages that make a lazy bridge connect.'),
  bridge('idle_timeout', 'seconds', 'Silence after which a lazy bridge disconnects.'),
  bridge('restart_timeout', 'constant | base cap [stable]', 'Time before the bridge connects again.'),
  bridge('notifications', 'true | false', 'Publishes whether the bridge is connected.'),
  bridge('notifications_local_only', 'true | false', 'Publishes that here only.'),
  bridge('notification_topic', 'topic', 'Topic of that.'),
  bridge('try_private', 'true | false', 'Tells the other broker that this is a bridge.'),
  bridge('bridge_attempt_unsubscribe', 'true | false', 'Ends subscriptions that are not configured any more.'),
  bridge('bridge_bind_address', 'address', 'Own address of the connection.'),
  bridge('bridge_outgoing_retain', 'true | false', 'Keeps the retain flag of what goes out.'),
  bridge('bridge_max_packet_size', 'bytes', 'Largest packet to accept.'),
  bridge('bridge_max_topic_alias', 'number', 'Topic aliases to accept.'),
  bridge('bridge_receive_maximum', 'number', 'QoS 1 and 2 messages to accept at once.'),
  bridge('bridge_session_expiry_interval', 'seconds', 'Life of the session at the other broker.'),
  bridge('bridge_tcp_keepalive', 'idle interval count', 'Keep alive of TCP.'),
  bridge('bridge_tcp_user_timeout', 'milliseconds', 'Time until TCP gives up.'),
  bridge('bridge_reload_type', 'lazy | immediate', 'When changed settings take effect.'),
  bridge('bridge_alpn', 'protocol', 'Protocol name for TLS.'),
  bridge('bridge_cafile', 'path', 'Authorities of the other broker.'),
  bridge('bridge_capath', 'folder', 'Authorities of the other broker.'),
  bridge('bridge_tls_use_os_certs', 'true | false', 'Trusts the authorities of the system.'),
  bridge('bridge_certfile', 'path', 'Own certificate.'),
  bridge('bridge_keyfile', 'path', 'Key of the own certificate.'),
  bridge('bridge_insecure', 'true | false', "Does not check the other broker's name."),
  bridge('bridge_require_ocsp', 'true | false', "Asks whether the other broker's certificate is revoked."),
  bridge('bridge_tls_version', 'tlsv1.2 | tlsv1.3', 'Version of TLS.'),
  bridge('bridge_ciphers', 'list', 'Ciphers of TLS 1.2.'),
  bridge('bridge_ciphers_tls1.3', 'list', 'Ciphers of TLS 1.3.'),
  bridge('bridge_identity', 'name', 'Identity of TLS with a pre-shared key.'),
  bridge('bridge_psk', 'key', 'Key of TLS with a pre-shared key.'),
];

function bridge(name: string, syntax: string, doc: string, aliases: readonly string[] = []): Directive {
  return refused(name, 'bridge', syntax, INSTEAD, { doc, aliases });
}
