/** A certificate authority of a test's own, and a certificate of it for addresses. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** All as PEM. */
export interface Certificate {
  /** Of the authority: who trusts it trusts the certificate. */
  ca: string;
  cert: string;
  key: string;
}

/** Makes a pair for these IP addresses and host names; it lasts a day. */
export async function makeCertificate(hosts: string[]): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-certificate-'));
  const at = (name: string) => join(folder, name);
  const names = hosts.map((host) => `${isIP(host) ? 'IP' : 'DNS'}:${host}`);
  const issue = async (name: string, subject: string, ...more: string[]) => {
    const common = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const files = [
      '-days',
      '1',
      '-config',
      at('config'),
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.crt`),
    ];
    await promisify(execFile)('openssl', [...common, ...files, '-subj', subject, ...more]);
  };
  try {
    await writeFile(at('config'), '[req]\ndistinguished_name = dn\n[dn]\n');
    await issue('ca', '/CN=vivarium-test-ca', '-addext', 'basicConstraints=critical,CA:TRUE');
    const signed = ['-CA', at('ca.crt'), '-CAkey', at('ca.key')];
    const extensions = ['basicConstraints=critical,CA:FALSE', `subjectAltName=${names.join(',')}`];
    await issue('index', '/CN=vivarium-test', ...signed, ...extensions.flatMap((text) => ['-addext', text]));
    const [ca, cert, key] = await Promise.all(
      ['ca.crt', 'index.crt', 'index.key'].map((name) => readFile(at(name), 'utf8')),
    );
    return { ca: ca ?? '', cert: cert ?? '', key: key ?? '' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
