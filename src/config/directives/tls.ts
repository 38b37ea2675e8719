// The rows of mosquitto.conf(5) about TLS of one listener.

import { type Directive, listenerDirective, refused, withoutEffect } from '../directive.ts';
import { ciphers, ciphersTls13, tlsVersion } from '../tls-values.ts';
import { boolean, path, text } from '../values.ts';

const NO_ENGINE = 'OpenSSL engines are not used; the key is read from keyfile';

/** TLS_DIRECTIVES say with which certificate a listener shows itself and which it wants from clients. */
export const TLS_DIRECTIVES: readonly Directive[] = [
  listenerDirective(
    'certfile',
    path,
    { doc: "PEM file with the listener's certificate and its chain; with `keyfile` it turns TLS on." },
    (draft, value) => {
      draft.tls.certfile = value;
    },
  ),
  listenerDirective('keyfile', path, { doc: 'PEM file with the key of that certificate, without a passphrase.' }, (draft, value) => {
    draft.tls.keyfile = value;
  }),
  listenerDirective('cafile', path, { doc: 'PEM file with the authorities of client certificates.' }, (draft, value) => {
    draft.tls.cafile = value;
  }),
  listenerDirective('capath', path, { doc: 'Folder of PEM files with the authorities of client certificates.' }, (draft, value) => {
    draft.tls.capath = value;
  }),
  listenerDirective(
    'crlfile',
    path,
    {
      doc: 'PEM file with the revoked client certificates. It must hold a list of each authority that signs them; as in mosquitto those above need none. A list that is past its date lets nobody in.',
    },
    (draft, value) => {
      draft.tls.crlfile = value;
    },
  ),
  listenerDirective(
    'require_certificate',
    boolean,
    {
      default: 'false',
      doc: "Lets in only clients that show a valid certificate of `cafile` or `capath`; without them, with `secure true`, of the appliance's own authority: `midge cert client`.",
    },
    (draft, value) => {
      draft.tls.requireCertificate = value;
    },
  ),
  listenerDirective(
    'use_identity_as_username',
    boolean,
    { default: 'false', doc: "Takes the common name of the client's certificate as user name; no password is asked then." },
    (draft, value) => {
      draft.tls.commonNameAsUsername = value;
    },
  ),
  listenerDirective(
    'use_subject_as_username',
    boolean,
    { default: 'false', doc: "Takes the whole subject of the client's certificate as user name; no password is asked then." },
    (draft, value) => {
      draft.tls.subjectAsUsername = value;
    },
  ),
  listenerDirective('tls_version', tlsVersion, { default: 'tlsv1.2', doc: 'Oldest version of TLS to accept.' }, (draft, value) => {
    draft.tls.minVersion = value;
  }),
  listenerDirective(
    'ciphers',
    ciphers,
    { doc: 'Ciphers of TLS 1.2, as `openssl ciphers` names them. Without it those with AES-GCM, AES-CCM or ChaCha20, and no CBC.' },
    (draft, value) => {
      draft.tls.ciphers = value;
    },
  ),
  listenerDirective('ciphers_tls1.3', ciphersTls13, { doc: 'Ciphers of TLS 1.3, with colons between them.' }, (draft, value) => {
    draft.tls.ciphersTls13 = value;
  }),
  listenerDirective(
    'disable_client_cert_date_checks',
    boolean,
    {
      default: 'false',
      doc: 'Accepts client certificates outside their dates: for machines without a clock. Revoked ones stay out.',
    },
    (draft, value) => {
      draft.tls.checksClientDates = !value;
    },
  ),
  withoutEffect('dhparamfile', 'listener', path, 'key exchange uses elliptic curves, which need no such file', {
    doc: 'File with Diffie-Hellman parameters.',
  }),
  withoutEffect('tls_engine', 'listener', text('name'), NO_ENGINE, { doc: 'OpenSSL engine to use.' }),
  withoutEffect('tls_engine_kpass_sha1', 'listener', text('hash'), NO_ENGINE, { doc: "Hash of the engine key's password." }),
  refused('tls_keyform', 'listener', 'pem | engine', 'keys can only be read from PEM files; write keyfile', {
    default: 'pem',
    harmless: ['pem'],
    doc: 'Where the key comes from.',
  }),
  listenerDirective(
    'psk_hint',
    text('text'),
    {
      doc: 'Turns TLS with the pre-shared keys of `psk_file` on, instead of certificates; clients get the text as a hint which key is meant. `use_identity_as_username` takes the identity of the key.',
    },
    (draft, value) => {
      draft.tls.pskHint = value;
    },
  ),
];
