/**
 * How many rows of a connector were read stands among an application's positions, under the topic of its stage's
 * progress. Answers that stage; `undefined` where a position is a place in a topic.
 */
export function connectorStage(application: string, topic: string): string | undefined {
  const prefix = `nf.${application}.`;
  const isProgress = topic.startsWith(prefix) && topic.endsWith('.progress');
  return isProgress ? topic.slice(prefix.length, -'.progress'.length) : undefined;
}
