const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];

type Dict = { readonly [name: string]: unknown };

/**
 * One text for all ways to write a schema: names whole, without namespaces, attributes in order, no blanks.
 * Documentation and attributes of others stay. Takes only schemas that were checked.
 */
export function canonicalSchema(schema: unknown): string {
  return JSON.stringify(canonical(schema, ''));
}

function canonical(schema: unknown, space: string): unknown {
  if (typeof schema === 'string') return PRIMITIVES.includes(schema) ? schema : qualified(schema, space);
  if (Array.isArray(schema)) return schema.map((branch) => canonical(branch, space));
  const { namespace, ...dict } = schema as Dict;
  const { type } = dict;
  if (typeof type !== 'string' || PRIMITIVES.includes(type)) {
    const inner = canonical(type, space);
    return Object.keys(dict).length === 1 ? inner : sorted({ ...dict, type: inner });
  }
  if (type === 'array') return sorted({ ...dict, items: canonical(dict['items'], space) });
  if (type === 'map') return sorted({ ...dict, values: canonical(dict['values'], space) });
  if (typeof dict['name'] !== 'string') return qualified(type, space);
  const name = qualified(dict['name'], typeof namespace === 'string' ? namespace : space);
  const inner = name.slice(0, Math.max(0, name.lastIndexOf('.')));
  const { aliases, fields } = dict;
  return sorted({
    ...dict,
    name,
    ...(Array.isArray(aliases) ? { aliases: aliases.map((alias) => qualified(String(alias), inner)) } : {}),
    ...(Array.isArray(fields)
      ? { fields: fields.map((field: Dict) => sorted({ ...field, type: canonical(field['type'], inner) })) }
      : {}),
  });
}

function qualified(name: string, space: string): string {
  return name.includes('.') || space === '' ? name : `${space}.${name}`;
}

function sorted(dict: Dict): Dict {
  return Object.fromEntries(Object.entries(dict).sort(([a], [b]) => (a < b ? -1 : 1)));
}
