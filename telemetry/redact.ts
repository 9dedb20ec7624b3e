const HIDDEN = '[hidden]';

/** Keys whose values are secret whatever they hold. A record's `key` is none of them. */
const SECRET_KEY =
  /pass(word|wd|phrase)|^pass$|secret|(^|[^a-z])tokens?$|token$|api[-_.]?key|(private|access|encryption|signing|ssl|account)[-_.]?key|authori[sz]ation|credential|cookie|^sasl[-_.]?(jaas|password)/i;

/** `password=...`, `token: ...` and the like in running text. */
const SECRET_IN_TEXT =
  /\b((?:[\w.-]*(?:password|passwd|passphrase|secret|token|api[-_]?key|private[-_]?key|access[-_]?key))(?:\\?["'])?\s*[=:]\s*)(?!\[hidden\])(\\?"[^"]*"|'[^']*'|[^\s,;&"'}\]]+)/gi;
const SCHEME_IN_TEXT = /\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi;
const USER_INFO = /(\b[a-z][\w+.-]*:\/\/)[^\s/@:]*:[^\s/@]*@/gi;
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;
/** JSON.parse quotes what stands around a fault, of a file or of a record. */
const JSON_EXCERPT = /(\.\.\.)?"[^\n]*"(\.\.\.)?( is not valid JSON)/g;

const MAX_DEPTH = 12;
const secrets = new Set<string>();

/**
 * From now on this value is hidden in this thread wherever it is logged or printed. Values shorter than four
 * characters are not taken: hiding them would make every text unreadable.
 */
export function registerSecret(value: string): void {
  if (value.length >= 4) secrets.add(value);
}

/** Words that stand under a telling key without being secret. */
const NO_SECRET = /^(true|false|none|null|auto|always|never|required|default)$/i;

/** Registers every value under a key that names a secret: of the environment, or of a configuration. */
export function registerSecretsOf(values: object): void {
  for (const [key, value] of Object.entries(values)) {
    if (typeof value === 'string' && SECRET_KEY.test(key) && !NO_SECRET.test(value)) registerSecret(value);
    else if (typeof value === 'object' && value !== null) registerSecretsOf(value);
  }
}

/** What was registered in this thread, to register it in another. */
export function registeredSecrets(): readonly string[] {
  return [...secrets];
}

/** Forgets all registered secrets. For tests. */
export function forgetSecrets(): void {
  secrets.clear();
}

/** The text without what is or looks like a secret. */
export function redactText(text: string): string {
  let clean = text;
  for (const secret of secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, HIDDEN);
  return clean
    .replace(PEM, HIDDEN)
    .replace(JSON_EXCERPT, `${HIDDEN}$3`)
    .replace(USER_INFO, `$1${HIDDEN}@`)
    .replace(SCHEME_IN_TEXT, `$1 ${HIDDEN}`)
    .replace(SECRET_IN_TEXT, `$1${HIDDEN}`);
}

/**
 * A plain copy of a value without secrets: values under a telling key are replaced, texts are searched. Errors become
 * their name, message, code and cause; bytes become their length.
 */
export function redact(value: unknown): unknown {
  return copy(value, 0, new Set());
}

function copy(value: unknown, depth: number, above: Set<object>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH || above.has(value)) return '[...]';
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  above.add(value);
  const result = copyObject(value, depth + 1, above);
  above.delete(value);
  return result;
}

function copyObject(value: object, depth: number, above: Set<object>): unknown {
  if (Array.isArray(value)) return value.map((item) => copy(item, depth, above));
  const plain: Record<string, unknown> = {};
  if (value instanceof Error) {
    plain['name'] = value.name;
    plain['message'] = redactText(value.message);
    if (value.cause !== undefined) plain['cause'] = copy(value.cause, depth, above);
  }
  const entries = value instanceof Map ? value.entries() : Object.entries(value);
  if (value instanceof Set) return [...value].map((item) => copy(item, depth, above));
  for (const [key, item] of entries) {
    const name = String(key);
    plain[redactText(name)] =
      SECRET_KEY.test(name) && item !== null && item !== undefined ? HIDDEN : copy(item, depth, above);
  }
  return plain;
}
