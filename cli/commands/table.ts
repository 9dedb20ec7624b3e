import type { Command } from '../command.ts';
import { consume } from './consume.ts';
import { deadLetters } from './dead-letters.ts';
import { describe } from './describe.ts';
import { doctor } from './doctor.ts';
import { execution } from './execution.ts';
import { groups } from './groups.ts';
import { init } from './init.ts';
import { kafka } from './kafka.ts';
import { nodes } from './nodes.ts';
import { plan } from './plan.ts';
import { produce } from './produce.ts';
import { registry } from './registry.ts';
import { reset } from './reset.ts';
import { run } from './run.ts';
import { schemas } from './schemas.ts';
import { serve } from './serve.ts';
import { session } from './session.ts';
import { topics } from './topics.ts';
import { version } from './version.ts';
import { workflow } from './workflow.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  run,
  describe,
  plan,
  topics,
  consume,
  produce,
  groups,
  serve,
  workflow,
  execution,
  session,
  deadLetters,
  nodes,
  reset,
  doctor,
  schemas,
  registry,
  kafka,
  init,
  version,
];
