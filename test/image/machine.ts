// A Raspberry Pi's stand-in: QEMU's "virt" board with a card. Its console, its ports from outside, its network traffic, its plug.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { freePorts } from '../support/network/free-ports.ts';
import { type WatchedProcess, watchProcess } from '../support/process/watched-process.ts';
import type { Card } from './card.ts';

/** Milliseconds from the plug to a broker: an emulated core is some twenty times slower than this machine's. */
export const BOOT_PATIENCE = 900_000;

/** Board is hardware that QEMU knows; raspi3b is a Pi 3 with its own board description. */
export type Board = 'virt' | 'raspi3b';

export interface MachineOptions {
  readonly board?: Board;
  readonly memoryMb?: number;
  /** A watchdog that systemd must feed. A busy host may starve it, so only tests of it have one. */
  readonly hasWatchdog?: boolean;
  /** File that takes what the machine writes to its card, for WriteLog; on the board "virt". */
  readonly record?: string;
  /** More words for the kernel's command line. */
  readonly kernelWords?: string;
}

export type OnMessage = (topic: string, payload: string) => void;

/** Ports of this machine that lead to those of the emulated one. */
export interface Ports {
  readonly plain: number;
  readonly secure: number;
  readonly ssh: number;
}

/** Machine is switched on. */
export interface Machine {
  readonly console: WatchedProcess;
  readonly ports: Ports;
  /** File in which QEMU writes what goes over the machine's network (libpcap). */
  readonly traffic: string;
  /** ready resolves with the line by which the machine reports that the broker is up. */
  ready(): Promise<string>;
  /** connect signs in as soon as the broker answers. */
  connect(options: IClientOptions, onMessage?: OnMessage): Promise<MqttClient>;
  /** cut pulls the plug: QEMU is killed by its pid. */
  cut(): Promise<void>;
}

/** switchOn boots a card; the machine is off at the end of the test at the latest. A system that a reboot has named is started once. */
export async function switchOn(test: TestContext, card: Card, options: MachineOptions = {}): Promise<Machine> {
  const words = (card.bootText('cmdline.txt') ?? '').trim().replace(/console=\S+|quiet/g, '');
  const parts = {
    ...options,
    folder: card.folder,
    disk: card.file,
    kernel: card.bootFile('vmlinuz'),
    initrd: card.bootFile('initrd.img'),
    kernelWords: `${words} ${options.kernelWords ?? ''}`,
    ...(options.board === 'raspi3b' ? { boardDescription: card.bootFile('bcm2837-rpi-3-b.dtb') } : {}),
  };
  card.once = null;
  const { console, ports, traffic } = await startQemu(test, parts);
  return {
    console,
    ports,
    traffic,
    ready: () => console.line(/\.local is (ready|NOT RUNNING)/, 0, BOOT_PATIENCE),
    connect: (wanted, onMessage = () => {}) => connectSoon({ port: ports.plain, ...wanted }, onMessage, Date.now() + BOOT_PATIENCE),
    cut: () => console.kill(),
  };
}

/** Parts are what QEMU is started with. */
export interface Parts extends MachineOptions {
  readonly folder: string;
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly kernelWords: string;
  /** Device tree of a board that QEMU does not describe itself. */
  readonly boardDescription?: string;
}

/** startQemu starts an emulated machine; it is killed at the end of the test at the latest. */
export async function startQemu(test: TestContext, parts: Parts): Promise<Pick<Machine, 'console' | 'ports' | 'traffic'>> {
  const [plain = 0, secure = 0, ssh = 0] = await freePorts(3);
  const traffic = join(parts.folder, `traffic-${plain}.pcap`);
  const forward = [
    [plain, 1883],
    [secure, 8883],
    [ssh, 22],
  ].map(([from, to]) => `hostfwd=tcp:127.0.0.1:${from}-:${to}`);
  const console = watchProcess(test, [
    'qemu-system-aarch64',
    [
      ...(parts.boardDescription === undefined ? virtBoard(parts) : pi3Board(parts, parts.boardDescription)),
      ...['-m', String(parts.memoryMb ?? 1024), '-display', 'none', '-monitor', 'none', '-no-reboot'],
      ...['-kernel', parts.kernel, '-initrd', parts.initrd],
      ...['-netdev', `user,id=net,${forward.join()}`, '-object', `filter-dump,id=dump,netdev=net,file=${traffic}`],
    ],
  ]);
  return { console, ports: { plain, secure, ssh }, traffic };
}

function virtBoard({ disk, kernelWords, record, hasWatchdog = false }: Parts): string[] {
  return [
    ...['-M', 'virt,gic-version=3', '-cpu', 'cortex-a72', '-smp', '2', '-serial', 'stdio'],
    ...['-append', `${kernelWords} console=ttyAMA0 systemd.default_device_timeout_sec=900`], // a busy host starves udev
    ...(record === undefined ? ['-drive', `file=${disk},format=raw,if=none,id=card`] : recordedDisk(disk, record)),
    ...['-device', 'virtio-blk-pci,drive=card'],
    ...['-device', 'virtio-net-pci,netdev=net', ...(hasWatchdog ? ['-device', 'i6300esb'] : [])],
  ];
}

/** A log of writes needs a file that is there. */
function recordedDisk(disk: string, record: string): string[] {
  writeFileSync(record, '');
  const file = (name: string, path: string) => ['-blockdev', `driver=file,filename=${path},node-name=${name}`];
  return [...file('disk', disk), ...file('log', record), '-blockdev', 'driver=blklogwrites,file=disk,log=log,node-name=card'];
}

/** The console is the second UART, as on the board's pins. QEMU's watchdog of this board resets at once when it is armed. */
function pi3Board({ disk, kernelWords }: Parts, description: string): string[] {
  return [
    ...['-M', 'raspi3b', '-dtb', description, '-serial', 'null', '-serial', 'stdio'],
    ...['-append', `${kernelWords} console=ttyS1,115200 systemd.watchdog_sec=0`],
    ...['-drive', `file=${disk},format=raw,if=sd`, '-device', 'usb-net,netdev=net'],
  ];
}

/** QEMU's network takes a connection before the machine listens, and closes it again. */
async function connectSoon(options: IClientOptions, onMessage: OnMessage, deadline: number): Promise<MqttClient> {
  for (;;) {
    try {
      return await connectOnce({ host: '127.0.0.1', reconnectPeriod: 0, connectTimeout: 30_000, ...options }, onMessage);
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
