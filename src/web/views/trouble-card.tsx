// A trouble as a card, with the way to put it right.

import { useState } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { readable } from '../box-words.ts';
import { Button } from '../components/button.tsx';
import { Card } from '../components/card.tsx';
import { wordsOf } from '../components/faces.tsx';
import { RestartButton } from '../components/restart.tsx';
import { toast } from '../components/toast.tsx';
import { t } from '../i18n.ts';
import { isOffered, linkTo } from '../router.ts';
import { mayNow } from '../visit.ts';
import type { Trouble } from './overview-troubles.ts';

/** TroubleCard shows one; `refresh` is called when something was done about it. */
export function TroubleCard({ trouble, refresh }: { readonly trouble: Trouble; readonly refresh: () => void }) {
  const { look, title, words, advice, link, action } = trouble;
  const isThere = link !== undefined && isOffered(link.view);
  return (
    <Card title={title} look={look}>
      <p>{words}</p>
      {advice !== null && <p class="quiet">{advice}</p>}
      {isThere && (
        <p>
          <a href={linkTo(link.view, [], link.query)}>{link.words}</a>
        </p>
      )}
      {action === 'reload' && mayNow('admin') && <ReloadButton refresh={refresh} />}
      {action === 'restart' && mayNow('admin') && (
        <div class="actions">
          <RestartButton />
        </div>
      )}
    </Card>
  );
}

function ReloadButton({ refresh }: { readonly refresh: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const reload = async () => {
    setBusy(true);
    try {
      const { error } = await ask(api.POST('/api/v1/reload', { body: {} }));
      toast(error === null ? t('trouble.reloaded') : readable(error), error === null ? 'good' : 'bad');
    } catch (error) {
      toast(wordsOf(error as Error), 'bad'); // ask throws nothing else
    }
    setBusy(false);
    refresh();
  };
  return (
    <div class="actions">
      <Button icon="refresh" isBusy={isBusy} onClick={() => void reload()}>
        {t('trouble.reloadDo')}
      </Button>
    </div>
  );
}
