// One configuration file for mosquitto and for this broker: both read mosquitto.conf, so both run under the same limits.

import { execFileSync } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../../../src/base/errors.ts';
import type { Setup } from './broker.ts';

/** LIMITS are the same for both; they are mosquitto's defaults, written out. */
export const LIMITS = { max_inflight_messages: 20, max_queued_messages: 1000, set_tcp_nodelay: true, sys_interval: 10 } as const;

/** BENCH_USER logs in where a load asks for access control. */
export const BENCH_USER = { username: 'bench', password: 'bench-password' } as const;

const OTHER_USERS = 100;
const PBKDF2_ITERATIONS = 101; // mosquitto_passwd(1)

/** writeConfiguration writes the file (and what it names) into the setup's folder and returns its path. `first` goes before all else. */
export function writeConfiguration(setup: Setup, port: number, first: readonly string[] = []): string {
  const lines = [
    ...first,
    ...Object.entries(LIMITS).flatMap(([word, value]) => (setup.persistence && word === 'max_queued_messages' ? [] : `${word} ${value}`)),
    'log_dest stderr',
    'log_type error',
    ...(setup.persistence ? ['persistence true', 'max_queued_messages 0'] : ['persistence false']),
    `persistence_location ${setup.folder}/`,
    ...(process.getuid?.() === 0 ? ['user root'] : []), // else they become another user, who cannot read our files
    `listener ${port} 127.0.0.1`,
    ...transportLines(setup),
    ...accessLines(setup),
  ];
  const path = join(setup.folder, 'bench.conf');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

function transportLines(setup: Setup): string[] {
  if (setup.transport === 'websocket') return ['protocol websockets'];
  if (setup.transport === 'tcp') return [];
  const { key, certificate } = makeCertificate(setup.folder);
  return [`certfile ${certificate}`, `keyfile ${key}`];
}

function accessLines(setup: Setup): string[] {
  if (!setup.access) return ['allow_anonymous true'];
  const passwords = join(setup.folder, 'passwords');
  const acl = join(setup.folder, 'acl');
  const users = [BENCH_USER.username, ...Array.from({ length: OTHER_USERS }, (_, i) => `user${i}`)];
  writeFileSync(passwords, users.map((user) => `${user}:${hash(BENCH_USER.password)}\n`).join(''), { mode: 0o600 });
  writeFileSync(acl, users.map(aclOf).join('\n'), { mode: 0o600 });
  return ['allow_anonymous false', `password_file ${passwords}`, `acl_file ${acl}`];
}

function aclOf(user: string): string {
  return `user ${user}\ntopic read $SYS/broker/version\ntopic readwrite owntracks/${user}/#\ntopic deny private/#\ntopic readwrite bench/#\n`;
}

function hash(password: string): string {
  const salt = randomBytes(12);
  const digest = pbkdf2Sync(password, salt, PBKDF2_ITERATIONS, 64, 'sha512');
  return `$7$${PBKDF2_ITERATIONS}$${salt.toString('base64')}$${digest.toString('base64')}`;
}

/** makeCertificate writes a self-signed P-256 certificate for localhost, with openssl(1). Paths are in the folder. */
export function makeCertificate(folder: string): { key: string; certificate: string } {
  const key = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2'];
  try {
    execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', certificate, ...subject], { stdio: 'ignore' });
  } catch (cause) {
    throw new OperatorError('Cannot make a certificate: openssl(1) failed - install the package openssl', { cause });
  }
  return { key, certificate };
}
