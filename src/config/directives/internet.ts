// Words about what the box does towards the Internet: a certificate that phones trust without more, and a name that follows its address.

import { dnsName } from '../../base/certificate-name.ts';
import { isPublicName } from '../../internet/public-name.ts';
import { type Directive, globalDirective } from '../directive.ts';
import { choice, integer, path, text, type ValueKind, words } from '../values.ts';

/** Names that others can look up: no `*`, and at least two parts. */
const publicNames: ValueKind<readonly string[]> = {
  ...words,
  read: (line, name) => {
    const given = line.split(/\s+/).filter((word) => word !== '');
    const wrong = given.find((each) => !isPublicName(each));
    return wrong === undefined
      ? { value: given.map((each) => dnsName(each) ?? each) }
      : { problem: `Invalid ${name} value (${wrong})`, hint: 'write whole names that the Internet knows, such as home.example.org' };
  },
};

/** An address of a service. A password in it would be shown where the address is. */
const httpsUrl: ValueKind<string> = {
  ...text('https://...'),
  read: (line, name) => {
    const problem = `Invalid ${name} value`;
    if (!URL.canParse(line) || new URL(line).protocol !== 'https:') return { problem: `${problem} (${line})`, hint: 'write https://...' };
    const { username, password } = new URL(line);
    return username === '' && password === '' ? { value: line } : { problem, hint: 'leave name and password out of the address' };
  },
};

const serverAddress: ValueKind<{ readonly host: string; readonly port: number }> = {
  ...text('host[:port]'),
  read: (line, name) => {
    const [, host = '', port = '53'] =
      /^(?:\[([\da-f:]+)\]|([^\s:[\]]+))(?::(\d+))?$/i
        .exec(line)
        ?.slice(0, 4)
        .filter((part) => part !== undefined) ?? [];
    if (host === '' || Number(port) < 1 || Number(port) > 65_535)
      return { problem: `Invalid ${name} value (${line})`, hint: 'write host:port; an IPv6 address is [ADDRESS]:port' };
    return { value: { host, port: Number(port) } };
  },
};

/** INTERNET_DIRECTIVES are all of our own. */
export const INTERNET_DIRECTIVES: readonly Directive[] = [
  globalDirective(
    'acme_names',
    publicNames,
    {
      own: true,
      repeatable: true,
      reloadable: true,
      doc: "Names for which midge gets a certificate that phones trust without more, by ACME from Let's Encrypt or `acme_directory`, and renews it. With this word you agree to the authority's terms of service. Clients that ask for one of the names are shown this certificate by the listeners with midge's own one (`secure true`); others still see midge's own.",
    },
    (draft, value) => {
      draft.internet.acmeNames.push(...value);
    },
  ),
  globalDirective(
    'acme_challenge',
    choice({ http: 'http', dns: 'dns' } as const),
    {
      own: true,
      default: 'http',
      reloadable: true,
      doc: 'How the authority sees that the names are yours: `http` = it connects to port 80 of your address, so forward that port of your router to `acme_port` of this box; `dns` = midge writes a record by `dns_update_server`, and no port needs to be open.',
    },
    (draft, value) => {
      draft.internet.acmeChallenge = value;
    },
  ),
  globalDirective(
    'acme_port',
    integer({ min: 1, max: 65_535, unit: 'port' }),
    {
      own: true,
      default: '80',
      reloadable: true,
      doc: 'Port on which midge answers the authority with `acme_challenge http`. midge opens it only while it orders a certificate.',
    },
    (draft, value) => {
      draft.internet.acmePort = value;
    },
  ),
  globalDirective(
    'acme_directory',
    httpsUrl,
    {
      own: true,
      default: 'https://acme-v02.api.letsencrypt.org/directory',
      reloadable: true,
      doc: 'Directory of the authority. To try your settings take `https://acme-staging-v02.api.letsencrypt.org/directory`: its certificates are trusted by nobody, and it allows more mistakes.',
    },
    (draft, value) => {
      draft.internet.acmeDirectory = value;
    },
  ),
  globalDirective(
    'acme_contact',
    text('mail address'),
    { own: true, reloadable: true, doc: 'Mail address that the authority may write to. Without it midge gives none.' },
    (draft, value) => {
      if (!/^[^\s@]+@[^\s@]+$/.test(value)) return { problem: `Invalid acme_contact value (${value})`, hint: 'write a mail address' };
      draft.internet.acmeContact = value;
      return undefined;
    },
  ),
  globalDirective(
    'acme_cafile',
    path,
    {
      own: true,
      reloadable: true,
      doc: 'File with the authorities (PEM) that the connection to `acme_directory` is verified with: for an authority of your own network.',
    },
    (draft, value) => {
      draft.internet.acmeCafile = value;
    },
  ),
  globalDirective(
    'dynamic_dns_names',
    publicNames,
    {
      own: true,
      repeatable: true,
      reloadable: true,
      doc: 'Names that are to lead to the address of your router, whatever that is: midge asks the router for it (NAT-PMP, UPnP) and tells each change to `dynamic_dns_url` or `dns_update_server`.',
    },
    (draft, value) => {
      draft.internet.dynamicNames.push(...value);
    },
  ),
  globalDirective(
    'dynamic_dns_url',
    httpsUrl,
    {
      own: true,
      reloadable: true,
      doc: 'Address of a service that speaks the DynDNS2 protocol, as most do, such as `https://dynupdate.no-ip.com/nic/update`. If the router does not say its address, midge calls the service every hour, and the service takes the address that it sees.',
    },
    (draft, value) => {
      draft.internet.dynamicUrl = value;
    },
  ),
  globalDirective(
    'dynamic_dns_username',
    text('name'),
    { own: true, reloadable: true, doc: 'Your name at that service.' },
    (draft, value) => {
      draft.internet.dynamicUsername = value;
    },
  ),
  globalDirective(
    'dynamic_dns_password',
    text('password'),
    { own: true, reloadable: true, doc: 'Your password or token at that service, in plain text: let nobody else read the file.' },
    (draft, value) => {
      draft.internet.dynamicPassword = value;
    },
  ),
  globalDirective(
    'dns_update_server',
    serverAddress,
    {
      own: true,
      reloadable: true,
      doc: 'Name server that takes changes of records (RFC 2136), for `dynamic_dns_names` and for `acme_challenge dns`. The port is 53 if you write none.',
    },
    (draft, value) => {
      draft.internet.dnsServer = value;
    },
  ),
  globalDirective(
    'dns_update_key',
    path,
    {
      own: true,
      reloadable: true,
      doc: 'File with the key for `dns_update_server`, as `tsig-keygen` writes it (TSIG, RFC 8945): let nobody else read it.',
    },
    (draft, value) => {
      draft.internet.dnsKey = value;
    },
  ),
];
