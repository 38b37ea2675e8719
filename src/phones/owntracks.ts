// OwnTracks' configuration for a phone, with the fields that its system has, and the forms in which the app takes it.
// booklet: tech/json (_type: configuration), features/remoteconfig

import { accountOf, type BrokerAddress, clientIdOf, type PhoneName, topicOf } from './phone.ts';

/** PhoneSystem: their apps share most fields. */
export type PhoneSystem = 'ios' | 'android';

/** MODE_MQTT is the mode of the app in which it keeps to a broker. */
const MODE_MQTT = 0;

/** MQTT 3.1.1: Android's library has no MQTT 5, and the default of its app is 3.1. */
const PROTOCOL_LEVEL = 4;

/** Location, then what people do to each other's map: transitions and cards. */
const SHARED_TOPICS = ['owntracks/+/+', 'owntracks/+/+/event', 'owntracks/+/+/info'];

/** SignIn is what a phone needs to get in. */
export interface SignIn {
  readonly broker: BrokerAddress;
  readonly password: string;
}

/** OwnTracksConfiguration is an object of JSON. What it does not name the app keeps as it was. */
export type OwnTracksConfiguration = Readonly<Record<string, string | number | boolean>>;

/** ownTracksConfiguration sets all that decides where the app connects and what it may be told, and leaves the rest of the app as it is. */
export function ownTracksConfiguration(phone: PhoneName, { broker, password }: SignIn, system: PhoneSystem): OwnTracksConfiguration {
  const base = topicOf(phone);
  const both = {
    _type: 'configuration',
    mode: MODE_MQTT,
    host: broker.host,
    port: broker.port,
    tls: true,
    ws: broker.webSocket,
    auth: true,
    username: accountOf(phone),
    password,
    mqttProtocolLevel: PROTOCOL_LEVEL,
    clientId: clientIdOf(phone),
    deviceId: phone.device,
    tid: trackerIdOf(phone),
    cleanSession: false,
    pubTopicBase: base,
    pubQos: 1,
    pubRetain: true,
    sub: true,
    subQos: 1,
    subTopic: [...SHARED_TOPICS, `${base}/cmd`].join(' '),
    cmd: true,
  };
  return system === 'ios' ? { ...both, allowinvalidcerts: false } : { ...both, remoteConfiguration: false };
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
