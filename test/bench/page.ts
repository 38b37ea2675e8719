// The page at a busy broker: how soon it answers to somebody, and what it costs the broker while it is open. npm run bench:page
//
// Environment: RATE=20000 messages/s, ROUNDS=5, SECONDS=8 of each measurement.
//
//   page-load.ts --MQTT--> broker <--HTTP-- Chromium, moved by this process
//
// Answers are Chromium's Event Timing: from the input to the next paint, in steps of 8 ms. Costs are processor time of the broker per message,
// with no page and with each view in turns: the other processes share its machine.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { freePorts } from '../support/network/free-ports.ts';
import { type Box, openBox } from '../web/browser/box.ts';
import { openBrowser } from '../web/browser/browser.ts';
import { topicLine } from '../web/browser/seeded-box.ts';
import { describeMachine, processorSeconds } from './machine.ts';
import { spreadOf } from './statistics.ts';

const RATE = Number(process.env['RATE'] ?? 20_000);
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const SECONDS = Number(process.env['SECONDS'] ?? 8);

/** Moments in which somebody does something and waits for what comes. */
const BREATH_MS = 120;

const VIEWS = ['topics', 'overview', 'clients'] as const;

/** Counts deliveries of the broker so far. */
type Deliveries = () => Promise<number>;

test('the page at a busy broker', async (context) => {
  for (const line of describeMachine()) console.log(line);
  const browser = await openBrowser(context);
  const [port = 0] = await freePorts(1);
  const box = await openBox(context, { after: [`listener ${port} 127.0.0.1`, 'listener_allow_anonymous true', 'max_connections -1'] });
  const session = await box.claim();
  const load = fork(join(import.meta.dirname, 'page-load.ts'), [String(port), String(RATE)]);
  context.after(() => load.kill('SIGKILL'));
  await once(load, 'message'); // it is ready
  const deliveries = async () => {
    load.send('how many');
    return Number((await once(load, 'message'))[0]);
  };
  const { page } = await browser.visit(box, { session });
  await page.addInitScript(WATCH);
  await answers(page, box);
  await costs(page, box, deliveries);
  console.log(`load average at the end ${loadavg()[0]?.toFixed(2)}`);
});

/** In the page: each entry of an input with what it was and how long it took, and frames that took long. The least that Event Timing tells is 16 ms. */
const WATCH = `
  window.inputs = [];
  window.frames = [];
  new PerformanceObserver((list) => {
    for (const { interactionId, duration, name } of list.getEntries()) if (interactionId > 0) inputs.push({ id: interactionId, name, duration });
  }).observe({ type: 'event', durationThreshold: 16, buffered: true });
  new PerformanceObserver((list) => frames.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'long-animation-frame' });
`;

/** Scene is what somebody does in a view; it gives how many keys and clicks that were. */
interface Scene {
  readonly name: string;
  readonly path: string;
  readonly act: (page: Page) => Promise<number>;
}

const SCENES: readonly Scene[] = [
  {
    name: 'topics: opens and closes levels',
    path: 'topics',
    async act(page) {
      await topicLine(page, 'house7').waitFor();
      const levels = ['house7', 'room3', 'room3', 'house7', 'house0', 'room12', 'room12', 'house0'];
      for (const level of levels) await press(page, () => topicLine(page, level).click());
      return levels.length;
    },
  },
  {
    name: 'topics: opens 10,000 of one level, scrolls',
    path: 'topics',
    async act(page) {
      await press(page, () => topicLine(page, 'attic').click({ timeout: 60_000 }));
      await topicLine(page, 'sensor0').waitFor();
      await scroll(page, '.virtual-tree', 60);
      return 1;
    },
  },
  {
    name: 'topics: filters by a word',
    path: 'topics',
    async act(page) {
      return (await type(page, 'Find topics', 'sensor1')) + (await type(page, 'Find topics', 'room12/sensor'));
    },
  },
  { name: 'topics: filters by a filter', path: 'topics', act: (page) => type(page, 'Find topics', 'house7/+/sensor3') },
  {
    name: 'topics: looks at one',
    path: 'topics/house7%2Froom3%2Fsensor5',
    async act(page) {
      await page.locator('.topic-payload').waitFor();
      await page.getByRole('tree').focus();
      const keys = Array.from({ length: 12 }, () => 'ArrowDown');
      for (const key of keys) await press(page, () => page.keyboard.press(key));
      return keys.length;
    },
  },
  { name: 'clients: searches, scrolls', path: 'clients', act: (page) => searchClients(page) },
  {
    name: 'overview: changes the range',
    path: 'overview',
    async act(page) {
      const ranges = ['24 hours', '10 minutes', '24 hours', '10 minutes'];
      for (const range of ranges) await press(page, () => page.getByRole('radio', { name: range }).click());
      return ranges.length;
    },
  },
];

