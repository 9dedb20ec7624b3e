/** What a record may wait for beside rows: the schema of its writer. */
export interface SchemaWaits {
  /** Rises when something is asked for that is not known. */
  readonly asked: number;
  readonly wanting: boolean;
  /** Resolves when what is wanted is known, however long that takes. */
  fetch(): Promise<void>;
  /** Something is known that was waited for. */
  notify(): void;
}
