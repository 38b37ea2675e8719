// What a view shows instead of its content: nothing there yet, loading, failed.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Refusal, Unreachable } from '../api/client.ts';
import { readable } from '../box-words.ts';
import { t } from '../i18n.ts';
import type { Live } from '../live.ts';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';

/** Loading appears after a moment only: a fast answer should not flicker. */
export function Loading() {
  return (
    <div class="face loading" role="status">
      <span class="spinner" aria-hidden="true" />
      <p>{t('face.loading')}</p>
    </div>
  );
}

/** Empty says that there is nothing, and how something comes here. */
export function Empty({ icon, words, action }: { readonly icon: IconName; readonly words: string; readonly action?: ComponentChildren }) {
  return (
    <div class="face">
      <Icon name={icon} />
      <p>{words}</p>
      {action}
    </div>
  );
}

/** Failed says why nothing can be shown. */
export function Failed({ words, action }: { readonly words: string; readonly action?: ComponentChildren }) {
  return (
    <div class="face failed" role="alert">
      <Icon name="warning" />
      <p>{words}</p>
      {action}
    </div>
  );
}

export interface ShownProps<T> {
  readonly live: Live<T>;
  readonly children: (data: T) => ComponentChildren;
}

/** Shown renders the data of something live, or the face that fits. */
export function Shown<T>({ live, children }: ShownProps<T>) {
  const data = live.data.value;
  const problem = live.problem.value;
  if (data !== null) return <>{children(data)}</>;
  if (problem === null) return <Loading />;
  return <Failed words={wordsOf(problem)} action={<Button onClick={() => void live.refresh()}>{t('face.again')}</Button>} />;
}

/** Asked is Shown where a reader chooses what is asked: the answer to the choice before is dimmed. */
export function Asked<T>(props: ShownProps<T>) {
  return (
    <div class="asked" aria-busy={props.live.isOld.value}>
      <Shown {...props} />
    </div>
  );
}

/** Trouble says in a form or a dialog why something failed. It is not tried again: a request may have come through, and only the answer not. */
export function Trouble({ problem }: { readonly problem: Error }) {
  const element = useRef<HTMLParagraphElement>(null);
  useEffect(() => element.current?.scrollIntoView({ block: 'nearest' }), [problem.message]);
  return (
    <p class="trouble" role="alert" ref={element}>
      <Icon name="warning" />
      <span>
        {problem instanceof Unreachable ? t(problem.mayBeDone ? 'connection.unsure' : 'connection.unanswered') : wordsOf(problem)}
      </span>
    </p>
  );
}

/** wordsOf says what went wrong, for people. */
export function wordsOf(problem: Error): string {
  if (problem instanceof Unreachable) return t('connection.lost');
  const fields = problem instanceof Refusal ? problem.fields.filter(({ detail }) => detail !== problem.message) : [];
  if (fields.length > 0) return fields.map(({ field, detail }) => `${field}: ${readable(detail)}`).join('; ');
  return readable(problem.message);
}
