import { compileExpression, typeOfJsonSchema } from '../expressions/expressions.ts';
import type { Expressions } from './scopes.ts';

/** The expressions of documents: the profile of CEL. */
export const EXPRESSIONS: Expressions = { compile: compileExpression, typeOf: typeOfJsonSchema };
