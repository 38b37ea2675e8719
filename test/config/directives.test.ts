// Holds the table of directives against the words of mosquitto 2.1, and each row's state against what loading really does.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';

import { formatDiagnostic, type LoadedConfiguration, loadConfiguration } from '../../src/config/config.ts';
import type { Directive } from '../../src/config/directive.ts';
import { DIRECTIVES, findDirective } from '../../src/config/directives.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { testAuthority } from '../support/network/test-certificates.ts';

/** Every word of mosquitto.conf(5) and of src/conf.c in 2.1, aliases included; `*` stands for any ending. */
const MOSQUITTO_WORDS = `
plugin_opt_config_file auth_opt_config_file plugin_opt_password_init_file auth_opt_password_init_file plugin_opt_acl_file auth_opt_acl_file plugin_opt_password_file auth_opt_password_file
acl_file allow_anonymous allow_duplicate_messages allow_zero_length_clientid auto_id_prefix autosave_interval autosave_on_changes
check_retain_source clientid_prefixes connection_messages enable_control_api global_max_clients global_max_connections global_plugin
include_dir log_dest log_facility log_timestamp log_timestamp_format log_type max_inflight_bytes max_inflight_messages max_keepalive
max_packet_size max_queued_bytes max_queued_messages memory_limit message_size_limit password_file per_listener_settings persistence
retained_persistence persistence_file persistence_location persistent_client_expiration pid_file psk_file queue_qos0_messages
retain_available retain_expiry_interval retry_interval set_tcp_nodelay sys_interval upgrade_outgoing_qos user packet_buffer_size
websockets_headers_size websockets_log_level
listener protocol bind_address port bind_interface socket_domain accept_protocol_versions listener_allow_anonymous
listener_auto_id_prefix max_connections max_qos maximum_qos max_topic_alias max_topic_alias_broker mount_point use_username_as_clientid
http_dir websockets_origin enable_proxy_protocol proxy_protocol_v2_require_tls certfile keyfile cafile capath crlfile ciphers
ciphers_tls1.3 tls_version dhparamfile require_certificate disable_client_cert_date_checks use_identity_as_username
use_subject_as_username tls_engine tls_engine_kpass_sha1 tls_keyform psk_hint
plugin auth_plugin plugin_load plugin_use plugin_opt_* auth_opt_* auth_plugin_deny_special_chars
connection address addresses topic round_robin bridge_protocol_version cleansession local_cleansession remote_clientid clientid
remote_username username remote_password password local_clientid local_username local_password keepalive_interval start_type threshold
idle_timeout restart_timeout notifications notifications_local_only notification_topic try_private bridge_attempt_unsubscribe
bridge_bind_address bridge_outgoing_retain bridge_max_packet_size bridge_max_topic_alias bridge_receive_maximum
bridge_session_expiry_interval bridge_tcp_keepalive bridge_tcp_user_timeout bridge_reload_type bridge_alpn bridge_cafile bridge_capath
bridge_tls_use_os_certs bridge_certfile bridge_keyfile bridge_insecure bridge_require_ocsp bridge_tls_version bridge_ciphers
bridge_ciphers_tls1.3 bridge_identity bridge_psk
`
  .trim()
  .split(/\s+/);

const OWN_WORDS = [
  'include',
  'secure',
  'advertise',
  'mdns_name',
  'homeassistant_discovery',
  'automatic_updates',
  'updates_url',
  'cluster',
  'cluster_cafile',
  'cluster_credentials',
  'cluster_id',
  'cluster_name',
  'update_window',
  'update_account',
  'location_history',
  'location_history_days',
  'certificate_names',
  'acme_names',
  'acme_challenge',
  'acme_port',
  'acme_directory',
  'acme_contact',
  'acme_cafile',
  'dynamic_dns_names',
  'dynamic_dns_url',
  'dynamic_dns_username',
  'dynamic_dns_password',
  'dns_update_server',
  'dns_update_key',
  'retained_lifetime',
  'login_throttle',
  'login_throttle_exempt',
  'trusted_proxies',
  'http_origin',
  'max_outgoing_bytes',
  'max_subscriptions',
  'max_shared_subscriptions',
  'max_wildcard_levels',
  'bridge_tls_server_name',
  'bridge_queue_expiry',
  'bridge_max_queued_bytes',
  'reload_on_change',
  'dynamic_security_file',
  'dynamic_security_password_file',
];

