import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import type { Machine } from './machine.ts';

/** What the secure listeners of brokers need, and where clients find their part. */
export interface Security {
  readonly properties: { readonly [key: string]: string };
  /** PEM files: the test authority, and a client's certificate and key. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export const USER = 'alice';
export const PASSWORD = 'alice-secret';

/** Given to `StorageTool format`: the user's credentials are among the first records of the cluster. */
export const SCRAM_USERS: readonly string[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
  '--add-scram',
  `${mechanism}=[name=${USER},password=${PASSWORD}]`,
]);

/** Where the files of the test authority stand below the data folder. */
export function securityIn(folder: string): Security {
  const at = (name: string) => join(folder, 'tls', name);
  const jaas = 'org.apache.kafka.common.security';
  return {
    ca: at('ca.pem'),
    certificate: at('client.pem'),
    key: at('client.key'),
    properties: {
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      ...Object.fromEntries(
        ['sasl', 'saslssl'].flatMap((listener) => {
          const key = (mechanism: string) => `listener.name.${listener}.${mechanism}.sasl.jaas.config`;
          return [
            [key('plain'), `${jaas}.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`],
            [key('scram-sha-256'), `${jaas}.scram.ScramLoginModule required;`],
            [key('scram-sha-512'), `${jaas}.scram.ScramLoginModule required;`],
            [
              key('oauthbearer'),
              `${jaas}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
            ],
          ];
        }),
      ),
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': at('broker-chain.pem'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': at('ca.pem'),
      'listener.name.ssl.ssl.client.auth': 'required',
      'listener.name.saslssl.ssl.client.auth': 'none',
    },
  };
}

const DAYS = '3650';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes a test authority, a certificate for the brokers and one for clients. Fails with `tool.missing`. */
export async function makeCertificates(folder: string, machine: Machine): Promise<void> {
  const tls = join(folder, 'tls');
  const at = (name: string) => join(tls, name);
  if (existsSync(at('broker-chain.pem'))) return;
  mkdirSync(tls, { recursive: true });
  const openssl = async (...args: readonly string[]) => {
    const ended = await machine.run('openssl', args, machine.env);
    if (ended === undefined) {
      throw new FlowError(
        'tool.missing',
        'there is no openssl on the path, which makes the certificates of --secure; install it (Debian: apt install openssl)',
      );
    }
    if (ended.code !== 0) {
      throw new FlowError(
        'tool.missing',
        `openssl ${args[0]} failed: ${ended.said.trim()}; install OpenSSL 1.1.1 or newer`,
      );
    }
  };
  const subject = (name: string) => ['-subj', `/O=nodeflow tests/CN=${name}`];
  const config = at('openssl.cnf');
  writeFileSync(
    config,
    '[req]\ndistinguished_name=name\n[name]\n[ca]\nbasicConstraints=critical,CA:true\nkeyUsage=keyCertSign\n',
  );
  await openssl(
    ...['req', '-config', config, '-x509', '-extensions', 'ca', ...NEW_KEY, '-days', DAYS],
    ...[...subject('test authority'), '-keyout', at('ca.key'), '-out', at('ca.pem')],
  );
  for (const [name, common] of [
    ['broker', 'localhost'],
    ['client', USER],
  ] as const) {
    const extensions = at(`${name}.cnf`);
    writeFileSync(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
    await openssl(
      ...['req', '-config', config, '-new', ...NEW_KEY, ...subject(common)],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.csr`)],
    );
    await openssl(
      ...['x509', '-req', '-in', at(`${name}.csr`), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'],
      ...['-days', DAYS, '-sha256', '-extfile', extensions, '-out', at(`${name}.pem`)],
    );
    for (const file of [extensions, at(`${name}.csr`)]) rmSync(file);
  }
  rmSync(config);
  const chain = ['broker.key', 'broker.pem', 'ca.pem'].map((name) => readFileSync(at(name), 'utf8'));
  writeFileSync(at('broker-chain.pem'), chain.join(''), { mode: 0o600 });
}
