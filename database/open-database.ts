import { FlowError, messageOf } from '../core/errors.ts';
import type { Database, DatabaseAddress } from './database.ts';

/** Opens a database by its address. Either client is loaded only where it is used. Throws `database.unreachable`. */
export async function openDatabase(address: DatabaseAddress): Promise<Database> {
  const what = 'url' in address ? withoutPassword(address.url) : (address.directory ?? 'memory');
  try {
    if ('url' in address) return await (await import('./postgres.ts')).openPostgres(address.url);
    return await (await import('./pglite.ts')).openPglite(address.directory);
  } catch (thrown) {
    throw new FlowError('database.unreachable', `the database cannot be opened (${what}): ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

function withoutPassword(url: string): string {
  return url.replace(/(\/\/[^:@/]+):[^@/]*@/, '$1:***@');
}
