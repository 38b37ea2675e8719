// What Raspberry Pi Imager writes on the boot partition, as far as it makes sense on a machine without logins.
//
//   user-data, network-config    cloud-init, for Raspberry Pi OS of 2025 and newer
//   custom.toml                  for those of 2023 to 2025
//   firstrun.sh                  a shell script before that; it is read, never run

import { parse as parseToml, stringify as writeToml } from 'smol-toml';
import { parse as parseYaml, stringify as writeYaml } from 'yaml';
import { readNetworkConfig, readUserData } from './cloud-init.ts';
import { readCustomToml } from './custom-toml.ts';
import { parseFirstRun, readFirstRun, writeFirstRun } from './first-run.ts';
import { type HiddenValue, type Reading, record, TAKEN } from './imager-wishes.ts';
import { type BootSettings, emptyDraft, type FindTimeZone, type IsUsed, type Mistake } from './settings.ts';

/** IMAGER_FILES are read in this order: what a later one says counts. */
export const IMAGER_FILES = ['firstrun.sh', 'custom.toml', 'network-config', 'user-data'] as const;

export type ImagerFile = (typeof IMAGER_FILES)[number];

export interface ImagerReading {
  readonly settings: BootSettings;
  readonly mistakes: readonly Mistake[];
  /** New texts of those files that hold a secret which was used. They are written anew, so that it is gone in whatever form it stood there. */
  readonly withoutSecrets: (isUsed: IsUsed) => ReadonlyMap<ImagerFile, string>;
}

type Data = Record<string, unknown>;

interface Format {
  readonly parse: (text: string) => unknown;
  readonly read: (data: Data, reading: Reading) => void;
  readonly write: (data: Data) => string;
}

const YAML_STYLE = { lineWidth: 0 } as const;

const FORMATS: Readonly<Record<ImagerFile, Format>> = {
  'user-data': { parse: parseYaml, read: readUserData, write: (data) => `#cloud-config\n${writeYaml(data, YAML_STYLE)}` },
  'network-config': { parse: parseYaml, read: readNetworkConfig, write: (data) => writeYaml(data, YAML_STYLE) },
  'custom.toml': { parse: parseToml, read: readCustomToml, write: writeToml },
  'firstrun.sh': { parse: parseFirstRun, read: readFirstRun, write: writeFirstRun },
};

/** readImagerFiles reads the texts that are there. Never throws: a file that can't be read is a mistake. */
export function readImagerFiles(files: ReadonlyMap<ImagerFile, string>, findTimeZone: FindTimeZone): ImagerReading {
  const draft = emptyDraft();
  const mistakes: Mistake[] = [];
  const found: { file: ImagerFile; data: Data; hidden: HiddenValue[] }[] = [];
  for (const file of IMAGER_FILES) {
    const text = files.get(file);
    if (text === undefined) continue;
    const hidden: HiddenValue[] = [];
    const complain = (what: string) => void mistakes.push({ file, line: null, text: what });
    try {
      const data = record(FORMATS[file].parse(text));
      FORMATS[file].read(data, { draft, hidden, complain, findTimeZone });
      found.push({ file, data, hidden });
    } catch {
      complain('it has another form than Raspberry Pi Imager gives it'); // the parser's own words quote what may be a secret
    }
  }
  const withoutSecrets = (isUsed: IsUsed) => {
    const texts = new Map<ImagerFile, string>();
    for (const { file, data, hidden } of found) {
      const used = hidden.filter(isUsed);
      for (const { holder, key } of used) holder[key] = TAKEN;
      if (used.length > 0) texts.set(file, FORMATS[file].write(data));
    }
    return texts;
  };
  return { settings: draft, mistakes, withoutSecrets };
}
