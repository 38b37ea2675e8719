// How the two apps read a link with a configuration, by their sources: each decodes the query in its own way, then strict base64, then JSON.
// owntracks/android LoadViewModel (java.net.URLDecoder, kotlin.io.encoding.Base64); owntracks/ios OwnTracksAppDelegate (NSURLComponents)

import assert from 'node:assert/strict';
import type { PhoneSystem } from '../../src/phones/owntracks.ts';

/** decodeLink gives the configuration that the app of a system would take. Throws where it would refuse. */
export function decodeLink(link: string, system: PhoneSystem): Record<string, unknown> {
  const [scheme, rest = ''] = link.split(/:(.*)/s);
  const [path, query = ''] = rest.split(/\?(.*)/s);
  assert.deepEqual([scheme, path], ['owntracks', '///config']);
  const inline =
    query
      .split('&')
      .find((each) => each.startsWith('inline='))
      ?.slice('inline='.length) ?? assert.fail('no inline');
  const text = decodeBase64(system === 'android' ? decodeForm(inline) : decodeURIComponent(inline));
  return decodeOtrc(text, system);
}

/** decodeOtrc reads the text of an .otrc file. */
export function decodeOtrc(text: string, system: PhoneSystem): Record<string, unknown> {
  const configuration = JSON.parse(text);
  assert.equal(configuration._type, 'configuration');
  for (const [name, value] of Object.entries(configuration)) {
    const field = FIELDS[name] ?? assert.fail(`no app knows "${name}"`);
    assert.ok(field.systems.includes(system), `${system} does not know "${name}"`);
    assert.ok(field.fits(value), `"${name}" can't be ${JSON.stringify(value)}`);
  }
  return configuration;
}

/** java.net.URLDecoder: + is a blank. */
function decodeForm(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

/** Standard alphabet, whole groups of four with their padding. */
function decodeBase64(text: string): string {
  assert.match(text, /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'));
}

interface Field {
  readonly systems: readonly PhoneSystem[];
  readonly fits: (value: unknown) => boolean;
}

const BOTH = ['ios', 'android'] as const;
const string = (value: unknown) => typeof value === 'string';
const boolean = (value: unknown) => typeof value === 'boolean';
const oneOf =
  (...values: readonly unknown[]) =>
  (value: unknown) =>
    values.includes(value);
const whole = (value: unknown) => Number.isInteger(value);

/** Of the booklet, tech/json, as far as they decide about a connection. */
const FIELDS: Readonly<Record<string, Field>> = {
  _type: { systems: BOTH, fits: oneOf('configuration') },
  mode: { systems: BOTH, fits: oneOf(0, 3) },
  host: { systems: BOTH, fits: string },
  port: { systems: BOTH, fits: whole },
  tls: { systems: BOTH, fits: boolean },
  url: { systems: BOTH, fits: (value) => string(value) && URL.canParse(String(value)) },
  ws: { systems: BOTH, fits: boolean },
  auth: { systems: BOTH, fits: boolean },
  username: { systems: BOTH, fits: string },
  password: { systems: BOTH, fits: string },
  mqttProtocolLevel: { systems: BOTH, fits: oneOf(3, 4) },
  clientId: { systems: BOTH, fits: string },
  deviceId: { systems: BOTH, fits: string },
  tid: { systems: BOTH, fits: (value) => string(value) && [...String(value)].length <= 2 },
  cleanSession: { systems: BOTH, fits: boolean },
  pubTopicBase: { systems: BOTH, fits: string },
  pubQos: { systems: BOTH, fits: oneOf(0, 1, 2) },
  pubRetain: { systems: BOTH, fits: boolean },
  sub: { systems: BOTH, fits: boolean },
  subQos: { systems: BOTH, fits: oneOf(0, 1, 2) },
  subTopic: { systems: BOTH, fits: string },
  cmd: { systems: BOTH, fits: boolean },
  clientpkcs: { systems: ['ios'], fits: (value) => string(value) && String(value).endsWith('.otrp') },
  passphrase: { systems: ['ios'], fits: string },
  tlsClientCrt: { systems: ['android'], fits: string },
  allowinvalidcerts: { systems: ['ios'], fits: boolean },
  remoteConfiguration: { systems: ['android'], fits: boolean },
};
