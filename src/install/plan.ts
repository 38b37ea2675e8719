// What `midge install` and `midge uninstall` do, as lists of steps: pure, so that --dry-run shows exactly what would happen.

import type { InstallFiles } from './files.ts';

/** PLACES on the machine that midge is installed on. */
export const PLACES = {
  executable: '/usr/local/bin/midge',
  /** The version that was healthy last, until the new one has proved that it is too. With its service: systemd does not read that name. */
  oldExecutable: '/usr/local/bin/midge.old',
  oldUnit: '/etc/systemd/system/midge.service.old',
  /** What an upgrade has fetched, until it is over. */
  download: '/usr/local/bin/midge.download',
  configuration: '/etc/midge/midge.conf',
  configurationFolder: '/etc/midge',
  moreConfiguration: '/etc/midge/conf.d',
  /** Earlier versions had them among the configuration, which the broker's user may write today. */
  oldReleaseKeys: '/etc/midge/release-keys',
  releaseKeys: '/etc/midge-release-keys',
  state: '/var/lib/midge',
  passwords: '/var/lib/midge/passwd',
  unit: '/etc/systemd/system/midge.service',
  /** Root's part of an update that the broker asks for, and where it keeps how that ended. */
  upgradeService: '/etc/systemd/system/midge-upgrade.service',
  upgradePath: '/etc/systemd/system/midge-upgrade.path',
  upgradeRecord: '/var/lib/midge-upgrade',
} as const;

/** USER is the name of the user and of the group that the broker runs as. */
export const USER = 'midge';

/** PROBATION: seconds after which a version that is not healthy goes, unless --within gives it longer. */
export const PROBATION = 60;

/** MOSQUITTO_NAMES are programs that midge is too, by its name. */
export const MOSQUITTO_NAMES = ['mosquitto_pub', 'mosquitto_sub', 'mosquitto_rr', 'mosquitto_passwd', 'mosquitto_ctrl'] as const;

/** Owner of a file: root, or the broker's user. */
export type Owner = 'root' | typeof USER;

/** Step is one change of the machine. `write` and `copy` replace a file whole or not at all. */
export type Step =
  | { readonly kind: 'run'; readonly command: readonly [string, ...string[]] }
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number; readonly owner: Owner }
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly text: string;
      readonly mode: number;
      readonly owner: Owner;
      readonly what: string;
    }
  | { readonly kind: 'copy'; readonly from: string; readonly to: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'remove'; readonly path: string };

/** Machine is what there is before. */
export interface Machine {
  /** This program's file. */
  readonly program: string;
  /** 'same' = byte for byte this program. */
  readonly executable: 'absent' | 'same' | 'other';
  /** 'way back' = an upgrade was interrupted before the version in place had proved healthy; 'outlived' = that one has proved itself since. */
  readonly oldExecutable: 'absent' | 'way back' | 'outlived';
  /** Text of the service of the old executable, null = there is none. */
  readonly oldUnit: string | null;
  readonly hasUser: boolean;
  /** 'own' = it reads the password file that an installation makes. */
  readonly configuration: 'absent' | 'own' | 'other';
  /** The folder of the configuration belongs to root: an earlier version, an import or a hand has made it. */
  readonly hasRootsConfiguration: boolean;
  /** Keys for releases lie in it, and nowhere else. */
  readonly hasOldReleaseKeys: boolean;
  /** Something of the state belongs to root. */
  readonly hasRootsState: boolean;
  /** The password file, if there is one. */
  readonly passwords: 'absent' | 'empty' | 'has users';
  /** Text of the unit, null = there is none. */
  readonly unit: string | null;
  /** Texts of the units of an update, null = there is none. */
  readonly upgradeService: string | null;
  readonly upgradePath: string | null;
  /** The service runs now. */
  readonly isActive: boolean;
  /** The service of Debian's mosquitto: while it runs it has the ports. */
  readonly mosquitto: 'absent' | 'stopped' | 'runs';
  /** Names that no program on the PATH has. */
  readonly freeNames: readonly string[];
  /** Links to midge that were made before. */
  readonly linkedNames: readonly string[];
}

