// A worker that does nothing: browsers load one only where they trust the certificate of the page. See trust.ts.
