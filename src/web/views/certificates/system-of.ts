// The system that a browser runs on.

export type System = 'windows' | 'macos' | 'linux' | 'android' | 'ios';

/** systemOf reads the User-Agent of a browser; an iPad says that it is a Mac. Null = another system. */
export function systemOf(userAgent: string): System | null {
  if (/iPhone|iPad/.test(userAgent)) return 'ios';
  if (userAgent.includes('Android')) return 'android'; // which says Linux too
  if (userAgent.includes('Windows')) return 'windows';
  if (userAgent.includes('Macintosh')) return 'macos';
  return /Linux|X11/.test(userAgent) ? 'linux' : null;
}