export interface InstallWishes {
  /** A line `USER:HASH` for the first account; null = make none. */
  readonly account: { readonly user: string; readonly line: string } | null;
  readonly withMosquittoNames: boolean;
}

/** configurationFolders are made first: a configuration may include one that no backup has while it is empty. */
export function configurationFolders(owner: Owner): readonly Step[] {
  return [PLACES.configurationFolder, PLACES.moreConfiguration].map((path) => ({ kind: 'folder', path, mode: 0o755, owner }));
}

/** GIVE_CONFIGURATION: what is changed by the page or over REST the broker writes into its files. Only root's files, and only while nobody else can have put one there. Links are not followed, chown(1). */
export const GIVE_CONFIGURATION: Step = command('chown', '-R', '--from=root', `${USER}:${USER}`, PLACES.configurationFolder);

/** KEEP_RELEASE_KEYS comes before: whose releases this machine takes is not for the broker to say. */
export const KEEP_RELEASE_KEYS: Step = command('mv', '-T', PLACES.oldReleaseKeys, PLACES.releaseKeys);

/** STATE_FOLDER is made for the broker's user. */
export const STATE_FOLDER: Step = { kind: 'folder', path: PLACES.state, mode: 0o700, owner: USER };

/** PURGE_STEPS remove configuration, state and the user. */
export const PURGE_STEPS: readonly Step[] = [
  remove(PLACES.configurationFolder),
  remove(PLACES.releaseKeys),
  remove(PLACES.state),
  command('userdel', USER),
];

const UPGRADE_PATH = 'midge-upgrade.path';

/** InstallPlan: `steps` and `start`, then `done` when the broker is healthy, or `back`, which undoes what an upgrade changed. */
export interface InstallPlan {
  readonly steps: readonly Step[];
  /** Starts the service, or starts it anew where something changed. */
  readonly start: readonly Step[];
  readonly done: readonly Step[];
  readonly back: readonly Step[];
}

/** planInstall gives what is missing; nothing where all is as it should be. Configuration and accounts that are there are never touched. */
export function planInstall(machine: Machine, files: InstallFiles, wishes: InstallWishes): InstallPlan {
  const { executable, oldExecutable, unit, isActive } = machine;
  const isChanged = executable !== 'same' || unit !== files.unit || oldExecutable === 'way back';
  const steps = [
    ...userSteps(machine),
    ...folderSteps(machine),
    ...(machine.configuration !== 'absent' ? [] : [fileOf(USER, PLACES.configuration, files.configuration, 'the configuration')]),
    ...keepSteps(machine),
    ...executableSteps(machine),
    ...linkSteps(machine, wishes),
    ...unitSteps(machine, files),
    ...accountSteps(machine, wishes),
  ];
  const restart = isActive && !isChanged ? [] : [systemctl('restart', '--no-block', 'midge.service')];
  const start = [
    ...(isActive || isUpgrade(machine) ? [] : [tryAsService()]),
    systemctl('enable', 'midge.service'),
    ...listenSteps(machine, files),
    ...restart,
  ];
  const done = isUpgrade(machine) || oldExecutable === 'outlived' ? forgetSteps() : [];
  return { steps, start, done, back: backSteps(machine, files) };
}

