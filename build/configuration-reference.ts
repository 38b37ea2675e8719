// Writes docs/configuration.md: the guide below, and every directive as its row in the table says.
// node build/configuration-reference.ts

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Directive } from '../src/config/directive.ts';
import { SECTIONS, type Section } from '../src/config/directives.ts';

/** REFERENCE_FILE is where the reference is kept. */
export const REFERENCE_FILE = join(import.meta.dirname, '..', 'docs', 'configuration.md');

const GUIDE = `# Configuration

<!-- Made by build/configuration-reference.ts from the table of directives: change it there. -->

\`midge serve -c FILE\` reads mosquitto.conf's language, as mosquitto 2.1 has it, and a few words of our own.
\`midge check FILE\` reads it too, starts nothing, and shows every mistake at once, with its place:

    home.conf:3:1: error: Unknown configuration variable "max_conections" - did you mean "max_connections"?

Nothing starts with a file that has an error. No word is ignored in silence: what is not there is an error that says what to do
instead, what has no effect here is a warning that says why.

## The file

- One word and its value on a line, with blanks between them. What starts with \`#\` in the first column is a comment. Behind a number,
  a \`true\`, or another single word a comment may follow; behind text and paths it would belong to them.
- \`listener\` starts a listener, and the listener words below belong to it. Those above the first \`listener\` mean the *default
  listener*, and open it; where there is no \`listener\` at all, words that only limit (\`max_connections\`, \`max_qos\`, ...) leave the broker to this
  machine.
- A relative path in a setting starts at the folder in which the program was started; in \`include\`, at the folder of the file.

## Who may connect

| configuration | ports | who |
|---|---|---|
| no file, or one without listener words | 1883, 8883 with TLS, 9001 WebSocket, on this machine only | anyone |
| the same with \`-p N\` | N, on this machine only | anyone |
| the same with \`--lan\` | 1883, 8883 with TLS, 9001 WebSocket (with \`-p N\`: N), on all interfaces, announced by mDNS | the account of \`username\` and \`password\`, or one made at first start |
| \`username\` and \`password\` | 1883 on all interfaces | that account |
| the same and \`secure true\` | 8883 with TLS on all interfaces | that account |
| \`listener ...\` | as it says | accounts; anyone only with \`allow_anonymous true\` or \`listener_allow_anonymous true\` |

A port that another program has stops the start, unless nobody has named it: of the defaults it is left out, with a warning that names the program, and the rest starts.

Where anyone may connect because nothing is configured, the WebSocket port takes web pages of this machine only (\`http://localhost:3000\`, for example), and
programs that are no web page: otherwise every page that somebody opens in a browser here could use the broker. In a file \`websockets_origin\` names the pages
that may connect; without it any may, as with mosquitto.

The smallest file for a home:

    username jane
    password correct horse battery staple
    secure true

TLS in a listener block with the appliance's own certificate:

    listener 8883
    secure true

With one that you have:

    listener 8883
    certfile /etc/midge/server.crt
    keyfile /etc/midge/server.key

## Wrong passwords

After three wrong passwords of a user from one address, midge refuses further logins of that user from there unseen for 1 s, and twice as long after each
further wrong one, up to 5 minutes. So a device with an old password, which tries for ever, holds only itself. These are held the same way after ten
wrong logins; of each user at each address only the first three count:

| what | whom the hold refuses |
|---|---|
| an address that tries many users | all users there who have not signed in from it before |
| an IPv6 network (/64) or the link-local addresses of an interface | the addresses that were wrong; after a hundred wrong logins, every address where the user has not signed in before |
| a user whom many addresses try | the same |

While many strangers wait for their password to be checked, users who have signed in from their address before are checked first. midge remembers 10,000 such
pairs of user and address, with \`persistence true\` also over a restart (\`known-logins\` in the state folder; it holds keyed digests, no names). It forgets
wrong logins after an hour without another one, and at a restart. The log tells each hold. What others notice of 10,000 wrong logins:
\`node test/bench/scale/wrong-logins.ts\`.

Behind a reverse proxy or a tunnel all clients come from one address; if that holds too many, exempt it, and let the proxy count:

    login_throttle_exempt 127.0.0.1 172.16.0.0/12

## Before a client has signed in

A connection costs memory before anybody knows whose it is. midge bounds that for all listeners together, until CONNECT is accepted:

| what | in all | from one network |
|---|---|---|
| connections that have not signed in | 1024 | 512; once a client has signed in from there, as many as in all |
| bytes that they have sent | 16 MB | 4 MB |
| time for a PROXY header, a TLS handshake or a WebSocket upgrade | 20 s each | |
| time until a whole CONNECT has come | 30 s | |

A network is an IPv4 address, the first 64 bits of an IPv6 address, or all link-local addresses of one interface. Where one connection too many comes,
midge closes one of the network that has most of them, and spares networks from which clients have signed in. So a crowd of silent connections pushes
itself out, and a slow device elsewhere keeps its time. The same happens when the process runs out of file descriptors: midge uses all that
\`ulimit -n\` (\`LimitNOFILE\` of a systemd service) allows but 96. The log says it at once, and then once a minute with the number of closed connections.

Lines about clients that have not signed in are bounded too, unless debug lines are wanted: 60 a minute of one network, beyond them the first
of each of a hundred names, then one line that counts the rest and says of how many names it is. Of clients that have signed in it is 3000 lines a minute.

## Who may do what

\`acl_file\` names a file with the topics that each user may read and write, in mosquitto's language. Without it, everybody who may connect
may read and write everything; with it, only what a rule allows.

    user jjolie
    topic readwrite owntracks/jjolie/#

    user fred
    topic read owntracks/jjolie/5s
    topic readwrite owntracks/fred/#

    pattern readwrite devices/%c/#

- \`topic [read | write | readwrite | deny] FILTER\` is for the user of the \`user\` line above it; above the first one, for clients without
  a user name, and for nobody else. \`pattern\` is for every client, wherever it stands; \`%u\` in it is the user name, \`%c\` the client id.
- *write* is publishing, *read* is receiving. Subscribing itself is always accepted; what a client may not read does not arrive.
- A \`deny\` comes before every other rule of its kind. A user's own rules come before the patterns: a \`pattern deny\` takes nothing back
  that a \`topic\` line allows.
- \`#\` and \`+\` at the start do not cover topics that begin with \`$\`: \`$SYS/#\` needs a line of its own. Nobody can write to \`$SYS\`.
- A client whose user name or id holds \`+\` or \`#\` gets nothing by patterns; one with \`/\` nothing by those that hold that name. Anybody may choose a client id: \`%u\` is the safer one.
- A mistake makes the whole file useless, and nothing starts; a changed file with a mistake leaves the old rules in force.

\`midge acl check\` tells whether a client may, by which line; \`midge acl who TOPIC\` tells who may. \`midge passwd\` writes the file that
\`password_file\` names, and asks the running broker to read it again.

## Changing it while it runs

SIGHUP, or with \`reload_on_change true\` the change of a file, reads everything again: configuration, passwords, ACL, certificates, revoked ones.
Only when all of it is good and every new port is open, it is put in force, at once; otherwise the log says what is wrong and where, and all stays
as it was. Listeners that stay keep their connections; new limits hold for a client when it comes again. Disconnected (0x87) are: clients of a listener that is gone, users who are gone or have
another password, clients without a user name where they are not allowed any more, and revoked certificates and keys. A client that is about to connect
goes on, and is judged by what is in force when its CONNECT is decided; it has to come anew only where its listener asks for other things than before, such as TLS or a PROXY header.

## Certificates of clients

    listener 8883
    secure true
    require_certificate true
    use_identity_as_username true

lets in who has a certificate of the appliance's own authority: \`midge cert client NAME\` makes one, \`midge cert revoke NAME\` takes it back at
once.

## Behind a proxy

A listener that gets its clients through a proxy would know them all by its address. MQTT and TLS proxies tell that of the client by the PROXY
protocol, \`enable_proxy_protocol\`; web servers in front of a WebSocket listener by the header X-Forwarded-For, which is believed only from
\`trusted_proxies\`:

    listener 9001 127.0.0.1
    protocol websockets
    trusted_proxies 127.0.0.1

## Every word

*reload*: SIGHUP makes a changed value effective. *own*: mosquitto does not know the word, or understands less by it.
`;

