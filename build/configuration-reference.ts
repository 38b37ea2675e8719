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

\`midge serve -c FILE\` reads the language of mosquitto.conf, as mosquitto 2.1 has it, and a few words of its own.
\`midge check FILE\` reads the file too. It starts nothing and shows every mistake at once, with its place:

    home.conf:3:1: error: Unknown configuration variable "max_conections" - did you mean "max_connections"?

midge does not start with a file that has an error, and it ignores no word in silence. A word that midge does not support is an error that says what to use
instead. A word that has no effect here is a warning that says why.

## The file

- Each line has one word and its value, with spaces between them. A line that starts with \`#\` in the first column is a comment. A comment may also follow a number,
  a \`true\` or another single word, but not a text or a path: there it would be a part of the value.
- \`listener\` starts a listener, and the listener words below belong to it. Listener words above the first \`listener\` belong to the *default
  listener*, and open it. In a file without any \`listener\`, words that only limit (\`max_connections\`, \`max_qos\`, ...) open nothing: only this
  machine can connect.
- A relative path in a setting starts at the folder in which the program was started. A relative path in \`include\` starts at the folder of the file.

## Who may connect

| configuration | ports | who |
|---|---|---|
| no file, or one without listener words | 1883, 8883 with TLS, 9001 WebSocket, on this machine only | anyone |
| the same with \`-p N\` | N, on this machine only | anyone |
| the same with \`--lan\` | 1883, 8883 with TLS, 9001 WebSocket (with \`-p N\`: N), on all interfaces, announced by mDNS | the account of \`username\` and \`password\`, or one made at first start |
| \`username\` and \`password\` | 1883 on all interfaces | that account |
| the same and \`secure true\` | 8883 with TLS on all interfaces | that account |
| \`listener ...\` | as it says | accounts; anyone only with \`allow_anonymous true\` or \`listener_allow_anonymous true\` |

If another program uses a port that the configuration names, midge does not start. If another program uses one of the default ports, midge leaves this port out with a warning that names the program, and starts the others.

Without a configuration anyone on this machine may connect. Then the WebSocket port accepts programs and web pages of this machine only (\`http://localhost:3000\`, for example);
otherwise every page that somebody opens in a browser here could use the broker. With a configuration, \`websockets_origin\` names the pages
that may connect; without this word any page may, as with mosquitto.

The smallest file for a home:

    username jane
    password correct horse battery staple
    secure true

TLS in a listener block with the appliance's own certificate:

    listener 8883
    secure true

TLS with a certificate that you have:

    listener 8883
    certfile /etc/midge/server.crt
    keyfile /etc/midge/server.key

[accounts.md](accounts.md) shows how to add accounts, write access rules and let devices trust the certificate.

## Wrong passwords

After three wrong passwords for a user from one address, midge refuses all logins of that user from that address for 1 s, without checking the password. Each
further wrong password doubles the time, up to 5 minutes. So a device that tries an old password for ever blocks only itself. midge blocks these in the same way after ten
wrong logins; of each user at each address only the first three count:

| what | whom midge refuses |
|---|---|
| an address that tries many users | all users there who have not signed in from it before |
| an IPv6 network (/64) or the link-local addresses of an interface | the addresses that were wrong; after a hundred wrong logins, every address where the user has not signed in before |
| a user whom many addresses try | the same |

While many strangers wait for their password check, midge first checks users who have signed in from their address before. midge remembers 10,000 such
pairs of user and address, with \`persistence true\` also over a restart (\`known-logins\` in the state folder; the file holds keyed digests and no names). It forgets
wrong logins after an hour without another one, and at a restart; those of a user also when its password is changed, or its account is added or unlocked. An administrator ends a block at
once on the page, or with \`DELETE /api/v1/throttle?address=...&username=...\`. The log names each block. \`node test/bench/scale/wrong-logins.ts\` measures what other clients notice of 10,000
wrong logins.

Behind a reverse proxy or a tunnel all clients come from one address. If midge blocks too many of them, exempt the address and let the proxy count:

    login_throttle_exempt 127.0.0.1 172.16.0.0/12

## Before a client has signed in

A connection costs memory before midge knows whose it is. Until CONNECT is accepted, these limits hold for all listeners together:

| what | in all | from one network |
|---|---|---|
| connections that have not signed in (four times as many before their TLS handshake begins) | 1024 | 512; once a client has signed in from there, as many as in all |
| bytes that they have sent | 16 MB | 4 MB |
| time for a PROXY header, a TLS handshake or a WebSocket upgrade | 20 s each | |
| time until a whole CONNECT has come | 30 s | |

A network is an IPv4 address, the first 64 bits of an IPv6 address, or all link-local addresses of one interface. When there is one connection too many,
midge closes a connection of the network that has most of them, and spares networks from which clients have signed in. So many silent connections close
each other, and a slow device elsewhere keeps its time. midge does the same when the process runs out of file descriptors; it uses all that
\`ulimit -n\` (\`LimitNOFILE\` of a systemd service) allows, less 96. The log says so at once, and then once a minute with the number of closed connections.

The log lines about clients that have not signed in are limited too, unless debug lines are on. Each network gets 60 lines a minute, then the first line
of each of a hundred names, then one line with the number of the others and of their names. Clients that have signed in get 3000 lines a minute.

## Who may do what

\`acl_file\` names a file with the topics that each user may read and write, in mosquitto's language. Without the file, everybody who may connect
may read and write everything. With it, a client may do only what a rule allows.

    user jjolie
    topic readwrite owntracks/jjolie/#

    user fred
    topic read owntracks/jjolie/5s
    topic readwrite owntracks/fred/#

    pattern readwrite devices/%c/#

- \`topic [read | write | readwrite | deny] FILTER\` is for the user of the \`user\` line above it. Above the first \`user\` line it is for clients without
  a user name, and for nobody else. \`pattern\` is for every client, wherever it stands; \`%u\` in it is the user name, \`%c\` the client id.
- *write* is publishing, *read* is receiving. midge accepts every subscription; messages that a client may not read do not arrive.
- A \`deny\` comes before every other rule of its kind. A user's own rules come before the patterns: a \`pattern deny\` takes nothing back
  that a \`topic\` line allows.
- \`#\` and \`+\` at the start do not cover topics that begin with \`$\`: \`$SYS/#\` needs a line of its own. Nobody can write to \`$SYS\`.
- A client whose user name or id holds \`+\` or \`#\` gets nothing by patterns. A client whose name or id holds \`/\` gets nothing by the patterns that use it. Anybody may choose a client id, so \`%u\` is safer than \`%c\`.
- A mistake makes the whole file unusable, and midge does not start. A mistake in a changed file leaves the old rules in force.

\`midge acl check\` says whether a client may do something, and which line decides; \`midge acl who TOPIC\` lists who may. \`midge passwd\` writes the file that
\`password_file\` names, and asks the running broker to read it again.

## Change it while the broker runs

At SIGHUP, and with \`reload_on_change true\` when a file changes, midge reads everything again: configuration, passwords, ACL, certificates and revocation lists.
If all of it is good and every new port is open, midge puts it in force at once. Otherwise the log says what is wrong and where, and everything stays
as it was. Listeners that stay keep their connections, and new limits hold for a client when it connects again. midge disconnects (0x87) the clients of a listener that is gone, users who are gone or have
another password, clients without a user name where these are no longer allowed, and clients with a revoked certificate or key. A client that is about to connect
goes on, and the settings in force at its CONNECT decide. It has to start again only if its listener now asks for something else first, such as TLS or a PROXY header.

## Client certificates

    listener 8883
    secure true
    require_certificate true
    use_identity_as_username true

This listener accepts clients with a certificate of the appliance's own authority. \`midge cert client NAME\` makes a certificate, \`midge cert revoke NAME\` revokes it at
once.

## Behind a proxy

Behind a proxy all clients have the proxy's address. MQTT and TLS proxies send the client's own address with the PROXY
protocol: set \`enable_proxy_protocol\`. Web servers in front of a WebSocket listener send it in the header X-Forwarded-For, which midge believes only from
\`trusted_proxies\`:

    listener 9001 127.0.0.1
    protocol websockets
    trusted_proxies 127.0.0.1

## Every word

*reload*: a changed value takes effect at SIGHUP. *own*: mosquitto does not know the word, or supports less of it.
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