/** planUninstall takes away what planInstall made; state, configuration and user only with `purge`. */
export function planUninstall(machine: Machine, { purge }: { readonly purge: boolean }): readonly Step[] {
  const { unit, upgradePath, executable, linkedNames, hasUser } = machine;
  return [
    ...(upgradePath === null
      ? []
      : [systemctl('disable', '--now', UPGRADE_PATH), remove(PLACES.upgradePath), remove(PLACES.upgradeService)]),
    ...(unit === null ? [] : [systemctl('disable', '--now', 'midge.service'), remove(PLACES.unit)]),
    ...(unit === null && upgradePath === null ? [] : [systemctl('daemon-reload')]),
    ...linkedNames.map((name) => remove(linkOf(name))),
    ...(executable === 'absent' ? [] : [remove(PLACES.executable)]),
    ...forgetSteps(),
    remove(PLACES.download),
    ...(purge ? [remove(PLACES.upgradeRecord), ...PURGE_STEPS].filter((step) => hasUser || step.kind !== 'run') : []),
  ];
}

/** RETURN_TO_MOSQUITTO is said wherever this machine may be left without a broker that it had. */
export const RETURN_TO_MOSQUITTO = 'mosquitto is here and does not run. To have it back: sudo systemctl enable --now mosquitto';

/** describeStep says a step in words that a person could type. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'run':
      return step.command.map((word) => (/[^\w@%+=:,./-]/.test(word) ? `'${word}'` : word)).join(' ');
    case 'folder':
      return `install -d -m ${octal(step.mode)} -o ${step.owner} -g ${step.owner} ${step.path}`;
    case 'write':
      return `write ${step.what} to ${step.path} (mode ${octal(step.mode)}, owner ${step.owner})`;
    case 'copy':
      return `install -m ${octal(step.mode)} ${step.from} ${step.to}`;
    case 'link':
      return `ln -s ${step.target} ${step.path}`;
    case 'remove':
      return `rm -rf ${step.path}`;
  }
}

function userSteps({ hasUser }: Machine): Step[] {
  if (hasUser) return [];
  const flags = ['--system', '--user-group', '--no-create-home', '--home-dir', PLACES.state, '--shell', '/usr/sbin/nologin'];
  return [command('useradd', ...flags, '--comment', 'MQTT broker', USER)];
}

function folderSteps({ hasRootsConfiguration, hasOldReleaseKeys, hasRootsState }: Machine): Step[] {
  return [
    ...(hasRootsConfiguration && hasOldReleaseKeys ? [KEEP_RELEASE_KEYS] : []),
    ...(hasRootsConfiguration ? [GIVE_CONFIGURATION] : []),
    ...configurationFolders(USER),
    STATE_FOLDER,
    // What root has put there before: an import, a restored backup, a broker that was started by hand. Links in it are not followed, chown(1).
    ...(hasRootsState ? [command('chown', '-R', `${USER}:${USER}`, PLACES.state)] : []),
  ];
}

/** The last of the steps: where one before it fails, there is no account whose password nobody has seen. */
function accountSteps({ configuration, passwords }: Machine, { account }: InstallWishes): Step[] {
  if (configuration === 'other' || passwords === 'has users' || (passwords === 'empty' && account === null)) return [];
  const text = account === null ? '' : `${account.line}\n`;
  const what = account === null ? 'an empty password file' : `user "${account.user}" with the hash of the password`;
  return [{ kind: 'write', path: PLACES.passwords, text, mode: 0o600, owner: USER, what }];
}

function isUpgrade({ executable, oldExecutable }: Machine): boolean {
  return executable === 'other' || oldExecutable === 'way back';
}

/** Keeps what was healthy last. A version that is still in doubt never takes its place; the executable is the mark that both are kept. */
function keepSteps(machine: Machine): Step[] {
  if (!isUpgrade(machine)) return [];
  const isKept = machine.oldExecutable === 'way back';
  const { unit, oldUnit } = machine;
  return [
    ...(unit === null || (isKept && oldUnit !== null) ? [] : [rootFile(PLACES.oldUnit, unit, 'the service as it is')]),
    ...(isKept ? [] : [{ kind: 'copy', from: PLACES.executable, to: PLACES.oldExecutable, mode: 0o755 } as const]),
  ];
}

/** The mark first: a way back is there with its service or not at all, wherever this ends. */
function forgetSteps(): Step[] {
  return [remove(PLACES.oldExecutable), remove(PLACES.oldUnit)];
}

