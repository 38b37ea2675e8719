// What belongs to the reader: language, light or dark, password, the way out.

import { useState } from 'preact/hooks';
import { chooseTheme, THEMES, type Theme, theme } from './appearance.ts';
import { Button } from './components/button.tsx';
import { Dialog } from './components/dialog.tsx';
import { Choice } from './components/field.tsx';
import { type Key, LANGUAGES, type Language, language, loadLanguage, t } from './i18n.ts';
import { OwnPassword } from './own-password.tsx';
import { type Right, type Session, signOut } from './visit.ts';

const THEME_WORDS: Readonly<Record<Theme, Key>> = { system: 'theme.system', light: 'theme.light', dark: 'theme.dark' };

/** ROLE_WORDS name the roles. */
export const ROLE_WORDS: Readonly<Record<Right, Key>> = {
  monitoring: 'role.monitoring',
  viewer: 'role.viewer',
  operator: 'role.operator',
  admin: 'role.admin',
};

/** AccountMenu is a dialog. */
export function AccountMenu({ session, close }: { readonly session: Session; readonly close: () => void }) {
  const [isChanging, setChanging] = useState(false);
  if (isChanging) return <OwnPassword session={session} close={close} />;
  return (
    <Dialog title={session.username} close={close}>
      <p class="quiet">{t(ROLE_WORDS[session.role])}</p>
      <LanguageChoice />
      <Choice
        label={t('theme.label')}
        value={theme.value}
        choose={chooseTheme}
        options={THEMES.map((each) => [each, t(THEME_WORDS[each])])}
      />
      <div class="actions">
        <Button icon="key" onClick={() => setChanging(true)}>
          {t('account.changePassword')}
        </Button>
        <Button icon="sign-out" onClick={() => void signOut()}>
          {t('account.signOut')}
        </Button>
      </div>
    </Dialog>
  );
}

/** LanguageChoice lets the reader choose. */
export function LanguageChoice() {
  const options = Object.entries(LANGUAGES) as [Language, string][]; // its keys
  return <Choice label={t('language.label')} value={language()} choose={(next) => void loadLanguage(next)} options={options} />;
}
