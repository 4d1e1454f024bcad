/**
 * Mistakes that must not compile. Each line below one of the marks is an error of the
 * compiler, or of the linter; a mark without an error is an error too.
 */

/* eslint-disable @typescript-eslint/no-confusing-void-expression, @typescript-eslint/no-misused-promises, @typescript-eslint/no-unnecessary-condition, @typescript-eslint/no-unsafe-call -- what the linter says besides */

import { AccessLevel, Caller, type Client } from "../src/index.js";

export async function mistakes(client: Client): Promise<void> {
  const ann = Caller.user("2");
  const cluster = { kind: "cluster", id: "7" } as const;
  const answer = await client.checkVisible(ann, cluster);
  const permissions = (
    await client.getPermissions(ann, { context: "DATA" })
  ).at(0);

  // eslint-disable-next-line @typescript-eslint/strict-boolean-expressions -- a trap that the compiler does not see
  if (await client.checkVisible(ann, cluster)) change();
  // eslint-disable-next-line @typescript-eslint/strict-boolean-expressions -- nor this one
  if (!answer) return;
  /* eslint-disable @typescript-eslint/strict-boolean-expressions -- from here on the compiler's marks count */

  // @ts-expect-error -- an answer is no condition
  if (answer) change();
  // @ts-expect-error -- nor is the promise of one
  if (client.checkVisible(ann, cluster)) change();
  // @ts-expect-error -- a promise allows nothing
  if (client.checkVisible(ann, cluster).allAllowed) change();
  // @ts-expect-error -- nor does it require anything
  client.checkVisible(ann, cluster).require();
  // @ts-expect-error -- an answer equals no boolean
  if (answer === true) change();
  // @ts-expect-error -- what requires gives no condition
  if (answer.require()) change();
  // @ts-expect-error -- several decisions are not allowed as one
  if (answer.allowed) change();
  // @ts-expect-error -- an answer is nothing to store as a boolean
  const stored: boolean = answer;
  // @ts-expect-error -- a level is no condition: NONE would be true
  if (permissions.read) change();
  // @ts-expect-error -- levels are no texts, which compare by the alphabet
  if (permissions.read >= "GROUP") change();
  // @ts-expect-error -- an option that is misspelt
  await client.checkVisible(ann, cluster, { fullyconsistent: true });
  // @ts-expect-error -- ids are texts
  await client.checkVisible(ann, { kind: "cluster", id: 7 });
  // @ts-expect-error -- an owner is not forgotten, but null where there is none
  await client.checkCreatable(ann, { kind: "cluster" });
  // @ts-expect-error -- a credential takes no pin
  Caller.apiKey("k", { pinnedTo: "20" });
  // @ts-expect-error -- nobody makes a caller without an identity
  new Caller({}, {});
  // @ts-expect-error -- a word that is none
  await client.checkRole(ann, { anyOfOrgRoles: ["admin"] });

  /* eslint-enable @typescript-eslint/strict-boolean-expressions */

  // What is right compiles.
  if (answer.allAllowed && answer.at(0).allowed) change(stored);
  if (permissions.read >= AccessLevel.GROUP) change();
  if (permissions.read.atLeast(AccessLevel.GROUP)) change();
}

declare function change(...what: readonly unknown[]): void;
