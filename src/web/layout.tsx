// Around the views: a side bar on a desktop, a bar below on a phone.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AccountMenu } from './account-menu.tsx';
import { api, ask } from './api/client.ts';
import { Button } from './components/button.tsx';
import { Dialog } from './components/dialog.tsx';
import { Failed, Loading } from './components/faces.tsx';
import { Icon } from './components/icon.tsx';
import { TrialBanner } from './components/trial-banner.tsx';
import { t } from './i18n.ts';
import { useLive } from './live.ts';
import { linkTo, offer, place } from './router.ts';
import { VIEWS, type ViewRow } from './views.ts';
import { mayNow, type Session } from './visit.ts';

/** In the bar of a phone there is room for five. */
const MOST_IN_BAR = 5;

/** How soon a view that asks nothing itself learns that the box is away, or was restarted. */
const HEARTBEAT_MS = 3000;

/** Layout shows the view of the address, and the way to the others. */
export function Layout({ session }: { readonly session: Session }) {
  const [menu, setMenu] = useState<'none' | 'account' | 'more'>('none');
  useLive(() => ask(api.GET('/api/v1/session')), HEARTBEAT_MS);
  const views = VIEWS.filter(({ right }) => mayNow(right));
  useEffect(() => offer(views.map(({ path }) => path)), [views.length]);
  const current = views.find(({ path }) => path === place.value.view) ?? views[0];
  const inBar = views.length <= MOST_IN_BAR ? views : views.slice(0, MOST_IN_BAR - 1);
  const close = () => setMenu('none');
  return (
    <div class="layout">
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        {t('layout.skip')}
      </button>
      <header class="top-bar">
        <a class="brand" href={linkTo(views[0]?.path ?? '')}>
          <Icon name="midge" /> midge
        </a>
        <nav class="side-nav" aria-label={t('layout.views')}>
          {views.map((view) => (
            <NavLink key={view.path} view={view} current={current} />
          ))}
        </nav>
        <button type="button" class="account" onClick={() => setMenu('account')} aria-haspopup="dialog">
          <Icon name="person" />
          <span class="account-name">{session.username}</span>
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <TrialBanner />
        {current === undefined ? <p class="lonely">{t('layout.noViews')}</p> : <Loaded key={current.path} view={current} />}
      </main>
      {inBar.length > 1 && (
        <nav class="bottom-nav" aria-label={t('layout.views')}>
          {inBar.map((view) => (
            <NavLink key={view.path} view={view} current={current} />
          ))}
          {inBar.length < views.length && (
            <button
              type="button"
              class="nav-link"
              aria-current={current !== undefined && !inBar.includes(current) ? 'true' : undefined}
              aria-haspopup="dialog"
              onClick={() => setMenu('more')}
            >
              <Icon name="more" />
              <span>{t('layout.more')}</span>
            </button>
          )}
        </nav>
      )}
      {menu === 'account' && <AccountMenu session={session} close={close} />}
      {menu === 'more' && (
        <Dialog title={t('layout.views')} close={close}>
          <nav class="sheet-nav" aria-label={t('layout.views')}>
            {views.slice(inBar.length).map((view) => (
              <NavLink key={view.path} view={view} current={current} onGo={close} />
            ))}
          </nav>
        </Dialog>
      )}
    </div>
  );
}

interface NavLinkProps {
  readonly view: ViewRow;
  readonly current: ViewRow | undefined;
  readonly onGo?: () => void;
}

function NavLink({ view, current, onGo }: NavLinkProps) {
  return (
    <a class="nav-link" href={linkTo(view.path)} aria-current={view === current ? 'page' : undefined} onClick={onGo}>
      <Icon name={view.icon} />
      <span>{t(view.title)}</span>
    </a>
  );
}

function Loaded({ view }: { readonly view: ViewRow }) {
  const [component, setComponent] = useState<{ readonly View: ComponentType } | null>(null);
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    view.load().then(setComponent, () => setMissing(true));
  }, [view]);
  const title = t(view.title);
  useEffect(() => {
    document.title = `${title} - midge`;
  }, [title]);
  if (isMissing) {
    // The files have other names after an upgrade of the box.
    return <Failed words={t('layout.outdated')} action={<Button onClick={() => location.reload()}>{t('layout.reload')}</Button>} />;
  }
  return component === null ? <Loading /> : <component.View />;
}
