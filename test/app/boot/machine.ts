// A machine that is a folder: a boot partition with files, and the commands that are run on it.

import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';

const RUNNING = 'ActiveState=active\nSubState=running\n';

/** makeMachine puts files onto the boot partition of a new machine, which has one time zone. */
export function makeMachine(t: TestContext, files: Readonly<Record<string, string>>) {
  const root = temporaryFolder(t);
  const commands: string[] = [];
  const said: string[] = [];
  /** Answers of programs, by how their command begins. The broker runs, and others have nothing to say. */
  const answers = new Map<string, string | null>([['systemctl show', RUNNING]]);
  const path = (name: string) => join(root, name);
  const write = (name: string, text: string) => {
    mkdirSync(join(path(name), '..'), { recursive: true });
    writeFileSync(path(name), text);
  };
  write('/boot/firmware/cmdline.txt', '');
  write('/usr/share/zoneinfo/Europe/Berlin', '');
  for (const [name, text] of Object.entries(files)) write(`/boot/firmware/${name}`, text);
  return {
    commands,
    answers,
    said,
    path,
    write,
    read: (name: string) => readFileSync(path(name), 'utf8'),
    exists: (name: string) => existsSync(path(name)),
    mode: (name: string) => statSync(path(name)).mode & 0o777,
    remove: (name: string) => rmSync(path(name)),
    world: {
      root,
      run: async (program: string, ...args: readonly string[]) => {
        const command = [program, ...args].join(' ');
        commands.push(command);
        const [, answer = ''] = [...answers].find(([start]) => command.startsWith(start)) ?? [];
        return answer;
      },
      say: (line: string) => void said.push(line),
      uptime: () => 3600,
    },
  };
}
