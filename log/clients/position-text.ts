/** The text that stands with a position. Bindings of librdkafka end it with a zero byte, which is none of it. */
export function positionText(metadata: string | null | undefined): string {
  return metadata?.endsWith('\0') ? metadata.slice(0, -1) : (metadata ?? '');
}
