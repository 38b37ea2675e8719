// The mistakes that people make in a first hour, as a table: the configuration, and what `midge check` and `midge serve` say of it.

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { testAuthority } from '../support/network/test-certificates.ts';

/** Mistake is a configuration; `{folder}` in it is a folder that prepareMistakes has filled. */
export interface Mistake {
  readonly what: string;
  /** Lines of the file. */
  readonly text: string;
  /** Name that the program is started under; `midge serve` without it. */
  readonly program?: string;
  /** More words of `midge serve`. */
  readonly words?: readonly string[];
  /** What both say; line and column are of the file. Null = it is no business of a check. */
  readonly check: RegExp | null;
  /** What `midge serve` says where that is something else. */
  readonly serve?: RegExp;
  /** Exit status of `midge serve`, or that it runs in spite of it. */
  readonly ends: number | 'runs';
  /** It takes a user without rights, and a network with ports that need them. */
  readonly isWithoutRights?: boolean;
  /** It is refused when the log is open already: only a program of its own can be looked at. */
  readonly isLate?: boolean;
}

const LISTENER = 'listener 18831 127.0.0.1\nallow_anonymous true\n';

const IS_ROOT = process.getuid?.() === 0;

/** Root could change the machine's own: it takes a null device that was made for the test. */
const DEVICE = IS_ROOT ? '{folder}/device' : '/dev/null';

