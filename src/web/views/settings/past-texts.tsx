// The texts from before: what each would change, and a way back to it.

import { useState } from 'preact/hooks';
import { api, ask } from '../../api/client.ts';
import type { paths } from '../../api/schema.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Empty, Loading, Shown, Trouble } from '../../components/faces.tsx';
import { ago, dateTime, t } from '../../i18n.ts';
import { useLive } from '../../live.ts';
import { isChanged } from '../../settings/changed-lines.ts';
import type { Draft } from '../../settings/draft.ts';
import { Diff } from './diff.tsx';

type Past = paths['/api/v1/configuration/history']['get']['responses'][200]['content']['application/json'][number];

const EVERY_MS = 60_000;

/** PastTexts lists the last ten. */
export function PastTexts({ draft, close }: { readonly draft: Draft; readonly close: () => void }) {
  const history = useLive(() => ask(api.GET('/api/v1/configuration/history')), EVERY_MS);
  const take = (text: string) => {
    draft.type(text);
    close();
  };
  return (
    <Dialog title={t('settings.past')} close={close}>
      <Shown live={history}>
        {(texts) =>
          texts.length === 0 ? (
            <Empty icon="archive" words={t('settings.noPast')} />
          ) : (
            <>
              <p class="hint">{t('settings.pastHint')}</p>
              {texts.map((each) => (
                <PastText key={each.replaced} past={each} take={take} />
              ))}
            </>
          )
        }
      </Shown>
    </Dialog>
  );
}

function PastText({ past: { replaced, by, text }, take }: { readonly past: Past; readonly take: (text: string) => void }) {
  const [diff, setDiff] = useState<readonly string[] | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const compare = async () => {
    try {
      setDiff((await ask(api.POST('/api/v1/configuration/check', { body: { text } }))).diff);
    } catch (error) {
      setProblem(error as Error); // ask throws nothing else
    }
  };
  return (
    <details class="past" onToggle={(event) => event.currentTarget.open && void compare()}>
      <summary>
        {t('settings.until', { time: dateTime(replaced) })} <span class="hint">{ago(replaced)}</span>
      </summary>
      {by === 'midge.txt' && <p class="hint">{t('settings.pastBoot')}</p>}
      {problem !== null && <Trouble problem={problem} />}
      {diff === null && problem === null ? <Loading /> : diff !== null && <Diff diff={diff} />}
      {(diff === null || isChanged(diff)) && <Button onClick={() => take(text)}>{t('settings.takePast')}</Button>}
    </details>
  );
}
