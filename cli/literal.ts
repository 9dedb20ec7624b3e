const WIDTH = 110;

/** JSON as a literal of TypeScript, on one line where it is short. */
export function literalOf(value: unknown, indent = ''): string {
  const line = inline(value);
  if (indent.length + line.length <= WIDTH || typeof value !== 'object' || value === null) return line;
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => `${deeper}${literalOf(item, deeper)},\n`).join('')}${indent}]`;
  }
  const entries = Object.entries(value).map(([name, inner]) => `${deeper}${key(name)}: ${literalOf(inner, deeper)},\n`);
  return `{\n${entries.join('')}${indent}}`;
}

function inline(value: unknown): string {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, inner]) => `${key(name)}: ${inline(inner)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__'
    ? name
    : name === '__proto__'
      ? "['__proto__']"
      : text(name);
}

/** In single quotes, with what would end the line or the text escaped. */
function text(value: string): string {
  const escaped = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
  const safe = escaped.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  return safe.includes("'") && !safe.includes('"') ? `"${safe}"` : `'${safe.replaceAll("'", "\\'")}'`;
}