/** A value for each kind of row whose syntax does not tell one. The rows' defaults must not be among them. */
const VALUES: Readonly<Record<string, string>> = {
  'true | false': 'true',
  number: '7',
  bytes: '77',
  seconds: '77',
  milliseconds: '77',
  minutes: '7',
  '0-7': '7',
  '0 | 1 | 2': '1',
  '3,4,5': '4',
  interface: 'eth0',
  address: '10.0.0.1',
  origin: 'https://home.example',
  'plugin of mosquitto': '/usr/lib/mosquitto_dynamic_security.so',
};

const SECURE = 'listener 1884\nsecure true\n@';

/** What a word needs around it, where a plain listener is not enough. `@` is where it stands itself. */
const SURROUNDINGS: Readonly<Record<string, string>> = {
  plugin: 'plugin_opt_config_file users.json\n@',
  auth_plugin: 'plugin_opt_config_file users.json\n@',
  global_plugin: 'plugin_opt_config_file users.json\n@',
  dynamic_security_password_file: 'dynamic_security_file users.json\n@',
  acme_names: SECURE,
  acme_challenge: `${SECURE}\nacme_names home.example.org\ndns_update_server ns.example.org\ndns_update_key tsig.key`,
  acme_port: `${SECURE}\nacme_names home.example.org`,
  acme_directory: `${SECURE}\nacme_names home.example.org`,
  acme_contact: `${SECURE}\nacme_names home.example.org`,
  acme_cafile: `${SECURE}\nacme_names home.example.org`,
  dynamic_dns_names: `dns_update_server ns.example.org\ndns_update_key tsig.key\n@`,
  dynamic_dns_url: 'dynamic_dns_names home.example.org\ndynamic_dns_username jane\ndynamic_dns_password s3cret\n@',
  dynamic_dns_username: 'dynamic_dns_names home.example.org\ndynamic_dns_url https://dyn.example.org\ndynamic_dns_password s3cret\n@',
  dynamic_dns_password: 'dynamic_dns_names home.example.org\ndynamic_dns_url https://dyn.example.org\ndynamic_dns_username jane\n@',
  dns_update_server: 'dynamic_dns_names home.example.org\ndns_update_key tsig.key\n@',
  dns_update_key: 'dynamic_dns_names home.example.org\ndns_update_server ns.example.org\n@',
  cluster_name: 'cluster tls://nats.example.org\n@',
  cluster_id: 'cluster tls://nats.example.org\n@',
  cluster_credentials: 'cluster tls://nats.example.org\n@',
  cluster_cafile: 'cluster tls://nats.example.org\n@',
  automatic_updates: 'updates_url https://example.org/midge/\nlistener 1884\n@',
  update_window: 'updates_url https://example.org/midge/\nautomatic_updates check\n@',
  update_account: 'homeassistant_discovery true\n@',
  username: 'password s3cret\n@',
  password: 'username jane\n@',
  persistence_file: 'persistence true\n@',
  websockets_origin: 'listener 1884\nprotocol websockets\n@',
  trusted_proxies: 'listener 1884\nprotocol websockets\n@',
  http_dir: 'listener 1884\nprotocol http_api\n@',
  http_origin: 'listener 1884\nprotocol http\n@',
  certfile: 'listener 1884\nkeyfile server.key\n@',
  keyfile: 'listener 1884\ncertfile server.crt\n@',
  proxy_protocol_v2_require_tls: 'listener 1884\nenable_proxy_protocol 2\n@',
  disable_client_cert_date_checks: 'listener 1884\nsecure true\n@',
  require_certificate: 'listener 1884\nsecure true\ncafile ca.crt\n@',
  crlfile: 'listener 1884\nsecure true\ncafile ca.crt\n@',
  use_identity_as_username: 'listener 1884\nsecure true\ncafile ca.crt\nrequire_certificate true\n@',
  use_subject_as_username: 'listener 1884\nsecure true\ncafile ca.crt\nrequire_certificate true\n@',
  cafile: 'listener 1884\nsecure true\n@',
  capath: 'listener 1884\nsecure true\n@',
  psk_file: '@\nlistener 1884\npsk_hint home\n',
  psk_hint: 'psk_file keys\nlistener 1884\n@',
  tls_version: 'listener 1884\nsecure true\n@',
  ciphers: 'listener 1884\nsecure true\n@',
  'ciphers_tls1.3': 'listener 1884\nsecure true\n@',
};

