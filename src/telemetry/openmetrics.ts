// The metrics in OpenMetrics 1.0, which Prometheus asks for first, made of the text of Prometheus: prom-client writes one registry in one of the two only.

/** OPENMETRICS_TYPE is the media type of the text. */
export const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** wantsOpenMetrics tells whether a header Accept names it. RFC 9110 12.5.1: with q=0 it is not wanted. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((each) => {
    const [type = '', ...parameters] = each.split(';').map((part) => part.trim().toLowerCase());
    const version = parameters.find((part) => part.startsWith('version='));
    const isWanted = !parameters.some((part) => /^q=0(\.0*)?$/.test(part));
    return type === 'application/openmetrics-text' && isWanted && (version === undefined || version === 'version=1.0.0');
  });
}

/**
 * asOpenMetrics gives the same in the other form: a counter is described under its name without `_total`, bounds are written as numbers with
 * a point, and the end is marked. https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function asOpenMetrics(text: string): string {
  const lines = text
    .replaceAll(/^# (HELP|TYPE) (\w+)_total /gm, '# $1 $2 ')
    .replaceAll(/^# HELP .*"/gm, (help) => help.replaceAll('"', '\\"'))
    .replaceAll(/\ble="(\d+)"/g, 'le="$1.0"')
    .split('\n')
    .filter((line) => line !== '');
  return `${lines.join('\n')}\n# EOF\n`;
}
