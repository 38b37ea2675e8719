// The one table of subcommands: main.ts, help, completions and "did you mean" read it. A new subcommand is one row here and one file.

import { CLIENT_REFUSED_FLAGS, PUB_FLAGS, RR_FLAGS, SUB_FLAGS } from './client-flags.ts';
import type { Command } from './command.ts';
import { CONTROL_FLAGS } from './control-flags.ts';

const COMMANDS_BUT_HELP: readonly Command[] = [
  {
    name: 'serve',
    summary: 'Run the broker',
    usage: ['[-c FILE] [-p PORT] [-v]', '--lan', '-c FILE --test-config'],
    description: [
      'Without a configuration file midge listens on ports 1883 (MQTT), 8883 (MQTT with TLS) and 9001 (WebSocket) of this machine only, and every program on this machine may connect.',
    ],
    flags: [
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'configuration file (the language of mosquitto.conf)', complete: 'file' },
      { short: 'p', long: 'port', value: 'PORT', summary: 'listen on this port', repeatable: true },
      { short: 'v', long: 'verbose', summary: 'log everything, like log_type all' },
      { short: 'q', long: 'quiet', summary: 'log nothing' },
      { short: 'd', long: 'daemon', summary: 'run in the background' },
      { long: 'lan', summary: 'serve the whole network: require an account, announce by mDNS' },
      { long: 'state', value: 'DIR', summary: 'folder for certificates and accounts', complete: 'directory' },
      { long: 'tls-keylog', value: 'FILE', summary: 'append the keys of all TLS connections to a file, for wireshark', complete: 'file' },
      { long: 'test-config', summary: 'report the mistakes in the configuration, and stop' },
      { long: 'json', summary: 'report the mistakes as JSON' },
    ],
    examples: [
      { text: 'Try it on this machine', command: 'midge serve' },
      { text: 'Serve the home network, with an account made at the first start', command: 'midge serve --lan' },
      { text: 'Use a configuration file and log everything', command: 'midge serve -c /etc/midge/midge.conf -v' },
    ],
    usageExitCode: 3,
    outlivesOutput: true,
    load: () => import('./serve.ts'),
  },
  {
    name: 'pub',
    summary: 'Publish messages (like mosquitto_pub)',
    usage: ['[-h HOST] [-p PORT] -t TOPIC {-m TEXT | -f FILE | -l | -n | -s}', '-L URL {-m TEXT | -f FILE | -l | -n | -s}'],
    description: [
      'The exit status is 0 for success, the reason code when the broker refuses, otherwise the number that mosquitto_pub gives. midge also reads flags from ~/.config/mosquitto_pub, one per line.',
    ],
    flags: PUB_FLAGS,
    refusedFlags: CLIENT_REFUSED_FLAGS,
    examples: [
      { text: 'Publish one message', command: 'midge pub -t kitchen/light -m on' },
      {
        text: 'Publish a value that the broker keeps, over TLS',
        command: 'midge pub -h midge.local --cafile ca.crt -t porch/temperature -m 21.5 -r -q 1',
      },
      { text: 'Publish each line that a program prints', command: 'vmstat 5 | midge pub -t host/vmstat -l' },
      { text: 'Publish over a WebSocket', command: 'midge pub -L ws://midge.local:9001/kitchen/light -m off' },
    ],
    readsArguments: true,
    load: () => import('./pub.ts'),
  },
  {
    name: 'sub',
    summary: 'Subscribe and print messages (like mosquitto_sub)',
    usage: ['[-h HOST] [-p PORT] -t FILTER ... [-v | -F FORMAT]', '-L URL'],
    description: [
      'The exit status is 0 for success, 27 when the time of -W is over, the reason code when the broker refuses, otherwise the number that mosquitto_sub gives. midge also reads flags from ~/.config/mosquitto_sub, one per line.',
    ],
    flags: SUB_FLAGS,
    refusedFlags: CLIENT_REFUSED_FLAGS,
    examples: [
      { text: 'Print all messages with their topics', command: "midge sub -t '#' -v" },
      { text: 'Print one value, and wait ten seconds at most', command: 'midge sub -t porch/temperature -C 1 -W 10' },
      { text: 'Print time, topic and payload', command: "midge sub -t 'porch/#' -F '@H:@M:@S  %-30t  %p'" },
      { text: 'Print one JSON object per message', command: "midge sub -t 'porch/#' -F %j" },
      { text: 'Delete all retained messages below a topic', command: "midge sub -t 'old/#' --remove-retained --retained-only -W 2" },
    ],
    readsArguments: true,
    load: () => import('./sub.ts'),
  },
  {
    name: 'rr',
    summary: 'Send a request and print the response (like mosquitto_rr)',
    usage: [
      '[-h HOST] [-p PORT] -t TOPIC -e TOPIC {-m TEXT | -f FILE | -n | -s} [-W SECONDS]',
      '-L URL -e TOPIC {-m TEXT | -f FILE | -n | -s}',
    ],
    description: [
      'With MQTT 5 the request carries the topic of -e to the responder; with -V 311 the responder must know the topic already. The exit status is 0 for success, 27 when the time of -W is over, the reason code when the broker refuses, otherwise the number that mosquitto_rr gives. midge also reads flags from ~/.config/mosquitto_rr, one per line.',
    ],
    flags: RR_FLAGS,
    refusedFlags: CLIENT_REFUSED_FLAGS,
    examples: [
      { text: 'Ask a device, and wait five seconds at most', command: 'midge rr -t cmnd/plug/STATUS -e stat/plug/STATUS -m 0 -W 5' },
    ],
    readsArguments: true,
    load: () => import('./rr.ts'),
  },
  {
    name: 'check',
    summary: 'Find all mistakes in a configuration file',
    usage: ['[--json] FILE'],
    flags: [{ long: 'json', summary: 'report the mistakes as JSON' }],
    examples: [{ text: 'Report all mistakes at once, with file:line:column', command: 'midge check /etc/midge/midge.conf' }],
    operands: { most: 1, complete: 'file' },
    load: () => import('./check.ts'),
  },
  {
    name: 'config',
    summary: 'Show or change settings of the configuration file',
    usage: [
      '[-c FILE] [--origin] [--json] show',
      '[-c FILE] [--listener PORT] [--origin] [--json] get WORD',
      '[-c FILE] [--listener PORT] set WORD VALUE...',
      '[-c FILE] [--listener PORT] unset WORD',
    ],
    description: [
      'set and unset change only the line of the setting, in the file where it stands; comments and order stay. A new setting goes below its example in the main file, or into settings.conf of the include_dir. midge checks the whole configuration before it writes anything. Then the running broker takes the change over; if it cannot, midge takes the change back.',
      'Without -c, midge uses /etc/midge/midge.conf. --listener names the listener that a setting is for.',
    ],
    flags: [
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'main file of the configuration', complete: 'file' },
      { long: 'listener', value: 'PORT', summary: 'port, or path, of the listener that the setting is for' },
      { long: 'origin', summary: 'print file and line before each value' },
      { long: 'json', summary: 'print the settings as JSON' },
    ],
    examples: [
      { text: 'Let phones find the broker by another name', command: "sudo midge config set mdns_name 'Living room'" },
      { text: 'Show where each setting stands', command: 'midge config show --origin' },
    ],
    operands: { most: 100, choices: ['show', 'get', 'set', 'unset'] },
    usageExitCode: 2,
    load: () => import('./config.ts'),
  },
  {
    name: 'passwd',
    summary: 'Add, change and delete accounts (like mosquitto_passwd)',
    usage: [
      '[-c | -D] [-H KIND] [-I N] FILE USER',
      '[-c] -b [-H KIND] [-I N] FILE USER PASSWORD',
      '-c [-b] - USER [PASSWORD]',
      '-U [-H KIND] [-I N] FILE',
    ],
    description: [
      'midge passwd adds a user, or changes the password of a user. It asks for the password twice and does not show it. It replaces the file as a whole; only the owner can read the file, and the group if it could before. With - as the file, it only prints the line.',
      'The running broker reads the file again at once: the old password ends, and a deleted user is disconnected. If midge cannot reach the broker, it prints the command that makes the broker read the file. The exit status is 1 when the broker could not take the change over, because of a mistake in one of its files.',
    ],
    flags: [
      { short: 'c', summary: 'start a new file; the users of an old one are lost' },
      { short: 'b', summary: 'take the password from the command line; other users of the machine may see it' },
      { short: 'D', summary: 'delete the user' },
      { short: 'U', summary: 'hash the plain passwords in a file' },
      {
        short: 'H',
        value: 'KIND',
        summary: 'argon2id [default]; sha512-pbkdf2 and sha512 for mosquitto before 2.1',
        choices: ['argon2id', 'sha512-pbkdf2', 'sha512'],
      },
      { short: 'I', value: 'N', summary: 'rounds of sha512-pbkdf2 [1000], passes of argon2id [1]' },
      { long: 'state', value: 'DIR', summary: 'state folder of the broker that reads the file', complete: 'directory' },
    ],
    examples: [
      { text: 'Start a new file with its first user', command: 'midge passwd -c /etc/midge/passwd jane' },
      { text: 'Add a user that mosquitto 2.0 can read too', command: 'midge passwd -H sha512-pbkdf2 /etc/midge/passwd joe' },
      { text: 'Add a user in a script', command: 'midge passwd -b /etc/midge/passwd lamp "$SECRET"' },
    ],
    operands: { most: 3, complete: 'file' },
    load: () => import('./passwd.ts'),
  },
  {
    name: 'acl',
    summary: 'Show who may do what, and which line says so',
    usage: [
      'check [--user U] [--client C] publish TOPIC {-c FILE | --acl FILE}',
      'check [--user U] [--client C] receive TOPIC {-c FILE | --acl FILE}',
      'check [--user U] [--client C] subscribe FILTER {-c FILE | --acl FILE}',
      'who TOPIC {-c FILE | --acl FILE}',
    ],
    description: [
      'Without --user, midge answers for clients that have no user name. Without --client, it answers for any client id, and patterns with %c do not count. The exit status of check is 0 when the client may, 1 when it may not; that of who is 0 when somebody may, 1 when nobody may. It is 2 when midge cannot tell.',
    ],
    flags: [
      { short: 'u', long: 'user', value: 'USER', summary: 'user name of the client' },
      { long: 'client', value: 'ID', summary: 'client id of the client' },
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'configuration that names acl_file and password_file', complete: 'file' },
      { long: 'acl', value: 'FILE', summary: 'ACL file, instead of a configuration', complete: 'file' },
      {
        long: 'listener',
        value: 'PORT',
        summary: 'port of the listener whose rules count (with per_listener_settings)',
      },
      { long: 'json', summary: 'print JSON' },
    ],
    examples: [
      { text: 'Find out why nothing arrives', command: 'midge acl check -u fred subscribe owntracks/# -c /etc/midge/midge.conf' },
      { text: 'Check whether a lamp may switch itself on', command: 'midge acl check --client lamp publish devices/lamp/on --acl acl' },
      { text: 'List who sees where Anna is', command: 'midge acl who owntracks/anna/phone -c /etc/midge/midge.conf' },
    ],
    operands: { most: 3, choices: ['check', 'who'] },
    usageExitCode: 2,
    load: () => import('./acl.ts'),
  },
  {
    name: 'status',
    summary: 'Show how the running broker and its machine are doing',
    usage: ['[--json] [--state DIR | -c FILE]'],
    description: [
      'The exit status is 1 when something needs attention: the store, the clock, the power supply, a certificate that has expired, a reload that has failed.',
      'The numbers of clients and messages do not include the $SYS tree and the messages by which the broker tests itself for a watchdog.',
    ],
    flags: [...CONTROL_FLAGS, { long: 'json', summary: 'print JSON' }],
    examples: [{ text: 'Show the broker that runs as a service', command: 'sudo midge status' }],
    load: () => import('./status.ts'),
  },
  {
    name: 'why',
    summary: 'Show which clients the running broker refused, and why',
    usage: ['[--json] [--state DIR | -c FILE] [ADDRESS | CLIENT | USER]'],
    flags: [...CONTROL_FLAGS, { long: 'json', summary: 'print JSON' }],
    examples: [
      { text: 'List all recent refusals', command: 'sudo midge why' },
      { text: 'Find out why a phone does not connect', command: 'sudo midge why 192.168.1.23' },
    ],
    operands: { most: 1 },
    load: () => import('./why.ts'),
  },
  {
    name: 'cert',
    summary: 'Issue and revoke client certificates',
    usage: ['client NAME [--out DIR]', 'revoke NAME | SERIAL', 'list [--json]', 'show NAME | SERIAL', 'export-ca', 'export-crl'],
    description: [
      "The broker's own authority, made at the first start, signs the certificates. A listener with secure true and require_certificate true accepts them; use_identity_as_username true makes NAME the user name. A running broker refuses a revoked certificate at once.",
      'midge looks for the authority where the broker does: in the folder of --state, in persistence_location of the configuration, or in the usual state folder.',
    ],
    flags: [
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'configuration of the broker', complete: 'file' },
      { long: 'state', value: 'DIR', summary: 'state folder of the broker', complete: 'directory' },
      { long: 'out', value: 'DIR', summary: 'folder for NAME.crt, NAME.key and NAME.p12 [current folder]', complete: 'directory' },
      { long: 'json', summary: 'print the list as JSON' },
    ],
    examples: [
      { text: 'Make a certificate for a phone', command: 'midge cert client anna-phone' },
      { text: 'Revoke the certificate of a lost phone', command: 'midge cert revoke anna-phone' },
      { text: 'Export the certificate that every device must trust', command: 'midge cert export-ca > ca.crt' },
    ],
    operands: { most: 2, choices: ['client', 'revoke', 'list', 'show', 'export-ca', 'export-crl'] },
    load: () => import('./cert.ts'),
  },
  {
    name: 'backup',
    summary: 'Write state and configuration into one file',
    usage: ['[--state DIR | -c FILE] FILE'],
    description: [
      'The file (tar.gz, mode 0600) holds sessions, queued and retained messages, accounts, access rules, certificates with their keys, and the configuration. Keep it as safe as the broker itself.',
      'If the broker does not run, -c names its configuration.',
    ],
    flags: CONTROL_FLAGS,
    examples: [{ text: 'Save a backup with its date in the name', command: 'sudo midge backup /mnt/nas/midge-$(date +%F).tar.gz' }],
    operands: { most: 1, complete: 'file' },
    usageExitCode: 2,
    load: () => import('./backup.ts'),
  },
  {
    name: 'restore',
    summary: 'Put a backup back in place',
    usage: [
      '[--state DIR | -c FILE] [--state-only] [--allow PATH]... [--yes] FILE',
      '[--state DIR | -c FILE] --before-upgrade',
      '[--state DIR | -c FILE] --finish',
    ],
    description: [
      'Stop the broker first. midge unpacks and checks the backup before it changes anything, and puts all of it in place or nothing. It keeps the old files in before-TIME in the state folder. After a power cut the next start completes the restore; if only root may write the configuration, --finish completes it.',
      'midge first lists what it writes. Configuration files go back to their old places below /etc/midge and the folder of -c FILE; --allow must name every other path. Restore only backups that you have made yourself.',
      'Revoked certificates stay revoked. midge asks before an old account, password, access rule, revocation list or certificate authority comes back.',
      '--before-upgrade is for the way back to an older midge. A newer midge that must change the database keeps the old database for a week. Messages that came after the upgrade stay in a file of their own; the older midge does not see them.',
    ],
    flags: [
      ...CONTROL_FLAGS,
      { long: 'allow', value: 'PATH', summary: 'also write this file outside these folders', repeatable: true, complete: 'file' },
      { long: 'yes', summary: 'do not ask before old accounts, rules and keys come back' },
      { long: 'state-only', summary: 'leave the configuration as it is' },
      { long: 'finish', summary: 'complete a restore that a power cut has interrupted' },
      { long: 'before-upgrade', summary: 'put back the database from before the upgrade' },
    ],
    examples: [
      { text: 'Restore on a new card', command: 'sudo midge restore /mnt/nas/midge-2026-01-31.tar.gz' },
      { text: 'Go back after an older midge was installed again', command: 'sudo midge restore --before-upgrade' },
    ],
    operands: { most: 1, complete: 'file' },
    usageExitCode: 2,
    load: () => import('./restore.ts'),
  },
  {
    name: 'import',
    summary: "Take over a mosquitto, or openHAB's embedded broker",
    usage: ['mosquitto [--out DIR] [--state DIR] [--dry-run] [--json] FILE | FOLDER', 'openhab [--out DIR] [--dry-run] [--json] FILE'],
    description: [
      'midge takes over a mosquitto.conf with its password and ACL files, and mosquitto.db with its sessions, subscriptions, queued and retained messages. Stop mosquitto first, so that its database is complete. midge changes none of its files.',
      'The report says what becomes of every line: taken, same meaning, without effect, refused, left out. The exit status is 1 when a line of the configuration is refused.',
    ],
    flags: [
      {
        long: 'out',
        value: 'DIR',
        summary: 'folder for midge.conf, passwd and acl [/etc/midge, or ~/.config/midge]',
        complete: 'directory',
      },
      { long: 'state', value: 'DIR', summary: 'state folder of the broker', complete: 'directory' },
      { long: 'dry-run', summary: 'only report; write nothing' },
      { long: 'json', summary: 'print JSON' },
    ],
    examples: [
      { text: 'Show what would become of each line', command: 'sudo midge import mosquitto --dry-run /etc/mosquitto' },
      { text: 'Take over the database only', command: 'midge import mosquitto /var/lib/mosquitto/mosquitto.db' },
      { text: 'Take over the broker inside openHAB 2', command: 'sudo midge import openhab /etc/openhab2/services/mqttembeddedbroker.cfg' },
    ],
    operands: { most: 2, choices: ['mosquitto', 'openhab'], complete: 'file' },
    usageExitCode: 2,
    load: () => import('./import.ts'),
  },
  {
    name: 'discover',
    summary: 'Find the brokers on the network (mDNS)',
    usage: ['[--timeout SECONDS] [--json]'],
    flags: [
      { short: 't', long: 'timeout', value: 'SECONDS', summary: 'how long to listen [3]' },
      { long: 'json', summary: 'print the brokers as JSON' },
    ],
    examples: [{ text: 'List the brokers', command: 'midge discover' }],
    load: () => import('./discover.ts'),
  },
  {
    name: 'install',
    summary: 'Make this executable a service of the machine, or upgrade it',
    usage: ['[--user NAME] [--password-file FILE] [--with-mosquitto-names] [--within SECONDS] [--dry-run]'],
    description: [
      'midge copies itself to /usr/local/bin. It creates a user, a configuration (/etc/midge/midge.conf), a state folder (/var/lib/midge), the first account and a systemd service, and starts the service. It never changes a configuration or accounts that exist.',
      'If a new version is not healthy within a minute (or --within), midge goes back to the old version by itself. It keeps the old version as /usr/local/bin/midge.old until the new one has proved healthy. Run the command again to continue an upgrade that was interrupted.',
    ],
    flags: [
      { long: 'user', value: 'NAME', summary: 'name of the first account [midge]; midge makes its password and shows it once' },
      {
        long: 'password-file',
        value: 'FILE',
        summary: 'take its password from the first line of FILE; - reads standard input',
        complete: 'file',
      },
      {
        long: 'with-mosquitto-names',
        summary: 'add the names mosquitto_pub, mosquitto_sub, mosquitto_rr and mosquitto_passwd where these programs are missing',
      },
      { long: 'within', value: 'SECONDS', summary: 'time to become healthy, for slow machines and large databases [60]' },
      { long: 'dry-run', summary: 'only show every step' },
    ],
    examples: [
      { text: 'Show what would happen', command: './midge install --dry-run' },
      { text: 'Run a broker on this machine from now on', command: 'sudo ./midge install --user jane' },
    ],
    load: () => import('./install.ts'),
  },
  {
    name: 'uninstall',
    summary: 'Remove the service',
    usage: ['[--purge] [--dry-run]'],
    flags: [
      { long: 'purge', summary: 'also remove configuration, accounts, certificates and messages' },
      { long: 'dry-run', summary: 'only show every step' },
    ],
    examples: [{ text: 'Remove everything', command: 'sudo midge uninstall --purge' }],
    load: () => import('./uninstall.ts'),
  },
  {
    name: 'completions',
    summary: 'Print completions for a shell',
    usage: ['bash | zsh | fish'],
    flags: [],
    examples: [
      { text: 'Install them in bash, for this user', command: 'midge completions bash > ~/.local/share/bash-completion/completions/midge' },
      { text: 'Install them in zsh, in a folder of $fpath', command: 'midge completions zsh > ~/.zfunc/_midge' },
      { text: 'Install them in fish', command: 'midge completions fish > ~/.config/fish/completions/midge.fish' },
    ],
    operands: { most: 1, choices: ['bash', 'zsh', 'fish'] },
    load: () => import('./completions.ts'),
  },
  {
    name: 'version',
    summary: 'Show version, commit and platform',
    usage: ['[--json]'],
    flags: [{ long: 'json', summary: 'print JSON' }],
    examples: [],
    load: () => import('./version.ts'),
  },
];

/** HIDDEN_COMMANDS are run by units of the image: neither help nor completions speak of them. */
const HIDDEN_COMMANDS: readonly Command[] = [
  {
    name: 'boot',
    summary: 'Apply the settings on the boot partition of the image, or write the report there',
    usage: ['apply | broker | report [broker]'],
    flags: [],
    examples: [],
    operands: { most: 2, choices: ['apply', 'broker', 'report'] },
    load: () => import('./boot.ts'),
  },
];

/** COMMANDS in the order that help shows them. */
export const COMMANDS: readonly Command[] = [
  ...COMMANDS_BUT_HELP,
  {
    name: 'help',
    summary: 'Show help for a command',
    usage: ['[COMMAND]'],
    flags: [],
    examples: [],
    operands: { most: 1, choices: COMMANDS_BUT_HELP.map((each) => each.name) },
    load: () => import('./help.ts'),
  },
];

/** findCommand gives the row of a command, also of a hidden one. */
export function findCommand(name: string): Command | undefined {
  return [...COMMANDS, ...HIDDEN_COMMANDS].find((each) => each.name === name);
}
