// The picture of a card.

import { Icon } from '../../components/icon.tsx';

/** Face is PNG or JPEG, and nothing else. */
export function Face({ picture }: { readonly picture: string | null }) {
  const type = picture?.startsWith('iVBORw0KGgo') ? 'png' : picture?.startsWith('/9j/') ? 'jpeg' : null;
  if (type === null) return <Icon name="person" />;
  return <img class="face-picture" src={`data:image/${type};base64,${picture}`} alt="" />;
}
