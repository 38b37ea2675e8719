// Follows a plan and carries out its steps: the one place where an installation changes the machine.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { describeStep, type InstallPlan, type Owner, type Step } from './plan.ts';

/** Stage is where steps are carried out. */
export interface Stage {
  /** Put before each path; '' for the machine itself. */
  readonly root: string;
  /** run runs a command to its end; throws with what it said when it fails. */
  run(command: readonly [string, ...string[]]): void;
  /** give makes a file or folder the owner's. */
  give(path: string, owner: Owner): void;
  /** asOwnerOf does something as the user whose folder it is, and tells whether that is another one than root, who may have planted things there. */
  asOwnerOf(folder: string, action: (isForeign: boolean) => void): void;
}

/** machineStage is the real stage: for root only. */
export function machineStage(asOwnerOf: Stage['asOwnerOf']): Stage {
  return { root: '', run: runCommand, give: giveFile, asOwnerOf };
}

/** Course is what the way through a plan depends on, and whom it tells. */
export interface Course {
  readonly stage: Stage;
  readonly say: (line: string) => void;
  /** Called once all is in place, before anything is started: what is said here is said however it ends. */
  readonly prepared: () => void;
  /** Waits until the service has proved healthy, or is given up. */
  readonly isHealthy: () => Promise<boolean>;
  /** Called before the way back; the reason is why it could not even be started. */
  readonly unhealthy: (reason: string | null) => void;
}

/** follow carries a plan through and tells whether the service is healthy; when not, it has gone back. Throws OperatorError for a step that fails elsewhere than at the start. */
export async function follow({ steps, start, done, back }: InstallPlan, course: Course): Promise<boolean> {
  const { stage, say } = course;
  execute(steps, stage, say);
  course.prepared();
  const failure = failureOf(() => execute(start, stage, say));
  if (failure === null && (await course.isHealthy())) {
    execute(done, stage, say);
    return true;
  }
  course.unhealthy(failure);
  execute(back, stage, say);
  return false;
}

/** execute carries out steps in order; throws OperatorError naming the first that fails. */
export function execute(steps: readonly Step[], stage: Stage, say: (line: string) => void): void {
  for (const step of steps) {
    say(describeStep(step));
    try {
      carryOut(step, stage);
    } catch (error) {
      throw new OperatorError(`Cannot carry out "${describeStep(step)}": ${reasonOf(error)}`, { cause: error });
    }
  }
}

function failureOf(act: () => void): string | null {
  try {
    act();
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

function carryOut(step: Step, stage: Stage): void {
  const place = (path: string) => `${stage.root}${path}`;
  switch (step.kind) {
    case 'run':
      return stage.run(step.command);
    case 'folder':
      return stage.asOwnerOf(dirname(place(step.path)), (isForeign) => {
        if (isForeign && existsSync(place(step.path))) return; // that user's business
        mkdirSync(place(step.path), { recursive: true, mode: step.mode });
        chmodSync(place(step.path), step.mode);
        if (!isForeign) stage.give(place(step.path), step.owner);
      });
    case 'write':
      return stage.asOwnerOf(dirname(place(step.path)), (isForeign) =>
        replaceFile(place(step.path), (temporary) => {
          writeFileSync(temporary, step.text, { flag: 'wx', mode: step.mode });
          chmodSync(temporary, step.mode);
          if (!isForeign) stage.give(temporary, step.owner);
        }),
      );
    case 'copy': {
      const from = step.from.startsWith('/usr/local/') ? place(step.from) : step.from;
      // The program that runs keeps the file that it runs from.
      return replaceFile(place(step.to), (temporary) => {
        copyFileSync(from, temporary);
        chmodSync(temporary, step.mode);
      });
    }
    case 'link':
      return symlinkSync(step.target, place(step.path));
    case 'remove':
      return rmSync(place(step.path), { recursive: true, force: true });
  }
}

function runCommand([program, ...words]: readonly [string, ...string[]]): void {
  try {
    execFileSync(program, words, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const { stderr } = error as { stderr?: string }; // of execFileSync
    throw stderr ? new Error(stderr.trim()) : error;
  }
}

function giveFile(path: string, owner: Owner): void {
  const id = (what: '-u' | '-g') => Number(execFileSync('id', [what, '--', owner], { encoding: 'utf8' }));
  chownSync(path, id('-u'), id('-g'));
}
