import { type ErrorRow, row } from './error-row.ts';

/** The rows of `errors.ts` for workflows: of documents, of commands to executions, and of what makes nodes fail. */
export const WORKFLOW_ERRORS = {
  'workflow.invalid': row('user', 'A workflow document has faults.', 'Correct each fault that the message lists.'),
  'workflow.input': row(
    'user',
    'The input of an execution is not what its workflow takes.',
    'Correct each field that is listed.',
  ),
  'workflow.version-taken': row(
    'user',
    'Another document was published under this id and version.',
    'Give the document a new version; a published one never changes.',
  ),
  'workflow.unknown-definition': row(
    'user',
    'There is no definition of this workflow, or not of this version.',
    'Publish it: `nodeflow workflow publish FILE`.',
  ),
  'workflow.no-schedule': row(
    'user',
    'A workflow has no schedule, so there are no past times to run it for.',
    'Add a trigger of type `schedule` to its document, and publish it.',
  ),
  'workflow.unknown-execution': row(
    'user',
    'There is no execution of this id, or its end is so long ago that it was forgotten.',
    'Check the id.',
  ),
  'workflow.unknown-output': row(
    'user',
    'Nothing was put out at this reference, or its step record is no longer in the log.',
    'Take the reference of an event as it stands; the node, the iteration, the port and the step have to be those of it.',
  ),
  'workflow.unknown-session': row(
    'user',
    'Nothing is kept of this session: nobody has used it, or it has expired, or was cleared.',
    'Check name and id; the name is that of the workflow where its document gives none.',
  ),
  'workflow.session-id': row(
    'permanent',
    'The id of the session of an execution is no text, is empty, or is too long.',
    'Correct `id` of the session, or what executions are started with.',
  ),
  'workflow.session-within': row(
    'permanent',
    'An execution that another has started wants another session than that one holds.',
    'Start it beside that one, or let both declare one session.',
  ),
  'workflow.session-key': row(
    'permanent',
    'An execution that another has started declares a key of the session that the other does not.',
    'Declare the key in the document of the other too.',
  ),
  'workflow.session-value': row(
    'permanent',
    'A value of a session is too large, or does not fit the schema that the document declares.',
    'See the message: it names the key, and what does not fit.',
  ),
  'workflow.ended': row('user', 'The execution has ended.', 'Start another one, or fork this one.'),
  'workflow.rejected': row(
    'user',
    'A command to an execution was rejected; nothing has changed.',
    'See the message: it says why.',
  ),
  'workflow.unanswered': row(
    'transient',
    'A command was sent and not answered in time. It may still have an effect.',
    'Send it again under the same id: the same id twice is one command.',
  ),
  'workflow.unknown-node': row(
    'user',
    'A workflow has no node of that id.',
    'Check the id: `nodeflow workflow describe` lists them.',
  ),
  'workflow.within': row(
    'user',
    'A node lies within a container, and a command names it as if it did not.',
    'Name the container, or the iteration too.',
  ),
  'workflow.node-ended': row(
    'user',
    'A node has ended, or its iteration has.',
    'Begin again from it by retry-from, or fork the execution.',
  ),
  'workflow.in-segment': row(
    'user',
    'A node runs as a part of a segment, and a command names it alone.',
    'Name the node that stands for the segment; the message says which.',
  ),
  'workflow.node-not-begun': row(
    'user',
    'A node has not begun, so there is nothing to do again or to fail.',
    'Wait for it, skip it, or give its output.',
  ),
  'workflow.node-started': row(
    'user',
    'A patch would change what has begun.',
    'Patch what lies behind it, or begin again in a fork.',
  ),
  'workflow.not-running': row(
    'user',
    'The execution is being cancelled, or fails.',
    'Wait for its end, then start or fork another.',
  ),
  'workflow.not-streaming': row(
    'user',
    'Only a streaming execution is told to end, or to stop at a savepoint: others end by themselves.',
    'Wait for its end, or cancel it.',
  ),
  'workflow.no-savepoint': row(
    'user',
    'An execution has open what a savepoint cannot keep, or it kept nothing that is there still.',
    'Let end first what the message names, or cancel it; of what kept nothing, start another one.',
  ),
  'workflow.not-upgradable': row(
    'user',
    'Another version of a workflow cannot take up what an execution has open. Nothing was stopped.',
    'Change the version as the message says, or end the execution and start another one.',
  ),
  'workflow.paused': row('user', 'The execution is paused, and would not act on the command.', 'Resume it first.'),
  'workflow.not-paused': row('user', 'An execution that is not paused cannot be resumed.', 'Look at its phase first.'),
  'workflow.patch-conflict': row(
    'user',
    'The graph has changed since the patch was made.',
    'Look at the graph as it is now, and make the patch again.',
  ),
  'workflow.patch-invalid': row(
    'user',
    'The graph would have faults with the patch.',
    'Correct each fault that the message lists.',
  ),
  'workflow.unknown-token': row(
    'user',
    'A token stands for no approval or dead letter of this execution.',
    'Copy it as the execution shows it.',
  ),
  'workflow.answered': row(
    'user',
    'An approval has been answered otherwise before.',
    'The first answer holds; see its output.',
  ),
  'workflow.value-too-large': row(
    'permanent',
    'What a node puts out, an execution answers or a child is given has more bytes than a value may have.',
    'Put out a reference to it, or make it a dataset.',
  ),
  'workflow.bad-output': row(
    'permanent',
    'What a node puts out, an execution answers or a child is given is no JSON.',
    'Put out plain objects, lists, texts, booleans and finite numbers, by port.',
  ),
  'workflow.loop-limit': row(
    'permanent',
    'A loop has run as often as it may, and its condition still holds.',
    'Raise `max`, or see why the condition holds.',
  ),
  'workflow.too-deep': row(
    'permanent',
    'Executions have started each other, one within the other, as deep as they may.',
    'Let a workflow that starts itself end, or make a `loop` of it.',
  ),
  'workflow.too-many': row(
    'permanent',
    'An execution has as many others open within it as it may.',
    'Let fewer run at a time: `concurrency` of a map; and see whether a workflow starts itself without end.',
  ),
  'workflow.deadline': row(
    'permanent',
    'An execution has not ended by its deadline.',
    'Give it more time, or see what it waited for.',
  ),
  'workflow.timeout-queue': row(
    'transient',
    'No slot was free for a task in time.',
    'Raise the slots of its pool, or `policy.timeout.queue`.',
  ),
  'workflow.timeout-run': row(
    'transient',
    'A node has run longer than it may.',
    'Raise `policy.timeout.run`, or see what it waits for.',
  ),
  'workflow.timeout-total': row(
    'transient',
    'All attempts of a node together took longer than they may.',
    'Raise `policy.timeout.total`.',
  ),
  'workflow.child-failed': row('permanent', 'A sub-workflow has failed.', 'See the execution that the message names.'),
  'workflow.child-cancelled': row(
    'user',
    'A sub-workflow was cancelled by somebody.',
    'See the execution that the message names.',
  ),
  'workflow.failed-by-hand': row(
    'user',
    'Somebody has failed a node that was held.',
    'See by whom in the history of the execution.',
  ),
  'workflow.records-lost': row(
    'system',
    'A segment has put out fewer or more records than it took in, by its own count.',
    'Do not use its results. Run the execution again, and report it with the counters of its nodes.',
  ),
  'workflow.too-many-records': row(
    'user',
    'A node collects more records into a value than its limit allows.',
    'Raise its limit, filter or aggregate before it, or write the records to a topic.',
  ),
  'workflow.stale': row(
    'permanent',
    'An attempt reports that has been given up.',
    'Nothing: a later attempt goes on, or the execution has ended.',
  ),
  'workflow.process-lost': row(
    'system',
    'The process that called a task ended while the task ran.',
    'Nothing: it is called again, and its attempts are not counted. Where it happens again, see docs/workflows/quarantine.md.',
  ),
  'workflow.quarantined': row(
    'system',
    'A task has ended so many processes in a row that it is held.',
    'See the logs of the processes; then retry the node, give its output, skip it or fail it.',
  ),
  'workflow.node-type': row(
    'user',
    'A node type cannot be as it was registered.',
    'Change its name, version or configuration schema as the message says.',
  ),
  'workflow.unknown-function': row(
    'user',
    'A document calls a function that the program does not have.',
    'Give the function to the engine under the name that the document uses.',
  ),
} as const satisfies Record<string, ErrorRow>;
