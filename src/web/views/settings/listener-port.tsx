// The port of a listener: it is part of the line that begins the listener, and so none of its settings.

import { useId, useState } from 'preact/hooks';
import { t } from '../../i18n.ts';
import type { Draft } from '../../settings/draft.ts';
import { isPort, lineOfListener } from '../../settings/setting-form.ts';
import { SettingRow } from './setting-row.tsx';

export interface ListenerPortProps {
  readonly draft: Draft;
  /** As the form names it: by its port. */
  readonly listener: string;
  readonly moved: (port: string) => void;
}

/** ListenerPort is nothing for a listener without one, such as a Unix socket. */
export function ListenerPort({ draft, listener, moved }: ListenerPortProps) {
  const [problem, setProblem] = useState<Error | null>(null);
  const id = useId();
  const place = lineOfListener(draft.said.value, listener);
  if (place === null || !isPort(listener)) return null;
  const isHere = place.file === draft.current.value?.file;
  const move = async (typed: string) => {
    const port = typed.trim();
    if (port === listener) return draft.typedNothing();
    try {
      if (!isPort(port)) throw new Error(t('settings.portWrong'));
      await draft.moveListener(place.line, port);
      setProblem(null);
      moved(port);
    } catch (error) {
      setProblem(error as Error); // moveListener throws nothing else
      await draft.typedNothing();
    }
  };
  return (
    <div class="listener-port">
      <SettingRow
        id={id}
        label={t('settings.port')}
        hint={isHere ? t('settings.portHint') : t('settings.portElsewhere', { file: place.file })}
        problem={problem}
      >
        <input
          id={id}
          inputMode="numeric"
          value={listener}
          disabled={!isHere}
          autocomplete="off"
          aria-describedby={`${id}-hint`}
          onInput={() => draft.typing()}
          onChange={(event) => void move(event.currentTarget.value)}
        />
      </SettingRow>
    </div>
  );
}
