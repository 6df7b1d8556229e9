// The same without scripts, and by the keyboard alone.
import { check, eventually, letIn, openWindow, start, within } from "./world.mjs";
import { agree, begin, click, names, over, sum, waiting } from "./screens.mjs";

const withoutScripts = async program => {
  within("without scripts");
  const { state } = await letIn(program);
  const window = await openWindow(program.origin, { javaScriptEnabled: false, storageState: state });
  const page = await window.newPage();
  await page.goto(program.origin + "/");
  await page.click("text=Check this environment");
  await page.waitForSelector("text=Check again");
  check("an environment is checked", true);
  await page.goto(program.origin + "/choose");
  await page.fill("#waves", "5,rest");
  await click(page, "Count the users");
  check("users are counted, and the form is kept", /\d+ users/.test(await page.innerText("#count")) && await page.inputValue("#waves") === "5,rest", await page.innerText("#count"));
  const run = await begin(page, program.origin, { waves: "5,rest" });
  await waiting(page);
  check("a plan comes by itself", page.url() === run);
  const all = await sum(page);
  await page.fill("input[type=search]", "anna");
  await click(page, "Show");
  await page.waitForURL(/search=anna/);
  const some = await names(page);
  check("a search finds some", some.length > 0 && some.every(name => name.includes("anna")), some);
  await click(page, /^Leave out all \d+ users found$/);
  await page.waitForLoadState();
  check("everybody found is left out", (await sum(page))[1] < all[1], await sum(page));
  await page.goto(`${run}?search=anna`);
  await click(page, /^Take back all \d+ users found$/);
  await page.goto(run);
  check("and taken back", String(await sum(page)) === String(all), await sum(page));
  await page.locator("input[name=in]").first().uncheck();
  await click(page, "Apply the ticks");
  await page.waitForLoadState();
  check("ticks are taken over", (await sum(page))[1] === all[1] - 1, await sum(page));
  await page.goto(run);
  await page.click("text=Next page");
  await page.waitForURL(/from=100/);
  check("there is a next page", (await names(page)).length > 0);
  await page.goto(run);
  await page.fill("#word0", "no");
  await page.click("#agree button");
  check("a wrong word is refused", /this answer changed nothing/i.test(await page.innerText("[role=alert]")));
  await agree(page);
  await page.waitForSelector("text=Wave 2");
  await agree(page);
  await over(page);
  check("both waves are done", true);
  await click(page, "Undo");
  await agree(page);
  await eventually(async () => (await page.locator("#progress, #agree").count()) === 0);
  check("and undone", /undo/i.test(await page.innerText("h1")));
  await page.goto(program.origin + "/runs");
  check("both runs are listed", await page.locator("table.list tbody tr").count() === 2);
  await window.close();
};

// Whether the whole element with the focus can be seen: not outside, and not below the bar that stays in view.
const focused = page => page.evaluate(() => {
  const element = document.activeElement;
  const { left, right, top, bottom } = element.getBoundingClientRect();
  const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return { tag: element.tagName, text: element.textContent.trim().slice(0, 30), name: element.name ?? "", id: element.id, isSeen: top >= 0 && bottom <= innerHeight && (element.contains(at) || element.labels?.[0]?.contains(at) || at?.contains(element)), hasOutline: getComputedStyle(element).outlineStyle !== "none" };
});

const byKeyboard = async (program, state) => {
  within("by keyboard");
  const window = await openWindow(program.origin, { storageState: state });
  const page = await window.newPage();
  const hidden = [];
  const tabTo = async (what, isIt) => {
    for (let step = 0; step < 80; step += 1) {
      await page.keyboard.press("Tab");
      const at = await focused(page);
      if (!at.isSeen || !at.hasOutline) hidden.push(`${at.tag} ${at.id || at.name || at.text}${at.hasOutline ? "" : " without an outline"}`);
      if (isIt(at)) return true;
    }
    throw new Error(`${what} is not reached`);
  };
  await page.goto(program.origin + "/");
  await tabTo("choosing", at => at.text === "Choose users");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/choose?*");
  await tabTo("the items", at => at.name === "impact");
  await page.keyboard.press("Space");
  check("a box is ticked", await page.isChecked("input[name=impact]"));
  await tabTo("planning", at => at.text === "Read the filters and plan");
  await page.keyboard.press("Enter");
  await waiting(page);
  await tabTo("the word", at => at.id === "word0");
  await page.keyboard.type((await page.locator("#agree label code").last().innerText()));
  await tabTo("agreeing", at => at.tag === "BUTTON" && ["Deactivate"].includes(at.text));
  await page.keyboard.press("Enter");
  await over(page);
  check("from the start to a run that is done", true);
  check("what has the focus is seen, with an outline", hidden.length === 0, hidden.join("; "));
  await window.close();
};

export const plain = async () => {
  const program = await start(["demo", "--ui", "--no-open", "--users", "200", "--port", "0"]);
  await withoutScripts(program);
  const other = await start(["demo", "--ui", "--no-open", "--users", "200", "--port", "0"]);
  const { state } = await letIn(other);
  await byKeyboard(other, state);
};
