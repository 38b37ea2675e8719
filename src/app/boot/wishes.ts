// What is wished for: midge.txt, then Imager's files, and what was wished for the last time where midge.txt is gone or damaged.

import { closestWord } from '../../base/closest-word.ts';
import { BOOT_FILE, readBootFile } from '../../boot/boot-file.ts';
import { ignoredFileMistakes, misnamedFileMistakes } from '../../boot/ignored-files.ts';
import { IMAGER_FILES, type ImagerFile, readImagerFiles } from '../../boot/imager.ts';
import { type BootSettings, emptyDraft, type IsUsed, type Mistake, mergeSettings, type Secret } from '../../boot/settings.ts';
import { MachineFiles } from '../../host/machine-files.ts';
import { BOOT, MEMORY, type Scope } from './paths.ts';
import { type BootWorld, findTimeZone, hasBootPartition, whileWritable } from './world.ts';

/** The settings of the last boot, without secrets. */
const LAST = `${MEMORY}/settings.json`;

export interface Wishes {
  readonly settings: BootSettings;
  readonly mistakes: readonly Mistake[];
  readonly events: readonly string[];
  /** New texts of the files that hold secrets which were used. */
  readonly withoutSecrets: (isUsed: IsUsed) => ReadonlyMap<string, string>;
}

/** readWishes reads the boot partition. Never throws. */
export function readWishes(files: MachineFiles, only: Scope): Wishes {
  const bytes = files.read(`${BOOT}/${BOOT_FILE}`);
  const zone = (name: string) => findTimeZone(files, name);
  const own = readBootFile(bytes ?? Buffer.alloc(0), { closestWord, findTimeZone: zone });
  const theirs = readImagerFiles(only === 'broker' ? new Map() : imagerFiles(files), zone);
  const last = lastSettings(files);
  const mine = own.isWhole ? keepKeys(own.settings, own.mistakes, last) : own.settings;
  const said = mergeSettings(mine, theirs.settings);
  const settings = own.isWhole ? said : mergeSettings(said, last ?? emptyDraft()); // what was said the last time may be Imager's too
  const habits = only === 'broker' ? [] : ignoredFileMistakes(files.names(BOOT), settings);
  return {
    settings,
    mistakes: [...own.mistakes, ...theirs.mistakes, ...habits, ...misnamedFileMistakes(files.names(BOOT))],
    events: last === null || own.isWhole ? [] : whyLast(files),
    withoutSecrets: (isUsed) => {
      const text = own.withoutSecrets(isUsed);
      return new Map<string, string>([...theirs.withoutSecrets(isUsed), ...(text === null ? [] : [[BOOT_FILE, text] as const])]);
    },
  };
}

/** remember keeps settings for a boot at which midge.txt can't be read. */
export function remember(files: MachineFiles, settings: BootSettings): void {
  const text = JSON.stringify({ ...settings, accounts: [], wifi: { ...settings.wifi, password: null } });
  files.write(LAST, text, { mode: 0o600 });
}

/** takeSecretsOut takes those out of the boot partition that were used. */
export async function takeSecretsOut(world: BootWorld, wishes: Wishes, used: ReadonlySet<Secret['use']>): Promise<void> {
  const { password } = wishes.settings.wifi;
  const texts = wishes.withoutSecrets(({ use, value }) => used.has(use) && (use !== 'wifi' || value === password));
  if (texts.size === 0) return;
  const files = new MachineFiles(world.root);
  await whileWritable(world, () => {
    for (const [name, text] of texts) files.writeOver(`${BOOT}/${name}`, text);
  });
}

function imagerFiles(files: MachineFiles): Map<ImagerFile, string> {
  const found = new Map<ImagerFile, string>();
  for (const file of IMAGER_FILES) {
    const text = files.text(`${BOOT}/${file}`);
    if (text !== null) found.set(file, text);
  }
  return found;
}

/** A slip in midge.txt locks nobody out: a key goes when its line has gone, and all else can be followed. */
function keepKeys(settings: BootSettings, mistakes: readonly Mistake[], last: BootSettings | null): BootSettings {
  if (settings.sshKeys.length > 0 || mistakes.every(({ isWarning }) => isWarning)) return settings;
  return { ...settings, sshKeys: last?.sshKeys ?? [] };
}

function lastSettings(files: MachineFiles): BootSettings | null {
  try {
    return { ...emptyDraft(), ...JSON.parse(files.text(LAST) ?? '') };
  } catch {
    return null;
  }
}

function whyLast(files: MachineFiles): string[] {
  if (!hasBootPartition(files)) return ['The boot partition could not be read: the settings of the last time are in use.'];
  if (!files.exists(`${BOOT}/${BOOT_FILE}`)) return [];
  return [`${BOOT_FILE} is damaged or empty: what it does not say stays as it was the last time.`];
}