/** MISTAKES is the table. */
export const MISTAKES: readonly Mistake[] = [
  {
    what: 'a state folder that cannot be made',
    text: `${LISTENER}secure true`,
    words: ['--state', '/proc/midge'],
    check: null,
    serve: /error: Cannot make state folder "\/proc\/midge": nothing can be made in "\/proc" - name another place$/m,
    ends: 3,
  },
  {
    what: 'a state folder without the right to write there',
    text: `${LISTENER}persistence true\npersistence_location {folder}/closed`,
    check:
      /:4:1: (error|warning): Cannot write database "\S+closed\/midge\.db": EACCES.* - name another place, or give user "\S+" the right to write in "\S+closed"/,
    ends: 3,
    isWithoutRights: true,
  },
  {
    what: 'persistence_location below /proc',
    text: `${LISTENER}persistence true\npersistence_location /proc/midge`,
    check: /:4:1: error: Cannot make database "\/proc\/midge\/midge\.db": nothing can be made in "\/proc" - name another place$/m,
    ends: 3,
  },
  {
    what: 'persistence_location that is a file',
    text: `${LISTENER}persistence true\npersistence_location {folder}/data/shadow`,
    check: /:4:1: error: Cannot make database "\S+shadow\/midge\.db": "\S+shadow" is not a folder - name another place$/m,
    ends: 3,
  },
  {
    what: '--state in the folder of somebody else',
    text: `${LISTENER}persistence true`,
    words: ['--state', '{folder}/data'],
    check: null,
    serve: /error: Cannot use "\S+data" as state folder: .+ - name a folder of its own with --state$/m,
    ends: 3,
  },
  {
    what: 'log_dest file in a folder that is not there',
    text: `${LISTENER}log_dest file /nowhere/midge.log`,
    check: /:3:1: error: Cannot write log_dest "\/nowhere\/midge\.log": its folder is not there - make it: mkdir -p \/nowhere$/m,
    ends: 1,
  },
  {
    what: 'log_dest file without the right to write there',
    text: `${LISTENER}log_dest file {folder}/closed/midge.log`,
    check: /:3:1: (error|warning): Cannot write log_dest "\S+": EACCES.* - name another place, or give user/,
    ends: 1,
    isWithoutRights: true,
  },
  {
    what: 'pid_file in a folder that is not there',
    text: `${LISTENER}pid_file /nowhere/midge.pid`,
    check: /:3:1: error: Cannot write pid_file "\/nowhere\/midge\.pid": its folder is not there - make it: mkdir -p \/nowhere$/m,
    ends: 1,
  },
  {
    what: 'pid_file without the right to write there',
    text: `${LISTENER}pid_file {folder}/closed/midge.pid`,
    check: /:3:1: (error|warning): Cannot write pid_file "\S+": EACCES.* - name another place, or give user/,
    ends: 1,
    isWithoutRights: true,
  },
  {
    what: 'a user that is not there',
    text: `${LISTENER}user nosuchuser`,
    check: /:3:1: (error: Cannot become user "nosuchuser": there is no such user|warning: There is no user "nosuchuser")/,
    ends: IS_ROOT ? 1 : 'runs',
  },
  {
    what: 'bind_interface that is not there',
    text: `${LISTENER}bind_interface nosuch0`,
    check: /:1:1: error: Cannot bind to interface "nosuch0": there is no interface of this name - there are lo/,
    ends: 1,
  },
  {
    what: 'a listener on a host name without an address',
    text: 'listener 18831 nosuch.invalid',
    check: /:1:1: error: Cannot find the address of "nosuch\.invalid": .+ - write an address of this machine$/m,
    ends: 1,
  },
  {
    what: 'port 80 without the right to open it',
    text: 'listener 80 127.0.0.1',
    check: /:1:1: (error|warning): Cannot open port 80: user "\S+" has no right to open a port below 1024 - start as root with a "user"/,
    ends: 1,
    isWithoutRights: true,
  },
  {
    what: 'two listeners of the same address',
    text: `${LISTENER}listener 18831 127.0.0.1`,
    check:
      /:3:1: error: Cannot open two listeners on port 18831, already at \S+:1 - remove one, or give them different addresses or ports$/m,
    ends: 3,
  },
  {
    what: 'listeners on 127.0.0.1 and 0.0.0.0 of one port',
    text: `${LISTENER}listener 18831 0.0.0.0`,
    check:
      /:3:1: error: Cannot open two listeners on port 18831, already at \S+:1 - remove one, or give them different addresses or ports$/m,
    ends: 3,
  },
  {
    what: 'a line without colon in a password file',
    text: `${LISTENER}password_file {folder}/passwd`,
    check: /passwd:2:1: warning: This line has no colon and is skipped - write NAME:HASH, as midge passwd \S+ NAME does$/m,
    ends: 'runs',
  },
  {
    what: 'a password that is not hashed',
    text: `${LISTENER}password_file {folder}/plain`,
    check: /plain:1:1: error: Cannot read password of user "jane": it is not hashed - hash all .+: midge passwd -U \S+plain$/m,
    ends: 3,
  },
  {
    what: 'an ACL rule for a user without an account',
    text: `${LISTENER}password_file {folder}/passwd\nacl_file {folder}/acl`,
    check:
      /acl:2:1: warning: This rule is for user "anna", who has no account - correct the name in the user line above, or add the user with midge passwd$/m,
    ends: 'runs',
  },
  {
    what: 'a comment behind the user of an ACL file',
    text: `${LISTENER}password_file {folder}/passwd\nacl_file {folder}/commented`,
    check: /commented:1:1: warning: The user of this line is "bob # my son" - a comment needs a line of its own: write user bob$/m,
    ends: 'runs',
  },
  {
    what: 'a key with a passphrase',
    text: `${LISTENER}certfile {folder}/server.crt\nkeyfile {folder}/secret.key`,
    check:
      /:4:1: error: .+secret\.key.+it has a passphrase, and nobody can type that when the broker starts - remove it: openssl pkey -in \S+secret\.key -out NEWFILE$/m,
    ends: 3,
  },
  {
    what: 'the key of another certificate',
    text: `${LISTENER}certfile {folder}/server.crt\nkeyfile {folder}/other.key`,
    check: /:4:1: error: Server certificate\/key are inconsistent - certfile and keyfile must belong together$/m,
    ends: 3,
  },
  {
    what: 'a certificate that is over',
    text: `${LISTENER}certfile {folder}/over.crt\nkeyfile {folder}/over.key`,
    check: /:3:1: warning: Clients will refuse certificate "\S+over\.crt": it ended on \d{4}-\d\d-\d\d/,
    ends: 'runs',
  },
  {
    what: 'a time with a blank in it',
    text: `${LISTENER}persistent_client_expiration 2 weeks`,
    check: /:3:30: error: Invalid persistent_client_expiration duration in configuration - write 2w$/m,
    ends: 3,
  },
  {
    what: 'a number as 1e3',
    text: `${LISTENER}max_queued_messages 1e3`,
    check: /:3:21: error: Invalid max_queued_messages value \(1e3\) - write 1000$/m,
    ends: 3,
  },
  {
    what: 'log_dest with a path and no "file"',
    text: `${LISTENER}log_dest {folder}/midge.log`,
    check: /:3:10: error: Invalid log_dest value \((\S+midge\.log)\) - write log_dest file \1$/m,
    ends: 3,
  },
  {
    what: 'an equals sign',
    text: 'port=18831',
    check: /:1:1: error: Cannot read port: there is no = between a word and its value - write a space instead: port \.\.\.$/m,
    ends: 3,
  },
  {
    what: 'persistence_file that is a folder',
    text: `${LISTENER}persistence_file {folder}/data`,
    check: /:3:1: error: Cannot open database "\S+data": it is a folder - name another file with persistence_file$/m,
    ends: 3,
  },
  {
    what: 'persistence_file that is the state folder',
    text: `${LISTENER}persistence_file .`,
    check: /:3:1: error: Cannot open database "\S+": it is the state folder - name a file in it with persistence_file$/m,
    ends: 3,
  },
  {
    what: 'persistence_file that is a device',
    text: `${LISTENER}persistence_file ${DEVICE}`,
    check: /:3:1: error: Cannot open database "\S+": it is a device - name another file with persistence_file$/m,
    ends: 3,
  },
  {
    what: 'persistence_file that is a FIFO',
    text: `${LISTENER}persistence_file {folder}/fifo`,
    check: /:3:1: error: Cannot open database "\S+fifo": it is .+ - name another file with persistence_file$/m,
    ends: 3,
  },
  {
    what: 'persistence_file that is a link',
    text: `${LISTENER}persistence_file {folder}/link`,
    check: /:3:1: error: Cannot open database "\S+link": it is a .*link.* - name another file with persistence_file$/m,
    ends: 3,
  },
  {
    what: 'persistence_file that is no database',
    text: `${LISTENER}persistence_file {folder}/data/shadow`,
    check: /:3:1: error: Cannot open database "\S+shadow": it is not a database of midge - name another file with persistence_file$/m,
    ends: 3,
  },
  {
    what: 'persistence_file of another program',
    text: `${LISTENER}persistence_file {folder}/foreign.db`,
    check: /:3:1: error: Cannot open database "\S+foreign\.db": it is .+ - name another file with persistence_file$/m,
    ends: 3,
  },
  {
    what: 'persistence_file of mosquitto',
    text: `${LISTENER}persistence_file {folder}/data/mosquitto.db`,
    check:
      /:3:1: error: Cannot open database "\S+mosquitto\.db": it is mosquitto's database - name another file with persistence_file; midge import mosquitto takes over what is in it$/m,
    ends: 3,
  },
  {
    what: 'persistence_file of Windows',
    text: `${LISTENER}persistence_file c:/openhab/userdata/mqtt.db`,
    check: /:3:1?\d: error: .+c:\/openhab.+/,
    ends: 3,
  },
  {
    what: 'persistence_file in a folder that cannot be made',
    text: `${LISTENER}persistence_file /proc/midge/kept.db`,
    check: /:3:1: error: Cannot make database "\/proc\/midge\/kept\.db": nothing can be made in "\/proc" - name another place$/m,
    ends: 3,
  },
  {
    what: 'an empty persistence_file with persistence true',
    text: `${LISTENER}persistence true\npersistence_file`,
    check: /:4:1: error: Cannot use an empty persistence_file with persistence true - name a file, or remove one of the two$/m,
    ends: 3,
  },
  {
    what: 'a word that is written wrong',
    text: `${LISTENER}max_conections 10`,
    check: /:3:1: error: Unknown configuration variable "max_conections" - did you mean "max_connections"\?$/m,
    ends: 3,
  },
  {
    what: '--json without --test-config',
    text: LISTENER,
    words: ['--json'],
    check: null,
    serve:
      /^Error: --json goes with --test-config: it prints the mistakes of a configuration\. midge status --json tells of a running broker\.$/m,
    ends: 3,
  },
  {
    what: '-p above 65535',
    text: '',
    words: ['-p', '65536'],
    check: null,
    serve: /^Error: Invalid port specified \(65536\)\./m,
    ends: 3,
  },
  {
    what: '--tls-keylog into a folder that is not there',
    text: LISTENER,
    words: ['--tls-keylog', '/nowhere/keys'],
    check: null,
    serve: /Error: Cannot open --tls-keylog "\/nowhere\/keys": /,
    ends: 1,
    isLate: true,
  },
  {
    what: 'a listener on an address of another machine',
    text: 'listener 18831 192.0.2.1',
    check: /:1:1: error: Cannot open port 18831 on 192\.0\.2\.1: this machine does not have that address - it has 127\.0\.0\.1/,
    ends: 1,
  },
  {
    what: 'listeners on localhost and 127.0.0.1 of one port',
    text: `${LISTENER}listener 18831 localhost`,
    check: /:3:1: error: Cannot open two listeners on port 18831, already at \S+:1 - /,
    ends: 1,
  },
  {
    what: 'an IPv6 address with socket_domain ipv4',
    text: 'listener 18831 ::1\nsocket_domain ipv4',
    check:
      /:1:1: error: Cannot open port "18831": "::1" has no ipv4 address - change socket_domain, bind_interface or the listener's address$/m,
    ends: 1,
  },
  {
    what: 'a Unix socket in a folder that is not there',
    text: 'listener 0 /nowhere/midge.sock',
    check: /:1:1: error: Cannot write socket "\/nowhere\/midge\.sock": its folder is not there - make it: mkdir -p \/nowhere$/m,
    ends: 1,
  },
  {
    what: 'a Unix socket where a file is',
    text: 'listener 0 {folder}/passwd',
    check: /:1:1: error: Cannot open socket "\S+passwd": something else has this name - choose another path, or remove it$/m,
    ends: 1,
  },
  {
    what: 'pid_file that is a FIFO',
    text: `${LISTENER}pid_file {folder}/fifo`,
    check: /:3:1: error: Cannot write pid_file "\S+fifo": it is a FIFO or a socket, which may keep the broker waiting - name a file$/m,
    ends: 1,
  },
  {
    what: 'an ACL file that is a FIFO',
    text: `${LISTENER}acl_file {folder}/fifo`,
    check: /:3:1: error: Unable to open acl_file "\S+fifo" - it is a FIFO: name a file$/m,
    ends: 3,
  },
  {
    what: 'a certificate that is a FIFO',
    text: `${LISTENER}certfile {folder}/fifo\nkeyfile {folder}/server.key`,
    check: /:3:1: error: Unable to load server certificate "\S+fifo"\. Check certfile - it is a FIFO: name a file$/m,
    ends: 3,
  },
  {
    what: 'a capath without certificates',
    text: `${LISTENER}secure true\nrequire_certificate true\ncapath {folder}/data`,
    check: /:5:1: error: Cannot use capath "\S+data": it holds no file ending in \.pem or \.crt - put the certificates/,
    ends: 3,
  },
  {
    what: '-p 0 under the name mosquitto',
    text: '',
    program: 'mosquitto',
    words: ['-p', '0'],
    check: null,
    serve: /^Error: Invalid port specified \(0\)\./m,
    ends: 3,
  },
  {
    what: 'only max_connections',
    text: 'max_connections 10',
    words: ['-p', '0'],
    check: /^port 1883 \(MQTT\): anyone from this machine, without a user name$/m,
    serve: /Listening on port \d+ \(MQTT\): anyone from this machine, without a user name\.$/m,
    ends: 'runs',
  },
];

