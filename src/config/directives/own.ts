// Words that mosquitto does not have: those of the small embedded broker, and what belongs to the appliance.

import { type Directive, globalDirective, listenerDirective, structureDirective } from '../directive.ts';
import {
  boolean,
  certificateNames,
  check,
  choice,
  databaseFile,
  integer,
  limit,
  MAX_INTEGER,
  networks,
  retainedLifetime,
  text,
  type ValueKind,
} from '../values.ts';

const webOrigin: ValueKind<string> = check(text('https://...'), (line) => {
  const url = URL.parse(line);
  if (url !== null && /^https?:$/.test(url.protocol) && [url.origin, `${url.origin}/`].includes(line.toLowerCase()))
    return { value: url.origin };
  return {
    problem: `Invalid http_origin value (${line})`,
    hint: 'write a scheme and a name, and the port if there is one, such as https://home.example:8123',
  };
});

/** OWN_DIRECTIVES are the words of our own; `port` stands with the listener's. */
export const OWN_DIRECTIVES: readonly Directive[] = [
  structureDirective('include', 'global', 'file or pattern', {
    own: true,
    doc: 'Reads other files as if their text stood here: a file, or a pattern such as `conf.d/*.conf` in the order of bytes. A relative path starts at the folder of the file with this line.',
  }),
  globalDirective(
    'username',
    text('name'),
    {
      own: true,
      doc: 'Name of the only account in the configuration; `password` is its password. Without a `listener` it opens the default listener on all interfaces.',
    },
    (draft, value) => {
      draft.access.username = value;
    },
  ),
  globalDirective(
    'password',
    text('password'),
    { own: true, doc: 'Password of that account, in plain text: let nobody else read the file.' },
    (draft, value) => {
      draft.access.password = value;
    },
  ),
  globalDirective(
    'retained_lifetime',
    retainedLifetime,
    {
      own: true,
      repeatable: true,
      reloadable: true,
      doc: 'How long midge keeps the retained messages of a topic filter: `retained_lifetime zigbee2mqtt/# 7d` deletes them after seven days. Repeat the word for other filters; the first that matches a topic counts. For a message that midge kept before this line was there, and before the last start, the time begins at that start. A filter that begins with a wildcard does not match topics that begin with `$`.',
    },
    (draft, value) => {
      draft.broker.retainedLifetimes = [...(draft.broker.retainedLifetimes ?? []), value];
    },
  ),
  globalDirective(
    'login_throttle',
    boolean,
    {
      own: true,
      default: 'true',
      reloadable: true,
      doc: 'Makes passwords hard to guess: after several wrong logins midge refuses further ones for a while, longer each time, up to five minutes. It counts the wrong logins of a user at an address, of an address, and of a user.',
    },
    (draft, value) => {
      draft.access.loginThrottle = value;
    },
  ),
  globalDirective(
    'login_throttle_exempt',
    networks,
    {
      own: true,
      repeatable: true,
      reloadable: true,
      doc: 'Addresses and networks whose wrong logins midge does not count for `login_throttle`, such as 192.168.1.20, or the address of a reverse proxy. Repeat the word, or put several on a line.',
    },
    (draft, value) => {
      draft.access.loginThrottleExempt.push(...value);
    },
  ),
  listenerDirective(
    'secure',
    boolean,
    {
      own: true,
      default: 'false',
      doc: "TLS with the appliance's own certificate, or with `certfile` and `keyfile` if they are set. Before any `listener` it opens the default listener, on port 8883 unless `port` is set.",
    },
    (draft, value) => {
      draft.tls.secure = value;
    },
  ),
  listenerDirective(
    'trusted_proxies',
    networks,
    {
      own: true,
      repeatable: true,
      doc: 'Addresses and networks of reverse proxies in front of a WebSocket or HTTP listener. midge takes the address of the client from the header X-Forwarded-For only if it comes from one of these. Repeat the word, or put several on a line.',
    },
    (draft, value) => {
      draft.trustedProxies.push(...value);
    },
  ),
  listenerDirective(
    'http_origin',
    webOrigin,
    {
      own: true,
      repeatable: true,
      doc: 'With `protocol http`: a web page of another place, for example https://home.example, whose scripts may use the REST interface (CORS). They sign in with a Bearer token; cookies stay with the page of midge. Repeat the word for several; without it no other page may.',
    },
    (draft, value) => {
      draft.socket.httpOrigins = [...(draft.socket.httpOrigins ?? []), value];
    },
  ),
  globalDirective(
    'persistence_file',
    databaseFile,
    {
      own: true,
      default: 'midge.db',
      doc: 'Name or path of the persistence file. It turns persistence on unless `persistence false` is set. A relative path starts at `persistence_location`, or at the state folder. Without a value midge stores nothing.',
    },
    (draft, value) => {
      draft.persistence.file = value;
    },
  ),
  globalDirective(
    'advertise',
    boolean,
    {
      own: true,
      default: 'true',
      doc: 'Lets programs and apps find this broker in the local network: midge announces its listeners by mDNS, except when only this machine can connect.',
    },
    (draft, value) => {
      draft.discovery.advertise = value;
    },
  ),
  globalDirective(
    'mdns_name',
    text('name'),
    {
      own: true,
      doc: 'Name under which programs and apps that look for brokers in the local network show this one (mDNS); by default the host name.',
    },
    (draft, value) => {
      draft.discovery.name = value;
    },
  ),
  globalDirective(
    'homeassistant_discovery',
    boolean,
    {
      own: true,
      default: 'false',
      reloadable: true,
      doc: 'Shows the broker as a device in Home Assistant, by MQTT discovery (docs/home-assistant.md).',
    },
    (draft, value) => {
      draft.homeAssistant = value;
    },
  ),
  globalDirective(
    'location_history',
    choice({ phones: 'phones', all: 'all', none: 'none' } as const),
    {
      own: true,
      default: 'phones',
      reloadable: true,
      doc: 'Keeps where phones were (docs/owntracks.md): of the phones that `midge phone add` or the page has set up, of `all` that publish below `owntracks/`, or of `none`. It needs `persistence true` and a listener with `protocol http`. `none` does not delete what is kept: `midge phone forget` does.',
    },
    (draft, value) => {
      draft.locationHistory.keep = value;
    },
  ),
  globalDirective(
    'location_history_days',
    integer({ min: 1, max: 36_500, unit: 'days' }),
    {
      own: true,
      default: '90',
      reloadable: true,
      doc: 'Days after which midge deletes locations of the history.',
    },
    (draft, value) => {
      draft.locationHistory.days = value;
    },
  ),
  globalDirective(
    'certificate_names',
    certificateNames,
    {
      own: true,
      repeatable: true,
      doc: "More names or addresses for the appliance's own certificate. Repeat the word, or put several on a line.",
    },
    (draft, value) => {
      draft.certificateNames.push(...value);
    },
  ),
  globalDirective(
    'reload_on_change',
    boolean,
    {
      own: true,
      default: 'false',
      reloadable: true,
      doc: 'Reloads, as SIGHUP does, soon after a file of the configuration has changed, or a file that it names: passwords, ACL, certificates.',
    },
    (draft, value) => {
      draft.reloadOnChange = value;
    },
  ),
  globalDirective(
    'max_outgoing_bytes',
    integer({ min: 65_536, max: MAX_INTEGER, unit: 'bytes' }),
    {
      own: true,
      default: '1048576',
      reloadable: true,
      doc: 'Bytes that may wait for one slow client. Beyond them midge drops QoS 0 messages for it and queues the others.',
    },
    (draft, value) => {
      draft.broker.maxOutgoingBytes = value;
    },
  ),
  globalDirective(
    'max_subscriptions',
    limit('number'),
    { own: true, default: '50000', reloadable: true, doc: 'Most subscriptions of one client; midge refuses more; 0 = no limit.' },
    (draft, value) => {
      draft.broker.maxSubscriptions = value;
    },
  ),
  globalDirective(
    'max_shared_subscriptions',
    limit('number'),
    {
      own: true,
      default: '100',
      reloadable: true,
      doc: 'Most shared subscriptions (`$share/GROUP/FILTER`) of one client; midge refuses more; 0 = no limit. midge handles each message once for every group that it matches.',
    },
    (draft, value) => {
      draft.broker.maxSharedSubscriptions = value;
    },
  ),
  globalDirective(
    'max_wildcard_levels',
    limit('number'),
    {
      own: true,
      default: '10000',
      reloadable: true,
      doc: "Levels of one client's filters from their first `+` on, counted all together (`a/+/b/c` has 3); midge refuses subscriptions beyond them; 0 = no limit. Thousands of overlapping filters make each message slow.",
    },
    (draft, value) => {
      draft.broker.maxWildcardLevels = value;
    },
  ),
];
