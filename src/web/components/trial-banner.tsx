// While a change of the configuration waits: how long, and the two ways out of it; above every view, or in a dialog that goes on from there.

import { useEffect, useState } from 'preact/hooks';
import { connected } from '../connection.ts';
import { plural, t } from '../i18n.ts';
import { useSending } from '../sending.ts';
import { expire, keep, takeBack, type Waiting, waiting } from '../settings/trial.ts';
import { Button } from './button.tsx';
import { Trouble } from './faces.tsx';

interface TrialBannerProps {
  /** Is called once the change is kept. */
  readonly kept?: () => void;
}

/** TrialBanner is nothing where no change waits. */
export function TrialBanner({ kept = () => {} }: TrialBannerProps) {
  const now = waiting.value;
  return now === null ? null : <Countdown key={now.confirm} now={now} kept={kept} />;
}

function Countdown({ now, kept }: Required<TrialBannerProps> & { readonly now: Waiting }) {
  const [, tick] = useState(0);
  const { isBusy, problem, clear, send } = useSending();
  useEffect(() => {
    const timer = setInterval(() => {
      expire();
      tick((count) => count + 1);
    }, 500);
    return () => clearInterval(timer);
  }, []);
  const left = Math.max(0, Math.ceil((now.until - Date.now()) / 1000));
  const act = (what: () => Promise<void>) => {
    clear();
    return send(what);
  };
  const isReached = connected.value;
  return (
    <section class="trial" aria-label={t('trial.title')}>
      <div class="trial-words">
        <p>
          <strong>{t('trial.title')}</strong> {t(isReached ? 'trial.ask' : 'trial.lockedOut')}
        </p>
        {!isReached && now.movedTo !== null && (
          <p>
            {t('trial.moved')} <a href={`${now.movedTo}#/settings`}>{now.movedTo}</a>
          </p>
        )}
        {now.later.length > 0 && <p class="hint">{t('trial.later', { words: now.later.join(', ') })}</p>}
        {problem !== null && isReached && <Trouble problem={problem} />}
      </div>
      <p class="trial-left" role="timer" aria-live="off">
        {left > 0 ? plural('trial.left', left) : t('trial.goingBack')}
      </p>
      {isReached && left > 0 && (
        <div class="actions">
          <Button disabled={isBusy} onClick={() => void act(takeBack)}>
            {t('trial.takeBack')}
          </Button>
          <Button look="primary" icon="check" disabled={isBusy} onClick={() => void act(async () => void ((await keep(now)) && kept()))}>
            {t('trial.keep')}
          </Button>
        </div>
      )}
    </section>
  );
}
