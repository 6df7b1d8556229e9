// Ticks that come quickly, edits that fail, and a program that is gone: what the page says, and where the focus is.
import { check, eventually, letIn, openWindow, start, startSandbox, within } from "./world.mjs";
import { agree, begin, click, names, nextSum, sum, waiting, working } from "./screens.mjs";

const focus = page => page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.id}`);
const isTicked = (page, at) => page.locator("input[name=in]").nth(at).isChecked();
const tick = (page, at) => page.locator("input[name=in]").nth(at).evaluate(box => box.click());

const follows = async (page, origin) => {
  within("a plan that comes by itself");
  await page.goto(origin + "/choose");
  // Enough work for two windows to see it.
  await page.fill("#waves", "200,rest");
  await page.locator("#waves").press("Enter");
  await page.waitForURL(/\/runs\/[0-9a-f]{12}$/);
  check("Enter in a field makes it", true);
  const run = page.url();
  await working(page);
  check("the title says that it is read", /^Reading/.test(await page.title()), await page.title());
  await page.getByRole("button", { name: "Stop" }).focus();
  await waiting(page);
  check("and then that it is ready", await eventually(async () => /^Plan is ready/.test(await page.title())), await page.title());
  check("a part outside of what is replaced says so, too", await page.innerText("#news") === "The plan is ready.", await page.innerText("#news"));
  check("and the focus is not lost", await eventually(async () => /^H1 /.test(await focus(page))), await focus(page));
  return run;
};

const ticksQuickly = async (page, run) => {
  within("quick ticks");
  await page.goto(run);
  await waiting(page);
  const all = await sum(page);
  // Each answer takes so long that the next ticks come before it.
  const slow = async route => {
    await new Promise(resolve => setTimeout(resolve, 300));
    await route.continue().catch(() => {});
  };
  await page.route(/\/users\?/, slow);
  for (const at of [0, 1, 2]) await tick(page, at);
  await nextSum(page, all);
  check("all of them count", await eventually(async () => (await sum(page))[1] === all[1] - 3), `${all} ${await sum(page)}`);
  await page.unroute(/\/users\?/, slow);
  // The first form is taken, the second one takes its user back.
  let late = 0;
  await page.route(/\/runs\/\w+\?.*#?/, slow);
  const answered = page.waitForResponse(response => response.request().method() === "POST" && response.status() === 303);
  await tick(page, 3);
  await answered;
  await tick(page, 3);
  await eventually(async () => (late += 1) > 20);
  await page.unroute(/\/runs\/\w+\?.*#?/, slow);
  await page.reload();
  const ticks = await Promise.all([0, 1, 2, 3, 4].map(at => isTicked(page, at)));
  check("a box that is ticked out and in again is in", String(ticks) === "false,false,false,true,true", ticks);
  await click(page, /^Take back all/);
  check("and everybody can be taken back", await eventually(async () => String(await sum(page)) === String(all)), await sum(page));
};

const fails = async page => {
  within("an edit that fails");
  await click(page, /^Leave out all \d+ users found$/);
  check("says why", await eventually(async () => /nobody would be left/.test(await page.innerText("#problem"))), await page.innerText("#problem"));
  check("where it is seen", await page.locator("#problem").evaluate(one => { const { top, bottom } = one.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; }));
  check("and the button keeps the focus", await focus(page) === "BUTTON leave-out", await focus(page));
  await tick(page, 0);
  check("until one works", await eventually(async () => await page.innerText("#problem") === ""));
  await tick(page, 0);
  await page.getByText("Next page").focus();
  await page.keyboard.press("Enter");
  await page.locator("#page-before").waitFor();
  await eventually(async () => (await names(page)).length > 0 && await page.locator("#users").evaluate(one => Math.abs(one.getBoundingClientRect().top) < 5));
  check("another page begins at its top", await page.locator("#users").evaluate(one => Math.abs(one.getBoundingClientRect().top) < 5));
  check("and the focus stays in the list", await page.evaluate(() => document.getElementById("found").contains(document.activeElement)), await focus(page));
};

const isRefused = async (program, state, run) => {
  within("a form that is refused");
  const window = await openWindow(program.origin, { storageState: state }, [403, "htmx:responseError", "Response Status Error"]);
  const page = await window.newPage();
  await page.goto(run);
  await waiting(page);
  const before = await isTicked(page, 0);
  await window.clearCookies();
  await tick(page, 0);
  check("says what the program says", await eventually(async () => /^This page is open to whoever started it/.test(await page.innerText("#lost"))), await page.innerText("#lost"));
  check("and the box goes back", await eventually(async () => await isTicked(page, 0) === before));
  await window.close();
};

const isGone = async (program, page, other, run) => {
  within("a program that is gone");
  const says = tab => eventually(async () => /^No connection to syncfilters/.test(await tab.innerText("#lost")));
  await other.goto(run);
  await waiting(other);
  const before = await isTicked(other, 0);
  await other.route(/\/users\?/, route => route.abort("connectionrefused"));
  await tick(other, 0);
  check("is said where somebody is ticked out", await says(other));
  check("whose box goes back", await eventually(async () => await isTicked(other, 0) === before));
  await page.goto(run);
  await agree(page);
  await working(page);
  await working(other);
  check("a window in which the plan waited shows the work of another", true);
  const unsaid = await page.innerText("#lost");
  await program.end("SIGKILL");
  check("is said where a run is followed", unsaid === "" && await says(page), await page.innerText("#lost"));
};

const searchesAndTicks = async (page, run) => {
  within("a search and a tick");
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(run);
  await waiting(page);
  const ticked = page.locator("input[name=in]:checked");
  const all = await sum(page);
  await ticked.nth(20).scrollIntoViewIfNeeded();
  const place = await page.evaluate(() => scrollY);
  await ticked.nth(20).click();
  const fewer = await nextSum(page, all);
  check("a tick leaves the page where it is", Math.abs(await page.evaluate(() => scrollY) - place) < 100, `${place} ${await page.evaluate(() => scrollY)}`);
  // The search is under way when the box is ticked, and another comes while the tick is.
  await page.route(/\/users\?/, async route => {
    await new Promise(resolve => setTimeout(resolve, 200));
    await route.continue().catch(() => {});
  });
  const search = page.locator("input[type=search]");
  await search.fill("a");
  await page.waitForRequest(/search=a/);
  await ticked.first().click();
  await search.fill("an");
  const fewest = await nextSum(page, fewer);
  check("a tick during a search counts", fewest[1] === fewer[1] - 1, `${fewer} ${fewest}`);
  const isFound = async () => {
    const all = await names(page);
    return all.length > 0 && all.every(name => name.toLowerCase().includes("an"));
  };
  check("and the search after it is made", await eventually(isFound), await names(page));
  await page.unroute(/\/users\?/);
  await page.reload();
  check("the sum that is shown is that of the plan", String(await sum(page)) === String(fewest), `${fewest} ${await sum(page)}`);
  await search.fill("");
  await page.getByRole("button", { name: /^Take back all/ }).waitFor();
  await eventually(async () => await page.getByRole("button", { name: /^Take back all \d{3} / }).count() > 0);
  await click(page, /^Take back all/);
  await eventually(async () => String(await sum(page)) === String(all));
};

export const edits = async () => {
  const sandbox = await startSandbox(["--users", "300", "--latency", "80", "--hint", "4"]);
  const program = await start(["ui", "--no-open", "--port", "0"], { more: sandbox.variables });
  const { window: first, state } = await letIn(program);
  // Forms that are given up for later ones, and a program that is killed.
  const window = await openWindow(program.origin, { storageState: state }, ["[object Event]", "htmx:sendAbort", "htmx:afterRequest", "htmx:sendError", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"]);
  await first.close();
  const page = await window.newPage();
  const run = await follows(page, program.origin);
  await ticksQuickly(page, run);
  await searchesAndTicks(page, run);
  await fails(page);
  await isRefused(program, state, run);
  await isGone(program, page, await window.newPage(), run);
  await window.close();
};
