// A benchmark: how long it takes until the page has painted what was asked for, its size, and the memory of the program.
// SYNCFILTERS names an optimised program; CHROMIUM and PLAYWRIGHT_FROM as for `local.mjs`. Arguments: numbers of users.
import { readFileSync } from "node:fs";
import { begin, found } from "./local/screens.mjs";
import { check, endAll, eventually, hasFailed, letIn, start, startSandbox, within } from "./local/world.mjs";

// Milliseconds that a person does not take for waiting, for a whole page and for a search; Nielsen's limits are 1 s and 0.1 s.
const PLAN = 1000;
const SEARCH = 200;
// The number of users up to which these times are promised; with more they are only printed.
const PROMISED = 5000;
const LARGEST_PAGE = 300_000;
// MiB: what is held for each user would show above this with 100,000 of them.
const MEMORY = 128;
const WORDS = ["anna", "bjorn", "chloe", "emma", "fatima"];

// Milliseconds until the page has painted what an action brings. Asked for from outside: the policy of the page lets
// nothing be evaluated inside.
const took = async (page, action, holds, value) => {
  const begun = performance.now();
  await action();
  while (!await page.evaluate(holds, value)) await new Promise(resolve => setTimeout(resolve, 5));
  await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  return Math.round(performance.now() - begun);
};
const median = async (times, measure) => {
  const all = [];
  for (let time = 0; time < times; time += 1) all.push(await measure(time));
  return all.sort((one, other) => one - other)[Math.floor(times / 2)];
};
// The most memory that a process has taken so far, in MiB; what only Linux tells.
const memory = pid => {
  try {
    return Math.round(Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmHWM:\s+(\d+)/)[1]) / 1024);
  } catch {
    return null;
  }
};

const measure = async users => {
  within(`${users} users`);
  const time = most => users <= PROMISED ? most : undefined;
  const say = (what, value, most) => check(`${what}: ${value}${most ? `, at most ${most}` : ""}`, !most || value <= most);
  const sandbox = await startSandbox(["--users", String(users), "--hint", "52"]);
  const program = await start(["ui", "--no-open", "--port", "0"], { more: sandbox.variables });
  const { window, page } = await letIn(program);
  const begun = performance.now();
  const run = await begin(page, program.origin, { impact: false });
  await page.waitForSelector("#word0", { timeout: 1_200_000 });
  say("seconds until the filters are read and the plan is there", Math.round((performance.now() - begun) / 1000));
  const open = () => took(page, () => page.goto(run), () => document.querySelector("#word0") !== null);
  say("ms until the plan is painted", await median(5, open), time(PLAN));
  const search = page.locator("input[type=search]");
  const find = word => took(page, () => search.fill(word), wanted => {
    const names = [...document.querySelectorAll("td.name")];
    return names.length > 0 && names.every(name => name.textContent.toLowerCase().includes(wanted));
  }, word);
  say("ms from the key until what was found is painted", await median(WORDS.length, at => find(WORDS[at])), time(SEARCH));
  await search.fill("");
  await eventually(async () => await found(page) > users / 2);
  const turned = () => document.querySelector("#found-said").textContent.startsWith("101");
  say("ms until the next page is painted", await took(page, () => page.click("text=Next page"), turned), time(PLAN));
  const sum = await page.innerText(".sum");
  const untick = () => page.locator("input[name=in]").first().uncheck();
  say("ms until a user is out of the plan", await took(page, untick, before => document.querySelector(".sum").textContent !== before, sum), time(PLAN));
  const size = await page.evaluate(async address => (await (await fetch(address)).text()).length, run);
  say("bytes of the plan's page", size, LARGEST_PAGE);
  const most = memory(program.pid);
  if (most !== null) say("MiB of memory", most, MEMORY);
  await window.close();
  await program.end("SIGINT");
  await sandbox.end("SIGINT");
};

const sizes = process.argv.slice(2).map(Number);
for (const users of sizes.length ? sizes : [5000, 100_000]) {
  try {
    await measure(users);
  } catch (error) {
    check("can be measured to its end", false, error.stack);
  }
}
await endAll();
process.exit(hasFailed() ? 1 : 0);