async function searchClients(page: Page): Promise<number> {
  await page.getByRole('table').waitFor();
  await scroll(page, 'main', 10);
  return type(page, 'Search clients', 'device-19');
}

/** Each scene twice, since what runs for the first time is slow; both count. */
async function answers(page: Page, box: Box): Promise<void> {
  console.log('\nFrom input to paint, milliseconds (0 = under 16)\n');
  for (const { name, path, act } of SCENES) {
    const [times, frames]: [number[], number[]] = [[], []];
    for (let turn = 0; turn < 2; turn++) {
      await page.goto('about:blank');
      await page.goto(`${box.url}/#/${path}`);
      const presses = await act(page);
      await sleep(500); // the entries of the latest paint come
      const seen = await page.evaluate<{ inputs: { id: number; duration: number }[]; frames: number[] }>('({ inputs, frames })');
      times.push(...timesOf(seen.inputs, presses));
      frames.push(...seen.frames);
    }
    const slow = times.filter((time) => time > 200).length;
    const longest = Math.round(Math.max(0, ...frames));
    console.log(
      `${name.padEnd(44)} ${times.length} inputs: median ${spreadOf(times).median}, greatest ${Math.max(...times)}, over 200: ${slow}; longest frame ${longest}`,
    );
  }
}

/** An interaction has several events: the longest counts. Those that are too short to be told are 0. */
function timesOf(inputs: readonly { readonly id: number; readonly duration: number }[], presses: number): number[] {
  const times = new Map<number, number>();
  for (const { id, duration } of inputs) times.set(id, Math.max(duration, times.get(id) ?? 0));
  return [...times.values(), ...Array.from({ length: Math.max(0, presses - times.size) }, () => 0)];
}

async function press(page: Page, act: () => Promise<void>): Promise<void> {
  await act();
  await page.waitForTimeout(BREATH_MS);
}

async function type(page: Page, label: string, text: string): Promise<number> {
  await page.getByLabel(label).fill('');
  await page.getByLabel(label).pressSequentially(text, { delay: BREATH_MS });
  await page.waitForTimeout(1500); // what was found is shown, and goes on
  return text.length;
}

async function scroll(page: Page, where: string, turns: number): Promise<void> {
  await page
    .locator(where)
    .first()
    .hover({ position: { x: 100, y: 100 } });
  for (let turn = 0; turn < turns; turn++) await press(page, () => page.mouse.wheel(0, 1200));
}

/** Cost is what the broker did in some seconds. */
interface Cost {
  /** Deliveries per second. */
  readonly rate: number;
  /** Processor seconds for a million deliveries. */
  readonly processor: number;
}

async function costs(page: Page, box: Box, deliveries: Deliveries): Promise<void> {
  console.log(`\nCost to the broker, ${ROUNDS} rounds of ${SECONDS} s each, medians\n`);
  const without: Cost[] = [];
  const costsOf = new Map<string, Cost[]>(VIEWS.map((view) => [view, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [view, samples] of costsOf) {
      await page.goto('about:blank');
      without.push(await measure(box, deliveries));
      await page.goto(`${box.url}/#/${view}`);
      samples.push(await measure(box, deliveries));
    }
  }
  for (const [view, samples] of [['no page', without] as const, ...costsOf]) {
    const [rate, processor] = [spreadOf(samples.map((each) => each.rate)).median, spreadOf(samples.map((each) => each.processor)).median];
    console.log(
      `${view.padEnd(9)} ${Math.round(rate)} deliveries/s, ${processor.toFixed(2)} s of a processor per million (${samples.map((each) => each.processor.toFixed(2)).join(' ')})`,
    );
  }
}

async function measure({ pid }: Box, deliveries: Deliveries): Promise<Cost> {
  await sleep(1500); // what comes once, when a view opens, is not the matter
  const [began, used, count] = [performance.now(), processorSeconds(pid), await deliveries()];
  await sleep(SECONDS * 1000);
  const seconds = (performance.now() - began) / 1000;
  const messages = (await deliveries()) - count;
  return { rate: messages / seconds, processor: ((processorSeconds(pid) - used) / messages) * 1e6 };
}
