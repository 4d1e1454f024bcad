import { inspect } from "node:util";

/**
 * What all answers have in common: none of them may be a condition.
 *
 * Every object of JavaScript is true where a condition is wanted, a denial too, and
 * nothing can change that at run time. So the types are made such that the compiler
 * objects to what it can see: an answer has a call signature that nobody can use, and
 * TypeScript refuses to test a function without calling it. What remains,
 * `if (await ask())`, the linter's rule `strict-boolean-expressions` finds. To compare
 * an answer, to calculate with it or to put it in a text throws.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- there is nothing to initialise: the call signature is for the compiler alone
export abstract class Answer {
  /** Throws: an answer is no primitive value. */
  [Symbol.toPrimitive](): never {
    throw new TypeError(
      "an answer is neither true nor false: use its properties or `require()`",
    );
  }
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- as above
export interface Answer {
  /** Not there: it makes `if (answer)` an error of the compiler. */
  // eslint-disable-next-line @typescript-eslint/prefer-function-type -- it is merged with a class
  (this: never, answersAreNoConditions: never): never;
}

/** Several answers in the order of the questions, and as many. */
export abstract class Several<T> extends Answer implements Iterable<T> {
  readonly #each: readonly T[];

  protected constructor(each: readonly T[]) {
    super();
    this.#each = Object.freeze([...each]);
  }

  // A call signature brings the properties of functions into the type.
  override get length(): number {
    return this.#each.length;
  }

  /** The answer to the question of this number, from 0; a RangeError if none is. */
  at(number: number): T {
    const found = Number.isInteger(number) ? this.#each[number] : undefined;
    if (found === undefined)
      throw new RangeError(`no answer ${String(number)}`);
    return found;
  }

  [Symbol.iterator](): ArrayIterator<T> {
    return this.#each.values();
  }

  /** For `console.log`. */
  [inspect.custom](): unknown {
    return [...this.#each];
  }
}
