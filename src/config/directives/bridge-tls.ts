// The rows of mosquitto.conf(5) about TLS of a bridge, and one of our own.

import { bridgeDirective, type Directive, refused } from '../directive.ts';
import { ciphers, ciphersTls13, tlsVersion } from '../tls-values.ts';
import { boolean, check, host, path, text } from '../values.ts';

/** OpenSSL takes no longer key: PSK_MAX_PSK_LEN. */
const MAX_KEY_BYTES = 512;

/** The key is not shown. */
const preSharedKey = check(text('key'), (value) =>
  /^([0-9a-f]{2})+$/i.test(value) && value.length <= 2 * MAX_KEY_BYTES
    ? { value }
    : { problem: 'Invalid bridge_psk value', hint: `write hexadecimal digits, two a byte, at most ${MAX_KEY_BYTES} bytes` },
);

/** BRIDGE_TLS_DIRECTIVES say how a bridge knows the other broker, and shows who it is. */
export const BRIDGE_TLS_DIRECTIVES: readonly Directive[] = [
  bridgeDirective(
    'bridge_cafile',
    path,
    { doc: "PEM file with the authorities of the other broker's certificate; turns TLS on for addresses without `mqtt://`." },
    (draft, value) => {
      draft.tls.cafile = value;
    },
  ),
  bridgeDirective('bridge_capath', path, { doc: 'Folder of PEM files with these authorities; turns TLS on as well.' }, (draft, value) => {
    draft.tls.capath = value;
  }),
  bridgeDirective(
    'bridge_tls_use_os_certs',
    boolean,
    {
      default: 'false',
      doc: 'Trusts the authorities of this machine, or those of Mozilla where it has none; turns TLS on as well. With `mqtts://` or `wss://` and none of these three words it is true.',
    },
    (draft, value) => {
      draft.tls.usesOsCertificates = value;
    },
  ),
  bridgeDirective(
    'bridge_certfile',
    path,
    { doc: 'PEM file with the certificate that the bridge shows to the other broker, and its chain.' },
    (draft, value) => {
      draft.tls.certfile = value;
    },
  ),
  bridgeDirective('bridge_keyfile', path, { doc: 'PEM file with the key of that certificate, without a passphrase.' }, (draft, value) => {
    draft.tls.keyfile = value;
  }),
  bridgeDirective(
    'bridge_insecure',
    boolean,
    {
      default: 'false',
      doc: 'True accepts a certificate for another name: anybody with a certificate of these authorities can pretend to be the other broker. `bridge_tls_server_name` is safer.',
    },
    (draft, value) => {
      draft.tls.checksName = !value;
    },
  ),
  bridgeDirective(
    'bridge_tls_server_name',
    host,
    {
      own: true,
      doc: "Name to ask for (SNI) and to find in the other broker's certificate, where it differs from the host of `address`.",
    },
    (draft, value) => {
      draft.tls.serverName = value;
    },
  ),
  bridgeDirective(
    'bridge_alpn',
    text('protocol'),
    { doc: 'Name of the protocol for TLS (ALPN): brokers that share port 443 with other services need it.' },
    (draft, value) => {
      draft.tls.alpn = value;
    },
  ),
  bridgeDirective('bridge_tls_version', tlsVersion, { default: 'tlsv1.2', doc: 'Oldest version of TLS to use.' }, (draft, value) => {
    draft.tls.minVersion = value;
  }),
  bridgeDirective('bridge_ciphers', ciphers, { doc: 'Ciphers of TLS 1.2, as `openssl ciphers` names them.' }, (draft, value) => {
    draft.tls.ciphers = value;
  }),
  bridgeDirective('bridge_ciphers_tls1.3', ciphersTls13, { doc: 'Ciphers of TLS 1.3, with colons between them.' }, (draft, value) => {
    draft.tls.ciphersTls13 = value;
  }),
  bridgeDirective(
    'bridge_identity',
    text('name'),
    { doc: 'Identity of a pre-shared key (TLS-PSK), instead of certificates; needs `bridge_psk`, and turns TLS on.' },
    (draft, value) => {
      draft.tls.pskIdentity = value;
    },
  ),
  bridgeDirective(
    'bridge_psk',
    preSharedKey,
    { doc: 'That key in hexadecimal, without 0x. Let nobody else read the file.' },
    (draft, value) => {
      draft.tls.pskKey = value;
    },
  ),
  refused(
    'bridge_require_ocsp',
    'bridge',
    'true | false',
    "midge cannot check whether the other broker's certificate is revoked; remove the line, and name its own authority in bridge_cafile",
    { default: 'false', harmless: ['false', '0'], doc: "Asks whether the other broker's certificate is revoked." },
  ),
];
