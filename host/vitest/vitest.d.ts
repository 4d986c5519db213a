// What is used of Vitest, which is not installed here: users have their own.

declare module 'vitest' {
  export interface TestAPI<Context> {
    (name: string, body: (context: Context) => unknown): void;
    extend<Added>(fixtures: {
      [Name in keyof Added]: (
        context: Context,
        use: (value: Added[Name]) => Promise<void>,
      ) => Promise<void>;
    }): TestAPI<Context & Added>;
  }
  export const test: TestAPI<object>;
  export function inject(key: never): string;
}