/** The block around a word of a bridge, where it is not the plain one. */
const BLOCKS: Readonly<Record<string, string>> = {
  address: 'connection home\ntopic #\n@',
  bridge_certfile: 'bridge_keyfile server.key\n@',
  bridge_keyfile: 'bridge_certfile server.crt\n@',
  bridge_identity: 'bridge_psk 00ff\n@',
  bridge_psk: 'bridge_identity pi\n@',
  bridge_tls_use_os_certs: 'bridge_cafile ca.crt\n@',
};

/** A block with or without TLS, as the word wants it. */
function blockAround({ name }: Directive): string {
  const [scheme] = /^bridge_(tls|cert|key|ca|insecure|alpn|cipher|identity|psk)/.test(name) ? ['mqtts'] : ['mqtt'];
  const around = BLOCKS[name] ?? '@';
  return around.startsWith('connection') ? around : `connection home\naddress ${scheme}://pi.local\ntopic #\n${around}`;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  password_file: 'passwords',
  acl_file: 'acl',
  dynamic_security_password_file: 'passwords',
  psk_file: 'keys',
  automatic_updates: 'install',
  updates_url: 'https://example.org/midge',
  cluster: 'tls://nats.example.org',
  cluster_credentials: 'tsig.key',
  cluster_cafile: 'ca.crt',
  update_window: '22:30-4:00',
  acme_names: 'home.example.org',
  acme_challenge: 'dns',
  acme_port: '8080',
  acme_directory: 'https://acme.example.org/directory',
  acme_contact: 'jane@example.org',
  acme_cafile: 'ca.crt',
  dynamic_dns_names: 'home.example.org',
  dynamic_dns_url: 'https://dyn.example.org/nic/update',
  dns_update_server: 'ns.example.org:5353',
  dns_update_key: 'tsig.key',
  retained_lifetime: 'home/# 7d',
  location_history_days: '30',
  login_throttle_exempt: '192.168.1.0/24 ::1',
  trusted_proxies: '192.168.1.0/24 ::1',
  http_origin: 'https://home.example:8123',
  max_outgoing_bytes: '100000',
  certfile: 'server.crt',
  keyfile: 'server.key',
  cafile: 'ca.crt',
  crlfile: 'ca.crt',
  capath: '.',
  mount_point: 'kitchen/',
  protocol: 'websockets',
  tls_version: 'tlsv1.3',
  ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ciphers_tls1.3': 'TLS_AES_256_GCM_SHA384',
  persistent_client_expiration: '2w',
  log_dest: 'stdout',
  log_type: 'debug',
  tls_keyform: 'engine',
  address: 'pi.local',
  bridge_protocol_version: 'mqttv50',
  restart_timeout: '7',
  start_type: 'lazy',
  bridge_bind_address: '10.0.0.1',
  bridge_tcp_keepalive: '60 1 10',
  bridge_reload_type: 'lazy',
  bridge_cafile: 'ca.crt',
  bridge_capath: '.',
  bridge_tls_use_os_certs: 'true',
  bridge_certfile: 'server.crt',
  bridge_keyfile: 'server.key',
  bridge_tls_version: 'tlsv1.3',
  bridge_ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  'bridge_ciphers_tls1.3': 'TLS_AES_256_GCM_SHA384',
  bridge_psk: '00ff',
  bridge_queue_expiry: '2w',
};

const files = new Map([
  ['passwords', 'jane:$7$101$Df0BbuImLgxFNiUE$eXFj266gy6V6LDYmTfWJBLpd2X7XI8tEhS8wgHwBEAsZlXlR4fulC5k2n3V+VEWgvI1j9qsdtmTPjVsODYlyiA==\n'],
  ['keys', 'lamp:0011\n'],
  ['tsig.key', 'key "home" { algorithm hmac-sha256; secret "c2VjcmV0"; };\n'],
  ['acl', 'user jane\ntopic readwrite #\n'],
]);

