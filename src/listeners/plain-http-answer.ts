// What a browser gets that comes to an HTTPS port by http://, which is what it makes of an address that was typed without a scheme.

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Use https</title>
<p>This address begins with https:// instead of http://.</p>
<script>location.protocol = 'https:'</script>
</html>
`;

/**
 * PLAIN_HTTP_ANSWER is a whole response of HTTP/1.1. The request has gone into the TLS handshake, so neither its Host nor its path is known for a
 * redirection: the page leads on to the same address by https itself.
 */
export const PLAIN_HTTP_ANSWER = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: text/html; charset=utf-8',
  `Content-Length: ${Buffer.byteLength(PAGE)}`,
  'Cache-Control: no-store',
  'Connection: close',
  '',
  PAGE,
].join('\r\n');
