// The button by which rules begin, where there are none.

import { useState } from 'preact/hooks';
import { api, ask } from '../api/client.ts';
import { Button } from '../components/button.tsx';
import { Confirm } from '../components/dialog.tsx';
import { toast } from '../components/toast.tsx';
import { t } from '../i18n.ts';

/** BeginRules asks first: from then on, new accounts may do less. */
export function BeginRules({ done }: { readonly done: () => void }) {
  const [isAsking, setAsking] = useState(false);
  const act = async () => {
    await ask(api.POST('/api/v1/rules/beginning', { body: {} }));
    toast(t('people.rulesBegun'));
    done();
  };
  return (
    <div class="actions">
      <Button icon="shield" onClick={() => setAsking(true)}>
        {t('people.beginRules')}
      </Button>
      {isAsking && (
        <Confirm title={t('people.beginRulesTitle')} action={t('people.beginRules')} act={act} close={() => setAsking(false)}>
          <p>{t('people.beginRulesWords')}</p>
        </Confirm>
      )}
    </div>
  );
}
