// Tags of exceptions in the WebAssembly JavaScript API, which TypeScript does not declare.

export type Tag = object;

/** An exception that JavaScript throws or catches. */
interface Exception {
  is(tag: Tag): boolean;
  getArg(tag: Tag, index: number): unknown;
}

interface ExceptionApi {
  readonly Tag: new (type: { parameters: readonly string[] }) => Tag;
  readonly Exception: new (tag: Tag, values: readonly unknown[]) => Exception;
  /** Values that JavaScript throws; newer engines have it. */
  readonly JSTag?: Tag;
}

export const { Tag, Exception, JSTag } = WebAssembly as unknown as ExceptionApi;
