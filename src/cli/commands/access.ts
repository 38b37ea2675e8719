// Commands about who may connect, and what they may do: their rows of the table.

import type { Command } from '../../terminal/command.ts';

/** ACCESS_COMMANDS are about who may connect, and what they may do. */
export const ACCESS_COMMANDS: readonly Command[] = [
  {
    name: 'passwd',
    mosquittoName: 'mosquitto_passwd',
    summary: 'Add, change, lock and delete accounts (like mosquitto_passwd)',
    usage: [
      '[-c | -D] [-H KIND] [-I N] FILE USER',
      '[-c] -b [-H KIND] [-I N] FILE USER PASSWORD',
      '-c [-b] - USER [PASSWORD]',
      '-U [-H KIND] [-I N] FILE',
      '{--lock | --unlock} FILE USER',
    ],
    description: [
      'midge passwd adds a user, or changes the password of a user. It asks for the password twice and does not show it. It replaces the file as a whole; only the owner can read the file, and the group if it could before. With - as the file, it only prints the line.',
      'A locked user cannot sign in until it is unlocked. It has a ! before the hash of its password in the file, and keeps it when the password changes. mosquitto lets it in neither.',
      'The running broker reads the file again at once: the old password ends, and a deleted or locked user is disconnected. If midge cannot reach the broker, it prints the command that makes the broker read the file. The exit status is 1 when the broker could not take the change over, because of a mistake in one of its files.',
    ],
    flags: [
      { short: 'c', summary: 'start a new file; the users of an old one are lost' },
      { short: 'b', summary: 'take the password from the command line; other users of the machine may see it' },
      { short: 'D', summary: 'delete the user' },
      { long: 'lock', summary: 'lock the user; its password stays' },
      { long: 'unlock', summary: 'let a locked user in again' },
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
      { text: 'Keep the devices of a user out for a while', command: 'midge passwd --lock /etc/midge/passwd joe' },
      { text: 'Add a user in a script', command: 'midge passwd -b /etc/midge/passwd lamp "$SECRET"' },
    ],
    operands: { most: 3, complete: 'file' },
    load: () => import('../passwd.ts'),
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
    load: () => import('../acl.ts'),
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
    load: () => import('../cert.ts'),
  },
];
