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
      'Without a configuration file it listens on this machine only: 1883 (MQTT), 8883 (MQTT with TLS), 9001 (WebSocket), anybody here may connect.',
    ],
    flags: [
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'configuration file (the language of mosquitto.conf)', complete: 'file' },
      { short: 'p', long: 'port', value: 'PORT', summary: 'listen on this port', repeatable: true },
      { short: 'v', long: 'verbose', summary: 'log everything, as log_type all does' },
      { short: 'q', long: 'quiet', summary: 'log nothing' },
      { short: 'd', long: 'daemon', summary: 'go to the background' },
      { long: 'lan', summary: 'serve the whole network, announced by mDNS, with an account' },
      { long: 'state', value: 'DIR', summary: 'folder for certificates and accounts', complete: 'directory' },
      { long: 'tls-keylog', value: 'FILE', summary: 'add the keys of all TLS connections to a file, for wireshark', complete: 'file' },
      { long: 'test-config', summary: 'read the configuration, say what is wrong with it, and stop' },
      { long: 'json', summary: 'what is wrong with it as JSON, for machines' },
    ],
    examples: [
      { text: 'Try it on this machine', command: 'midge serve' },
      { text: 'For the home network, with an account that is made at first start', command: 'midge serve --lan' },
      { text: 'With a configuration file, everything logged', command: 'midge serve -c /etc/midge/midge.conf -v' },
    ],
    usageExitCode: 3,
    outlivesOutput: true,
    load: () => import('./serve.ts'),
  },
  {
    name: 'pub',
    summary: 'Publish messages (as mosquitto_pub)',
    usage: ['[-h HOST] [-p PORT] -t TOPIC {-m TEXT | -f FILE | -l | -n | -s}', '-L URL {-m TEXT | -f FILE | -l | -n | -s}'],
    description: [
      'The exit status is 0, the reason code of a refusal, or the number that mosquitto_pub gives. Flags that are always wanted may stand in ~/.config/mosquitto_pub, one a line.',
    ],
    flags: PUB_FLAGS,
    refusedFlags: CLIENT_REFUSED_FLAGS,
    examples: [
      { text: 'One message', command: 'midge pub -t kitchen/light -m on' },
      {
        text: 'A value that the broker keeps, over TLS',
        command: 'midge pub -h midge.local --cafile ca.crt -t porch/temperature -m 21.5 -r -q 1',
      },
      { text: 'One message per line of a program', command: 'vmstat 5 | midge pub -t host/vmstat -l' },
      { text: 'Over a WebSocket', command: 'midge pub -L ws://midge.local:9001/kitchen/light -m off' },
    ],
    readsArguments: true,
    load: () => import('./pub.ts'),
  },
  {
    name: 'sub',
    summary: 'Subscribe and print messages (as mosquitto_sub)',
    usage: ['[-h HOST] [-p PORT] -t FILTER ... [-v | -F FORMAT]', '-L URL'],
    description: [
      'The exit status is 0, 27 when -W ran out, the reason code of a refusal, or the number that mosquitto_sub gives. Flags that are always wanted may stand in ~/.config/mosquitto_sub, one a line.',
    ],
    flags: SUB_FLAGS,
    refusedFlags: CLIENT_REFUSED_FLAGS,
    examples: [
      { text: 'Everything, with topics', command: "midge sub -t '#' -v" },
      { text: 'One value, waiting ten seconds at most', command: 'midge sub -t porch/temperature -C 1 -W 10' },
      { text: 'Time, topic and payload', command: "midge sub -t 'porch/#' -F '@H:@M:@S  %-30t  %p'" },
      { text: 'One JSON object per message', command: "midge sub -t 'porch/#' -F %j" },
      { text: 'Delete all retained messages below a topic', command: "midge sub -t 'old/#' --remove-retained --retained-only -W 2" },
    ],
    readsArguments: true,
    load: () => import('./sub.ts'),
  },
  {
    name: 'rr',
    summary: 'Send a request and print the response (as mosquitto_rr)',
    usage: [
      '[-h HOST] [-p PORT] -t TOPIC -e TOPIC {-m TEXT | -f FILE | -n | -s} [-W SECONDS]',
      '-L URL -e TOPIC {-m TEXT | -f FILE | -n | -s}',
    ],
    description: [
      'MQTT 5 tells the responder the topic of -e; with -V 311 it must know it. The exit status is 0, 27 when -W ran out, the reason code of a refusal, or the number that mosquitto_rr gives. Flags that are always wanted may stand in ~/.config/mosquitto_rr, one a line.',
    ],
    flags: RR_FLAGS,
    refusedFlags: CLIENT_REFUSED_FLAGS,
    examples: [{ text: 'Ask a device, five seconds long', command: 'midge rr -t cmnd/plug/STATUS -e stat/plug/STATUS -m 0 -W 5' }],
    readsArguments: true,
    load: () => import('./rr.ts'),
  },
  {
    name: 'check',
    summary: 'Find all mistakes in a configuration file',
    usage: ['[--json] FILE'],
    flags: [{ long: 'json', summary: 'diagnostics as JSON, for machines' }],
    examples: [{ text: 'All mistakes at once, with file:line:column', command: 'midge check /etc/midge/midge.conf' }],
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
      'Only the line of the setting changes, in the file where it stands; comments and order stay. What stood nowhere goes below its example in the main file, or into settings.conf of the include_dir. The whole configuration is checked before anything is written, the running broker takes it over, and where it cannot, the change is taken back.',
      'Without -c it is /etc/midge/midge.conf. --listener says which listener a setting of listeners is for.',
    ],
    flags: [
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'main file of the configuration', complete: 'file' },
      { long: 'listener', value: 'PORT', summary: 'port, or path, of the listener that the setting is for' },
      { long: 'origin', summary: 'file and line before each value' },
      { long: 'json', summary: 'settings as JSON, for machines' },
    ],
    examples: [
      { text: 'Let phones find it by another name', command: "sudo midge config set mdns_name 'Living room'" },
      { text: 'Where does it say so', command: 'midge config show --origin' },
    ],
    operands: { most: 100, choices: ['show', 'get', 'set', 'unset'] },
    usageExitCode: 2,
    load: () => import('./config.ts'),
  },
  {
    name: 'passwd',
    summary: 'Write password files (as mosquitto_passwd)',
    usage: [
      '[-c | -D] [-H KIND] [-I N] FILE USER',
      '[-c] -b [-H KIND] [-I N] FILE USER PASSWORD',
      '-c [-b] - USER [PASSWORD]',
      '-U [-H KIND] [-I N] FILE',
    ],
    description: [
      'Adds a user, or gives a user another password. The password is asked for twice and not shown. The file can be read by its owner, and by its group if it could be before; it is replaced whole. With - for the file, the line is only printed.',
      'The broker of this machine that reads the file is asked to read it again at once: the old password ends, and a deleted user is disconnected. Where it cannot be asked, the command that does it is printed. The exit status is 1 when it could not take the change over, because of a mistake in one of its files.',
    ],
    flags: [
      { short: 'c', summary: 'start a new file: users of an old one are lost' },
      { short: 'b', summary: 'take the password from the command line, where others may see it' },
      { short: 'D', summary: 'delete the user' },
      { short: 'U', summary: 'hash the plain passwords of a file' },
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
      { text: 'The first user of a new file', command: 'midge passwd -c /etc/midge/passwd jane' },
      { text: 'One more, for mosquitto 2.0 too', command: 'midge passwd -H sha512-pbkdf2 /etc/midge/passwd joe' },
      { text: 'Without somebody who asks', command: 'midge passwd -b /etc/midge/passwd lamp "$SECRET"' },
    ],
    operands: { most: 3, complete: 'file' },
    load: () => import('./passwd.ts'),
  },
  {
    name: 'acl',
    summary: 'Tell who may do what, and by which line',
    usage: [
      'check [--user U] [--client C] publish TOPIC {-c FILE | --acl FILE}',
      'check [--user U] [--client C] receive TOPIC {-c FILE | --acl FILE}',
      'check [--user U] [--client C] subscribe FILTER {-c FILE | --acl FILE}',
      'who TOPIC {-c FILE | --acl FILE}',
    ],
    description: [
      'Without --user it is about clients without a user name; without --client about those with any id, for whom patterns with %c do not count. The exit status is 0 when it is allowed (who: when there is somebody), 1 when not, 2 when that cannot be told.',
    ],
    flags: [
      { short: 'u', long: 'user', value: 'USER', summary: 'user name of the client' },
      { long: 'client', value: 'ID', summary: 'its client id' },
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'configuration that names acl_file and password_file', complete: 'file' },
      { long: 'acl', value: 'FILE', summary: 'ACL file, without a configuration', complete: 'file' },
      {
        long: 'listener',
        value: 'PORT',
        summary: 'whose clients are meant, where each listener has its own rules (per_listener_settings)',
      },
      { long: 'json', summary: 'the same as JSON, for machines' },
    ],
    examples: [
      { text: 'Why does nothing arrive', command: 'midge acl check -u fred subscribe owntracks/# -c /etc/midge/midge.conf' },
      { text: 'May this lamp switch itself on', command: 'midge acl check --client lamp publish devices/lamp/on --acl acl' },
      { text: 'Who sees where Anna is', command: 'midge acl who owntracks/anna/phone -c /etc/midge/midge.conf' },
    ],
    operands: { most: 3, choices: ['check', 'who'] },
    usageExitCode: 2,
    load: () => import('./acl.ts'),
  },
  {
    name: 'status',
    summary: 'Tell how the running broker and its machine fare',
    usage: ['[--json] [--state DIR | -c FILE]'],
    description: [
      'The exit status is 1 when something needs a person: the store, the clock, the power supply, a certificate that ended, a reload that failed.',
      'Clients and messages are those of others: the test of itself that a watchdog asks for, and the $SYS tree, are not counted.',
    ],
    flags: [...CONTROL_FLAGS, { long: 'json', summary: 'the same as JSON, for machines' }],
    examples: [{ text: 'The broker that runs as a service', command: 'sudo midge status' }],
    load: () => import('./status.ts'),
  },
  {
    name: 'why',
    summary: 'Tell who was turned away by the running broker, and why',
    usage: ['[--json] [--state DIR | -c FILE] [ADDRESS | CLIENT | USER]'],
    flags: [...CONTROL_FLAGS, { long: 'json', summary: 'the same as JSON, for machines' }],
    examples: [
      { text: 'Everything of late', command: 'sudo midge why' },
      { text: 'Why does this phone not connect', command: 'sudo midge why 192.168.1.23' },
    ],
    operands: { most: 1 },
    load: () => import('./why.ts'),
  },
  {
    name: 'cert',
    summary: 'Issue and revoke client certificates',
    usage: ['client NAME [--out DIR]', 'revoke NAME | SERIAL', 'list [--json]', 'show NAME | SERIAL', 'export-ca', 'export-crl'],
    description: [
      "They are signed by the appliance's own authority, which the broker makes at its first start, and let in by a listener with secure true and require_certificate true; use_identity_as_username true makes NAME the user name. A running broker turns a revoked one away at once.",
      'The authority is found as the broker finds it: by --state, by persistence_location in the configuration, or in its usual folder.',
    ],
    flags: [
      { short: 'c', long: 'config-file', value: 'FILE', summary: 'configuration of the broker', complete: 'file' },
      { long: 'state', value: 'DIR', summary: 'state folder of the broker', complete: 'directory' },
      { long: 'out', value: 'DIR', summary: 'where NAME.crt, NAME.key and NAME.p12 go [here]', complete: 'directory' },
      { long: 'json', summary: 'the list as JSON, for machines' },
    ],
    examples: [
      { text: 'For a phone', command: 'midge cert client anna-phone' },
      { text: 'The phone is lost', command: 'midge cert revoke anna-phone' },
      { text: 'What every device must trust', command: 'midge cert export-ca > ca.crt' },
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
      'Of a broker that does not run, -c says which configuration belongs to it.',
    ],
    flags: CONTROL_FLAGS,
    examples: [{ text: 'Every night', command: 'sudo midge backup /mnt/nas/midge-$(date +%F).tar.gz' }],
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
      'The broker must not run. The backup is unpacked and checked before anything changes; what was there is kept in the state folder, in before-TIME. All is put in place or nothing. A restore that a power cut interrupts is brought to its end by the next start; where only root may write the configuration, by --finish.',
      'It says first what it writes. The files of the configuration go back to where they were: below /etc/midge and the folder of -c FILE; each other path must be allowed by name. Restore only backups that you have made yourself.',
      'Revoked certificates stay revoked. Where an account, a password, a revocation list or another certificate authority of then would come back, it asks.',
      '--before-upgrade is for the way back to an older midge: a newer one that must change the database keeps it as it was for a week. What came after the upgrade is kept aside, but not seen by the older midge.',
    ],
    flags: [
      ...CONTROL_FLAGS,
      { long: 'allow', value: 'PATH', summary: 'also write this file, which lies elsewhere', repeatable: true, complete: 'file' },
      { long: 'yes', summary: 'bring back what was changed since without asking' },
      { long: 'state-only', summary: 'leave the configuration as it is' },
      { long: 'finish', summary: 'put in place what a power cut has left beside the files of the configuration' },
      { long: 'before-upgrade', summary: 'put back the database as it was before a newer midge changed it' },
    ],
    examples: [
      { text: 'On a new card', command: 'sudo midge restore /mnt/nas/midge-2026-01-31.tar.gz' },
      { text: 'After an older midge was installed again', command: 'sudo midge restore --before-upgrade' },
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
      'Takes a mosquitto.conf with the password and ACL files it names, and mosquitto.db: sessions, subscriptions, queued and retained messages. Nothing of mosquitto is changed; stop it before, so that its database is complete.',
      'Every line says what becomes of it: taken, same meaning, without effect, refused, left out. The exit status is 1 when a line of the configuration is refused.',
    ],
    flags: [
      { long: 'out', value: 'DIR', summary: 'where midge.conf, passwd and acl go [/etc/midge, or ~/.config/midge]', complete: 'directory' },
      { long: 'state', value: 'DIR', summary: 'state folder of the broker', complete: 'directory' },
      { long: 'dry-run', summary: 'only tell, write nothing' },
      { long: 'json', summary: 'the same as JSON, for machines' },
    ],
    examples: [
      { text: 'What would become of it', command: 'sudo midge import mosquitto --dry-run /etc/mosquitto' },
      { text: 'The database only', command: 'midge import mosquitto /var/lib/mosquitto/mosquitto.db' },
      { text: 'The broker inside openHAB 2', command: 'sudo midge import openhab /etc/openhab2/services/mqttembeddedbroker.cfg' },
    ],
    operands: { most: 2, choices: ['mosquitto', 'openhab'], complete: 'file' },
    usageExitCode: 2,
    load: () => import('./import.ts'),
  },
  {
    name: 'discover',
    summary: 'Find the brokers of the network (mDNS)',
    usage: ['[--timeout SECONDS] [--json]'],
    flags: [
      { short: 't', long: 'timeout', value: 'SECONDS', summary: 'how long to listen [3]' },
      { long: 'json', summary: 'the brokers as JSON, for machines' },
    ],
    examples: [{ text: 'Who is there', command: 'midge discover' }],
    load: () => import('./discover.ts'),
  },
  {
    name: 'install',
    summary: 'Make this executable a service of the machine, or upgrade it',
    usage: ['[--user NAME] [--password-file FILE] [--with-mosquitto-names] [--within SECONDS] [--dry-run]'],
    description: [
      'Copies itself to /usr/local/bin, makes user, configuration (/etc/midge/midge.conf), state folder (/var/lib/midge), the first account and a service of systemd, and starts it. What is there stays: configuration and accounts are never changed.',
      'An upgrade that is not healthy within a minute (or --within) goes back to the version before by itself. The one before is kept as /usr/local/bin/midge.old until the new one has proved healthy; one that was interrupted is tried anew.',
    ],
    flags: [
      { long: 'user', value: 'NAME', summary: 'first account [midge]; its password is made and shown once' },
      { long: 'password-file', value: 'FILE', summary: 'its password is the first line of FILE; - reads standard input', complete: 'file' },
      {
        long: 'with-mosquitto-names',
        summary: 'act as mosquitto_pub, mosquitto_sub, mosquitto_rr and mosquitto_passwd too, where these are not there',
      },
      { long: 'within', value: 'SECONDS', summary: 'how long it may take to be healthy, for slow machines and large databases [60]' },
      { long: 'dry-run', summary: 'only show every step' },
    ],
    examples: [
      { text: 'What would happen', command: './midge install --dry-run' },
      { text: 'A broker on this machine from now on', command: 'sudo ./midge install --user jane' },
    ],
    load: () => import('./install.ts'),
  },
  {
    name: 'uninstall',
    summary: 'Take the service away again',
    usage: ['[--purge] [--dry-run]'],
    flags: [
      { long: 'purge', summary: 'configuration, accounts, certificates and kept messages too' },
      { long: 'dry-run', summary: 'only show every step' },
    ],
    examples: [{ text: 'All of it', command: 'sudo midge uninstall --purge' }],
    load: () => import('./uninstall.ts'),
  },
  {
    name: 'completions',
    summary: 'Print completions for a shell',
    usage: ['bash | zsh | fish'],
    flags: [],
    examples: [
      { text: 'bash, for this user', command: 'midge completions bash > ~/.local/share/bash-completion/completions/midge' },
      { text: 'zsh, for a folder of $fpath', command: 'midge completions zsh > ~/.zfunc/_midge' },
      { text: 'fish', command: 'midge completions fish > ~/.config/fish/completions/midge.fish' },
    ],
    operands: { most: 1, choices: ['bash', 'zsh', 'fish'] },
    load: () => import('./completions.ts'),
  },
  {
    name: 'version',
    summary: 'Tell version, commit and platform',
    usage: ['[--json]'],
    flags: [{ long: 'json', summary: 'the same as JSON' }],
    examples: [],
    load: () => import('./version.ts'),
  },
];

/** HIDDEN_COMMANDS are run by units of the image: neither help nor completions speak of them. */
const HIDDEN_COMMANDS: readonly Command[] = [
  {
    name: 'boot',
    summary: 'Take up the boot partition of the image, or report to it',
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
