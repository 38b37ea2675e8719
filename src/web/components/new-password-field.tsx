// The field for a password of one's own choice: browsers offer to make one, and the box wants it long enough.

import { t } from '../i18n.ts';
import { Field, type FieldProps } from './field.tsx';

/** The box wants at least so many: claim and OWN_PASSWORD in src/api/sign-in.ts. */
const SHORTEST = 8;

/** NewPasswordField is called `password` in the request. */
export function NewPasswordField(props: Pick<FieldProps, 'label' | 'value' | 'change'>) {
  return (
    <Field
      {...props}
      name="password"
      type="password"
      autocomplete="new-password"
      hint={t('claim.passwordHint', { count: SHORTEST })}
      minLength={SHORTEST}
      required
    />
  );
}
