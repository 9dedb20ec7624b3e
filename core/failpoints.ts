/**
 * Named places where a crash, a pause or an error can be made to happen. In production the hook is
 * absent and a failpoint costs one comparison. Tests set a hook in the process under test; real
 * child processes, and every worker thread of theirs, set it from `NODEFLOW_FAILPOINT=name:hit:action`
 * (action: kill, term, stop, throw).
 */
let hook: ((name: string) => void) | undefined;

export function failpoint(name: string): void {
  if (hook !== undefined) hook(name);
}

export function setFailpointHook(next: ((name: string) => void) | undefined): void {
  hook = next;
}

/** Sets the hook that the process's environment asks for, if any; each thread counts its own hits. */
export function setFailpointOf(env: { readonly [name: string]: string | undefined }): void {
  const asked = env['NODEFLOW_FAILPOINT'];
  if (asked !== undefined) setFailpointHook(failpointFromText(asked));
}

const SIGNALS: { readonly [action: string]: NodeJS.Signals } = { kill: 'SIGKILL', term: 'SIGTERM', stop: 'SIGSTOP' };

/** Reads `name:hit:action`; the n-th time that name is reached (from 1) the action happens. */
export function failpointFromText(text: string): (name: string) => void {
  const [wanted, hitText = '1', action = 'kill'] = text.split(':');
  const signal = SIGNALS[action];
  if (signal === undefined && action !== 'throw') {
    throw new Error(`failpoint ${text}: there is no action ${action}; say kill, term, stop or throw`);
  }
  let left = Number(hitText);
  return (name) => {
    if (name !== wanted || --left !== 0) return;
    if (signal === undefined) throw new Error(`failpoint ${name}`);
    process.kill(process.pid, signal);
  };
}
