/** The public words of permissions and roles. */

import { inspect } from "node:util";

import { Answer } from "./answer.js";

/** The area in which access rules hold. */
export type RuleContext = "DATA" | "UI" | "RESOURCE";

/** What is to be done with an item. */
export type Operation = "VIEW" | "READ" | "CREATE" | "UPDATE" | "DELETE";

/** A member's role in an organization. */
export type OrgRole = "ADMIN" | "USER";

export type LevelName = "NONE" | "MY" | "GROUP" | "ALL";

/**
 * How far an operation reaches. Levels are compared, by `level.atLeast(AccessLevel.MY)`
 * or by `level >= AccessLevel.MY`. They are objects and no texts, because texts would
 * compare by the alphabet.
 */
export class AccessLevel extends Answer {
  static readonly NONE = new AccessLevel("NONE", 0);
  static readonly MY = new AccessLevel("MY", 1);
  static readonly GROUP = new AccessLevel("GROUP", 2);
  static readonly ALL = new AccessLevel("ALL", 3);

  // A call signature brings the properties of functions into the type.
  override readonly name: LevelName;
  readonly #rank: number;

  private constructor(name: LevelName, rank: number) {
    super();
    this.name = name;
    this.#rank = rank;
    Object.freeze(this);
  }

  /** Whether it reaches as far as another level, or further. */
  atLeast(other: AccessLevel): boolean {
    return this.#rank >= other.#rank;
  }

  /** The rank for `<` and its like; anything else throws. */
  override [Symbol.toPrimitive](hint?: string): never {
    // The declared type keeps levels out of calculations. `<` and `>=` ask for a number.
    if (hint === "number") return this.#rank as never;
    throw new TypeError(
      "a level is neither true nor false nor a text: compare it, or use `name`",
    );
  }

  toJSON(): LevelName {
    return this.name;
  }

  /** For `console.log`. */
  [inspect.custom](): string {
    return `AccessLevel.${this.name}`;
  }
}
