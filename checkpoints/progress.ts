/** The table of a task's progress; an ordinary one, so it shares cut, changelog and restore with the others. */
export const PROGRESS = 'nf.progress';