function executableSteps({ executable, program }: Machine): Step[] {
  return executable === 'same' ? [] : [{ kind: 'copy', from: program, to: PLACES.executable, mode: 0o755 }];
}

function unitSteps(machine: Machine, files: InstallFiles): Step[] {
  const written = [
    ...(machine.unit === files.unit ? [] : [rootFile(PLACES.unit, files.unit, 'the service')]),
    ...(machine.upgradeService === files.upgradeService
      ? []
      : [rootFile(PLACES.upgradeService, files.upgradeService, 'the service that installs updates')]),
    ...(machine.upgradePath === files.upgradePath
      ? []
      : [rootFile(PLACES.upgradePath, files.upgradePath, 'what starts that when the broker asks')]),
  ];
  return written.length === 0 ? [] : [...written, systemctl('daemon-reload')];
}

/** It is there before the broker, and goes on listening through an upgrade that it has started itself. */
function listenSteps(machine: Machine, files: InstallFiles): Step[] {
  return machine.upgradePath === files.upgradePath ? [] : [systemctl('enable', '--now', UPGRADE_PATH)];
}

function linkSteps({ freeNames }: Machine, { withMosquittoNames }: InstallWishes): Step[] {
  if (!withMosquittoNames) return [];
  return MOSQUITTO_NAMES.filter((name) => freeNames.includes(name)).map((name) => {
    return { kind: 'link', path: linkOf(name), target: PLACES.executable };
  });
}

/** Of a first installation nothing is taken back but the service: what is wrong can then be looked at. */
function backSteps(machine: Machine, files: InstallFiles): Step[] {
  const unit = (machine.oldExecutable === 'way back' ? machine.oldUnit : null) ?? machine.unit;
  if (!isUpgrade(machine) || unit === null) return [systemctl('disable', '--now', 'midge.service')];
  return [
    systemctl('stop', 'midge.service'),
    { kind: 'copy', from: PLACES.oldExecutable, to: PLACES.executable, mode: 0o755 },
    // The old version knows whether the database has become too new for it, and where the copy is that the new one made.
    command(PLACES.executable, 'restore', '--before-upgrade', '-c', PLACES.configuration),
    ...(unit === files.unit ? [] : [rootFile(PLACES.unit, unit, 'the service as it was'), systemctl('daemon-reload')]),
    systemctl('restart', 'midge.service'),
    ...forgetSteps(),
  ];
}

function rootFile(path: string, text: string, what: string): Step {
  return fileOf('root', path, text, what);
}

function fileOf(owner: Owner, path: string, text: string, what: string): Step {
  return { kind: 'write', path, text, mode: 0o644, owner, what };
}

function command(...words: [string, ...string[]]): Step {
  return { kind: 'run', command: words };
}

/** The configuration is read as the service reads it: by its user, with its rights. What that may not read or write is said before anything is started.
 * Not where an older version has run: the way back is there. */
function tryAsService(): Step {
  const rights = [
    `User=${USER}`,
    'StateDirectory=midge',
    'StateDirectoryMode=0700',
    'ProtectSystem=strict',
    `ReadWritePaths=-${PLACES.configurationFolder}`,
    'ProtectHome=yes',
    'PrivateTmp=yes',
  ];
  const properties = [...rights, 'AmbientCapabilities=CAP_NET_BIND_SERVICE'].flatMap((right) => ['-p', right]);
  const test = [PLACES.executable, 'serve', '-c', PLACES.configuration, '--test-config'] as const;
  return command('systemd-run', '--quiet', '--wait', '--pipe', '--collect', ...properties, ...test);
}

function systemctl(...words: readonly string[]): Step {
  return command('systemctl', ...words);
}

function remove(path: string): Step {
  return { kind: 'remove', path };
}

function linkOf(name: string): string {
  return `/usr/local/bin/${name}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
