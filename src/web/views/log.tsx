// The log as it is written, what was refused, in words, and who changed what.

import { useState } from 'preact/hooks';
import { Card, PageHeader } from '../components/card.tsx';
import { Choice } from '../components/field.tsx';
import { SearchBox } from '../components/search-box.tsx';
import { t } from '../i18n.ts';
import { go, place } from '../router.ts';
import { mayNow } from '../visit.ts';
import { Changes } from './log/changes.tsx';
import { LogLines } from './log/log-lines.tsx';
import { Refusals } from './refusals.tsx';
import '../styles/log.css';

const SHOWN = ['lines', 'why', 'changes'] as const;

/** View is the log for who may read it, and the reasons for everybody. */
export function View() {
  const mayRead = mayNow('admin');
  const which = mayRead ? (SHOWN.find((each) => each === place.value.query.get('show')) ?? 'lines') : 'why';
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
              ['changes', t('log.changes')],
            ]}
          />
        )}
        {which === 'lines' && <LogLines />}
        {which === 'why' && <Why />}
        {which === 'changes' && <Changes />}
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
