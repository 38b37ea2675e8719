// A Raspberry Pi's stand-in: QEMU's "virt" board with a card. Its console, its ports from outside, its network traffic, its plug.

import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { freePorts } from '../artefact/executable.ts';
import { type WatchedProcess, watchProcess } from '../support/watched-process.ts';
import type { Card } from './card.ts';

/** Milliseconds from the plug to a broker: an emulated core is some twenty times slower than this machine's. */
export const BOOT_PATIENCE = 600_000;

export interface MachineOptions {
  readonly memoryMb?: number;
  /** More words for the kernel's command line. */
  readonly kernelWords?: string;
}

export type OnMessage = (topic: string, payload: string) => void;

/** Machine is switched on. */
export interface Machine {
  readonly console: WatchedProcess;
  readonly ports: { readonly plain: number; readonly secure: number; readonly ssh: number };
  /** File in which QEMU writes what goes over the machine's network (libpcap). */
  readonly traffic: string;
  /** ready resolves with the line by which the machine reports that the broker is up. */
  ready(): Promise<string>;
  /** connect signs in as soon as the broker answers. */
  connect(options: IClientOptions, onMessage?: OnMessage): Promise<MqttClient>;
  /** cut pulls the plug: QEMU is killed by its pid. */
  cut(): Promise<void>;
}

/** switchOn boots a card; the machine is off at the end of the test at the latest. */
export async function switchOn(test: TestContext, card: Card, options: MachineOptions = {}): Promise<Machine> {
  const [plain = 0, secure = 0, ssh = 0] = await freePorts(3);
  const traffic = join(card.folder, `traffic-${plain}.pcap`);
  const words = (card.read('cmdline.txt') ?? '').trim().replace(/console=\S+|quiet/g, '');
  const forward = [
    [plain, 1883],
    [secure, 8883],
    [ssh, 22],
  ].map(([from, to]) => `hostfwd=tcp:127.0.0.1:${from}-:${to}`);
  const console = watchProcess(test, [
    'qemu-system-aarch64',
    [
      ...['-M', 'virt,gic-version=3', '-cpu', 'cortex-a72', '-smp', '2', '-m', String(options.memoryMb ?? 1024)],
      ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot'],
      ...['-kernel', card.take('vmlinuz'), '-initrd', card.take('initrd.img')],
      ...['-append', `${words} console=ttyAMA0 ${options.kernelWords ?? ''}`],
      ...['-drive', `file=${card.file},format=raw,if=none,id=card`, '-device', 'virtio-blk-pci,drive=card'],
      ...['-netdev', `user,id=net,${forward.join()}`, '-device', 'virtio-net-pci,netdev=net'],
      ...['-object', `filter-dump,id=dump,netdev=net,file=${traffic}`],
    ],
  ]);
  return {
    console,
    ports: { plain, secure, ssh },
    traffic,
    ready: () => console.line(/\.local is (ready|NOT RUNNING)/, 0, BOOT_PATIENCE),
    connect: (wanted, onMessage = () => {}) => connectSoon({ port: plain, ...wanted }, onMessage, Date.now() + BOOT_PATIENCE),
    cut: () => console.kill(),
  };
}

/** QEMU's network takes a connection before the machine listens, and closes it again. */
async function connectSoon(options: IClientOptions, onMessage: OnMessage, deadline: number): Promise<MqttClient> {
  for (;;) {
    try {
      return await connectOnce({ host: '127.0.0.1', reconnectPeriod: 0, connectTimeout: 15_000, ...options }, onMessage);
    } catch (error) {
      const isRefused = typeof (error as { code?: unknown }).code === 'number'; // the broker's own answer: ErrorWithReasonCode of MQTT.js
      if (isRefused || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** Whoever takes up a session listens before it is there. */
function connectOnce(options: IClientOptions, onMessage: OnMessage): Promise<MqttClient> {
  return new Promise((resolve, reject) => {
    const client = connect(options);
    const fail = (error: Error) => {
      client.end(true);
      reject(error);
    };
    client.on('message', (topic, payload) => onMessage(topic, payload.toString()));
    client.on('error', fail);
    client.once('close', () => fail(new Error('the connection was closed')));
    client.once('connect', () => resolve(client));
  });
}