/** configurationReference gives the whole text of docs/configuration.md. */
export function configurationReference(): string {
  return [GUIDE, ...SECTIONS.map(sectionText)].join('\n');
}

function sectionText({ title, directives }: Section): string {
  const rows = directives.map(
    (directive) => `| ${[wordCell(directive), code(directive.syntax), defaultCell(directive), meaningCell(directive)].join(' | ')} |`,
  );
  return [`### ${title}`, '', '| word | value | default | meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function wordCell({ name, aliases }: Directive): string {
  return [name, ...aliases].map((word) => `\`${word}\``).join(', ');
}

function defaultCell(directive: Directive): string {
  return directive.default === null ? '' : code(directive.default);
}

function meaningCell({ doc, own, reloadable, treatment }: Directive): string {
  const marks = [...(own ? ['*own*'] : []), ...(reloadable ? ['*reload*'] : [])];
  return [doc.replaceAll('|', '\\|'), stateText(treatment), marks.join(', ')].filter((part) => part !== '').join(' ');
}

function stateText(treatment: Directive['treatment']): string {
  if (treatment.state === 'without effect') return `**No effect**: ${treatment.reason}.`;
  if (treatment.state !== 'refused') return '';
  const { harmless } = treatment;
  const named = harmless[0]?.startsWith('*') ? harmless : harmless.slice(0, 1); // 0 is the same as false
  const except = named.length > 0 ? ` (but for ${named.map(code).join(' and ')})` : '';
  return `**Refused**${except}: ${treatment.instead}.`;
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

if (import.meta.main) writeFileSync(REFERENCE_FILE, configurationReference());
