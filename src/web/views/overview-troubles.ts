// What needs attention, out of the status: each trouble with what it means and what to do about it.

import type { Answer } from '../api/answer.ts';
import { readable } from '../box-words.ts';
import { ago, bytes, day, number, plural, t } from '../i18n.ts';
import { openRowsOf, type Why } from '../refusal-rows.ts';
import { whoIn } from '../refusal-words.ts';
import { asSentence } from '../sentence.ts';
import { waiting } from '../settings/trial.ts';

export type Status = Answer<'/api/v1/status'>;

/** Trouble is one thing that is not as it should be. */
export interface Trouble {
  readonly id: string;
  /** 'info' is worth knowing, but nothing is broken. */
  readonly look: 'bad' | 'warn' | 'info';
  readonly title: string;
  readonly words: string;
  /** What to do about it; null = nothing more than the words say. */
  readonly advice: string | null;
  /** A place of the page where it can be done. */
  readonly link?: { readonly view: string; readonly words: string; readonly query?: Readonly<Record<string, string>> };
  /** Something that can be done right here. */
  readonly action?: 'reload' | 'restart';
}

const LITTLE_DISK_SHARE = 0.05;
const LITTLE_DISK_BYTES = 200e6;
const LITTLE_MEMORY_SHARE = 0.06;
const HOT_CELSIUS = 80;
const WORN_YEARS = 2;

/** A machine that has just been switched on may still be asking for the time. */
const ASKING_SECONDS = 600;

/** Of those who were refused. */
const NAMED = 3;

/** The server renews its certificate long before. */
const EXPIRES_SOON_MS = 7 * 86_400_000;

/** troublesOf lists them, the worst first; `why` is what was refused. */
export function troublesOf(status: Status, why: Pick<Why, 'refusals' | 'held'>): readonly Trouble[] {
  const found = [
    ...storeTroubles(status),
    ...machineTroubles(status),
    ...certificateTroubles(status),
    ...configurationTroubles(status),
    ...bridgeTroubles(status),
    ...clusterTroubles(status),
    ...refusalTroubles(why),
  ];
  const order = { bad: 0, warn: 1, info: 2 };
  return found.sort((one, other) => order[one.look] - order[other.look]);
}

function storeTroubles({ store, kept }: Status): Trouble[] {
  const found: Trouble[] = [];
  if (store !== null && store.state !== 'ok') {
    found.push({ id: 'store', look: 'bad', title: t('trouble.store'), words: readable(store.text), advice: t('trouble.storeAdvice') });
  }
  if (store !== null && store.damage !== null) {
    found.push({ id: 'damage', look: 'bad', title: t('trouble.damage'), words: readable(store.damage), advice: t('trouble.damageAdvice') });
  }
  const years = store?.wear.years ?? null;
  if (store !== null && years !== null && years < WORN_YEARS) {
    found.push({ id: 'wear', look: 'warn', title: t('trouble.wear'), words: readable(store.wear.text), advice: null });
  }
  if (kept.isFull) {
    const words = t('trouble.memoryLimitWords', { limit: bytes(kept.limit), user: kept.most?.user || t('trouble.nobody') });
    found.push({ id: 'kept', look: 'bad', title: t('trouble.memoryLimit'), words, advice: t('trouble.memoryLimitAdvice') });
  }
  return found;
}

function machineTroubles({ machine, clock }: Status): Trouble[] {
  const found: Trouble[] = [];
  const { disk, memory, power, cpuTemperature } = machine;
  if (disk !== null && (disk.free < disk.total * LITTLE_DISK_SHARE || disk.free < LITTLE_DISK_BYTES)) {
    const words = t('trouble.diskWords', { free: bytes(disk.free), total: bytes(disk.total) });
    found.push({ id: 'disk', look: 'warn', title: t('trouble.disk'), words, advice: t('trouble.diskAdvice') });
  }
  if (memory.available < memory.total * LITTLE_MEMORY_SHARE) {
    const words = t('trouble.memoryWords', { free: bytes(memory.available) });
    found.push({ id: 'memory', look: 'warn', title: t('trouble.memory'), words, advice: t('trouble.memoryAdvice') });
  }
  if (power !== null && power.now.length > 0) {
    const words = t('trouble.powerWords', { what: power.now.map(readable).join(', ') });
    found.push({ id: 'power', look: 'bad', title: t('trouble.power'), words, advice: t('trouble.powerAdvice') });
  }
  if (cpuTemperature !== null && cpuTemperature >= HOT_CELSIUS) {
    const words = t('trouble.hotWords', { degrees: number(cpuTemperature, 0) });
    found.push({ id: 'hot', look: 'warn', title: t('trouble.hot'), words, advice: t('trouble.hotAdvice') });
  }
  if (!clock.trusted) {
    const words = t('trouble.clockWords', { date: day(clock.now) });
    found.push({ id: 'clock', look: 'bad', title: t('trouble.clock'), words, advice: t('trouble.clockAdvice') });
  } else if (machine.clockSet === false && machine.uptime > ASKING_SECONDS) {
    const words = t('trouble.clockUnsetWords', { date: day(clock.now) });
    found.push({ id: 'clock', look: 'warn', title: t('trouble.clockUnset'), words, advice: t('trouble.clockAdvice') });
  }
  return found;
}

