// Two made-up hosts on one wire: network namespaces joined by a veth pair (iproute2, root).

import { execFileSync, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

/** TestHost is one namespace with one interface, `wire0`. */
export interface TestHost {
  readonly namespace: string;
  /** command gives a command line that runs inside the namespace, under its own pid. */
  command(...words: string[]): [string, string[]];
  /** addAddress gives the interface one more address, `192.0.2.1/24`. */
  addAddress(prefix: string): void;
  removeAddress(prefix: string): void;
  /** cutWire takes the interface down. */
  cutWire(): void;
  /** mendWire takes it up again. */
  mendWire(): void;
}

/** WIRE is the name of each host's interface. */
export const WIRE = 'wire0';

/** namespaceObstacle tells why no namespaces can be made here, or false. */
export function namespaceObstacle(): string | false {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux only';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const found = spawnSync('ip', ['-V']);
  if (found.error) return 'ip is not installed (Debian package iproute2)';
  const name = `midge-try-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (made.status !== 0) return `network namespaces cannot be made here: ${made.stderr.trim()}`;
  const exec = spawnSync('ip', ['netns', 'exec', name, 'true'], { encoding: 'utf8' });
  spawnSync('ip', ['netns', 'del', name]);
  return exec.status === 0 ? false : `network namespaces cannot be entered here: ${exec.stderr.trim()}`;
}

/** twoHosts makes two namespaces with a wire between them, without addresses, and removes them when the test ends. */
export function twoHosts(test: TestContext): [TestHost, TestHost] {
  const names = [`midge-${process.pid}-a`, `midge-${process.pid}-b`] as const;
  test.after(() => {
    for (const name of names) spawnSync('ip', ['netns', 'del', name]);
  });
  for (const name of names) ip('netns', 'add', name);
  ip('-n', names[0], 'link', 'add', WIRE, 'type', 'veth', 'peer', 'name', WIRE, 'netns', names[1]);
  for (const name of names) {
    ip('-n', name, 'link', 'set', 'lo', 'up');
    ip('-n', name, 'link', 'set', WIRE, 'up');
  }
  return [host(names[0]), host(names[1])];
}

function host(namespace: string): TestHost {
  return {
    namespace,
    command: (...words) => ['ip', ['netns', 'exec', namespace, ...words]],
    addAddress: (prefix) => ip('-n', namespace, 'address', 'add', prefix, 'dev', WIRE, ...(prefix.includes(':') ? ['nodad'] : [])),
    removeAddress: (prefix) => ip('-n', namespace, 'address', 'del', prefix, 'dev', WIRE),
    cutWire: () => ip('-n', namespace, 'link', 'set', WIRE, 'down'),
    mendWire: () => ip('-n', namespace, 'link', 'set', WIRE, 'up'),
  };
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: 'pipe' });
}
