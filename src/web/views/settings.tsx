// The settings of this box: as a form with a sentence for each, and as the text that they are kept in. Both show the same draft.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { Card, PageHeader } from '../components/card.tsx';
import { Confirm } from '../components/dialog.tsx';
import { Failed, Loading, wordsOf } from '../components/faces.tsx';
import { Choice } from '../components/field.tsx';
import { RestartButton } from '../components/restart.tsx';
import { onReconnect } from '../connection.ts';
import { dateTime, plural, t } from '../i18n.ts';
import { place } from '../router.ts';
import { Draft } from '../settings/draft.ts';
import { ended, waiting } from '../settings/trial.ts';
import { currentSession } from '../visit.ts';
import { PastTexts } from './settings/past-texts.tsx';
import { Review } from './settings/review.tsx';
import { SettingsForm } from './settings/settings-form.tsx';
import { TextEditor } from './settings/text-editor.tsx';
import '../styles/settings.css';

type Pane = 'form' | 'text';

/** What somebody has begun is there again after another view, or a sign-in because the broker was restarted. Nobody else gets it. */
let begun: { readonly username: string; readonly draft: Draft } | null = null;

function draftOf(username: string): Draft {
  if (begun?.username !== username || !begun.draft.isChanged.value) begun = { username, draft: new Draft() };
  return begun.draft;
}

/** View is the view of settings. */
export function View() {
  const draft = useMemo(() => draftOf(currentSession()?.username ?? ''), []);
  const [pane, setPane] = useState<Pane>(place.value.query.get('show') === 'text' ? 'text' : 'form');
  const [isReviewing, setReviewing] = useState(false);
  const [isPast, setPast] = useState(false);
  const [isDiscarding, setDiscarding] = useState(false);
  const round = ended.value;
  useEffect(() => void draft.read(false), [round]);
  useEffect(() => onReconnect(() => void draft.read(false)), []);
  const { current, problem, checked } = draft;
  const mistakes = checked.value?.mistakes.length ?? 0;
  useEffect(() => document.activeElement?.closest('.setting')?.scrollIntoView({ block: 'nearest' }), [draft.isChanged.value, mistakes]); // out from under the bar
  if (current.value === null) {
    return (
      <>
        <PageHeader title={t('settings.title')} />
        {problem.value === null ? (
          <Loading />
        ) : (
          <Failed words={wordsOf(problem.value)} action={<Button onClick={() => void draft.read(true)}>{t('face.again')}</Button>} />
        )}
      </>
    );
  }
  const isWaiting = current.value.later.length > 0 && waiting.value === null;
  return (
    <>
      <PageHeader
        title={t('settings.title')}
        lead={current.value.file}
        actions={
          <>
            {!isWaiting && <RestartButton />}
            <Button icon="archive" onClick={() => setPast(true)}>
              {t('settings.past')}
            </Button>
          </>
        }
      />
      <div class="stack">
        {current.value.changedFiles.length > 0 && (
          <Card look="warn">
            <p>{t('settings.changedFiles', { files: current.value.changedFiles.join(', ') })}</p>
          </Card>
        )}
        {isWaiting && (
          <Card look="warn" title={t('trouble.restart')}>
            <p>{t('trouble.restartWords', { words: current.value.later.join(', ') })}</p>
            <div class="actions">
              <RestartButton />
            </div>
          </Card>
        )}
        {current.value.replaced !== null && (
          <Card look="warn">
            <p>{t('settings.replaced', { time: dateTime(current.value.replaced) })}</p>
          </Card>
        )}
        <div class="settings-switch">
          <Choice
            label={t('settings.show')}
            value={pane}
            choose={setPane}
            options={[
              ['form', t('settings.form')],
              ['text', t('settings.text')],
            ]}
          />
        </div>
        <div class={`settings-panes show-${pane}`}>
          <SettingsForm draft={draft} />
          <TextEditor draft={draft} />
        </div>
      </div>
      {draft.isChanged.value && (
        <div class="settings-bar">
          <p role="status">
            {mistakes > 0
              ? plural('settings.mistakes', mistakes)
              : t(waiting.value === null ? 'settings.unsaved' : 'settings.unsavedOnTrial')}
          </p>
          <div class="actions">
            <Button onClick={() => setDiscarding(true)}>{t('settings.discard')}</Button>
            <Button look="primary" disabled={mistakes > 0 || waiting.value !== null} onClick={() => setReviewing(true)}>
              {t('settings.review')}
            </Button>
          </div>
        </div>
      )}
      {isReviewing && <Review draft={draft} close={() => setReviewing(false)} />}
      {isDiscarding && (
        <Confirm
          title={t('settings.discardTitle')}
          action={t('settings.discard')}
          act={async () => draft.discard()}
          close={() => setDiscarding(false)}
        >
          <p>{t('settings.discardWords')}</p>
        </Confirm>
      )}
      {isPast && <PastTexts draft={draft} close={() => setPast(false)} />}
    </>
  );
}
