// Whether the device that an account is for has come in with it, or why it was refused: told while the dialog of the account is open.

import { useEffect, useRef } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { Icon, type IconName } from '../components/icon.tsx';
import { clockTime, t } from '../i18n.ts';
import { useLive } from '../live.ts';
import { isOpen, type Refused, refusedRowsOf, type Why } from '../refusal-rows.ts';
import { PlainReason } from './refusal-reason.tsx';

const EVERY_MS = 2000;

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

/** Arrival has no links: following one would lose a password that is shown once. */
export function Arrival({ username, after }: ArrivalProps) {
  const why = useLive(() => askWhy(username), EVERY_MS).data.value;
  const isMeant = (each: Refused) => each.last > after && each.cause !== 'page' && isOpen(each);
  const refused = refusedRowsOf((why?.refusals ?? []).filter(isMeant));
  const letIn = why?.letIn != null && why.letIn.time > after ? why.letIn : null;
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (letIn !== null || refused.length > 0) element.current?.scrollIntoView({ block: 'nearest' });
  }, [letIn !== null, refused.length]);
  if (why === null) return null;
  return (
    <div class="arrival" ref={element}>
      <div role="status">
        {letIn !== null && <Line look="good" icon="check" words={letInWords(letIn)} />}
        {refused.length > 0 && <Line look="warn" icon="warning" words={t('arrival.refused')} />}
        {letIn === null && refused.length === 0 && <Line look="quiet" icon="plug" words={t('arrival.waiting')} />}
      </div>
      {/* Its rows tell their age: what is heard is a new one. */}
      <ul class="reasons" aria-live="polite" aria-relevant="additions">
        {refused.map((row) => (
          <PlainReason key={row.key} row={row} />
        ))}
      </ul>
    </div>
  );
}

function letInWords({ time, address }: NonNullable<Why['letIn']>): string {
  return t('arrival.in', { time: clockTime(time), from: address || t('refusals.thisMachine') });
}

function Line({ look, icon, words }: { readonly look: 'good' | 'warn' | 'quiet'; readonly icon: IconName; readonly words: string }) {
  return (
    <p class={`remarks ${look}`}>
      <Icon name={icon} />
      <span>{words}</span>
    </p>
  );
}
