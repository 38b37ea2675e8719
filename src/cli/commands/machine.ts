// Commands about the machine: midge as a service of it: their rows of the table.

import type { Command } from '../../terminal/command.ts';

/** MACHINE_COMMANDS are about the machine: midge as a service of it. */
export const MACHINE_COMMANDS: readonly Command[] = [
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
        summary: 'add the names mosquitto_pub, _sub, _rr, _passwd and _ctrl where these programs are missing',
      },
      { long: 'within', value: 'SECONDS', summary: 'time to become healthy, for slow machines and large databases [60]' },
      { long: 'dry-run', summary: 'only show every step' },
    ],
    examples: [
      { text: 'Show what would happen', command: './midge install --dry-run' },
      { text: 'Run a broker on this machine from now on', command: 'sudo ./midge install --user jane' },
    ],
    load: () => import('../install.ts'),
  },
  {
    name: 'upgrade',
    summary: 'Upgrade the installed service from a signed release',
    usage: ['[--dry-run] [--within SECONDS] [--allow-downgrade] [--allow-stale] [FILE | URL]'],
    description: [
      'Without FILE or URL, midge takes the newest release from updates_url of the configuration. FILE or URL is a release: its manifest.json, the folder with it (a URL ends in /), or the executable with the manifest beside it. midge verifies the signature of the manifest (manifest.json.minisig) with the public key that this build carries, or with a key in /etc/midge-release-keys/. Then it fetches the executable for this machine, compares size and checksum, and has the new version install itself, as midge install does: the service is restarted, and if it is not healthy within a minute (or --within), midge goes back to the old version and shows why.',
      'midge refuses an older version, a file for another machine, a file that was changed or truncated, and a manifest that is no longer fresh: somebody could show you an old one to hide a newer release.',
      'On the card image, midge takes the update of the card (midge-VERSION-arm64.raucb) from the release, or such a file without a manifest. RAUC verifies its signature and writes it into the system that does not run; /usr/libexec/midge/slots try restarts the Pi with it, once. --within is not used there.',
    ],
    flags: [
      { long: 'dry-run', summary: 'fetch and verify everything, then only show every step' },
      { long: 'within', value: 'SECONDS', summary: 'time to become healthy, for slow machines and large databases [60]' },
      { long: 'allow-downgrade', summary: 'also take an older version' },
      { long: 'allow-stale', summary: 'also take a manifest that is no longer fresh' },
      {
        short: 'c',
        long: 'config-file',
        value: 'FILE',
        summary: 'configuration with updates_url [/etc/midge/midge.conf]',
        complete: 'file',
      },
      { long: 'requested', summary: 'answer a request of the broker: for midge-upgrade.service only' },
    ],
    examples: [
      { text: 'Upgrade from a release that you have downloaded', command: 'sudo midge upgrade midge-0.2.0-linux-arm64' },
      { text: 'Show what would happen', command: 'midge upgrade --dry-run https://example.org/midge/latest/' },
    ],
    operands: { most: 1, complete: 'file' },
    load: () => import('../upgrade.ts'),
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
    load: () => import('../uninstall.ts'),
  },
];

/** HIDDEN_COMMANDS are run by units of the image: neither help nor completions speak of them. */
export const HIDDEN_COMMANDS: readonly Command[] = [
  {
    name: 'boot',
    summary: 'Apply the settings on the boot partition of the image, or write the report there',
    usage: ['apply | broker | report [broker]'],
    flags: [],
    examples: [],
    operands: { most: 2, choices: ['apply', 'broker', 'report'] },
    load: () => import('../boot.ts'),
  },
];
