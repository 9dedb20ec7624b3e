import type { SendRequest } from '../../connectors/export.ts';
import { FlowError } from '../../core/errors.ts';
import { NodeFailure } from '../errors/node-failure.ts';
import { ask, type HttpSettings, httpParts } from '../nodes/http-call.ts';

/** Requests of exports, to addresses that a document may reach. */
export function guardedRequest(settings: HttpSettings): SendRequest {
  const parts = httpParts(settings);
  return async (request, signal) => {
    try {
      const answer = await ask(request, parts, signal);
      answer.destroy();
      return answer.statusCode ?? 0;
    } catch (thrown) {
      if (!(thrown instanceof NodeFailure) || thrown.class !== 'PERMANENT') throw thrown;
      throw new FlowError('export.refused', thrown.message, { cause: thrown });
    }
  };
}
