/**
 * When a call is made again.
 *
 * Every call of the API only reads, so that a second one does no harm. Only UNAVAILABLE
 * is tried again: for anything else the same question gets the same answer, or adds to
 * what is too much already.
 */

import { DeadlineError, UnavailableError } from "./errors.js";

/** How often and when a call is made again. */
export interface Retry {
  /** How often at most, the first time counted; 4. */
  readonly attempts: number;
  /** Milliseconds before the first repetition, doubled for each further one; 20. */
  readonly firstWaitMs: number;
  /** Milliseconds that no wait exceeds; each is random between half and all; 500. */
  readonly longestWaitMs: number;
  /** How many repetitions there may be while a server is away; 20. */
  readonly budget: number;
  /** What each call that succeeds gives back to the budget; 0.1. */
  readonly earned: number;
}

const DEFAULTS: Retry = {
  attempts: 4,
  firstWaitMs: 20,
  longestWaitMs: 500,
  budget: 20,
  earned: 0.1,
};

/** The defaults with what differs from them. */
export function retryOf(chosen: Partial<Retry> = {}): Retry {
  for (const [name, value] of Object.entries(chosen)) {
    if (!Object.hasOwn(DEFAULTS, name) || !(value >= 0 && value < Infinity))
      throw new TypeError(`\`retry.${name}\` is not known, or no number`);
  }
  return { ...DEFAULTS, ...chosen };
}

/** What is left for repetitions, of all calls of one client. */
export class Budget {
  readonly retry: Retry;
  #left: number;

  constructor(retry: Retry) {
    this.retry = retry;
    this.#left = retry.budget;
  }

  /** A call succeeded. */
  earn(): void {
    this.#left = Math.min(this.#left + this.retry.earned, this.retry.budget);
  }

  /** Takes one away; says whether there was one. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Milliseconds before the repetition of this number, from 1. */
  wait(number: number): number {
    const { firstWaitMs, longestWaitMs } = this.retry;
    const most = Math.min(
      firstWaitMs * 2 ** Math.min(number - 1, 30),
      longestWaitMs,
    );
    return most * (0.5 + Math.random() / 2);
  }
}

/** The attempts of one call until its deadline, by a clock in milliseconds. */
export class Attempts {
  readonly #budget: Budget;
  readonly #clock: () => number;
  readonly #deadline: number;
  #number = 0;

  constructor(budget: Budget, timeoutMs: number, clock: () => number) {
    this.#budget = budget;
    this.#clock = clock;
    this.#deadline = clock() + timeoutMs;
  }

  /** Milliseconds for the next attempt; throws DeadlineError when there are none. */
  remaining(): number {
    const left = this.#deadline - this.#clock();
    if (left > 0) return left;
    throw new DeadlineError("no time is left for the question");
  }

  /** Milliseconds before the next attempt; throws the error when there is to be none. */
  waitAfter(error: unknown): number {
    this.#number += 1;
    const wait = this.#budget.wait(this.#number);
    const isAgain =
      error instanceof UnavailableError &&
      this.#number < this.#budget.retry.attempts &&
      this.#clock() + wait < this.#deadline &&
      this.#budget.spend();
    if (isAgain) return wait;
    throw error;
  }

  /** The call was answered. */
  succeed(): void {
    this.#budget.earn();
  }
}
