// The log as it is written, and what was refused, in words.

import { useState } from 'preact/hooks';
import { Card, PageHeader } from '../components/card.tsx';
import { Choice } from '../components/field.tsx';
import { SearchBox } from '../components/search-box.tsx';
import { t } from '../i18n.ts';
import { go, place } from '../router.ts';
import { mayNow } from '../visit.ts';
import { LogLines } from './log/log-lines.tsx';
import { Refusals } from './refusals.tsx';
import '../styles/log.css';

/** View is the log for who may read it, and the reasons for everybody. */
export function View() {
  const mayRead = mayNow('admin');
  const which = mayRead && place.value.query.get('show') !== 'why' ? 'lines' : 'why';
  return (
    <>
      <PageHeader title={t('log.title')} lead={t('log.lead')} />
      <div class="stack">
        {mayRead && (
          <Choice
            label={t('log.which')}
            isLabelHidden
            value={which}
            choose={(show) => go('log', [], { show })}
            options={[
              ['lines', t('log.lines')],
              ['why', t('log.why')],
            ]}
          />
        )}
        {which === 'lines' ? <LogLines /> : <Why />}
      </div>
    </>
  );
}

function Why() {
  const [about, setAbout] = useState('');
  return (
    <>
      <Card>
        <SearchBox label={t('log.about')} hint={t('log.aboutHint')} value={about} change={setAbout} />
      </Card>
      <Refusals {...(about.trim() === '' ? {} : { about: about.trim() })} />
    </>
  );
}
