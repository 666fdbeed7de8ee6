import { isIP } from 'node:net';

/** Whether one of the patterns names the host of a URL: `example.org`, `*.example.org` (its subdomains), `*`. */
export function isListed(hostname: string, patterns: readonly string[]): boolean {
  const host = plainHost(hostname).toLowerCase();
  return patterns.some((pattern) => {
    if (pattern === '*') return true;
    const wanted = pattern.toLowerCase();
    // "*.0.0.1" is no domain.
    return wanted.startsWith('*.') ? !isIP(host) && host.endsWith(wanted.slice(1)) : host === wanted;
  });
}

/** The host of a URL as it is looked up: without the brackets of IPv6 and without the root's dot. */
export function plainHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