before(async () => {
  const authority = await testAuthority();
  const server = await authority.issue('CN=localhost');
  files.set('ca.crt', authority.cert).set('server.crt', server.cert).set('server.key', server.key);
});

test('table names every word of mosquitto 2.1 and of our own exactly once', () => {
  const words = DIRECTIVES.flatMap((directive) => [directive.name, ...directive.aliases]);
  assert.deepEqual(words.toSorted(), [...new Set([...MOSQUITTO_WORDS, ...OWN_WORDS])].sort());
});

test('table finds the row of a word when the word only starts like it', () => {
  assert.equal(findDirective('plugin_opt_db_file')?.name, 'plugin_opt_*');
  assert.equal(findDirective('auth_opt_x')?.name, 'plugin_opt_*');
  assert.equal(findDirective('maximum_qos')?.name, 'max_qos');
  assert.equal(findDirective('max_qosx'), null);
});

for (const directive of DIRECTIVES) {
  for (const word of [directive.name, ...directive.aliases].map((name) => name.replace('*', 'x'))) {
    test(`${word} is treated as its row says when it is set`, (t) => checkTreatment(t, directive, word));
  }
}

for (const directive of DIRECTIVES.filter((row) => row.treatment.state === 'supported' && row.default !== null)) {
  test(`${directive.name} changes nothing when it is set to the default of its row`, (t) => {
    const [before, after] = load(t, directive, directive.name, directive.default!);
    assert.deepEqual({ ...after.configuration, places: null }, { ...before.configuration, places: null });
  });
}

for (const directive of DIRECTIVES.filter((row) => row.treatment.state === 'refused')) {
  const harmless = directive.treatment.state === 'refused' ? directive.treatment.harmless : [];
  for (const value of harmless) {
    test(`${directive.name} is accepted when it asks for "${value}"`, (t) => {
      const [before, after] = load(t, directive, directive.name, value);
      assert.deepEqual(after, before);
    });
  }
}

function checkTreatment(t: TestContext, directive: Directive, word: string): void {
  const { treatment } = directive;
  if (treatment.state === 'structure') return; // the golden cases play these
  const [before, after] = load(t, directive, word, exampleOf(directive));
  const said = after.diagnostics
    .map(formatDiagnostic)
    .filter((line) => line.includes(word))
    .join('\n');
  if (treatment.state === 'refused') assert.match(said, /: error: Cannot use .+ - ./);
  else if (treatment.state === 'without effect') assert.match(said, /: warning: .+ has no effect - ./);
  else {
    assert.notEqual(after.configuration, null, after.diagnostics.map(formatDiagnostic).join('\n'));
    assert.notDeepEqual(after.configuration, before.configuration, `${word} changes nothing`);
  }
}

/** exampleOf gives a value that asks for something else than the default. */
function exampleOf(directive: Directive): string {
  const { name, syntax } = directive;
  if (directive.default === 'true') return 'false';
  return EXAMPLES[name] ?? VALUES[syntax] ?? syntax.split(' ')[0]!;
}

/** load gives the configuration without the word, and with it. The default listener's words get that listener around them. */
function load(t: TestContext, directive: Directive, word: string, value: string): [LoadedConfiguration, LoadedConfiguration] {
  const folder = temporaryFolder(t);
  for (const [name, text] of files) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const ofDefault = directive.name === 'port' || directive.name === 'bind_address';
  const ofBridge = directive.scope === 'bridge' ? blockAround(directive) : undefined;
  const surroundings = SURROUNDINGS[directive.name] ?? ofBridge ?? (ofDefault ? 'port 1883\nport 1883\n@' : 'listener 1884\n@');
  const file = join(folder, 'main.conf');
  const workingFolder = process.cwd();
  process.chdir(folder);
  try {
    return ['', `${word} ${value}`].map((line) => {
      writeFileSync(file, surroundings.replace('@', line), { mode: 0o600 });
      return loadConfiguration({ file, port: null, verbose: false, lan: false });
    }) as [LoadedConfiguration, LoadedConfiguration]; // one for each of two lines
  } finally {
    process.chdir(workingFolder);
  }
}
