/** An answer that is no success, with the codes of Confluent's registry. */
export class RestFault extends Error {
  readonly status: number;
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'RestFault';
    this.code = code;
    this.status = code < 1000 ? code : Math.floor(code / 100);
  }
}

export const noSubject = (subject: string) => new RestFault(40401, `Subject '${subject}' not found.`);
export const noVersion = (version: number | string) => new RestFault(40402, `Version ${version} not found.`);
export const noSchema = (what = 'Schema') => new RestFault(40403, `${what} not found`);
export const deletedSubject = (subject: string) =>
  new RestFault(40404, `Subject '${subject}' was soft deleted. Set permanent=true to delete permanently`);
export const undeletedSubject = (subject: string) =>
  new RestFault(40405, `Subject '${subject}' was not deleted first before being permanently deleted`);
export const deletedVersion = (subject: string, version: number) =>
  new RestFault(
    40406,
    `Subject '${subject}' Version ${version} was soft deleted. Set permanent=true to delete permanently`,
  );
export const undeletedVersion = (subject: string, version: number) =>
  new RestFault(
    40407,
    `Subject '${subject}' Version ${version} was not deleted first before being permanently deleted`,
  );
export const noLevel = (subject: string) =>
  new RestFault(40408, `Subject '${subject}' does not have subject-level compatibility configured`);
export const badSchema = (why: string) => new RestFault(42201, `Invalid schema: ${why}`);
export const badVersion = (version: string) =>
  new RestFault(
    42202,
    `The specified version '${version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`,
  );
export const badLevel = (level: unknown, levels: readonly string[]) =>
  new RestFault(42203, `Invalid compatibility level ${JSON.stringify(level)}. Valid values are ${levels.join(', ')}`);
export const referred = (subject: string, version: number) =>
  new RestFault(42206, `One or more references exist to version ${version} of subject '${subject}'.`);
