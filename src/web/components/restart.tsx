// Restarts the broker, after a question that says what happens meanwhile.

import { useState } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { t } from '../i18n.ts';
import { awaitEnding } from '../visit.ts';
import { Button } from './button.tsx';
import { Confirm } from './dialog.tsx';

/** RestartButton is for an admin. The page comes back by itself, with the question for the password. */
export function RestartButton() {
  const [isAsking, setAsking] = useState(false);
  const restart = async () => {
    await ask(api.POST('/api/v1/restart', { body: {} }));
    void awaitEnding();
  };
  return (
    <>
      <Button icon="refresh" onClick={() => setAsking(true)}>
        {t('restart.do')}
      </Button>
      {isAsking && (
        <Confirm title={t('restart.title')} action={t('restart.now')} act={restart} close={() => setAsking(false)} look="primary">
          <p>{t('restart.words')}</p>
        </Confirm>
      )}
    </>
  );
}
