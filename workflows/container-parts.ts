import type { Json } from '../core/ids.ts';
import type { NodeType } from './catalog.ts';

/** What a type of containers does with the children of its nodes; undefined where it is none of containers. */
export function howOf(type: NodeType | undefined): 'loop' | 'map' | 'try' | undefined {
  return type?.behaviour.kind === 'container' ? type.behaviour.how : undefined;
}

/** Which part of a `try` a child belongs to, by the configuration of its container. `body` everywhere else. */
export function roleOf(child: string, config: { readonly [name: string]: Json } | undefined): Role {
  const names = (list: Json | undefined) => Array.isArray(list) && list.includes(child);
  return names(config?.['catch']) ? 'catch' : names(config?.['finally']) ? 'finally' : 'body';
}

export type Role = 'body' | 'catch' | 'finally';
