// Whether this browser trusts the certificate of the box. A page that came past a warning looks like any other to its scripts, but browsers
// load no worker for it.

/** Trust: 'plain' = the page came without TLS, 'unknown' = this browser tells nothing, such as in a private window. */
export type Trust = 'trusted' | 'warned' | 'plain' | 'unknown';

/** findTrust asks the browser; nothing of it stays. */
export async function findTrust(): Promise<Trust> {
  if (location.protocol !== 'https:') return 'plain';
  const workers = (navigator as Partial<Navigator>).serviceWorker;
  if (workers === undefined) return 'unknown';
  try {
    const probe = new URL('./trust-probe.js', import.meta.url);
    const registration = await workers.register(probe, { scope: new URL('./never-there/', probe).href });
    await registration.unregister();
    return 'trusted';
  } catch {
    return 'warned';
  }
}
