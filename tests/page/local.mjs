// The local page from end to end in a real Chromium, and its guards from outside.
// Called by `.ci/page` with a folder for pictures, where they are wanted; with SYNCFILTERS (the program), CHROMIUM, and
// PLAYWRIGHT_FROM, where playwright-core and axe-core are. Further arguments are the only parts to try.
import { backTo, check, conclude, endAll, found, hasFailed, judgeAll, shown, within } from "./local/world.mjs";
import { edits } from "./local/edits.mjs";
import { guards } from "./local/guards.mjs";
import { interrupted } from "./local/interrupted.mjs";
import { looks } from "./local/looks.mjs";
import { hostileNames } from "./local/names.mjs";
import { plain } from "./local/plain.mjs";
import { rollout } from "./local/rollout.mjs";

const [pictures, ...only] = process.argv.slice(2);
const parts = { rollout, edits, plain, interrupted, looks, hostileNames, guards };
const tried = async (name, part) => {
  try {
    await part(pictures);
  } catch (error) {
    check("can be tried to its end", false, `${name}: ${error.stack}\n${await shown()}`);
  }
};
for (const [name, part] of Object.entries(parts)) {
  if (only.length && !only.includes(name)) continue;
  const before = found();
  await tried(name, part);
  if (found().failed.length === before.failed.length) continue;
  console.log(`-- ${name} failed: once more`);
  backTo(before);
  await tried(name, part);
}
judgeAll();
await endAll();
conclude();
process.exit(hasFailed() ? 1 : 0);
