export const EVENTS_TOPIC = 'nf.events';
export const COMMANDS_TOPIC = 'nf.commands';
export const INTERNAL_TOPIC = 'nf.internal';
export const DEFINITIONS_TOPIC = 'nf.definitions';
export const DEAD_LETTERS_TOPIC = 'nf.dlq';
