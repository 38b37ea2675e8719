// OwnTracks' configuration for a phone, with the fields that its system has, and the forms in which the app takes it.
// booklet: tech/json (_type: configuration), features/remoteconfig

import { accountOf, type BrokerAddress, clientIdOf, type PhoneName, topicOf } from './phone.ts';

/** PhoneSystem: their apps share most fields. */
export type PhoneSystem = 'ios' | 'android';

/** Modes of the app: it keeps to a broker, or posts. */
const MODE_MQTT = 0;
const MODE_HTTP = 3;

/** MQTT 3.1.1: Android's library has no MQTT 5, and the default of its app is 3.1. */
const PROTOCOL_LEVEL = 4;

/** Location, then what people do to each other's map: transitions and cards. */
const SHARED_TOPICS = ['owntracks/+/+', 'owntracks/+/+/event', 'owntracks/+/+/info'];

/** SignIn is what a phone needs to get in. */
export interface SignIn {
  readonly broker: BrokerAddress;
  readonly password: string;
  /** Null = the listener asks for none. */
  readonly certificate: PhoneCertificate | null;
}

/** PhoneCertificate is one of the phone's own, with its key, as a file (PKCS #12). */
export interface PhoneCertificate {
  readonly content: Buffer;
  readonly passphrase: string;
}

/** certificateFileName: OwnTracks for iOS wants `.otrp`, Android `.p12`. */
export function certificateFileName({ person, device }: PhoneName, system: PhoneSystem): string {
  return `${person}-${device}.${system === 'ios' ? 'otrp' : 'p12'}`;
}

/** OwnTracksConfiguration is an object of JSON. What it does not name the app keeps as it was. */
export type OwnTracksConfiguration = Readonly<Record<string, string | number | boolean>>;

/** ownTracksConfiguration sets all that decides where the app connects and what it may be told, and leaves the rest of the app as it is. */
export function ownTracksConfiguration(
  phone: PhoneName,
  { broker, password, certificate }: SignIn,
  system: PhoneSystem,
): OwnTracksConfiguration {
  const safe = system === 'ios' ? { allowinvalidcerts: false } : { remoteConfiguration: false };
  const common = {
    ...{ auth: true, username: accountOf(phone), password, deviceId: phone.device, tid: trackerIdOf(phone), cmd: true },
    ...safe,
  };
  if (broker.protocol === 'http') return { _type: 'configuration', mode: MODE_HTTP, url: postUrl(broker), ...common };
  const base = topicOf(phone);
  return {
    _type: 'configuration',
    mode: MODE_MQTT,
    host: broker.host,
    port: broker.port,
    tls: true,
    ws: broker.protocol === 'websockets',
    mqttProtocolLevel: PROTOCOL_LEVEL,
    clientId: clientIdOf(phone),
    cleanSession: false,
    pubTopicBase: base,
    pubQos: 1,
    pubRetain: true,
    sub: true,
    subQos: 1,
    subTopic: [...SHARED_TOPICS, `${base}/cmd`].join(' '),
    ...common,
    ...(certificate === null ? {} : certificateFields(phone, certificate, system)),
  };
}

/** iOS knows the file by its name, Android the certificate by that under which the system keeps it. */
function certificateFields(phone: PhoneName, { passphrase }: PhoneCertificate, system: PhoneSystem): OwnTracksConfiguration {
  return system === 'ios' ? { clientpkcs: certificateFileName(phone, system), passphrase } : { tlsClientCrt: accountOf(phone) };
}

/** postUrl is where the app posts in HTTP mode. */
export function postUrl({ host, port }: BrokerAddress): string {
  return `https://${host.includes(':') ? `[${host}]` : host}${port === 443 ? '' : `:${port}`}/pub`;
}

/** trackerIdOf gives the two characters that the map shows where there is no picture. */
export function trackerIdOf({ person, device }: PhoneName): string {
  const letters = [...`${person}${device}`.toUpperCase()].filter((each) => /[\p{L}\p{N}]/u.test(each));
  return letters.slice(0, 2).join('');
}

/** otrcText is the text of an .otrc file. */
export function otrcText(configuration: OwnTracksConfiguration): string {
  return JSON.stringify(configuration);
}

/**
 * ownTracksLink opens the app with a configuration. Android decodes the query as a form, where a bare + is a blank, iOS as a URI: so + / and = of
 * the base64 are percent-encoded.
 */
export function ownTracksLink(configuration: OwnTracksConfiguration): string {
  const inline = Buffer.from(otrcText(configuration), 'utf8').toString('base64');
  return `owntracks:///config?inline=${encodeURIComponent(inline)}`;
}
