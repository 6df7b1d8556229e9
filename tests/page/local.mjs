// The local page from end to end in a real Chromium, and its guards from outside.
// Called by `.ci/page` with a folder for pictures, where they are wanted; with SYNCFILTERS (the program), CHROMIUM, and
// PLAYWRIGHT_FROM, where playwright-core and axe-core are. Further arguments are the only parts to try.
import { check, endAll, hasFailed, judgeAll, within } from "./local/world.mjs";
import { edits } from "./local/edits.mjs";
import { guards } from "./local/guards.mjs";
import { interrupted } from "./local/interrupted.mjs";
import { looks } from "./local/looks.mjs";
import { hostileNames } from "./local/names.mjs";
import { plain } from "./local/plain.mjs";
import { rollout } from "./local/rollout.mjs";

const [pictures, ...only] = process.argv.slice(2);
const parts = { rollout, edits, plain, interrupted, looks, hostileNames, guards };
for (const [name, part] of Object.entries(parts)) {
  if (only.length && !only.includes(name)) continue;
  try {
    await part(pictures);
  } catch (error) {
    check("can be tried to its end", false, `${name}: ${error.stack}`);
  }
}
judgeAll();
await endAll();
within("end");
process.exit(hasFailed() ? 1 : 0);
