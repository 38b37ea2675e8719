// Commands about the state of a broker, and how it moves: their rows of the table.

import type { Command } from '../../terminal/command.ts';
import { CONTROL_FLAGS } from '../control-flags.ts';

/** STATE_COMMANDS are about the state of a broker, and how it moves. */
export const STATE_COMMANDS: readonly Command[] = [
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
    load: () => import('../backup.ts'),
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
    load: () => import('../restore.ts'),
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
    load: () => import('../import.ts'),
  },
  {
    name: 'db-dump',
    mosquittoName: 'mosquitto_db_dump',
    summary: "Show what is in mosquitto's database (like mosquitto_db_dump)",
    usage: ['[--stats | --client-stats | --json] FILE'],
    description: ["FILE is a mosquitto.db of mosquitto 1.6 or later. Sessions, subscriptions and messages come in the file's order."],
    flags: [
      { long: 'stats', summary: 'print only how many parts of each kind there are' },
      { long: 'client-stats', summary: 'print for each client its subscriptions (SC, bytes SS) and waiting messages (MC, MS)' },
      { long: 'json', summary: 'print JSON; payloads are in base64' },
    ],
    examples: [
      {
        text: 'List the retained topics',
        command: 'midge db-dump --json mosquitto.db | jq \'."base-messages"[] | select(.retain == 1).topic\'',
      },
    ],
    operands: { most: 1, complete: 'file' },
    load: () => import('../db-dump.ts'),
  },
];
