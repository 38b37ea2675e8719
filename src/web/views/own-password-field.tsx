// A password that somebody knows already: it may stand on the label of a device, which cannot take another.

import { Field, type FieldProps } from '../components/field.tsx';
import { t } from '../i18n.ts';

/** OwnPasswordField may stay empty: then the page makes one. */
export function OwnPasswordField(props: Pick<FieldProps, 'value' | 'change'>) {
  return (
    <Field
      {...props}
      label={t('people.password')}
      name="password"
      type="password"
      autocomplete="new-password"
      hint={t('people.passwordHint')}
    />
  );
}
