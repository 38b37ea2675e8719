// The page as a whole: what stands around the views, or what comes before them.

import { useSignalEffect } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { boxWords } from './box-words.ts';
import { Loading } from './components/faces.tsx';
import { Toasts } from './components/toast.tsx';
import { connected, isRestarting } from './connection.ts';
import { t } from './i18n.ts';
import { Layout } from './layout.tsx';
import { startRouter } from './router.ts';
import { waiting } from './settings/trial.ts';
import { Claim } from './views/claim.tsx';
import { SignIn } from './views/sign-in.tsx';
import { visit } from './visit.ts';

/** App is everything. */
export function App() {
  useEffect(startRouter, []);
  useSignalEffect(() => void boxWords()); // they are there before something goes wrong
  const isTrialSaid = waiting.value !== null && visit.value.kind === 'at-work'; // its banner says that the box does not answer, and what happens
  return (
    <>
      {(isRestarting.value || !connected.value) && !isTrialSaid && (
        <div class="disconnected" role="status">
          <span class="spinner" aria-hidden="true" />
          {t(isRestarting.value ? 'connection.restarting' : 'connection.lost')}
        </div>
      )}
      <Stage />
      <Toasts />
    </>
  );
}

function Stage() {
  const now = visit.value;
  switch (now.kind) {
    case 'loading':
      return <Loading />;
    case 'claim':
      return <Claim missing={now.missing} />;
    case 'sign-in':
      return <SignIn why={now.why} />;
    case 'at-work':
      return <Layout session={now.session} />;
  }
}
