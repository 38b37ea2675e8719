// Made-up machines on one switch: network namespaces whose veth pairs end at a bridge in a namespace of its own (iproute2, root).

import { execFileSync, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

/** Host is one machine. */
export interface Host {
  readonly address: string;
  /** command gives a command line that runs inside the namespace, under its own pid. */
  command(...words: string[]): [string, string[]];
}

/** Slow is what a link takes when it is slow: some 200 messages a second. */
const SLOW = ['tbf', 'rate', '400kbit', 'burst', '8kb', 'latency', '300ms'];

/** Switch joins the hosts. It and they go with the test. */
export class Switch {
  readonly hosts: readonly Host[];
  readonly #names: readonly string[];
  readonly #hub: string;

  constructor(test: TestContext, count: number) {
    this.#hub = `midge-${process.pid}-hub`;
    this.#names = Array.from({ length: count }, (_, index) => `midge-${process.pid}-${index}`);
    test.after(() => {
      for (const name of [this.#hub, ...this.#names]) spawnSync('ip', ['netns', 'del', name]);
    });
    run('ip', 'netns', 'add', this.#hub);
    run('ip', '-n', this.#hub, 'link', 'add', 'switch0', 'type', 'bridge');
    run('ip', '-n', this.#hub, 'link', 'set', 'switch0', 'up');
    this.hosts = this.#names.map((name, index) => this.#add(name, index));
  }

  /** cut keeps two hosts from each other; a third still reaches both. */
  cut(one: number, other: number): void {
    for (const host of [one, other]) this.#isolate(host, 'on');
  }

  mend(one: number, other: number): void {
    for (const host of [one, other]) this.#isolate(host, 'off');
  }

  /** unplug takes a host off the switch. */
  unplug(host: number): void {
    run('ip', '-n', this.#hub, 'link', 'set', portOf(host), 'down');
  }

  plug(host: number): void {
    run('ip', '-n', this.#hub, 'link', 'set', portOf(host), 'up');
  }

  /** slow makes the link of a host slow, both ways. */
  slow(host: number): void {
    run('ip', 'netns', 'exec', this.#hub, 'tc', 'qdisc', 'add', 'dev', portOf(host), 'root', ...SLOW);
    run('ip', 'netns', 'exec', this.#names[host]!, 'tc', 'qdisc', 'add', 'dev', 'wire0', 'root', ...SLOW); // a host of ours
  }

  speedUp(host: number): void {
    run('ip', 'netns', 'exec', this.#hub, 'tc', 'qdisc', 'del', 'dev', portOf(host), 'root');
    run('ip', 'netns', 'exec', this.#names[host]!, 'tc', 'qdisc', 'del', 'dev', 'wire0', 'root'); // as above
  }

  #isolate(host: number, state: 'on' | 'off'): void {
    run('ip', 'netns', 'exec', this.#hub, 'bridge', 'link', 'set', 'dev', portOf(host), 'isolated', state);
  }

  #add(name: string, index: number): Host {
    const address = `10.77.0.${index + 1}`;
    run('ip', 'netns', 'add', name);
    run('ip', '-n', name, 'link', 'add', 'wire0', 'type', 'veth', 'peer', 'name', portOf(index), 'netns', this.#hub);
    run('ip', '-n', this.#hub, 'link', 'set', portOf(index), 'master', 'switch0', 'up');
    run('ip', '-n', name, 'address', 'add', `${address}/24`, 'dev', 'wire0');
    for (const link of ['lo', 'wire0']) run('ip', '-n', name, 'link', 'set', link, 'up');
    return { address, command: (...words) => ['ip', ['netns', 'exec', name, ...words]] };
  }
}

function portOf(host: number): string {
  return `port${host}`;
}

function run(...[command, ...words]: [string, ...string[]]): void {
  execFileSync(command, words, { stdio: 'pipe' });
}