const DAY = 86_400_000;
const HASH = '$7$101$c2FsdHNhbHRzYWx0$/z13M86rS4mSIG8sEzuHPrnvmsOrg7vHsLnKJcCz5ew/zKAgFYVqH8cXZHFc1qFRWU2CqNqZjOzhJ4nwnOrM8A==';

/** prepareMistakes fills a folder with what the table names. */
export async function prepareMistakes(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  const write = (name: string, content: string | Buffer) => writeFileSync(at(name), content, { mode: 0o600 });
  mkdirSync(at('data'));
  mkdirSync(at('closed'), { mode: 0o555 });
  write('data/shadow', 'root:*:19000::::::\n');
  write('data/mosquitto.db', Buffer.from('00b5006d6f7371756974746f20646200000000', 'hex'));
  execFileSync('mkfifo', [at('fifo')]);
  if (IS_ROOT) execFileSync('mknod', [at('device'), 'c', '1', '3']);
  symlinkSync(at('data/shadow'), at('link'));
  const foreign = new DatabaseSync(at('foreign.db'));
  foreign.exec('CREATE TABLE orders (id INTEGER)');
  foreign.close();
  write('passwd', `bob:${HASH}\njane\n`);
  write('plain', 'jane:secret\n');
  write('acl', 'user anna\ntopic read #\n');
  write('commented', 'user bob # my son\ntopic readwrite home/#\n');
  const authority = await testAuthority();
  const server = await authority.issue('CN=localhost', new Date(Date.now() + 90 * DAY), new Date(Date.now() - DAY));
  const over = await authority.issue('CN=localhost', new Date(Date.now() - DAY), new Date(Date.now() - 2 * DAY));
  write('server.crt', server.cert);
  write('other.key', over.key);
  write('over.crt', over.cert);
  write('over.key', over.key);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  write('secret.key', privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }));
}
