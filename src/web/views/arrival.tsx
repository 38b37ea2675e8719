// Whether the device that an account is for has come in with it, or why it was refused: told while the dialog of the account is open.

import { useEffect, useRef } from 'preact/hooks';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { Icon, type IconName } from '../components/icon.tsx';
import { clockTime, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { isCalm, isRestless, refusedRowsOf } from '../refusal-rows.ts';
import { PlainReason } from './refusal-reason.tsx';

const EVERY_MS = 2000;

type Why = Answer<'/api/v1/why'>;

/** latestOf gives the time of the latest try with an account, by the clock of the box; 0 = the box knows of none. */
export async function latestOf(username: string): Promise<number> {
  const { refusals, letIn } = await askWhy(username);
  return Math.max(letIn?.time ?? 0, ...refusals.map(({ last }) => last));
}

function askWhy(username: string): Promise<Why> {
  return ask(api.GET('/api/v1/why', { params: { query: { about: username } } }));
}

export interface ArrivalProps {
  readonly username: string;
  /** What came before is left out, by the clock of the box. */
  readonly after: number;
}

/** Arrival has no links: who follows one loses a password that is shown once. */
export function Arrival({ username, after }: ArrivalProps) {
  const why = useLive(() => askWhy(username), EVERY_MS).data.value;
  const letIn = why?.letIn ?? null;
  const isIn = letIn !== null && letIn.time > after;
  const refused = refusedRowsOf((why?.refusals ?? []).filter((each) => each.last > after && !isCalm(each) && !isRestless(each)));
  const { look, icon, words } = stateOf(isIn ? letIn : null, refused.length > 0);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (refused.length > 0) element.current?.scrollIntoView({ block: 'nearest' });
  }, [refused.length]);
  return (
    <div class="arrival" ref={element}>
      <p class={`remarks ${look}`} role="status">
        <Icon name={icon} />
        <span>{words}</span>
      </p>
      {refused.length > 0 && (
        <ul class="reasons">
          {refused.map((row) => (
            <PlainReason key={row.key} row={row} />
          ))}
        </ul>
      )}
    </div>
  );
}

function stateOf(letIn: Why['letIn'], isRefused: boolean): { look: string; icon: IconName; words: string } {
  if (letIn !== null) {
    const { time, address } = letIn;
    return { look: 'good', icon: 'check', words: t('arrival.in', { time: clockTime(time), from: address || t('refusals.thisMachine') }) };
  }
  if (isRefused) return { look: 'warn', icon: 'warning', words: t('arrival.refused') };
  return { look: 'quiet', icon: 'plug', words: t('arrival.waiting') };
}
