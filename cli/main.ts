#!/usr/bin/env node
import { runCommandLine } from './cli.ts';
import { runMain } from './run-main.ts';

await runMain((world) => runCommandLine(process.argv.slice(2), world));
