// How long it takes until something is painted, with many users: printed, without a verdict.
import { eventually, letIn, start, within } from "./world.mjs";
import { begin, found } from "./screens.mjs";

const USERS = 5000;

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

export const timings = async () => {
  within(`timings with ${USERS} users`);
  const program = await start(["demo", "--ui", "--no-open", "--users", String(USERS), "--port", "0"]);
  const { page } = await letIn(program);
  const before = performance.now();
  const run = await begin(page, program.origin, { impact: false });
  await page.waitForSelector("#word0", { timeout: 300_000 });
  const say = (what, time) => console.log(`     ${what}: ${time} ms`);
  say("users and filters read and planned", Math.round(performance.now() - before));
  say("plan painted", await median(5, () => took(page, () => page.goto(run), () => document.querySelector("#word0") !== null)));
  const search = page.locator("input[type=search]");
  const words = ["anna", "bjorn", "chloe", "emma", "fatima"];
  say("search answered, from the key to the paint", await median(words.length, at => {
    const word = words[at];
    return took(page, () => search.fill(word), wanted => [...document.querySelectorAll("td.name")].every(name => name.textContent.includes(wanted)), word);
  }));
  await search.fill("");
  await eventually(async () => await found(page) > USERS / 2);
  say("next page", await took(page, () => page.click("text=Next page"), () => document.querySelector("#found > p").textContent.startsWith("101")));
  say("a tick taken over", await took(page, () => page.locator("input[name=in]").first().uncheck(), before => document.querySelector(".sum").textContent !== before, await page.innerText(".sum")));
  const size = await page.evaluate(async address => (await (await fetch(address)).text()).length, run);
  console.log(`     size of the plan's page: ${Math.round(size / 1000)} KB`);
};