function certificateTroubles({ certificates, clock }: Status): Trouble[] {
  if (certificates === null || !clock.trusted) return [];
  const now = new Date(clock.now).getTime();
  const isSoon = (at: string) => new Date(at).getTime() - now < EXPIRES_SOON_MS;
  if (isSoon(certificates.authorityExpires)) {
    const words = t('trouble.authorityWords', { date: day(certificates.authorityExpires) });
    return [{ id: 'authority', look: 'bad', title: t('trouble.authority'), words, advice: t('trouble.authorityAdvice') }];
  }
  if (!isSoon(certificates.serverExpires)) return [];
  const words = t('trouble.certificateWords', { date: day(certificates.serverExpires) });
  return [{ id: 'certificate', look: 'warn', title: t('trouble.certificate'), words, advice: t('trouble.certificateAdvice') }];
}

function configurationTroubles({ reload, changedFiles }: Status): Trouble[] {
  if (reload !== null && reload.error !== null) {
    const title = t('trouble.reload', { time: ago(reload.at) });
    return [{ id: 'reload', look: 'bad', title, words: readable(reload.error), advice: t('trouble.reloadAdvice') }];
  }
  if (changedFiles.length > 0) {
    const words = t('trouble.changedWords', { files: changedFiles.join(', ') });
    return [{ id: 'changed', look: 'warn', title: t('trouble.changed'), words, advice: null, action: 'reload' }];
  }
  if (reload === null || reload.later.length === 0 || waiting.value !== null) return [];
  const words = t('trouble.restartWords', { words: reload.later.join(', ') });
  return [{ id: 'restart', look: 'warn', title: t('trouble.restart'), words, advice: null, action: 'restart' }];
}

function clusterTroubles({ cluster }: Status): Trouble[] {
  if (cluster === null) return [];
  const { phase, lastError, peers } = cluster;
  const link = { view: 'bridges', words: t('trouble.clusterLink') };
  if (phase === 'alone' || phase === 'stopped' || (phase === 'connecting' && lastError !== null)) {
    const words = lastError === null ? t('trouble.clusterNoReason') : asSentence(readable(lastError));
    return [{ id: 'cluster', look: 'bad', title: t('trouble.cluster'), words, advice: t('trouble.clusterAdvice'), link }];
  }
  return peers
    .filter((peer) => peer.phase === 'away' || peer.phase === 'refused')
    .map(({ id, since, queued, ...peer }): Trouble => {
      const words = peer.lastError === null ? t('trouble.clusterNoReason') : asSentence(readable(peer.lastError));
      const advice = t('trouble.brokerAdvice', { time: ago(since), count: number(queued) });
      return { id: `broker ${id}`, look: 'warn', title: t('trouble.broker', { id }), words, advice, link };
    });
}

function bridgeTroubles({ bridges }: Status): Trouble[] {
  return bridges.flatMap(({ name, phase, lastError, nextAttempt, refusedFilters }): Trouble[] => {
    const link = { view: 'bridges', words: t('trouble.bridgeLink') };
    if (phase === 'waiting' || phase === 'stopped') {
      const again = nextAttempt === null ? t('trouble.bridgeStopped') : t('trouble.bridgeAgain', { time: ago(nextAttempt) });
      const words = lastError === null ? t('trouble.bridgeNoReason') : asSentence(readable(lastError.words));
      const hint = lastError?.advice ?? null;
      const advice = hint === null ? again : `${asSentence(readable(hint))} ${again}`;
      return [{ id: `bridge ${name}`, look: 'bad', title: t('trouble.bridge', { name }), words, advice, link }];
    }
    if (refusedFilters.length === 0) return [];
    const words = t('trouble.bridgeFiltersWords', { filters: refusedFilters.join(', ') });
    const title = t('trouble.bridgeFilters', { name });
    return [{ id: `filters ${name}`, look: 'warn', title, words, advice: t('trouble.bridgeFiltersAdvice'), link }];
  });
}

/** Held or not: a device with a wrong password is now the one, now the other. */
function refusalTroubles(why: Pick<Why, 'refusals' | 'held'>): Trouble[] {
  const rows = openRowsOf(why);
  if (rows.length === 0) return [];
  const names = [...new Set(rows.map(whoIn))];
  const shown = names.slice(0, NAMED).join(', ');
  const words = t(names.length > NAMED ? 'trouble.refusedMore' : 'trouble.refusedWords', { who: shown });
  const link = { view: 'clients', words: t('trouble.refusedLink'), query: { show: 'refused' } };
  return [{ id: 'refusals', look: 'info', title: plural('trouble.refused', rows.length), words, advice: null, link }];
}
