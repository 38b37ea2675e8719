// Brokers with a file of dynamic security: midge, and Debian's mosquitto beside it.

import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { freePorts } from '../support/network/free-ports.ts';
import { findProgram } from '../support/process/foreign-program.ts';
import { openPort, startMidge } from '../support/process/midge-process.ts';
import { watchProcess } from '../support/process/watched-process.ts';

const PLUGIN = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/mosquitto_dynamic_security.so`;
/** NEEDS_MOSQUITTO is the reason to skip, or false. */
export const NEEDS_MOSQUITTO =
  findProgram('mosquitto_ctrl') && findProgram('mosquitto') && existsSync(PLUGIN)
    ? false
    : 'mosquitto is not installed (Debian package mosquitto)';

/** PASSWORD of the administrator "admin". */
export const PASSWORD = 'an admin of twenty';

const runFile = promisify(execFile);

export interface Broker {
  readonly port: number;
  readonly file: string;
  readonly stop: () => Promise<unknown>;
}

/** firstFile makes a file as mosquitto's users do. */
export async function firstFile(folder: string): Promise<string> {
  const file = join(folder, 'first.json');
  await runFile('mosquitto_ctrl', ['dynsec', 'init', file, 'admin', PASSWORD]);
  chmodSync(file, 0o600);
  return file;
}

/** midge starts one; `more` are lines of its configuration. */
export async function midge(context: TestContext, folder: string, file: string, more = '', words = ['-p', '0']): Promise<Broker> {
  const own = join(folder, 'midge');
  mkdirSync(own, { recursive: true });
  const configuration = join(own, 'midge.conf');
  writeFileSync(configuration, `allow_anonymous false\nplugin ${PLUGIN}\nplugin_opt_config_file ${file}\nadvertise false\n${more}`);
  const broker = startMidge(context, own, ['serve', '-c', configuration, ...words]);
  return { port: await openPort(broker), file, stop: () => broker.end() };
}

/** mosquitto starts Debian's. */
export async function mosquitto(context: TestContext, folder: string, file: string): Promise<Broker> {
  const [port] = await freePorts(1);
  const configuration = join(folder, 'mosquitto.conf');
  writeFileSync(configuration, `user root\nlistener ${port} 127.0.0.1\nplugin ${PLUGIN}\nplugin_opt_config_file ${file}\n`);
  const broker = watchProcess(context, ['mosquitto', ['-c', configuration]]);
  await broker.line(/ running$/);
  return { port: port!, file, stop: () => broker.end() };
}
