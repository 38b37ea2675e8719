// Makes a picture from a camera small enough for a card.

import { t } from '../../i18n.ts';

/** Pixels of each side: what a marker on a map needs on a fine screen. */
const SIDE = 192;
const QUALITY = 0.85;

/** smallPicture gives the middle of a picture as JPEG in base64. Throws where the browser cannot read it. */
export async function smallPicture(file: Blob): Promise<string> {
  const picture = await createImageBitmap(file).catch(() => null);
  const context = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE }).getContext('2d');
  if (picture === null || context === null) throw new Error(t('where.pictureUnreadable'));
  const side = Math.min(picture.width, picture.height);
  context.fillStyle = '#fff'; // JPEG has no transparency
  context.fillRect(0, 0, SIDE, SIDE);
  context.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  picture.close();
  return context.canvas.toDataURL('image/jpeg', QUALITY).replace(/^.*,/, '');
}
