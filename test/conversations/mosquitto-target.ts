// Debian's mosquitto as the other side of a conversation: a child on a Unix socket of its own, started in some ten milliseconds.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from './conversation.ts';
import type { Target } from './player.ts';

const WORDS: Readonly<Record<string, string>> = {
  maxKeepalive: 'max_keepalive',
  maxPacketSize: 'max_packet_size',
  messageSizeLimit: 'message_size_limit',
  maxInflightMessages: 'max_inflight_messages',
  maxInflightBytes: 'max_inflight_bytes',
  maxQueuedMessages: 'max_queued_messages',
  maxQueuedBytes: 'max_queued_bytes',
  queueQos0Messages: 'queue_qos0_messages',
  upgradeOutgoingQos: 'upgrade_outgoing_qos',
  allowDuplicateMessages: 'allow_duplicate_messages',
  allowZeroLengthClientid: 'allow_zero_length_clientid',
  retainAvailable: 'retain_available',
  clientidPrefixes: 'clientid_prefixes',
  persistentClientExpiration: 'persistent_client_expiration',
  maxQos: 'max_qos',
  maxTopicAlias: 'max_topic_alias',
  mountPoint: 'mount_point',
  useUsernameAsClientid: 'use_username_as_clientid',
  allowAnonymous: 'allow_anonymous',
  autoIdPrefix: 'auto_id_prefix',
};

/** findMosquitto gives the path of mosquitto, or null. */
export function findMosquitto(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, 'mosquitto')).find((path) => existsSync(path)) ?? null;
}

/** startMosquitto starts one with the settings, `lines` are those of its log; throws when they hold something that it has no word for. */
export async function startMosquitto(settings: Settings): Promise<Target & { kill(): Promise<void>; lines(): string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'conversation-'));
  writeFileSync(join(folder, 'mosquitto.conf'), configurationText(settings, folder));
  const child = spawn(findMosquitto()!, ['-c', join(folder, 'mosquitto.conf')], { stdio: 'ignore' });
  const socketPath = join(folder, 'socket');
  (await connectWhenReady(socketPath, child)).destroy();
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  return {
    open: async () => connectWhenReady(socketPath, child),
    stop,
    pass: (seconds) => sleep(seconds * 1000),
    lines: () => readFileSync(join(folder, 'log'), 'utf8').split('\n'),
    kill: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function connectWhenReady(path: string, child: ChildProcess): Promise<Socket> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}`);
    const socket = connect(path);
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      await sleep(3); // not listening yet
    }
  }
}

function configurationText(settings: Settings, folder: string): string {
  const lines = ['user root', 'sys_interval 0', 'persistence false', `listener 0 ${join(folder, 'socket')}`];
  lines.push(`log_dest file ${join(folder, 'log')}`, 'log_type all', 'log_timestamp false');
  const words = { allowAnonymous: settings.accounts === undefined, ...settings.options, ...settings.policy };
  for (const [name, value] of Object.entries(words)) {
    const word = WORDS[name];
    if (word === undefined) throw new Error(`mosquitto 2.0 has no word for ${name}`);
    lines.push(`${word} ${name === 'persistentClientExpiration' ? `${value}s` : value}`);
  }
  if (settings.accounts !== undefined) lines.push(`password_file ${passwordFile(settings.accounts, folder)}`);
  if (settings.denied !== undefined) lines.push(`acl_file ${aclFile(settings.denied.topics ?? [], folder)}`);
  return `${lines.join('\n')}\n`;
}

function passwordFile(accounts: Readonly<Record<string, string>>, folder: string): string {
  const path = join(folder, 'passwords');
  writeFileSync(path, '', { mode: 0o600 });
  for (const [name, password] of Object.entries(accounts))
    execFileSync('mosquitto_passwd', ['-b', path, name, password], { stdio: 'ignore' });
  return path;
}

function aclFile(denied: readonly string[], folder: string): string {
  const path = join(folder, 'acl');
  writeFileSync(path, ['topic readwrite #', ...denied.map((filter) => `topic deny ${filter}`), ''].join('\n'), { mode: 0o600 });
  return path;
}
